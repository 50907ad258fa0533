"""The command line: parsing, dispatch, and expected errors as one line on the terminal.

``desk`` and ``screenshots`` and the benches of the window live above this package; main.py hands their module in.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType

from app.proving.choice import PROVERS, choice_of
from app.runtime import crash_points
from engine.errors import ProtocolError, UnknownName
from engine.settlement.node.address import check_url

DESCRIPTION = "Proofline: a trading desk with a STARK-proven layer-2 perpetuals exchange inside it."
COMMANDS = ("desk", "run", "replay", "verify", "bench", "screenshots", "worker", "doctor")
SCENARIOS = ("round-trip",)
BENCHES = {
    "ack": "journaled acknowledgement latency of the sequencer (p50, p99)",
    "launch": "second launch to a moving book, after an hour of journal",
    "matching": "operations a second of the sequencer's matching kernel",
    "poseidon": "Poseidon permutations a second, native kernel, one thread",
    "prove": "seconds to prove a batch of account updates, stage by stage",
    "prove-poseidon": "Poseidon permutations proved a second, one thread, the batches' parameters",
    "ui": "frame time of the whole window, idle and while proving",
    "verify": "seconds to verify a proof natively; gas, calldata and transactions on L1, by profile",
}
MAX_SEED = 2**63
WINDOW_BENCHES = ("ui", "launch")
PROFILES = ("quick", "frugal")
"""The names in ``engine.proving.parameters``, which parsing does not import; the first one is the default."""


def run(arguments: list[str], *, window: Callable[[], ModuleType]) -> int:
    """Run one command; returns the exit status (0 done, 1 the work failed, 2 bad usage)."""
    options = parse(arguments)
    try:
        crash_points.arm_from_environment()
        return _dispatch(options, window)
    except ProtocolError as error:
        print(f"proofline: {error.message}", file=sys.stderr)
        return 2 if isinstance(error, UnknownName) else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        return 141  # as if the signal of a closed pipe had ended it
    except OSError as error:
        print(f"proofline: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("proofline: stopped", file=sys.stderr)
        return 130


def _dispatch(options: argparse.Namespace, window: Callable[[], ModuleType]) -> int:
    if options.command in ("desk", "run"):
        choice_of(options)  # refused before anything is compiled or opened
        if options.l1 is not None:
            check_url(options.l1)
    if options.command in ("desk", "screenshots"):
        return int(getattr(window(), options.command)(options))
    if options.command == "bench" and not options.list:
        if options.name not in BENCHES:
            raise UnknownName("bench", str(options.name), list(BENCHES))
        if options.name in WINDOW_BENCHES:
            return int(window().bench(options))
    if options.command in ("run", "replay"):
        _compile(prover=options.command == "run")
    module = importlib.import_module(f"app.commands.{options.command}")
    return int(module.run(options))


def _compile(*, prover: bool) -> None:
    """On the first use of a build: compile with progress, before anything imports the engine."""
    from app.commands.progress import TerminalProgress
    from app.runtime.warmup import warm_up, warm_up_trading

    (warm_up if prover else warm_up_trading)(TerminalProgress(sys.stderr))


def _seed(text: str) -> int:
    """A seed as the configuration can hold it; argparse tells what is wrong with it."""
    seed = int(text)
    if not 0 <= seed < MAX_SEED:
        raise argparse.ArgumentTypeError(f"{seed} must lie in [0, {MAX_SEED - 1}]")
    return seed


_seed.__name__ = "whole number"  # argparse names the type by it


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse; no command means ``desk``. argparse itself exits with 2 and lists the valid names on a wrong one."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--data", metavar="DIR", default=argparse.SUPPRESS, help="data folder (default: the platform's)"
    )
    proving = argparse.ArgumentParser(add_help=False)
    proving.add_argument(
        "--profile", choices=PROFILES, default=PROFILES[0], help="parameters of the proofs: made fast, or cheap on L1"
    )
    proving.add_argument(
        "--prover", choices=PROVERS, default=PROVERS[0], help="what proves on this machine: thread, or a child process"
    )
    proving.add_argument(
        "--cluster", metavar="URL", default=None, help="a Dask scheduler whose workers prove, like tcp://10.0.0.2:8786"
    )
    proving.add_argument(
        "--l1", metavar="URL", default=None, help="a node as the L1, like http://127.0.0.1:8545 (default: embedded)"
    )
    parser = argparse.ArgumentParser(prog="main.py", description=DESCRIPTION, parents=[shared])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    desk = commands.add_parser("desk", parents=[shared, proving], help="open the window (the default)")
    desk.add_argument("--speed", type=float, default=1.0, help="venue clock speed to start with, 0.1 to 600")
    scenario = commands.add_parser("run", parents=[shared, proving], help="play a scenario headless")
    scenario.add_argument("scenario", metavar="SCENARIO", choices=SCENARIOS, help=", ".join(SCENARIOS))
    scenario.add_argument("--report", metavar="FILE", default=None, help="write the JSON report here")
    scenario.add_argument("--seed", type=_seed, default=1, help="seed of the participants")
    replay = commands.add_parser(
        "replay", parents=[shared], help="replay the journal from genesis, print root and fills"
    )
    replay.add_argument("--json", action="store_true", help="one JSON object")
    verify = commands.add_parser(
        "verify",
        parents=[shared],
        help="verify a proof file, given nothing else",
        epilog="Exit status: 0 accepted, 1 refused, 2 the file cannot be read. No data folder is needed or made.",
    )
    verify.add_argument("file", metavar="FILE")
    verify.add_argument("--details", action="store_true", help="also print commitments, nonces, parameters, sizes")
    bench = commands.add_parser("bench", parents=[shared], help="measure something")
    bench.add_argument("name", metavar="NAME", nargs="?", help=", ".join(BENCHES))
    bench.add_argument("--list", action="store_true", help="name the benches")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a measurement")
    bench.add_argument("--updates", metavar="N", type=int, default=None, help="prove: account updates in the batch")
    bench.add_argument("--threads", metavar="N", type=int, default=None, help="prove: threads of one proof")
    bench.add_argument("--profile", choices=PROFILES, default=None, help="prove: parameters of the proof")
    bench.add_argument(
        "--stream", metavar="FILE", default=None, help="matching: write the operations that other engines can replay"
    )
    pictures = commands.add_parser("screenshots", parents=[shared], help="write pictures of the window")
    pictures.add_argument("folder", metavar="DIR")
    worker = commands.add_parser(
        "worker", parents=[shared], help="prove for desks elsewhere, as part of a Dask cluster"
    )
    worker.add_argument("cluster", metavar="URL", help="the Dask scheduler, like tcp://10.0.0.2:8786")
    worker.add_argument("--threads", type=int, default=2, help="threads of one proof")
    commands.add_parser("doctor", parents=[shared], help="check this installation and the data folder")
    if arguments and arguments[0] not in COMMANDS and not arguments[0].startswith("-"):
        parser.error(f"unknown command {arguments[0]!r}; valid: {', '.join(COMMANDS)}")
    options = parser.parse_args(arguments)
    if options.command is None:
        options = parser.parse_args(["desk", *arguments])
    options.data = getattr(options, "data", None)
    if options.command == "bench" and not options.list and options.name is None:
        bench.error(f"NAME is missing; valid: {', '.join(BENCHES)}")
    return options
