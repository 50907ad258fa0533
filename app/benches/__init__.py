"""What can be measured without a window. Each module has ``measure(quick) -> result`` and its record here.

A record is light, so that naming a bench loads no kernels; its module is imported when it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.settings import PROFILES

BLOWUPS = ("2", "4", "8", "16")
"""Evaluations per row of a trace, as ``bench prove-poseidon`` takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of one bench, passed to its ``measure`` by name: a whole number, one of ``choices``, or a file."""

    name: str
    help: str
    low: int = 1
    high: int = 1
    choices: tuple[str, ...] = ()
    file: bool = False

    @property
    def metavar(self) -> str | None:
        """How the help calls the value; None where argparse lists the choices."""
        if self.choices:
            return None
        return "FILE" if self.file else "N"


@dataclass(frozen=True, slots=True)
class Bench:
    """``help``: what it measures, in a line. ``module``: where its ``measure`` is."""

    name: str
    help: str
    module: str
    options: tuple[Option, ...] = ()


BENCHES = (
    Bench("ack", "journaled acknowledgement latency of the sequencer (p50, p99)", "app.benches.ack"),
    Bench(
        "matching",
        "operations a second of the sequencer's matching kernel, in blocks and by single calls",
        "app.benches.matching",
        options=(Option(name="stream", help="write the operations that other engines can replay", file=True),),
    ),
    Bench("poseidon", "Poseidon permutations a second, native kernel, one thread", "app.benches.poseidon"),
    Bench(
        "prove",
        "seconds to prove a batch of account updates, stage by stage",
        "app.benches.prove",
        options=(
            Option(name="updates", help="account updates in the batch", high=4096),
            Option(name="threads", help="threads of one proof", high=64),
            Option(name="profile", help="parameters of the proof", choices=PROFILES),
        ),
    ),
    Bench(
        "prove-poseidon",
        "Poseidon permutations proved a second, one thread, the batches' parameters",
        "app.benches.prove_poseidon",
        options=(Option(name="blowup", help="measure only this number of evaluations per row", choices=BLOWUPS),),
    ),
    Bench(
        "verify",
        "seconds to verify a proof natively; gas, calldata and transactions on L1, by profile",
        "app.benches.verify",
    ),
    Bench("vetting", "an order that many makers may fill and as many may not, refused or taken", "app.benches.vetting"),
    Bench("venue", "whole inputs a second through the venue, mixed flow, one thread", "app.benches.venue"),
)
