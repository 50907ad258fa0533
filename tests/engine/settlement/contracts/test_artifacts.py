"""The committed artifacts are what the sources compile to, and fit the chain's limits."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from engine.files import SUMS_NAME, read_sums, write_sums
from engine.settlement.chain.transactions import MAX_INITCODE_BYTES
from engine.settlement.contracts import artifacts
from engine.settlement.contracts.artifacts import CONTRACT_NAMES, MAX_RUNTIME_BYTES, artifact_path, load_artifact
from engine.settlement.contracts.compile_contracts import compile_contract, encode_artifact
from engine.settlement.errors import ArtifactError
from engine.settlement.verifier import artifacts as verifier
from tests.support.settlement_venue import Venue


@pytest.mark.parametrize("name", CONTRACT_NAMES)
def test_recompiling_gives_the_committed_artifact(name: str) -> None:
    assert encode_artifact(compile_contract(name)) == artifact_path(name).read_bytes()


@pytest.mark.parametrize("name", CONTRACT_NAMES)
def test_contracts_fit_the_limits(name: str) -> None:
    artifact = load_artifact(name)
    assert artifact.compiler == "vyper 0.4.3"
    assert len(artifact.runtime) // 2 <= MAX_RUNTIME_BYTES
    assert len(artifact.bytecode) // 2 <= MAX_INITCODE_BYTES


def test_deployed_code_is_the_artifacts(venue: Venue) -> None:
    """Runtime code, then the immutables' words."""
    for name, address, immutables in (("token", venue.client.token, None), ("exchange", venue.client.exchange, None)):
        code, runtime = venue.chain.code(address), bytes.fromhex(load_artifact(name).runtime)
        assert code.startswith(runtime)
        assert len(code) <= MAX_RUNTIME_BYTES
        if immutables is not None:
            assert len(code) == len(runtime) + 32 * immutables


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda text: text[:-10], "token.json"),
        (lambda text: text.replace('"source_sha256": "', '"source_sha256": "00'), "source_sha256"),
        (lambda text: text.replace('"runtime": "', '"runtime": "zz'), "token.json"),
        (lambda text: text.replace('"runtime": "', '"runtime": "' + "00" * MAX_RUNTIME_BYTES), "runtime"),
    ],
)
def test_damaged_artifacts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change, field: str) -> None:  # type: ignore[no-untyped-def]
    for folder, path in (("src", artifacts.source_path("token")), ("artifacts", artifact_path("token"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(artifacts, "CONTRACTS_FOLDER", tmp_path)
    path = artifact_path("token")
    path.write_text(change(path.read_text()))
    write_sums(path.parent, "*.json")  # as if it had been compiled so
    with pytest.raises(ArtifactError) as refused:
        load_artifact("token")
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["bytecode", "runtime", "abi"])
def test_one_changed_character_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    shutil.copytree(artifacts.CONTRACTS_FOLDER, tmp_path / "contracts")
    monkeypatch.setattr(artifacts, "CONTRACTS_FOLDER", tmp_path / "contracts")
    load_artifact("token")
    path = artifact_path("token")
    text = path.read_text()
    place = text.index("60", text.index(f'"{name}"')) if name != "abi" else text.index("uint256") + 4
    path.write_text(text[:place] + "7" + text[place + 1 :])
    with pytest.raises(ArtifactError, match="another digest than in SHA256SUMS") as refused:
        load_artifact("token")
    assert refused.value.field == "token.json"


@pytest.mark.parametrize("folder", [artifact_path("token").parent, verifier.artifact_path("queries").parent])
def test_the_digests_are_of_what_is_committed(folder: Path) -> None:
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    assert read_sums(folder / SUMS_NAME) == files


def test_a_missing_artifact_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "CONTRACTS_FOLDER", tmp_path)
    with pytest.raises(ArtifactError, match="exchange.json"):
        load_artifact("exchange")
