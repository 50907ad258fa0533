"""Playing a scenario headless: the journey itself, then checks of it by fresh processes, and its report."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from app.paths import ROOT, Paths, open_paths
from app.proving.choice import ProvingChoice
from app.proving.start import prover_with
from app.scenarios import Scenario
from app.scenarios.journey import Journey, Say
from app.scenarios.report import build_report
from app.venue.market_setup import account_seed
from app.venue.session import Session, open_session
from engine.errors import ProtocolError
from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.batch import root_bytes
from engine.settlement.keys.keys import demo_key, role_key


def new_run_folder(data: str | None, scenario: str) -> Paths:
    """A fresh folder below the data folder: a scenario starts from genesis and never touches the desk's venue."""
    runs = open_paths(data).data / "runs"
    number = 1
    while (folder := runs / f"{scenario}-{number:03}").exists():
        number += 1
    return open_paths(folder)


def play(
    scenario: Scenario,
    paths: Paths,
    seed: int,
    proving: ProvingChoice,
    *,
    say: Say,
    keep: Callable[[Session], None] | None = None,
    l1: str | None = None,
) -> dict[str, Any]:
    """Play, check with separate processes, and return the report. ``keep`` sees the session before it is closed.

    ``l1``: URL of a node, None for the embedded chain.
    """
    started = time.perf_counter()
    failures: list[str] = []
    config = msgspec.structs.replace(DEFAULT_CONFIG, seed=seed)
    # the user's address is in the leaves: with a random key the seed would not fix the roots
    demo_key(paths.keys, secret=role_key(account_seed(config, config.first_user_account), "taker"))
    session = open_session(paths, config, _progress(say), make_prover=prover_with(proving), l1=l1, new=True)
    opened = time.perf_counter()
    try:
        journey = Journey(session, say)
        session.prover.start()
        try:
            scenario.play(journey)
            for words in session.prover.messages():
                say("prover", True, words)
        except ProtocolError as error:
            failures.append(error.message)
        except Exception as error:  # noqa: BLE001 - a scenario that breaks is a failed one: the report says how
            failures.append(f"{type(error).__name__}: {error}")
        measured = {"open_seconds": opened - started, "play_seconds": time.perf_counter() - opened}
        report = build_report(session, scenario.name, journey.steps, measured)
        live_root = root_bytes(session.loop.venue.state_root()).hex()
        if keep is not None:
            keep(session)
    finally:
        session.close()
    failures += [f"invariant {name}: {value}" for name, value in report["invariants"].items() if value is not True]
    failures += _check_replay(report, live_root, paths, say)
    failures += _check_proofs(report, say)
    report["measured"]["total_seconds"] = time.perf_counter() - started
    report["failures"] = failures
    return report


def _progress(say: Say) -> Callable[[str, float], None]:
    seen: set[str] = set()

    def progress(stage: str, fraction: float) -> None:
        if stage not in seen:
            seen.add(stage)
            say("opening", True, stage)

    return progress


def _check_replay(report: dict[str, Any], live_root: str, paths: Paths, say: Say) -> list[str]:
    """A fresh process replays the journal from genesis and must reach the same root and fills."""
    done = _process("replay", "--json", "--data", str(paths.data))
    printed = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    report["journal"] = {
        "inputs": printed.get("inputs"),
        "live_root": live_root,
        "replayed_root": printed.get("root"),
        "replayed_fills": printed.get("fills_digest"),
    }
    good = printed.get("root") == live_root and printed.get("fills_digest") == report["fills"]["digest"]
    detail = f"{printed.get('inputs', 0):,} inputs give root 0x{printed.get('root', '')[:16]} and the same fills"
    report["steps"].append({"name": "replay", "passed": good, "detail": detail if good else done.stderr[-500:]})
    say("replay", good, detail if good else done.stderr[-500:])
    return [] if good else [f"replay: {printed or done.stderr[-500:]}"]


def _check_proofs(report: dict[str, Any], say: Say) -> list[str]:
    """A fresh process verifies each proof file, given nothing but the file."""
    failures = []
    for batch in report["batches"]:
        done = _process("verify", batch["proof_file"])
        if done.returncode or not done.stdout.startswith("accepted"):
            failures.append(f"verify batch {batch['id']}: {(done.stdout + done.stderr)[-300:]}")
    detail = f"{len(report['batches']) - len(failures)} of {len(report['batches'])} proofs accepted by a fresh process"
    report["steps"].append({"name": "verify", "passed": not failures, "detail": detail})
    say("verify", not failures, detail)
    return failures


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
