"""The running venue as the window and the tests use it. Methods may be called from any thread; none but ``proof_file``,
which reads a file, waits for anything."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from app.l1.layer_one import ChainRequest
from app.runtime.supervisor import Supervised
from app.snapshot.rules import MAX_ATTEMPTS, MODES
from app.snapshot.views import CandleSeries, Snapshot, ThreadView
from app.storage.proof_files import proof_path, read_proof_file
from app.venue import snapshots as build
from app.venue.ingress import Command
from app.venue.loop import ProveAgain
from app.venue.pacer import Pacer
from app.venue.session import Session
from engine.errors import ProtocolError, check_range
from engine.sequencer.candles import CandleArrays
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import USER_COMMANDS, Input, PlaceOrder
from engine.sequencer.preview import PreviewBasis, Receipt, preview_order
from engine.units import INT64_MAX, MarketId

SNAPSHOT_INTERVAL = 1 / 40
CANDLES_WANTED = 5.0
"""Seconds for which a candle series is kept up to date after it was last asked for."""
NO_CANDLES = CandleArrays(np.zeros((0, 6), np.int64), np.zeros((0, 2), np.float64))
STATUS_INTERVAL = 0.25
"""A picture is published at least this often, so that ages and progress move while the clock is paused."""


class Engine:
    """Threads around a :class:`Session`: the sequencer's and the prover's, supervised; snapshots out, commands in."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.config = session.config
        self.account_id = session.chain.user_account
        self._loop = session.loop
        self._batches = build.BatchViews(session.prover, str(session.paths.proofs))
        self.thread = Supervised("sequencer", self._run, restartable=False)
        self.pacer = Pacer(self._loop, self.thread.beat, self._after_round)
        self._snapshot: Snapshot | None = None
        self._basis: PreviewBasis | None = None
        self._version = 0
        self._published = 0.0
        self._changed = True
        self._wanted: dict[tuple[int, int], float] = {}
        self._candles: dict[tuple[int, int], CandleSeries] = {}
        self._stopped = False
        self._still = False
        self._loop.on_applied = self._note_change
        self._loop.on_waiting = self._show_waiting

    # -- life

    def start(self) -> None:
        """Start the threads; the first snapshot is there when this returns."""
        self._publish()
        self.session.prover.start()
        self.session.chain.work_apart(self._loop.ingress.deliver)
        self.thread.start()

    def publish_still(self) -> None:
        """Publish one picture without starting any thread: for drawing a venue whose clock stands still."""
        self._still = True
        self.pacer.paused = True
        self._publish()

    def stop(self) -> None:
        """Stop the sequencer, then the prover, then drain and close the journal."""
        if self._stopped:
            return
        self._stopped = True
        self.pacer.stop()
        if not self.thread.join(30):
            self._loop.halted = True  # it may be in the middle of an input: no checkpoint of that
        self.session.close()

    # -- looking

    def snapshot(self) -> Snapshot | None:
        """The newest picture."""
        return self._snapshot

    def candles(self, market: MarketId, interval_ns: int) -> CandleSeries:
        """A market's candles, oldest first; intervals of 1, 5, 15, 60, 300, 900, 3,600 s.

        Built on the sequencer's thread with each picture, for the series asked for in the last seconds: the first call
        for a series answers with an empty one.
        """
        self._wanted[(market, interval_ns)] = time.monotonic()
        if self._still:
            self._build_candles()
        return self._candles.get((market, interval_ns)) or _candle_series(interval_ns, NO_CANDLES)

    def events_since(self, cursor: int) -> tuple[int, list[AnyEvent]]:
        """Events after ``cursor`` and the next cursor; the oldest are gone after 20,000."""
        return self._loop.events_since(cursor)

    def preview(self, order: PlaceOrder) -> Receipt:
        """The receipt the order would get against the newest picture, by the engine's own margin code."""
        if self._basis is None:
            raise ProtocolError("the venue is still starting")
        return preview_order(self._basis, order)

    def proof_file(self, number: int) -> bytes:
        """The bytes of a batch's proof file, read now. ``ProtocolError`` when the batch is unknown or not proved yet,
        :class:`app.storage.proof_files.ProofFileError` when the file cannot be read."""
        digest = self._loop.venue.batch_record(number).digest
        if not digest:
            raise ProtocolError(f"batch {number} has no proof yet", field="batch", value=number)
        return read_proof_file(proof_path(self.session.paths.proofs, digest))

    # -- asking

    def submit(self, command: Input) -> None:
        """Queue a user's command. ``IngressFull`` at once when there is no room, ``BadCommand`` for wrong types."""
        self._check_running()
        if not isinstance(command, USER_COMMANDS):
            raise ProtocolError(f"{type(command).__name__} is not a user's command", field="command")
        self._loop.ingress.submit(Command(input=command, acknowledge=_count_only))

    def deposit(self, amount: int) -> None:
        """Send test tokens to the exchange contract, in the next L1 block."""
        self._check_running()
        check_range("amount", amount, 1, INT64_MAX)
        wallet = self.session.chain.funds.wallet
        if amount > wallet:
            raise ProtocolError("the wallet does not hold that much", field="amount", value=amount, limit=wallet)
        self._loop.ingress.deliver(ChainRequest("deposit", amount))

    def claim(self) -> None:
        """Ask the contract for everything claimable, in the next L1 block."""
        self._check_running()
        if not self.session.chain.funds.claimable:
            raise ProtocolError("nothing is claimable on L1 yet", field="amount")
        self._loop.ingress.deliver(ChainRequest("claim"))

    def prove_again(self, number: int) -> None:
        """One more attempt at a batch whose attempts are used up; refused for any other."""
        self._check_running()
        record = self._loop.venue.batch_record(number)
        if record.status != "failed" or record.attempts < MAX_ATTEMPTS:
            raise ProtocolError(f"batch {number} is not given up", field="batch", value=record.status)
        self._loop.ingress.deliver(ProveAgain(number))

    def set_speed(self, multiple: float) -> None:
        """Venue seconds per wall second, in [0.1, 600]."""
        self.pacer.set_speed(multiple)

    def set_paused(self, paused: bool) -> None:
        """Stop or go on with the venue clock."""
        self.pacer.paused = paused
        self._loop.ingress.wake()

    # -- inside

    def _check_running(self) -> None:
        if not self.thread.view().alive:
            raise ProtocolError(f"the sequencer is not running: {self.thread.error or 'it was stopped'}")

    def _run(self) -> None:
        try:
            self.pacer.run()
        except Exception as error:
            self.thread.note_failure(error)
            self._publish_failure()
            raise
        self._publish()

    def _publish_failure(self) -> None:
        """The last picture, marked: a venue that stopped half-way through an input must not be looked at again."""
        last, words = self._snapshot, self.thread.error
        if last is not None:
            self._version += 1
            self._snapshot = replace(
                last,
                version=self._version,
                sequencer=replace(last.sequencer, halted=words),
                threads=self._threads(),
            )

    def _threads(self) -> tuple[ThreadView, ...]:
        return (self.thread.view(), self.session.prover.thread.view(), *self.session.chain.threads())

    def _show_waiting(self) -> None:
        self.thread.beat()
        self._publish()

    def _note_change(self) -> None:
        self._changed = True

    def _after_round(self) -> None:
        now = time.monotonic()
        since = now - self._published
        if (self._changed and since >= SNAPSHOT_INTERVAL) or since >= STATUS_INTERVAL:
            self._publish()

    def _publish(self) -> None:
        """Build the next picture and swap it in."""
        loop, chain, prover = self._loop, self.session.chain, self.session.prover
        venue = loop.venue
        self._changed = False
        self._published = time.monotonic()
        self._version += 1
        self._build_candles()
        history = venue.core.history.of(self.account_id)
        records = venue.core.batches.records
        self._snapshot = Snapshot(
            version=self._version,
            time=venue.time,
            wall_time=time.time(),
            speed=self.pacer.speed,
            paused=self.pacer.paused,
            mode=self._mode(),
            engine_lag_ms=self.pacer.lag_seconds * 1000,
            markets=build.market_views(venue),
            trades=build.trade_prints(venue),
            user=build.account_view(venue, chain),
            fills=build.fill_views(venue, self.account_id),
            funding=tuple((f.time, f.market, f.size, f.amount) for f in reversed(history.funding)),
            transfers=tuple((t.time, t.kind, t.amount, t.where) for t in reversed(history.transfers)),
            batches=self._batches.build(venue),
            withdrawals=build.withdrawal_views(venue, self.account_id),
            sequencer=build.sequencer_view(loop, self.thread.error),
            l1=build.l1_view(chain),
            threads=() if self._still else self._threads(),
            prove_seconds=np.array(
                [r.prove_milliseconds / 1000 for r in records.values() if r.prove_milliseconds], np.float64
            ),
            proof_failures=sum(record.attempts - ("proved" in record.stages) for record in records.values()),
            messages=(*self.session.journal.messages(), *prover.messages(), *chain.errors[-5:]),
            workers=prover.workers(),
            proofs_waiting=prover.waiting(),
        )
        if self._snapshot.user is not None:
            self._basis = venue.preview_basis(self.account_id)

    def _build_candles(self) -> None:
        core, now = self._loop.venue.core, time.monotonic()
        for key, asked in tuple(self._wanted.items()):
            if now - asked > CANDLES_WANTED:
                self._wanted.pop(key)
                self._candles.pop(key, None)
                continue
            rows = core.candles[core.market_index(MarketId(key[0]))].read(key[1])
            self._candles[key] = _candle_series(key[1], rows)

    def _mode(self) -> str:
        if self._loop.is_held():
            return "the clock waits for a proof that is due"
        return MODES[self.pacer.quotes_only]


def _candle_series(interval: int, rows: CandleArrays) -> CandleSeries:
    start, opened, high, low, close, volume = (np.ascontiguousarray(rows.integers[:, k]) for k in range(6))
    mark, index = rows.floats[:, 0].copy(), rows.floats[:, 1].copy()
    return CandleSeries(
        interval=interval,
        time=start,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        mark=mark,
        index=index,
    )


def _count_only(sequence: int, events: list[AnyEvent]) -> None:
    """The window reads events by cursor; acknowledging here only times it."""
