"""The engine as the window uses it: threads around a venue, pictures out, commands in."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.faults.crash_child import stand_in_prover
from app.paths import open_paths
from app.proving.check import check_proof
from app.snapshot.views import Snapshot
from app.storage.journal_file import JournalError
from app.storage.proof_files import ProofFileError
from app.venue.facade import Engine
from app.venue.ingress import BadCommand, IngressFull
from app.venue.session import USER_WALLET, open_session
from engine.errors import OutOfRange, ProtocolError
from engine.sequencer.events import Accepted, Fill, OrderClosed, OrderRested, Rejected, WithdrawalStage
from engine.sequencer.inputs import (
    CancelAll,
    CancelOrder,
    ClockStep,
    PlaceOrder,
    ProofOutcome,
    RequestWithdrawal,
)
from engine.settlement.stand_in import yes_verifiers
from engine.units import QUANTUM, SECOND
from tests.support.app_world import SMALL

LIMIT = 60.0


class Watched(Engine):
    """Says when a picture was published, so that tests wait for pictures and not for time."""

    def __init__(self, folder: Path) -> None:
        self.published = threading.Condition()
        super().__init__(
            open_session(open_paths(folder), SMALL, make_prover=stand_in_prover, make_verifiers=yes_verifiers)
        )

    def _publish(self) -> None:
        super()._publish()
        with self.published:
            self.published.notify_all()

    def _publish_failure(self) -> None:
        super()._publish_failure()
        with self.published:
            self.published.notify_all()

    def until(self, condition: Callable[[Snapshot], object]) -> Snapshot:
        """The first picture from now on that fulfils the condition."""
        with self.published:
            assert self.published.wait_for(lambda: condition(self.picture()), LIMIT), "no such picture came"
            return self.picture()

    def picture(self) -> Snapshot:
        found = self.snapshot()
        assert found is not None
        return found

    def answer(self, client_id: str, cursor: int = 0) -> list:
        """All events of a command of ours, once it was answered."""
        kinds = (Accepted, Rejected, OrderRested, OrderClosed)

        def found() -> list:
            events = self.events_since(cursor)[1]
            first = [e.sequence for e in events if isinstance(e, kinds) and e.client_id == client_id]
            return [event for event in events if first and event.sequence == first[0]]

        self.until(lambda _: found())
        return found()

    def freeze(self) -> Snapshot:
        """Pause the clock and let one more picture be drawn: it shows what the next command meets."""
        self.set_paused(True)
        paused = self.until(lambda picture: picture.paused)
        return self.until(lambda picture: picture.version > paused.version)


@pytest.fixture(scope="module")
def engine(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    made = Watched(Path(shutil.copytree(played, tmp_path_factory.mktemp("engine") / "venue")))
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def unpaused(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "engine" in request.fixturenames:
        engine = request.getfixturevalue("engine")
        engine.set_speed(1.0)
        engine.set_paused(False)


def test_the_clock_moves_the_book_and_the_pictures(engine: Watched) -> None:
    first = engine.picture()
    later = engine.until(lambda picture: picture.time >= first.time + SECOND)
    assert later.version > first.version
    assert later.markets[1].book_changes > first.markets[1].book_changes
    assert later.markets[1].bids[0][0] < later.markets[1].asks[0][0]
    assert [(thread.name, thread.alive) for thread in later.threads] == [
        ("sequencer", True),
        ("prover", True),
        ("L1", True),
    ]
    assert later.sequencer.halted == ""


def test_an_order_fills_exactly_as_its_preview_said(engine: Watched) -> None:
    engine.freeze()
    order = PlaceOrder(
        account=engine.account_id, market=1, side="buy", type="market", lots=40, client_id="as previewed"
    )
    receipt = engine.preview(order)
    engine.submit(order)
    events = engine.answer("as previewed")
    fills = [event for event in events if isinstance(event, Fill)]
    tick = engine.config.market(1).tick_value
    assert sum(fill.lots for fill in fills) == receipt.filled == 40
    assert sum(fill.price * fill.lots for fill in fills) * tick == receipt.notional
    assert sum(fill.taker_fee for fill in fills) == receipt.fee_taker
    assert max(fill.price for fill in fills) == receipt.worst_price
    price = engine.session.loop.venue.liquidation_price(engine.account_id, 1)
    assert price == receipt.liquidation_after


def test_orders_rest_are_cancelled_and_refused_with_reasons(engine: Watched) -> None:
    engine.freeze()
    account = engine.account_id
    engine.submit(
        PlaceOrder(account=account, market=1, side="buy", type="limit", lots=5, price=2000, client_id="rests")
    )
    (rested,) = [event for event in engine.answer("rests") if isinstance(event, OrderRested)]
    picture = engine.until(lambda p: p.user and any(order.order_id == rested.order_id for order in p.user.orders))
    assert picture.user is not None
    engine.submit(CancelOrder(account=account, order_id=rested.order_id, client_id="cancels"))
    assert any(isinstance(event, OrderClosed) for event in engine.answer("cancels"))
    engine.submit(
        PlaceOrder(account=account, market=1, side="buy", type="limit", lots=0, price=2000, client_id="nothing")
    )
    (refused,) = engine.answer("nothing")
    assert (type(refused), refused.field) == (Rejected, "lots")


@pytest.mark.parametrize(
    "command",
    [
        ClockStep(2**60),
        ProofOutcome(
            batch=1,
            accepted=True,
            digest="",
            reason="",
            attempt=1,
            prove_milliseconds=0,
            verify_milliseconds=0,
            proof_bytes=0,
        ),
    ],
)
def test_only_a_users_commands_get_in(engine: Watched, command: object) -> None:
    with pytest.raises(ProtocolError, match="not a user's command"):
        engine.submit(command)  # type: ignore[arg-type]


def test_a_command_of_wrong_types_is_refused_and_the_venue_goes_on(engine: Watched) -> None:
    with pytest.raises(BadCommand, match="lots"):
        engine.submit(PlaceOrder(account=engine.account_id, market=1, side="buy", type="market", lots=1.5))  # type: ignore[arg-type]
    engine.submit(CancelAll(account=engine.account_id, client_id="still here"))
    assert engine.answer("still here")


def test_amounts_and_speeds_are_refused_with_their_limits(engine: Watched) -> None:
    with pytest.raises(OutOfRange) as refused:
        engine.deposit(0)
    assert refused.value.field == "amount"
    with pytest.raises(ProtocolError, match="wallet") as beyond:
        engine.deposit(USER_WALLET + 1)
    assert beyond.value.limit == engine.session.chain.funds.wallet
    for speed in (0.0, 0.099, 600.1, float("nan"), float("inf")):
        with pytest.raises(OutOfRange):
            engine.set_speed(speed)
    with pytest.raises(ProtocolError):
        engine.proof_file(10**6)
    with pytest.raises(ProtocolError):
        engine.prove_again(10**6)


def test_a_full_queue_is_refused_at_once(engine: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.session.loop.ingress, "limit", 0)
    with pytest.raises(IngressFull):
        engine.submit(CancelAll(account=engine.account_id))


def test_a_paused_clock_stands_still_and_commands_are_still_served(engine: Watched) -> None:
    paused = engine.freeze()
    engine.submit(CancelAll(account=engine.account_id, client_id="while paused"))
    engine.answer("while paused")
    assert engine.until(lambda picture: picture.version > paused.version + 1).time == paused.time
    engine.set_paused(False)
    engine.until(lambda picture: picture.time > paused.time)


def test_money_goes_in_and_out_at_speed(engine: Watched) -> None:
    start = engine.picture()
    assert start.user is not None
    engine.set_speed(60.0)
    engine.deposit(5 * QUANTUM)
    engine.submit(RequestWithdrawal(account=engine.account_id, amount=7 * QUANTUM + 3, client_id="away"))
    mode = engine.until(lambda picture: picture.speed == 60.0 and "quotes only" in picture.mode)
    assert mode.user is not None
    waiting = engine.until(lambda picture: picture.user and picture.user.l1_claimable >= 7 * QUANTUM + 3)
    claimable, wallet = waiting.user.l1_claimable, waiting.user.l1_token_balance  # type: ignore[union-attr]
    engine.claim()
    paid = engine.until(lambda picture: picture.user and not picture.user.l1_claimable)
    assert paid.user is not None
    assert paid.user.l1_token_balance == wallet + claimable
    stages = [event.stage for event in engine.events_since(0)[1] if isinstance(event, WithdrawalStage)]
    assert stages[-1] == "claimed"
    engine.freeze()
    with pytest.raises(ProtocolError, match="nothing is claimable"):
        engine.claim()
    assert {entry[1] for entry in paid.transfers} >= {"deposit", "withdrawal", "claim"}


def test_a_stand_ins_file_is_not_taken_for_a_proof(engine: Watched) -> None:
    proved = engine.until(lambda picture: any(batch.proof_file for batch in picture.batches))
    number = next(batch.number for batch in proved.batches if batch.proof_file)
    with pytest.raises(ProtocolError, match=f"batch {number} is not given up"):
        engine.prove_again(number)
    verdict = check_proof(engine.proof_file(number))
    assert (verdict.accepted, verdict.stage) == (False, "encoding")
    Path(next(batch.proof_file for batch in proved.batches if batch.number == number)).unlink()
    with pytest.raises(ProofFileError, match="cannot be read: No such file"):
        engine.proof_file(number)
    waiting = engine.picture().sequencer.open_batch
    with pytest.raises(ProtocolError):
        engine.proof_file(waiting)


def test_candles_are_there_soon_after_they_were_asked_for(engine: Watched) -> None:
    engine.candles(1, SECOND)
    engine.until(lambda picture: len(engine.candles(1, SECOND).high))
    series = engine.candles(1, SECOND)
    assert (series.high >= series.low).all()


def test_cursors_see_every_event_once(engine: Watched) -> None:
    cursor, seen = engine.events_since(10**9)[0], []
    for number in range(5):
        engine.submit(CancelAll(account=engine.account_id, client_id=f"c{number}"))
    engine.answer("c4", cursor)
    while not any(name == "c4" for name in seen):
        cursor, fresh = engine.events_since(cursor)
        seen += [event.client_id for event in fresh if isinstance(event, Accepted) and event.client_id]
    assert seen == [f"c{number}" for number in range(5)]


def test_stop_ends_every_thread_and_refuses_what_comes_after(folder: Path) -> None:
    before = set(threading.enumerate())
    engine = Watched(folder)
    engine.start()
    engine.set_speed(10.0)
    engine.until(lambda picture: picture.speed == 10.0)
    engine.stop()
    engine.stop()
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(LIMIT)  # the database's own thread may just be ending
    assert not [thread.name for thread in left if thread.is_alive()]
    for call in (lambda: engine.submit(CancelAll(account=16)), lambda: engine.deposit(1), engine.claim):
        with pytest.raises(ProtocolError, match="not running: it was stopped"):
            call()
    again = Watched(folder)
    assert again.session.replayed == 0, "stop wrote a checkpoint"
    assert again.session.loop.venue.time == engine.picture().time, "the venue's clock stood still"
    again.session.close()


def test_a_failed_journal_halts_the_venue_and_the_picture_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Watched(folder)
    engine.start()
    connection = sqlite3.connect(engine.session.journal.path)
    connection.execute("ALTER TABLE inputs RENAME TO lost")
    connection.close()
    halted = engine.until(lambda picture: picture.sequencer.halted)
    assert "commit failed" in halted.sequencer.halted
    assert [thread.alive for thread in halted.threads] == [False, True, True]
    with pytest.raises(ProtocolError, match="commit failed"):
        engine.submit(CancelAll(account=engine.account_id))
    with pytest.raises(JournalError, match="no such table"):
        engine.stop()
    assert "commit failed" in caplog.text


def test_a_prover_that_cannot_be_stopped_keeps_neither_journal_nor_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session(open_paths(tmp_path), SMALL, make_prover=stand_in_prover, make_verifiers=yes_verifiers)
    stop = session.prover.stop

    def broken() -> None:
        stop()
        raise ValueError("a pool in pieces")

    monkeypatch.setattr(session.prover, "stop", broken)
    with pytest.raises(ValueError, match="pieces"):
        session.close()
    assert not session.lock.held
    session.close()  # a second call does nothing
    again = open_session(open_paths(tmp_path), SMALL, make_prover=stand_in_prover, make_verifiers=yes_verifiers)
    again.close()


def test_a_sequencer_that_does_not_end_leaves_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be half-way through an input; the next start replays the journal."""
    engine = Watched(tmp_path)
    engine.start()
    join = engine.thread.join
    monkeypatch.setattr(engine.thread, "join", lambda seconds: join(seconds) and False)
    written: list[int] = []
    monkeypatch.setattr(engine.session.journal, "write_checkpoint", lambda *arguments: written.append(1))
    engine.stop()
    assert not written
    assert not engine.session.lock.held
