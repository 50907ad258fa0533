"""The command line: names, files, folders; wrong ones are answered in one sentence and a non-zero status."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import main
from app import cli
from app.commands.registry import Registry
from app.paths import ROOT, BadDataFolder, open_paths
from app.runtime import jit_cache
from app.scenarios import Scenario
from app.scenarios.journey import Journey, StepFailed
from app.settings import PROFILES as OFFERED_PROFILES
from engine.proving.parameters import DEFAULT_PROFILE, PARAMETERS, PROFILES
from engine.proving.prover import prove_batch
from engine.sequencer.inputs import L1Block
from tests.support.app_world import OWNER, l1_deposit, opened, quiet_venue, step
from tests.support.app_world import run as play_on


def call(*arguments: str) -> int:
    """The commands of app alone: none of them needs the window."""
    return cli.run(list(arguments))


@pytest.mark.parametrize(
    ("arguments", "valid"),
    [
        (["dekc"], "bench, desk, doctor, export, fill, recover, replay, run, screenshots, settings, verify, worker"),
        (["run", "round-tripp"], "round-trip"),
        (["run", "round-trip", "--profile", "slow"], "quick, frugal"),
        (["run", "round-trip", "--seed", "-1"], "must lie in [0, 9223372036854775807]"),
        (["run", "round-trip", "--seed", "9223372036854775808"], "must lie in [0, 9223372036854775807]"),
        (["run", "round-trip", "--seed", "one"], "invalid whole number value: one"),
        (["settings", "forget", "speed"], "list, get, set, reset"),
    ],
)
def test_unknown_names_list_the_valid_ones(
    arguments: list[str], valid: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    assert ended.value.code == 2
    assert valid in capsys.readouterr().err.replace("'", "")


def test_an_unknown_bench_lists_the_valid_ones(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in ((["speed"], "unknown bench 'speed'"), ([], "NAME is missing")):
        assert main.main(["bench", *arguments]) == 2
        message = capsys.readouterr().err
        assert words in message
        assert ", ".join(main.whole_registry().benches.names()) in message


def test_the_profiles_offered_are_those_that_proofs_may_name() -> None:
    assert (list(OFFERED_PROFILES), OFFERED_PROFILES[0]) == (list(PROFILES), DEFAULT_PROFILE.name)
    assert cli.parse(["run", "round-trip", "--profile", "frugal"], Registry()).profile == "frugal"


def test_without_a_command_the_default_one_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.parse([], main.whole_registry()).command == "desk"
    assert cli.parse(["--data", "x"], main.whole_registry()).command == "desk"
    with pytest.raises(SystemExit) as ended:
        call()
    assert ended.value.code == 2
    assert "COMMAND is missing; valid: bench, doctor" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["desk"], ["run", "round-trip"]])
def test_the_address_of_a_node_is_checked_before_anything_is_opened(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main([*command, "--l1", "127.0.0.1:8545", "--data", str(tmp_path / "new")]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "proofline: '127.0.0.1:8545' is not the address of a node; give one like http://127.0.0.1:8545"
    ]
    assert not (tmp_path / "new").exists()


def test_an_unknown_crash_point_lists_the_valid_ones() -> None:
    environment = {**os.environ, "PROOFLINE_CRASH_AT": "lunch:1"}
    command = [sys.executable, "main.py", "bench", "--list"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown crash point 'lunch'; valid: after_commit_before_ack" in done.stderr


def test_a_reader_that_goes_away_and_a_full_disk_are_said_in_one_line() -> None:
    def start(out: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "main.py", "bench", "--list"]
        return subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True)

    read, write = os.pipe()
    os.close(read)
    gone = start(write)
    os.close(write)
    assert (gone.communicate()[1], gone.returncode) == ("", 141)
    with Path("/dev/full").open("w") as full:
        crowded = start(full)
    assert (crowded.communicate()[1], crowded.returncode) == ("proofline: a file: No space left on device\n", 1)


def test_the_benches_are_listed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["bench", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == main.whole_registry().benches.names()
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("command", ["replay", "doctor", "run"])
def test_an_unusable_data_folder_is_named(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    more = ["round-trip"] if command == "run" else []
    assert call(command, *more, "--data", str(tmp_path / "file" / "below")) == 1
    assert f"the data folder {tmp_path / 'file' / 'below'} cannot be used" in capsys.readouterr().err
    with pytest.raises(BadDataFolder) as refused:
        open_paths(tmp_path / "file")
    assert refused.value.field == "--data"


def test_a_replay_without_a_journal_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("replay", "--data", str(tmp_path)) == 1
    assert f"there is no journal in {tmp_path}" in capsys.readouterr().err


def test_a_replay_prints_root_and_fills(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(folder) as session:
        venue = session.loop.venue
        root, fills = venue.state_root(), venue.fills_digest()
    assert call("replay", "--json", "--data", str(folder)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["root"] == b"".join(limb.to_bytes(4, "big") for limb in root).hex()
    assert printed["fills_digest"] == fills
    assert call("replay", "--data", str(folder)) == 0
    assert fills in capsys.readouterr().out


def damage(folder: Path, sequence: int) -> None:
    connection = sqlite3.connect(open_paths(folder).journal)
    connection.execute("UPDATE inputs SET data = X'00' WHERE sequence = ?", (sequence,))
    connection.commit()
    connection.close()


def test_replay_and_doctor_name_a_damaged_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(folder, 5)
    assert call("replay", "--data", str(folder)) == 1
    assert "inputs row 5 does not continue the chain" in capsys.readouterr().err
    assert call("doctor", "--data", str(folder)) == 1
    assert "BAD  inputs row 5 does not continue the chain" in capsys.readouterr().out


def test_doctor_finds_a_whole_folder_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("doctor", "--data", str(folder)) == 0
    text = capsys.readouterr().out
    assert "BAD" not in text
    assert "all that was acknowledged" in text
    assert "demo-key.json is readable by its owner only (mode 0600)" in text
    (open_paths(folder).keys / "demo-key.json").chmod(0o644)
    assert call("doctor", "--data", str(folder)) == 1
    assert "BAD  demo-key.json" in capsys.readouterr().out


def test_doctor_on_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("doctor", "--data", str(tmp_path / "new")) == 0
    assert "no journal yet" in capsys.readouterr().out


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A proof file of a batch with one deposit."""
    venue = quiet_venue()
    venue.apply(
        1, L1Block(number=1, timestamp=0, block_hash=bytes(32), deposits=(l1_deposit(0, 40, OWNER, 50_000_001),))
    )
    step(venue, 11)
    (batch,) = venue.take_closed_batches()
    path = tmp_path_factory.mktemp("proof") / "batch.proof"
    path.write_bytes(prove_batch(batch, venue.config).file)
    return path


