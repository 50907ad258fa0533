"""L1 and batches: deposits, withdrawals, claims, proofs, state updates, and when a batch is closed."""

from __future__ import annotations

import msgspec

from engine.sequencer.events import (
    AnyEvent,
    BatchStage,
    DepositCredited,
    DepositReclaimed,
    OrderClosed,
    WithdrawalStage,
)
from engine.sequencer.inputs import L1Block
from engine.units import QUANTUM, SECOND, AccountId
from engine.vectors.scenarios.scenario import opened, scenario, trade
from engine.vectors.story import (
    ALICE,
    BOB,
    CAROL,
    CONFIG,
    INSURANCE,
    MAKER,
    Story,
    of_kind,
    owner_of,
    refused,
    sequenced,
    shows,
)

BTC = 600_000


def stages(events: list[AnyEvent]) -> list[str]:
    """What withdrawals reached."""
    return [event.stage for event in of_kind(events, WithdrawalStage)]


@scenario(
    given="a venue without accounts",
    when="entries of L1's queue arrive for new accounts, open ones, the insurance account, both ends of the tree",
    then="each is credited in its order; an account opens with its first one, with that one's owner and key",
)
def deposits(story: Story) -> None:
    events = story.deposit((ALICE, 50), (BOB, 70), (ALICE, 30), (INSURANCE, 110))
    shows(len(of_kind(events, DepositCredited)) == 4, "four deposits of one block")
    shows(story.balance(ALICE) == 80 * QUANTUM, "two of them to one account")
    last = (1 << CONFIG.tree_height) - 1
    story.deposit((last, 10), (0, 10), owner=b"\xff" * 20)
    shows(story.balance(last) == story.balance(0) == 10 * QUANTUM, "the first and the last leaf")
    key = b"".join(number.to_bytes(4, "big") for number in range(1, 9))
    story.l1(deposits=[story.entry(CAROL, 1, key_digest=key)])
    shows(story.venue.account(AccountId(CAROL)).key_digest == tuple(range(1, 9)), "the owner's key")
    story.l1(deposits=[story.entry(CAROL, 1)])
    shows(story.venue.account(AccountId(CAROL)).key_digest == tuple(range(1, 9)), "and it stays")
    story.clock(20)


@scenario(
    given="deposits of less than the least that opens an account, and one that its depositor takes back",
    when="the batch grows old, then a deposit in a hurry comes",
    then="dust alone closes no batch by age, more does; with the reclaimed entry it is for L1 not before its time",
)
def dust_and_reclaimed_deposits(story: Story) -> None:
    opened(story)
    story.clock(20)
    number = story.venue.core.batches.open.number
    story.l1(deposits=[story.entry(CAROL, CONFIG.min_opening_deposit - 1)])
    time = story.venue.time // SECOND + 60
    told = story.l1(deposits=[story.entry(CAROL, 0, reclaim_at=time)])
    shows(len(of_kind(told, DepositReclaimed)) == 1, "a reclaimed entry")
    shows(not of_kind(story.clock(20), BatchStage), "dust waits")
    sequenced(story.l1(deposits=[story.entry(CAROL, CONFIG.min_opening_deposit)]))
    closed = story.venue.batch(number)
    shows((closed.queue_count, closed.not_before) == (3, time), "three entries, and the time")


@scenario(
    given="an account with an order, and a venue that L1 has not contradicted",
    when="queue entries come that cannot be: out of order, of nobody, of another owner, of an impossible amount",
    then="each is told and changes nothing; orders and withdrawals are refused from then on, cancels are not",
    broken=frozenset({"l1_agrees"}),
)
def l1_contradictions(story: Story) -> None:
    opened(story)
    story.order(ALICE, "buy", 1, BTC - 10)
    before = story.venue.live_root()
    nobody = 1 << CONFIG.tree_height
    for entry in (
        story.entry(ALICE, 1, ahead=1),
        story.entry(nobody, 1, owner=owner_of(1)),
        story.entry(CONFIG.fee_account, 1),
        story.entry(CAROL, 1, owner=bytes(20)),
        story.entry(CAROL, 1, owner=bytes(range(1, 20))),
        story.entry(ALICE, 1, owner=owner_of(BOB)),
        story.entry(ALICE, 0),
        story.entry(ALICE, 1, reclaim_at=1),
        story.entry(ALICE, 1 << 62),
        story.entry(CAROL, 1, key_digest=b"\xff" * 32),
    ):
        refused(story.l1(deposits=[entry]), "l1_contradiction")
    shows(story.venue.live_root() == before, "no leaf has changed")
    refused(story.order(ALICE, "buy", 1, BTC - 20), "l1_disagrees")
    refused(story.withdraw(ALICE, 1), "l1_disagrees")
    shows(len(of_kind(story.cancel_all(ALICE), OrderClosed)) == 1, "a cancel is taken")


