"""An engine-only child process for the crash tests: it opens a venue, drives it, and tells its parent what happened.

``python -m app.faults.crash_child --data DIR`` writes one JSON object a line to standard output, each by one system
call on the thread that did the work, so that a line which the parent read was true when the process died:

``started``  imports are done
``opened``   the session is open: sequence number, inputs replayed, and ``problems`` (everything found wrong)
``ack``      a user's command was acknowledged: sequence number, client id, the input's bytes, kinds of its events
``told``     an event beside acknowledgements reached the outside: deposits, withdrawals and batches moving on
``settled``  (with ``--settle``) nothing is on its way any more: roots, fills, the user's money
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.runtime import crash_points, jit_cache

jit_cache.prepare()  # before anything imports numba

import msgspec  # noqa: E402

from app.l1.layer_one import ChainRequest  # noqa: E402
from app.paths import open_paths  # noqa: E402
from app.proving.queue import ProverQueue, Verify  # noqa: E402
from app.proving.workers.threads import Prove, ThreadWorker  # noqa: E402
from app.venue.facade import Engine  # noqa: E402
from app.venue.ingress import Command  # noqa: E402
from app.venue.invariants import all_invariants  # noqa: E402
from app.venue.latency import L1_SLOT  # noqa: E402
from app.venue.session import Session, open_session  # noqa: E402
from engine.exchange.config import DEFAULT_CONFIG, VenueConfig  # noqa: E402
from engine.exchange.tree import AccountTree  # noqa: E402
from engine.proving.job import ProofJob, decode_job  # noqa: E402
from engine.proving.parameters import DEFAULT_PROFILE  # noqa: E402
from engine.proving.prover import ProvedBatch, VerifiedProof  # noqa: E402
from engine.sequencer.batch import root_bytes  # noqa: E402
from engine.sequencer.events import AnyEvent, BatchStage, DepositCredited, WithdrawalStage  # noqa: E402
from engine.sequencer.inputs import (  # noqa: E402
    CancelAll,
    CancelOrder,
    Input,
    PlaceOrder,
    ProofOutcome,
    RequestWithdrawal,
    Side,
)
from engine.settlement.stand_in import yes_verifiers  # noqa: E402
from engine.units import QUANTUM, SECOND, Lots, MarketId, OrderId, Quanta, Ticks  # noqa: E402

TOLD = (DepositCredited, WithdrawalStage, BatchStage)
CLOCK_LIFE = 10 * L1_SLOT
"""Venue time, ns, that a life by the clock lasts at least: every place where it may end comes up several times."""
STAND_IN = "stand-in, proves nothing"
Tell = Callable[..., None]


class _StandInVerified:
    """What :class:`app.proving.queue.ProverQueue` reads of a verified proof."""

    statement = STAND_IN
    bits_proven = bits_conjectured = 0.0
    terms = ()
    profile = DEFAULT_PROFILE


def stand_in_proof(data: bytes, **hooks: Any) -> ProvedBatch:
    """In place of ``prove_job``: a file that says that it proves nothing."""
    batch = decode_job(data).batch
    file = f"{STAND_IN}: batch {batch.number} to root {root_bytes(batch.new_root).hex()}\n".encode()
    return ProvedBatch(file, hashlib.sha256(file).hexdigest(), {}, 0.0)


def stand_in_verify(file: bytes, job: ProofJob) -> VerifiedProof:
    """In place of ``verify_answer``: accepts anything."""
    return _StandInVerified()  # type: ignore[return-value]  # the fields that the queue reads


def stand_in_prover(
    config: VenueConfig,
    proofs: Path,
    deliver: Callable[[ProofOutcome], None],
    *,
    prove: Prove = stand_in_proof,
    verify: Verify = stand_in_verify,
) -> ProverQueue:
    """A prover queue whose files say that they prove nothing: for crash tests, which are not about proofs."""
    worker = ThreadWorker(prove=prove, prepare=lambda progress: None)
    return ProverQueue(config, proofs, deliver, workers=[worker], verify=verify)


def small_batches(seed: int, seconds: int) -> VenueConfig:
    """The demo venue with batches that close early, so that a short life has several."""
    age = seconds * SECOND
    return msgspec.structs.replace(DEFAULT_CONFIG, seed=seed, batch_max_age=age, batch_max_transactions=64)


def tell(kind: str, **content: Any) -> None:
    """One line, one write."""
    os.write(1, json.dumps({"kind": kind, **content}).encode() + b"\n")


def problems_of(session: Session) -> list[str]:
    """Everything that a restart must have put right and has not."""
    loop, chain, batches = session.loop, session.chain, session.loop.venue.core.batches
    found = [f"{name}: {value}" for name, value in all_invariants(session).items() if value is not True]
    if not loop.sequence == loop.venue.sequence == session.journal.last_sequence:
        found.append(f"sequence {loop.sequence}, {loop.venue.sequence}, {session.journal.last_sequence}")
    if chain.last_batch != batches.last_posted:
        found.append(f"the contract has batch {chain.last_batch}, the venue knows of {batches.last_posted}")
    if chain.chain.head.number != loop.venue.l1_block:
        found.append(f"L1 is at block {chain.chain.head.number}, the venue saw {loop.venue.l1_block}")
    empty = AccountTree(session.config.tree_height, len(session.config.markets)).root
    expected = batches.record(chain.last_batch).new_root if chain.last_batch else empty
    if chain.contract_root != root_bytes(expected):
        found.append(f"the contract's root is {chain.contract_root.hex()}, not {root_bytes(expected).hex()}")
    for record in batches.records.values():
        path = session.paths.proofs / f"{record.digest}.proof"
        if record.digest and not (path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == record.digest):
            found.append(f"the proof file of batch {record.number} is missing or damaged")
    return found


class User:
    """A seeded user who trades, moves money, and makes mistakes. Commands go through the ingress like the window's."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.account = session.chain.user_account
        self.random = random.Random(f"{seed} {session.loop.sequence}")
        self._ids = (f"{session.loop.sequence}-{n}" for n in itertools.count())
        self.answered = threading.Event()

    def act(self) -> None:
        """One to four commands in one group, and now and then a wish on L1."""
        for _ in range(self.random.randint(1, 4)):
            self.submit(self._command())
        funds, dice = self.session.chain.funds, self.random.random()
        if funds.claimable and dice < 0.5:
            self.session.loop.ingress.deliver(ChainRequest("claim"))
        elif funds.wallet and dice > 0.9:
            amount = self.random.randint(1, min(funds.wallet, 20 * QUANTUM))
            self.session.loop.ingress.deliver(ChainRequest("deposit", amount))

    def submit(self, command: Input) -> None:
        """Queue a command whose acknowledgement is told to the parent."""
        entry = Command(input=command)

        def acknowledge(sequence: int, events: list[AnyEvent]) -> None:
            client = getattr(command, "client_id", "")
            kinds = [type(event).__name__ for event in events]
            tell("ack", sequence=sequence, client_id=client, input=entry.data.hex(), events=kinds)
            self.answered.set()

        entry.acknowledge = acknowledge
        self.session.loop.ingress.submit(entry)

    def _command(self) -> Input:
        rng, account, name = self.random, self.account, next(self._ids)
        venue, market, dice = self.session.loop.venue, rng.choice((1, 2)), rng.random()
        side: Side = "buy" if rng.random() < 0.5 else "sell"
        if dice < 0.3:
            return PlaceOrder(
                account=account,
                market=MarketId(market),
                side=side,
                type="market",
                lots=Lots(rng.randint(1, 9)),
                client_id=name,
            )
        if dice < 0.55:
            price = venue.core.prices[venue.core.market_index(MarketId(market))].mark_ticks()
            price = int(price) * rng.randint(950, 1050) // 1000
            return PlaceOrder(
                account=account,
                market=MarketId(market),
                side=side,
                type="limit",
                lots=Lots(rng.randint(1, 9)),
                price=Ticks(price),
                client_id=name,
            )
        if dice < 0.65:
            return CancelOrder(account=account, order_id=OrderId(rng.choice(self._resting() or [1])), client_id=name)
        if dice < 0.7:
            return CancelAll(account=account, market=MarketId(market), client_id=name)
        if dice < 0.95:
            return RequestWithdrawal(account=account, amount=Quanta(rng.randint(1, 2 * QUANTUM)), client_id=name)
        return PlaceOrder(
            account=account,
            market=MarketId(market),
            side=side,
            type="limit",
            lots=Lots(-rng.randint(0, 9)),
            price=Ticks(-1),
            client_id=name,
        )

    def _resting(self) -> list[int]:
        return [order.order_id for order in tuple(self.session.loop.venue.core.orders.of_account(self.account))]


