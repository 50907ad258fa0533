"""The withdrawals stepper without its widgets: fixed stamps, expected ranges with their source, who acts next.

A stamp never changes once shown. What is expected is a range of the venue's own recent batches, never a promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.snapshot.views import BatchView, Snapshot, WithdrawalView
from engine.exchange.config import VenueConfig
from engine.units import SECOND
from ui.viewmodels.batches import stage_durations
from ui.viewmodels.wording import Tone, exact_money_text, range_text, stamp_text

StepState = Literal["done", "active", "waiting"]
SOURCE_BATCHES = 20
NAMES = ("requested", "in batch", "proved", "on L1", "claimable", "claimed")
KEYS = ("requested", "in_batch", "proved", "on_l1", "claimable", "claimed")
# The batch stages between which a withdrawal moves on to the step with this key.
_SPANS = {"in_batch": ("opened", "sequenced"), "proved": ("sequenced", "proved"), "on_l1": ("proved", "posted")}
NOT_BUILT = (
    ("Fast withdrawal", "not built yet: a liquidity provider would pay at once for a fee"),
    ("Forced withdrawal", "not built yet: a request on L1 that the sequencer must serve"),
    ("Escape", "not built yet: leaving a frozen venue with a proof of the balance"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, whether it happened, and a stamp or an expectation."""

    name: str
    state: StepState
    words: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class WithdrawalState:
    """One withdrawal, ready to paint. ``needs_user``: the next act is the user's."""

    withdrawal_id: int
    title: str
    path: str
    steps: tuple[Step, ...]
    next_words: str
    needs_user: bool
    finished: bool


def withdrawal_states(snapshot: Snapshot, config: VenueConfig) -> tuple[WithdrawalState, ...]:
    """Every withdrawal of the user, unfinished ones first, newest first within each."""
    states = [withdrawal_state(view, snapshot, config) for view in snapshot.withdrawals]
    return tuple(sorted(states, key=lambda state: (state.finished, -state.withdrawal_id)))


def withdrawal_state(view: WithdrawalView, snapshot: Snapshot, config: VenueConfig) -> WithdrawalState:
    """The stepper of one withdrawal."""
    stages = dict(view.stages)
    if "on_l1" in stages:  # the contract credits the balance in the transaction that accepts the batch
        stages.setdefault("claimable", stages["on_l1"])
    active = next((index for index, key in enumerate(KEYS) if key not in stages), len(KEYS))
    steps = tuple(_step(index, active, stages, snapshot) for index in range(len(KEYS)))
    amount = (
        f"{exact_money_text(view.amount)} {config.collateral_symbol}"  # what is claimed must be seen to the quantum
    )
    return WithdrawalState(
        withdrawal_id=view.withdrawal_id,
        title=f"#{view.withdrawal_id}  {amount}",
        path=f"{view.path} path",
        steps=steps,
        next_words=next_words(active, view, snapshot),
        needs_user=active == len(KEYS) - 1 and "claiming" not in stages,
        finished=active == len(KEYS),
    )


def _step(index: int, active: int, stages: dict[str, int], snapshot: Snapshot) -> Step:
    key, name = KEYS[index], NAMES[index]
    if index < active:
        return Step(name, "done", stamp_text(stages[key]), "proved" if index >= 2 else "text")
    if key == "claimed":
        return Step(name, "active" if index == active else "waiting", "you claim", "accent")
    state: StepState = "active" if index == active else "waiting"
    return Step(name, state, expectation(key, snapshot.batches), "pending")


def expectation(key: str, batches: tuple[BatchView, ...]) -> str:
    """The expected time of a step, 10th to 90th percentile, with its source; said so when nothing is known."""
    if key not in _SPANS:
        return "with L1"
    spans = stage_durations(batches, *_SPANS[key], SOURCE_BATCHES)
    if not spans:
        return "no history"
    low, high = (float(value) for value in np.percentile(spans, (10, 90)))
    return range_text(low, high)


def source_words(batches: tuple[BatchView, ...]) -> str:
    """Where the expected ranges come from."""
    count = len(stage_durations(batches, "sequenced", "proved", SOURCE_BATCHES))
    if not count:
        return "expected times appear after the first proved batch"
    which = "batch" if count == 1 else f"{count} batches"
    return f"expected: 10th to 90th percentile of the last {which}, venue time"


def next_words(active: int, view: WithdrawalView, snapshot: Snapshot) -> str:
    """Who acts next, and since when they are waited for."""
    key = KEYS[active] if active < len(KEYS) else ""
    if not key:
        return "done: the money is in the L1 wallet"
    if key == "claimed" and "claiming" in view.stages:
        return "L1: claim sent, waiting for a block"
    actors = {
        "in_batch": "sequencer: closes the open batch",
        "proved": f"prover: proves batch {view.batch}",
        "on_l1": f"relayer: posts batch {view.batch} to L1",
        "claimable": "L1: credits the balance",
        "claimed": "you: claim it on L1, no deadline",
    }
    last = max(view.stages.values(), default=snapshot.time)
    waited = max(0, snapshot.time - last) // SECOND
    return f"{actors.get(key, 'sequencer: takes the request')}, waiting {waited} s"