@scenario(
    given="an account with a position",
    when="it withdraws twice, all that margin leaves, and the batch is proved, posted and claimed",
    then="each withdrawal goes through its stages in order; L1's payments settle the oldest first",
)
def withdrawal_and_claim(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 100, BTC)
    story.clock(20)
    first = sequenced_so_far(story)
    shows(stages(story.withdraw(ALICE, 1_000 * QUANTUM)) == ["requested"], "requested")
    story.withdraw(ALICE, story.withdrawable(ALICE))
    shows(story.withdrawable(ALICE) == 0, "down to initial margin")
    refused(story.withdraw(ALICE, 1), "withdrawal_too_large")
    events = story.clock(20)
    shows(stages(events) == ["in_batch", "in_batch"], "in a batch")
    batch = sequenced(events)
    shows(stages(story.prove(batch)) == ["proved", "proved"], "proved")
    for number in range(1, first + 1):
        story.post(number)
    refused(story.claim(ALICE), "nothing_to_claim")
    shows(stages(story.post(batch)) == ["on_l1", "on_l1"], "claimable")
    refused(story.claim(ALICE, owner_of(BOB)), "nothing_to_claim")
    shows(stages(story.claim(ALICE)) == ["claiming", "claiming"], "claiming")
    shows(stages(story.pay(ALICE, 1_500 * QUANTUM)) == ["claimed"], "the first is paid, a rest stays")
    rest = sum(record.amount for record in story.venue.core.withdrawals.live.values()) - 500 * QUANTUM
    shows(stages(story.pay(ALICE, rest)) == ["claimed"], "and the second with that rest")
    refused(story.claim(ALICE), "nothing_to_claim")


def sequenced_so_far(story: Story) -> int:
    """The number of the last closed batch."""
    number = story.venue.core.batches.open.number - 1
    shows(number > 0, "a batch was closed")
    return number


@scenario(
    given="two closed batches",
    when="an attempt to prove the first fails, the next is accepted, and outcomes are told twice",
    then="the batch is failed, then proved; what is told again changes nothing; no batch is proved before it is closed",
)
def proof_outcomes(story: Story) -> None:
    opened(story)
    story.clock(20)
    story.deposit((CAROL, 10))
    story.clock(20)
    last = sequenced_so_far(story)
    shows(last == 2, "two batches")
    told = [*story.prove(1, accepted=False), *story.prove(1, attempt=2)]
    shows([event.stage for event in of_kind(told, BatchStage)] == ["failed", "proved"], "failed, then proved")
    shows(not story.prove(1), "nothing new")
    shows(not story.prove(1, accepted=False, attempt=3), "and no way back")
    shows(len(of_kind(story.prove(2), BatchStage)) == 1, "the second is proved")
    refused(story.prove(3), "unknown_batch")


@scenario(
    given="four closed batches",
    when="L1 accepts them in order; one comes twice, one early, one with another root, other outputs, another queue",
    then="they are final in order, what is known changes nothing, and what differs is refused and told",
    broken=frozenset({"l1_agrees"}),
)
def state_updates(story: Story) -> None:
    opened(story)
    for tokens in (10, 20, 30, 40):
        story.deposit((CAROL, tokens))
        story.clock(20)
    shows(sequenced_so_far(story) == 4, "four batches")
    story.prove(1)
    shows([event.stage for event in of_kind(story.post(1), BatchStage)] == ["posted", "final"], "posted and final")
    shows(not story.post(1), "known already")
    shows(len(of_kind(story.post(2), BatchStage)) == 2, "before it was proved here")
    refused(story.post(4), "unknown_batch")
    refused(story.post(3, bytes(31) + b"\x01"), "root_mismatch")
    refused(story.post(3, entries=1), "l1_contradiction")
    refused(story.post(3, consumed=1), "l1_contradiction")
    story.post(3)
    shows(story.venue.core.batches.last_posted == 3, "the true one is still taken")
    refused(story.order(ALICE, "buy", 1, BTC), "l1_disagrees")