def test_verify_prints_public_inputs_statement_and_security(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("verify", str(proof)) == 0
    text = capsys.readouterr().out
    assert text.startswith("accepted in ")
    for word in ("statement", "old root", "new root", "50.000001 pUSD, account 40", "bits proven", "does not cover"):
        assert word in text


@pytest.mark.parametrize("place", [0, 7, 0.001, 0.1, 0.5, 0.9, -1])
def test_verify_refuses_one_flipped_byte(proof: Path, tmp_path: Path, place: float, capsys) -> None:
    data = bytearray(proof.read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 0x20
    changed = tmp_path / "changed.proof"
    changed.write_bytes(data)
    assert call("verify", str(changed)) == 1
    said = capsys.readouterr().out
    assert said.startswith("refused: ")
    assert len(said) > len("refused: ") + 10


def test_verify_says_on_request_what_the_file_holds_or_only_claims(proof: Path, tmp_path: Path, capsys) -> None:
    assert call("verify", str(proof), "--details") == 0
    text = capsys.readouterr().out
    for word in (
        "queries",
        f"FRI 1, fold by {1 << PARAMETERS.log_arity}",
        "last polynomial",
        "out-of-domain values",
        "52 field elements",
    ):
        assert word in text
    data = bytearray(proof.read_bytes())
    data[-1] ^= 1  # the last node of a path
    (tmp_path / "changed.proof").write_bytes(data)
    assert call("verify", str(tmp_path / "changed.proof"), "--details") == 1
    text = capsys.readouterr().out
    assert "stage                fri, which checks that the committed columns are polynomials of low degree" in text
    assert "none of it verified" in text
    (tmp_path / "cut.proof").write_bytes(data[:-1])
    assert call("verify", str(tmp_path / "cut.proof"), "--details") == 1
    assert "it does not decode: wrong proof length" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\x00", b"not a proof" * 100])
def test_verify_refuses_what_is_no_proof(content: bytes, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_bytes(content)
    assert call("verify", str(tmp_path / "file")) == 1
    assert capsys.readouterr().out.startswith("refused: ")


def test_verify_names_a_file_that_is_not_there(tmp_path: Path, capsys) -> None:
    assert call("verify", str(tmp_path / "gone.proof")) == 2
    assert "gone.proof cannot be read: No such file" in capsys.readouterr().err
    assert call("verify", str(tmp_path)) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("play", "words"),
    [
        (lambda journey: journey.check("the step", False, "it rained"), "the step: it rained"),
        (lambda journey: 1 // 0, "ZeroDivisionError"),
    ],
)
def test_a_scenario_that_fails_writes_its_report_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, play, words: str
) -> None:
    monkeypatch.setattr(Scenario, "play", lambda self, journey: play(journey))
    report = tmp_path / "deep" / "report.json"
    assert call("run", "round-trip", "--data", str(tmp_path), "--report", str(report)) == 1
    written = json.loads(report.read_text())
    assert any(words in failure for failure in written["failures"])
    assert words in capsys.readouterr().err
    assert Path(written["data"]).is_dir()


def test_a_report_that_cannot_be_written_is_an_error_in_words_and_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(Scenario, "play", lambda self, journey: None)
    (tmp_path / "file").write_text("")
    assert call("run", "round-trip", "--data", str(tmp_path / "d"), "--report", str(tmp_path / "file" / "r.json")) == 1
    assert "cannot be written" in capsys.readouterr().err
    log = open_paths(tmp_path / "d").log.read_text()
    assert "ERROR" in log
    assert "r.json cannot be written" in log


def test_a_journey_stops_at_the_first_refusal_and_at_its_time_limit(folder: Path) -> None:
    from engine.sequencer.inputs import PlaceOrder

    with opened(folder) as session:
        session.prover.start()
        said: list[tuple[str, bool, str]] = []
        journey = Journey(session, lambda *step: said.append(step))
        with pytest.raises(StepFailed, match="PlaceOrder was refused") as refused:
            journey.send(PlaceOrder(account=journey.account, market=1, side="buy", type="market", lots=0))
        assert refused.value.field == "lots"
        with pytest.raises(StepFailed, match="the moon did not happen within 4 s"):
            journey.wait_until("the moon", lambda: False, limit_seconds=4)
        with pytest.raises(StepFailed, match="walk: too far"):
            journey.check("walk", False, "too far")
        assert said == [("walk", False, "too far")]
        assert [step["passed"] for step in journey.steps] == [False]
        play_on(session, 1)


def test_a_home_that_cannot_be_written_costs_only_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PROOFLINE_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(jit_cache, "_homeless", [])
    folder = jit_cache.prepare()
    assert folder.is_dir()
    assert not jit_cache.has_kernels()
    jit_cache._homeless[0].cleanup()
    assert not folder.exists(), "nothing is left behind"
