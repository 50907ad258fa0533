"""The round trip from the command line: its report, its proofs, its replay; the same seed gives the same run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.paths import ROOT
from app.scenarios.round_trip import WITHDRAWAL
from engine.stark.parameters import Parameters

STEPS = {
    "deposit",
    "market buy",
    "receipt",
    "health",
    "limit order rests",
    "order cancelled",
    "funding",
    "close half",
    "batches accepted",
    "withdrawal requested",
    "claimable",
    "token balance",
    "claimed",
    "roots agree",
    "replay",
    "verify",
}
MEASURED = {
    "prove_seconds",
    "verify_seconds",
    "proof_file",
    "stage_seconds",
    "proof_bytes",
    "l1_transaction",
    "gas",
    "calldata_bytes",
    "l1_steps",
}
"""Fields of a batch that the seed does not fix: seconds, and what follows from the user's random key."""


def play(folder: Path, *more: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    report = folder / "report.json"
    command = [sys.executable, "main.py", "run", "round-trip", "--data", str(folder), "--report", str(report), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done, json.loads(report.read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[subprocess.CompletedProcess[str], dict[str, Any]]]:
    """Two runs with the same seed, in folders of their own."""
    return [play(tmp_path_factory.mktemp(name)) for name in ("first", "second")]


@pytest.fixture(scope="module")
def report(runs: list[tuple[subprocess.CompletedProcess[str], dict[str, Any]]]) -> dict[str, Any]:
    done, found = runs[0]
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return found


def documented() -> dict[str, list[tuple[set[str], str]]]:
    """Tables of docs/report.md by the name in their first header cell or the line before: rows of names and meaning."""
    tables: dict[str, list[tuple[set[str], str]]] = {}
    title = ""
    for line in (ROOT / "docs" / "report.md").read_text().splitlines():
        if line and not line.startswith("|"):
            title = line.strip(" :#")
        elif line.startswith("| `"):
            _, names, meaning, _ = line.split("|")
            tables.setdefault(title, []).append((set(re.findall(r"`(\w+)`", names)), meaning))
    return tables


def names_of(table: list[tuple[set[str], str]]) -> set[str]:
    return set().union(*(names for names, _ in table))


def meaning_of(table: list[tuple[set[str], str]], name: str) -> set[str]:
    """Names in the text that explains a field."""
    return {word for names, text in table if name in names for word in re.findall(r"`([a-z_]+)`", text)}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_report_has_every_documented_field_and_no_other(report: dict[str, Any]) -> None:
    top, batch, invariants = documented().values()
    assert names_of(top) == set(report)
    for found in report["batches"]:
        assert names_of(batch) == set(found)
        assert set(found["stages"]) == meaning_of(batch, "stages")
    assert names_of(invariants) == set(report["invariants"])
    assert meaning_of(top, "steps") <= set(report["steps"][0])
    assert set(report["fills"]) == meaning_of(top, "fills")
    assert set(report["journal"]) == meaning_of(top, "journal") - {"replay"}
    assert {"id", "path", "amount", "stages"} == set(report["withdrawals"][0])
    assert set(report["positions"][0]) == meaning_of(top, "positions")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_step_passed_and_three_batches_are_on_l1(report: dict[str, Any]) -> None:
    assert report["failures"] == []
    assert {step["name"] for step in report["steps"]} == STEPS
    assert all(step["passed"] for step in report["steps"])
    batches = report["batches"]
    assert len(batches) >= 3
    assert [batch["id"] for batch in batches] == list(range(1, len(batches) + 1))
    assert {batch["l1_status"] for batch in batches} == {1}
    assert all(before["new_root"] == after["old_root"] for before, after in pairwise(batches))
    for batch in batches:
        stages = batch["stages"]
        assert stages["opened"] <= stages["sequenced"] < stages["proved"] <= stages["posted"] == stages["final"]
        assert batch["security_bits_proven"] >= Parameters.__dataclass_fields__["target_bits"].default or 100
        assert batch["proof_bytes"] == Path(batch["proof_file"]).stat().st_size
        assert batch["gas"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_contract_replay_and_money_agree(report: dict[str, Any]) -> None:
    last = report["batches"][-1]["new_root"]
    journal = report["journal"]
    assert last == report["contract_root"] == journal["live_root"] == journal["replayed_root"]
    assert journal["replayed_fills"] == report["fills"]["digest"]
    assert report["fills"]["count"] > 100
    assert set(report["invariants"].values()) == {True}
    (withdrawal,) = report["withdrawals"]
    assert withdrawal["amount"] == WITHDRAWAL
    times = [withdrawal["stages"][name] for name in ("requested", "in_batch", "proved", "on_l1", "claiming", "claimed")]
    assert times == sorted(times)
    (position,) = report["positions"]
    assert position["size"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_fresh_process_accepts_each_proof_and_refuses_it_with_a_flipped_byte(
    report: dict[str, Any], tmp_path: Path
) -> None:
    said = next(step for step in report["steps"] if step["name"] == "verify")
    count = len(report["batches"])
    assert said["detail"] == f"{count} of {count} proofs accepted by a fresh process"
    batch = report["batches"][1]
    data = bytearray(Path(batch["proof_file"]).read_bytes())
    command = [sys.executable, "main.py", "verify"]
    done = subprocess.run([*command, batch["proof_file"]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("accepted in ")
    assert batch["new_root"] in done.stdout
    data[len(data) // 3] ^= 1
    (tmp_path / "changed.proof").write_bytes(data)
    changed = [*command, str(tmp_path / "changed.proof")]
    done = subprocess.run(changed, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("refused: ")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_same_seed_gives_the_same_fills_batches_and_roots(
    runs: list[tuple[subprocess.CompletedProcess[str], dict[str, Any]]],
) -> None:
    first, second = (report for _, report in runs)
    assert first["data"] != second["data"]
    assert first["fills"] == second["fills"]
    assert first["positions"] == second["positions"]
    assert first["withdrawals"] == second["withdrawals"]
    assert [step["detail"] for step in first["steps"][:8]] == [step["detail"] for step in second["steps"][:8]]
    for one, other in zip(first["batches"], second["batches"], strict=True):
        assert {k: v for k, v in one.items() if k not in MEASURED} == {
            k: v for k, v in other.items() if k not in MEASURED
        }
