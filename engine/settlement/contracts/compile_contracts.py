"""Compile the contracts and write their artifacts: ``python -m engine.settlement.contracts.compile_contracts``.

Needs the development requirements (Vyper); nothing at run time imports this module.
"""

from __future__ import annotations

import hashlib

import msgspec

from engine.files import write_sums
from engine.settlement.contracts.artifacts import CONTRACT_NAMES, Artifact, artifact_path, source_path


def compile_contract(name: str) -> Artifact:
    """Compile one contract with the installed Vyper."""
    import vyper
    from vyper.cli.vyper_compile import compile_files

    path = source_path(name)
    formats = ["abi", "bytecode", "bytecode_runtime"]
    (output,) = compile_files([path], formats, include_sys_path=False).values()
    return Artifact(
        name=name,
        compiler=f"vyper {vyper.__version__}",
        source_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        abi=output["abi"],
        bytecode=output["bytecode"].removeprefix("0x"),
        runtime=output["bytecode_runtime"].removeprefix("0x"),
    )


def encode_artifact(artifact: Artifact) -> bytes:
    """The committed form: sorted, indented JSON."""
    return msgspec.json.format(msgspec.json.encode(artifact, order="sorted"), indent=1) + b"\n"


def main() -> None:
    """Compile and write every contract, and the digests of what was written."""
    for name in CONTRACT_NAMES:
        artifact_path(name).parent.mkdir(exist_ok=True)
        artifact_path(name).write_bytes(encode_artifact(compile_contract(name)))
    write_sums(artifact_path(CONTRACT_NAMES[0]).parent, "*.json")


if __name__ == "__main__":
    main()
