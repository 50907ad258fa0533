"""Compile the verifier's contracts: ``python -m engine.settlement.verifier.compile_verifier``.

Expands the templates into the sources in ``src``, once every fragment keeps to its interface, and writes what they
compile to into ``artifacts``; all three are committed. Needs the development requirements (Vyper); nothing at run time
imports this module.
"""

from __future__ import annotations

from engine.files import write_sums
from engine.settlement.contracts.artifacts import Artifact
from engine.settlement.contracts.compile_contracts import encode_artifact
from engine.settlement.verifier.artifacts import (
    CONTRACTS,
    FOLDER,
    MODULES,
    artifact_path,
    source_digest,
    source_path,
)
from engine.settlement.verifier.expand import expanded_source, load_fragments, template_text
from engine.settlement.verifier.interface import check_all


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


def write_sources() -> None:
    """Expand every template, or raise :class:`TemplateError` for a fragment that does not keep to its interface."""
    names = (*MODULES, *CONTRACTS)
    check_all({name: template_text(name) for name in names}, load_fragments())
    for name in names:
        source_path(name).write_text(expanded_source(name))


def main() -> None:
    """Expand, compile and write every contract, and the digests of what was written."""
    write_sources()
    for name in CONTRACTS:
        artifact_path(name).parent.mkdir(exist_ok=True)
        artifact_path(name).write_bytes(encode_artifact(compile_contract(name)))
    write_sums(artifact_path(CONTRACTS[0]).parent, "*.json")


if __name__ == "__main__":
    main()
