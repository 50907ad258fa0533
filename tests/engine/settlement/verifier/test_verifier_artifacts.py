"""The committed bytecode is what the committed sources compile to, with the compiler named in it."""

from __future__ import annotations

import pytest

from engine.settlement.errors import ArtifactError
from engine.settlement.verifier import artifacts
from engine.settlement.verifier.artifacts import CONTRACTS, MODULES, artifact_path, load, source_path
from engine.settlement.verifier.compile_verifier import compile_contract, encode_artifact


@pytest.mark.parametrize("name", CONTRACTS)
def test_recompiling_gives_the_committed_bytes(name: str) -> None:
    assert encode_artifact(compile_contract(name)) == artifact_path(name).read_bytes()


def test_every_source_is_a_contract_or_a_module() -> None:
    names = {path.stem for path in source_path("field").parent.glob("*.vy")}
    assert names == {*CONTRACTS, *MODULES}


def test_an_artifact_of_another_source_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "source_digest", lambda name: "00" * 32)
    with pytest.raises(ArtifactError, match="another source"):
        load("queries")
