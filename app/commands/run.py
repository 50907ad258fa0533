"""``run SCENARIO --report FILE``: play a journey headless, check it from outside, write its report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.commands.registry import Command, Options, Parser, Registry
from app.proving.choice import choice_of

MAX_SEED = 2**63
SETTINGS = ("profile", "prover", "cluster", "l1")


def _seed(text: str) -> int:
    """A seed as the configuration can hold it; argparse tells what is wrong with it."""
    seed = int(text)
    if not 0 <= seed < MAX_SEED:
        raise argparse.ArgumentTypeError(f"{seed} must lie in [0, {MAX_SEED - 1}]")
    return seed


_seed.__name__ = "whole number"  # argparse names the type by it


def add_arguments(parser: Parser, registry: Registry) -> None:
    """What to play, and what to keep of it."""
    names = registry.scenarios.names()
    parser.add_argument("scenario", metavar="SCENARIO", choices=names, help=", ".join(names))
    parser.add_argument("--report", metavar="FILE", default=None, help="write the JSON report here")
    parser.add_argument("--seed", type=_seed, default=1, help="seed of the participants")


def check(options: Options) -> None:
    """Whether the proofs can be made as asked."""
    choice_of(options)


def run(options: Options) -> int:
    """0 when every step passed; the report is written in both cases."""
    from app.scenarios.play import new_run_folder, play
    from app.scenarios.report import write_report

    folder = new_run_folder(options.data, options.scenario)
    scenario = options.registry.scenarios[options.scenario]
    report = play(scenario, folder, options.seed, choice_of(options), say=print_step, l1=options.l1 or None)
    if options.report:
        write_report(Path(options.report), report)
        print(f"report: {options.report}")
    print(f"data: {report['data']}")
    for failure in report["failures"]:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if report["failures"] else 0


def print_step(name: str, passed: bool, detail: str) -> None:
    """One line per step."""
    print(f"{'ok  ' if passed else 'FAIL'} {name}: {detail}", flush=True)


COMMAND = Command(
    name="run",
    help="play a scenario headless",
    add_arguments=add_arguments,
    check=check,
    run=run,
    settings=SETTINGS,
    kernels="all",
    logs=True,
)
