"""``bench prove``: its cases are measured and verified, and growth is held against n log n."""

from __future__ import annotations

import math

import pytest

from app import cli
from app.benches.prove import Case, growth, measure_case
from engine.proving.prover import WITNESS_STAGE
from engine.stark.protocol.prover import STAGES


def test_a_case_has_every_stage_and_is_verified() -> None:
    row = measure_case(Case(updates=9, rounds=1, threads=2))
    assert set(row["stages"]) == {WITNESS_STAGE, *STAGES}
    assert (row["updates"], row["threads"], row["profile"]) == (9, 2, "quick")
    assert row["bits_proven"] >= 100
    assert len(row["all_rounds"]) == 1
    assert row["peak_resident_bytes"] > 1 << 26


def test_growth_is_one_for_n_log_n() -> None:
    def row(updates: int, seconds: float) -> dict[str, object]:
        keys = ("seconds", "stages", "proof_bytes", "peak_resident_bytes")
        return {"updates": updates, "processor_seconds": seconds, **dict.fromkeys(keys)}

    first = row(64, 2.0)
    assert growth(first, first)["times_n_log_n"] == 1
    log_linear = 2.0 * (4096 * math.log2(8192)) / (64 * math.log2(128))
    assert growth(row(4096, log_linear), first)["times_n_log_n"] == pytest.approx(1)
    assert growth(row(4096, 2.0 * 64 * 64), first)["times_n_log_n"] > 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "prove", "--updates", "4097"], "--updates is 4097; it must lie in [1, 4096]"),
        (["bench", "prove", "--threads", "0"], "--threads is 0; it must lie in [1, 64]"),
        (["bench", "ack", "--updates", "5"], "--updates is an option of bench prove"),
        (["run", "round-trip", "--cluster", "localhost:8786"], "'localhost:8786' is no scheduler's address"),
        (["run", "round-trip", "--cluster", "tcp://localhost"], "looks like tcp://127.0.0.1:8786"),
        (["worker", "tcp://127.0.0.1:70000"], "looks like tcp://127.0.0.1:8786"),
        (["worker", "tcp://127.0.0.1:8786", "--threads", "65"], "--threads is 65; it must lie in [1, 64]"),
    ],
)
def test_wrong_options_are_refused_by_name_and_limit(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 1
    assert words in capsys.readouterr().err


def test_a_missing_extra_is_one_line_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    arguments = ["run", "round-trip", "--cluster", "tcp://127.0.0.1:8786"]
    assert cli.run(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "-r requirements-cluster.txt" in error
