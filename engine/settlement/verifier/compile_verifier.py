"""Compile the verifier's contracts: ``python -m engine.settlement.verifier.compile_verifier`` writes their artifacts.

Needs the development requirements (Vyper); nothing at run time imports this module.
"""

from __future__ import annotations

from engine.settlement.contracts.artifacts import Artifact
from engine.settlement.contracts.compile_contracts import encode_artifact
from engine.settlement.verifier.artifacts import CONTRACTS, FOLDER, artifact_path, source_digest, source_path


def compile_contract(name: str) -> Artifact:
    """Compile one contract with the installed Vyper."""
    import vyper
    from vyper.cli.vyper_compile import compile_files

    formats = ["abi", "bytecode", "bytecode_runtime"]
    paths = [str(FOLDER / "src")]
    (output,) = compile_files([source_path(name)], formats, paths=paths, include_sys_path=False).values()
    return Artifact(
        name=name,
        compiler=f"vyper {vyper.__version__}",
        source_sha256=source_digest(name),
        abi=output["abi"],
        bytecode=output["bytecode"].removeprefix("0x"),
        runtime=output["bytecode_runtime"].removeprefix("0x"),
    )


def main() -> None:
    """Compile and write every contract."""
    for name in CONTRACTS:
        artifact_path(name).parent.mkdir(exist_ok=True)
        artifact_path(name).write_bytes(encode_artifact(compile_contract(name)))


if __name__ == "__main__":
    main()