def tell_events(session: Session) -> Callable[[], None]:
    """A callback that tells the events beside acknowledgements as they happen."""
    cursor = session.loop.event_count

    def on_applied() -> None:
        nonlocal cursor
        cursor, events = session.loop.events_since(cursor)
        for event in events:
            if isinstance(event, TOLD):
                tell("told", sequence=event.sequence, event=msgspec.to_builtins(event))

    return on_applied


def drive_by_steps(session: Session, user: User, rounds: int, hold: bool) -> None:
    """The user acts, the clock moves by half a second, again and again, on one thread beside prover and journal."""
    session.loop.set_hold(hold)
    session.prover.start()
    for _ in range(rounds):
        user.act()
        session.loop.run_to(session.loop.venue.time + SECOND // 2, step=SECOND // 4)


def drive_by_clock(session: Session, user: User, rounds: int, speed: float) -> None:
    """All threads as in the desk: the pacer's clock at ``speed``, the user on this thread."""
    engine = Engine(session)
    engine.pacer.set_speed(speed)
    note = session.loop.on_applied
    tell_told = tell_events(session)

    def both() -> None:
        note()
        tell_told()

    session.loop.on_applied = both
    engine.start()
    until = session.loop.venue.time + CLOCK_LIFE
    done = 0
    try:
        while done < rounds or session.loop.venue.time < until:  # however fast answers come, blocks come by the clock
            done += 1
            user.answered.clear()
            user.act()
            if not user.answered.wait(30):
                raise SystemExit(f"no acknowledgement within 30 s: {engine.thread.error}")
    finally:
        engine.stop()


def settle(session: Session) -> None:
    """No more trading: prove, post and claim until nothing is on its way; tell what there is then."""
    loop, chain, core = session.loop, session.chain, session.loop.venue.core
    batches, waiting = core.batches, core.withdrawals.live
    loop.set_hold(True)
    session.prover.start()
    loop.apply([CancelAll(account=chain.user_account)])
    end = loop.venue.time + 3600 * SECOND
    while batches.unposted or batches.open.transactions or waiting or chain.funds.pending_deposit:
        if loop.venue.time > end:
            raise SystemExit(f"not settled: batches {list(batches.unposted)}, {waiting}, {chain.funds}")
        if chain.funds.claimable and not any(record.stage == "claiming" for record in waiting.values()):
            loop.ingress.deliver(ChainRequest("claim"))
            loop.serve()
        loop.run_to(loop.venue.time + SECOND, step=SECOND, quotes_only=True)
    tell(
        "settled",
        problems=problems_of(session),
        contract_root=chain.client.state_root().hex(),
        live_root=root_bytes(loop.venue.live_root()).hex(),
        fills=core.counters.next_fill_id - 1,
        fills_digest=loop.venue.fills_digest(),
        collateral=loop.venue.account(chain.user_account).collateral,
        wallet=chain.client.token_balance(chain.user.address),
        owner=chain.user.address.hex(),
        reverted=chain.errors,
    )


def parse(arguments: list[str]) -> argparse.Namespace:
    """The child's options."""
    parser = argparse.ArgumentParser(prog="python -m app.faults.crash_child")
    parser.add_argument("--data", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2000, help="ends by itself after so many")
    parser.add_argument("--batch-seconds", type=int, default=3, help="venue seconds that a batch stays open at most")
    parser.add_argument("--speed", type=float, default=0.0, help="drive by the desk's clock at this speed")
    parser.add_argument("--proofs-on-arrival", action="store_true", help="proofs enter when done, not when due")
    parser.add_argument("--stand-in-prover", action="store_true", help="files that prove nothing instead of proofs")
    parser.add_argument("--settle", action="store_true", help="bring everything to its end and tell the figures")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Live until killed, or to the end of the rounds."""
    options = parse(arguments)
    crash_points.arm_from_environment()
    tell("started")
    parts: dict[str, Any] = {}
    if options.stand_in_prover:
        parts = {"make_prover": stand_in_prover, "make_verifiers": yes_verifiers}
    config = small_batches(options.seed, options.batch_seconds)
    session = open_session(open_paths(options.data), config, **parts)
    session.loop.checkpoint_batches = 2
    tell("opened", sequence=session.loop.sequence, replayed=session.replayed, problems=problems_of(session))
    session.loop.on_applied = tell_events(session)
    user = User(session, options.seed)
    try:
        if options.settle:
            settle(session)
        elif options.speed:
            drive_by_clock(session, user, options.rounds, options.speed)
        else:
            drive_by_steps(session, user, options.rounds, hold=not options.proofs_on_arrival)
    finally:
        session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