@scenario(
    given="a venue that has seen one L1 block",
    when="blocks come again, with a gap, and with a gap that is declared",
    then="a known block changes nothing, a gap is refused, a declared one is followed",
)
def l1_blocks(story: Story) -> None:
    story.deposit((ALICE, 1))
    shows(not story.l1(number=1), "known already")
    refused(story.l1(number=3), "block_out_of_order")
    block = L1Block(number=9, timestamp=story.venue.time // SECOND, block_hash=bytes(range(32)), previous=1)
    story.apply(block)
    shows(story.venue.l1_block == 9, "followed")
    refused(story.apply(msgspec.structs.replace(block, number=20, previous=8)), "block_out_of_order")
    story.l1(number=10)
    shows(story.venue.l1_block == 10, "and so on")


@scenario(
    given="a batch of at most six transactions",
    when="deposits and fills come, more than that",
    then="a batch is closed with its sixth transaction, within one input too",
    config=msgspec.structs.replace(CONFIG, batch_max_transactions=6),
)
def batch_by_transactions(story: Story) -> None:
    events = story.deposit((MAKER, 100_000), (ALICE, 1_000), (BOB, 1_000), (CAROL, 1), (ALICE, 1), (BOB, 1), (CAROL, 1))
    shows(sequenced(events) == 1, "closed by the sixth of seven deposits")
    for price in range(BTC, BTC + 6):
        story.order(MAKER, "sell", 1, price)
    shows(sequenced(story.order(ALICE, "buy", 6)) == 2, "closed by fills of one order")
    shows(story.venue.core.batches.open.transactions == 0, "an order's fills stay together")


@scenario(
    given="a batch of at most five accounts",
    when="more accounts than that are touched, by deposits, and by fills with many makers",
    then="a batch is closed when it is full, or before a transaction whose accounts do not fit",
    config=msgspec.structs.replace(CONFIG, batch_max_accounts=5),
)
def batch_by_accounts(story: Story) -> None:
    closed = sequenced(story.deposit(*((account, 1_000) for account in range(16, 22))))
    shows(closed == 1, "closed by the fifth account")
    for account in (17, 18, 19):
        story.order(account, "sell", 1, BTC + account)
    shows(sequenced(story.order(16, "buy", 3)) >= 2, "closed for want of room, and again when it is full")


@scenario(
    given="a batch that may be ten seconds old",
    when="time passes before and after its first transaction",
    then="an empty batch is never closed; one with a transaction is closed at ten seconds, not before",
)
def batch_by_age(story: Story) -> None:
    shows(not story.clock(60), "an empty batch stays open")
    story.deposit((ALICE, 10))
    shows(not of_kind(story.clock(9.999), BatchStage), "a millisecond early")
    shows(sequenced(story.clock(0.001)) == 1, "ten seconds")
    story.deposit((BOB, 10))
    shows(sequenced(story.clock(3_000)) == 2, "in one long step")


@scenario(
    given="a venue without fees",
    when="two accounts trade and trade back at the same price, and the batch's age ends",
    then="no leaf has changed after all: no batch is closed and its number is used by the next",
    config=msgspec.structs.replace(CONFIG, maker_fee_ppm=0, taker_fee_ppm=0),
)
def batch_without_change(story: Story) -> None:
    opened(story)
    story.clock(20)
    number = story.venue.core.batches.open.number
    trade(story, ALICE, 5, BTC)
    trade(story, ALICE, -5, BTC)
    shows(story.venue.core.batches.open.transactions == 2, "two fills")
    shows(not of_kind(story.clock(20), BatchStage), "nothing to close")
    story.deposit((CAROL, 10))
    shows(sequenced(story.clock(20)) == number, "the same number")


SCENARIOS = (
    deposits,
    dust_and_reclaimed_deposits,
    l1_contradictions,
    withdrawal_and_claim,
    proof_outcomes,
    state_updates,
    l1_blocks,
    batch_by_transactions,
    batch_by_accounts,
    batch_by_age,
    batch_without_change,
)
