"""Venues whose process is killed again and again: nothing acknowledged is lost, nothing is applied twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.paths import ROOT, open_paths
from app.runtime.crash_points import POINTS
from app.storage.journal_file import read_chain
from app.venue.market_setup import market_setup
from app.venue.replay import stored_config
from app.venue.session import USER_DEPOSIT, USER_WALLET, new_venue
from engine.sequencer.events import AnyEvent, BatchStage, DepositCredited, WithdrawalStage
from engine.sequencer.inputs import AnyInput, L1Block, decode_input
from engine.sequencer.venue import Venue
from tests.support.victim import Kill, Life, Victim, check_acknowledged, check_death, check_opened


@dataclass(frozen=True)
class Plan:
    """One venue: its children's flags, visits of each named point, and how many deaths at random moments.

    ``newborn`` of the random ones come within a second of the imports' end: while the venue is made, or reopened.
    """

    seed: int
    flags: tuple[str, ...]
    visits: dict[str, tuple[int, ...]]
    random: int
    newborn: int

    def kills(self) -> list[Kill]:
        """All deaths in a seeded order; those of newborns on the empty folder come first."""
        dice = random.Random(self.seed)
        kills = [Kill(point, visit) for point, visits in self.visits.items() for visit in visits]
        kills += [Kill(lines=dice.randint(1, 120)) for _ in range(self.random - self.newborn)]
        dice.shuffle(kills)
        births = [Kill(seconds=dice.uniform(0.02, 0.9)) for _ in range(self.newborn)]
        return births[: self.newborn // 2] + kills + births[self.newborn // 2 :]


PLANS = {
    "steps": Plan(
        seed=11,
        flags=("--stand-in-prover",),
        visits={
            "committed_before_tip": (1, 12, 70),
            "after_commit_before_ack": (1, 7, 60),
            "in_checkpoint": (1, 2, 5),
            "proof_done_unposted": (1, 4),
            "l1_block_executed_unwritten": (1, 3),
            "l1_block_written_unseen": (1, 2),
            "claim_sent": (1, 2),
        },
        random=8,
        newborn=4,
    ),
    "desk clock at 60x": Plan(
        seed=12,
        flags=("--stand-in-prover", "--speed", "60"),
        visits={
            "committed_before_tip": (2, 50),
            "after_commit_before_ack": (3, 80),
            "in_checkpoint": (1, 4),
            "proof_done_unposted": (1, 3),
            "l1_block_executed_unwritten": (2,),
            "l1_block_written_unseen": (1, 3),
            "claim_sent": (1, 2),
        },
        random=6,
        newborn=2,
    ),
    "proofs on arrival": Plan(
        seed=13,
        flags=("--stand-in-prover", "--proofs-on-arrival"),
        visits={
            "committed_before_tip": (25,),
            "after_commit_before_ack": (2, 30),
            "in_checkpoint": (2, 3),
            "proof_done_unposted": (2,),
            "l1_block_written_unseen": (1,),
            "claim_sent": (1,),
        },
        random=6,
        newborn=2,
    ),
    "real proofs": Plan(
        seed=14,
        flags=("--batch-seconds", "4"),  # three batches a slot: more than a block has gas for
        visits={
            "after_commit_before_ack": (20,),
            "in_checkpoint": (1,),
            "proof_done_unposted": (1, 2),
            "l1_block_executed_unwritten": (1,),
            "l1_batch_half_posted": (1, 2),
            "l1_block_written_unseen": (1,),
            "claim_sent": (1,),
        },
        random=2,
        newborn=0,
    ),
}


def test_the_plans_hold_fifty_deaths_half_of_them_at_named_points() -> None:
    kills = [kill for plan in PLANS.values() for kill in plan.kills()]
    named = [kill.point for kill in kills if kill.point]
    assert len(kills) >= 50
    assert 2 * len(named) >= len(kills)
    assert set(named) == set(POINTS)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PLANS)
def test_nothing_is_lost_or_applied_twice(name: str, tmp_path: Path) -> None:
    plan = PLANS[name]
    victim = Victim(tmp_path, (*plan.flags, "--seed", str(plan.seed)))
    before = victim.disk()
    for kill in plan.kills():
        life = victim.live(kill)
        check_opened(life, before)
        before = victim.disk()
        check_death(life, kill, before, victim)
    last = victim.live(None, "--settle")
    assert last.status == 0, last.errors[-2000:]
    check_opened(last, before)
    check_acknowledged(victim, victim.disk())
    check_settled(victim, last)


def check_settled(victim: Victim, last: Life) -> None:
    """Everything came to its end: replay tells the same story, and the money is right to the last quantum."""
    (settled,) = last.of("settled")
    assert settled["problems"] == []
    assert settled["contract_root"] == settled["live_root"]
    command = [sys.executable, str(ROOT / "main.py"), "replay", "--json", "--data", str(victim.folder)]
    printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert printed["root"] == settled["contract_root"]
    assert (printed["fills"], printed["fills_digest"]) == (settled["fills"], settled["fills_digest"])
    inputs, happened, _ = replayed(victim.folder)
    check_story(victim, inputs, happened)
    check_once(happened)
    check_money(settled, inputs, happened)


def replayed(folder: Path) -> tuple[dict[int, AnyInput], dict[int, list[AnyEvent]], Venue]:
    """The whole journal applied to a new venue: inputs and events by sequence number."""
    paths = open_paths(folder)
    venue = new_venue(market_setup(stored_config(paths)))
    rows = read_chain(paths.journal, "inputs", 0)
    inputs = {sequence: decode_input(data) for sequence, data in rows}
    return inputs, {sequence: venue.apply(sequence, value) for sequence, value in inputs.items()}, venue


def check_story(victim: Victim, inputs: dict[int, AnyInput], happened: dict[int, list[AnyEvent]]) -> None:
    """Whatever was acknowledged or told happens again, and no command is in the journal twice."""
    for sequence, line in victim.acknowledged.items():
        assert [type(event).__name__ for event in happened[sequence]] == line["events"]
    for line in victim.told:
        assert line["event"] in [msgspec.to_builtins(event) for event in happened[line["sequence"]]]
    ids = Counter(getattr(value, "client_id", "") for value in inputs.values())
    del ids[""]
    assert len(ids) > 20
    assert set(ids.values()) == {1}


def check_once(happened: dict[int, list[AnyEvent]]) -> None:
    """Every batch is closed and posted once, in order, and proved once; every withdrawal goes through every stage once.

    Proofs may come out of order: the second attempt at a batch is due later than the first at the batch after it.
    """
    events = [event for group in happened.values() for event in group]
    for stage in ("sequenced", "proved", "posted", "final"):
        numbers = [event.batch for event in events if isinstance(event, BatchStage) and event.stage == stage]
        in_order = sorted(numbers) if stage == "proved" else numbers
        assert in_order == list(range(1, len(numbers) + 1)), stage
        assert len(numbers) >= 3
    stages: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, WithdrawalStage):
            stages.setdefault(event.withdrawal_id, []).append(event.stage)
    assert len(stages) >= 3
    complete = ["requested", "in_batch", "proved", "on_l1", "claiming", "claimed"]
    wrong = {number: found for number, found in stages.items() if [s for s in complete if s in found] != found}
    assert not wrong
    assert all(found[-1] == "claimed" for found in stages.values())


def check_money(settled: dict[str, Any], inputs: dict[int, AnyInput], happened: dict[int, list[AnyEvent]]) -> None:
    """Deposits are credited once each, claims paid once each, and the wallet has what is left."""
    blocks = [value for value in inputs.values() if isinstance(value, L1Block)]
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))
    deposits = [deposit for block in blocks for deposit in block.deposits]
    assert len({(deposit.transaction, deposit.account) for deposit in deposits}) == len(deposits)
    credited = [event for group in happened.values() for event in group if isinstance(event, DepositCredited)]
    assert [(event.account, event.amount) for event in credited] == [(d.account, d.amount) for d in deposits]
    owner = bytes.fromhex(settled["owner"])
    sent = sum(deposit.amount for deposit in deposits if deposit.owner == owner)
    paid = sum(payment.amount for block in blocks for payment in block.withdrawals if payment.owner == owner)
    asked = {
        event.withdrawal_id: event.amount
        for group in happened.values()
        for event in group
        if isinstance(event, WithdrawalStage) and event.stage == "requested"
    }
    assert paid == sum(asked.values()) > 0
    assert settled["wallet"] == USER_DEPOSIT + USER_WALLET - sent + paid
