"""Header and status bar in words."""

from dataclasses import replace

import pytest

from app.snapshot.rules import MODES
from app.snapshot.views import WorkerView
from engine.exchange.config import DEFAULT_CONFIG
from engine.units import HOUR, SECOND
from tests.support.sample_snapshot import NOW, batch_view, sample_snapshot, sample_threads
from ui.viewmodels.header import (
    HOLD_PATIENCE,
    ModeTeller,
    change_ppm,
    countdown_text,
    deleveraging_words,
    guard_words,
    interval_text,
    make_header,
    speed_text,
)
from ui.viewmodels.status import REMEDY, alarm, make_status

HELD = "the clock waits for a proof that is due"


def facts(header):
    return {fact.name: fact for fact in header.facts}


def with_market(snapshot, **more):
    return replace(snapshot, markets={**snapshot.markets, 1: replace(snapshot.markets[1], **more)})


def test_the_header_says_price_change_funding_and_clock():
    header = make_header(DEFAULT_CONFIG, sample_snapshot(), 1)
    assert header.last.text == "▲ 57,412.3"
    found = facts(header)
    assert found["24h change"].text == "▲ +1.17 %"
    assert found["24h change"].tone == "gain"
    assert found["Funding 1h · settles in"].text == "+0.0013 % · 56:35"
    assert found["24h volume BTC"].text == "18,402"
    assert (header.date, header.clock) == ("2024-08-08 UTC", "10:03:25")
    assert [tab[1] for tab in header.tabs] == ["BTC-USD", "ETH-USD"]


def test_a_fall_is_said_with_sign_arrow_and_tone():
    snapshot = with_market(sample_snapshot(), open_24h=600_000, last_side="sell")
    header = make_header(DEFAULT_CONFIG, snapshot, 1)
    assert facts(header)["24h change"].text == "▼ -4.31 %"
    assert facts(header)["24h change"].tone == "loss"
    assert header.last.text.startswith("▼")


def test_before_there_is_a_price_there_is_no_change():
    snapshot = with_market(sample_snapshot(), open_24h=0)
    assert change_ppm(snapshot.markets[1]) is None
    assert facts(make_header(DEFAULT_CONFIG, snapshot, 1))["24h change"].text == "–"


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "00:00"), (-5, "00:00"), (1, "00:01"), (59 * SECOND, "00:59"), (HOUR, "1:00:00"), (HOUR - 1, "1:00:00")],
)
def test_the_countdown_rounds_up_and_ends_at_zero(nanoseconds, text):
    assert countdown_text(nanoseconds) == text


def test_a_clock_too_fast_for_the_recording_is_said_at_once_and_steadily():
    teller = ModeTeller()
    assert teller.sentence(sample_snapshot(speed=10.0), 0.0) == ""
    assert teller.sentence(sample_snapshot(speed=60.0, mode=MODES[True]), 0.1) == MODES[True]
    assert teller.sentence(sample_snapshot(speed=60.0, mode=HELD), 0.2) == MODES[True]


def test_markets_that_take_reducing_orders_only_are_named():
    snapshot = sample_snapshot()
    assert deleveraging_words(snapshot, DEFAULT_CONFIG) == ""
    markets = {i: replace(view, deleveraging=i == 2) for i, view in snapshot.markets.items()}
    words = "ETH-USD: reducing orders only, a bankrupt position waits to be closed (deleveraging)"
    assert deleveraging_words(replace(snapshot, markets=markets), DEFAULT_CONFIG) == words


def test_halts_and_readings_under_confirmation_are_said_with_their_reason():
    snapshot = sample_snapshot()
    assert guard_words(snapshot, DEFAULT_CONFIG) == ""
    doubted = replace(snapshot.markets[1], unconfirmed_fixed=100 << 32)
    halted = replace(snapshot.markets[2], halted="index_stale", unconfirmed_fixed=1)
    words = guard_words(replace(snapshot, markets={1: doubted, 2: halted}), DEFAULT_CONFIG)
    assert words == (
        "BTC-USD: index reading under confirmation (0.1); "
        "ETH-USD: reducing orders only, the index source has been silent for too long"
    )
    found = facts(make_header(DEFAULT_CONFIG, replace(snapshot, markets={1: doubted, 2: halted}), 1))["Index"]
    assert (found.tone, found.help) == ("warn", "index reading under confirmation: 0.1 needs a second one like it")


def test_only_a_long_wait_of_the_clock_is_said():
    teller = ModeTeller()
    held, running = sample_snapshot(speed=10.0, mode=HELD), sample_snapshot(speed=10.0)
    assert teller.sentence(held, 0.0) == ""
    assert teller.sentence(held, HOLD_PATIENCE - 0.1) == ""
    assert teller.sentence(held, HOLD_PATIENCE) == HELD
    assert teller.sentence(running, 4.0) == ""
    assert teller.sentence(held, 4.1) == "", "the next wait is counted from its own beginning"


def test_speeds_read_as_multiples():
    assert [speed_text(s) for s in (1.0, 0.5, 600.0)] == ["1x", "0.5x", "600x"]


def status(snapshot):
    return {item.item_id: item for item in make_status(snapshot, 40.0, 4.25)}


def test_the_status_bar_says_lag_prover_block_threads_clock_and_frames():
    items = status(sample_snapshot())
    assert items["engine"].text == "engine lag 3 ms"
    assert items["prover"].text == "prover: 1 batch waiting, 45 at 58 %"
    assert items["l1"].text == "L1 block 1,131"
    assert items["threads"].text == "6 threads ok"
    assert items["clock"].text == "clock 1x"
    assert items["fps"].text == "40 fps · 4.2 ms"


@pytest.mark.parametrize(("lag", "tone"), [(49.0, "weak"), (51.0, "warn"), (251.0, "danger")])
def test_lag_gets_louder(lag, tone):
    assert status(sample_snapshot(engine_lag_ms=lag))["engine"].tone == tone


def test_a_dead_thread_is_a_banner_with_its_error():
    snapshot = sample_snapshot(threads=sample_threads("out of memory"))
    assert alarm(snapshot) == f"Stopped: prover. out of memory. {REMEDY}"
    assert status(snapshot)["threads"].text == "thread prover dead"
    assert status(snapshot)["threads"].tone == "danger"


def test_a_silent_thread_is_said_in_the_bar():
    threads = (replace(sample_threads()[0], heartbeat_age=9.0), *sample_threads()[1:])
    assert status(sample_snapshot(threads=threads))["threads"].text == "thread sequencer silent"


def test_the_l1_may_wait_for_a_networks_blocks_and_no_longer():
    def words(age: float) -> str:
        threads = tuple(replace(t, heartbeat_age=age) if t.name == "L1" else t for t in sample_threads())
        return status(sample_snapshot(threads=threads))["threads"].text

    assert (words(200.0), words(300.0)) == ("6 threads ok", "thread L1 silent")


def test_a_prover_that_compiles_is_said_and_is_not_silent():
    base = sample_snapshot()
    prover = next(t for t in base.threads if t.name == "prover")
    busy = tuple(replace(t, heartbeat_age=60.0) if t is prover else t for t in base.threads)
    worker = WorkerView(
        name="in this process",
        kind="thread",
        state="starting",
        batch=None,
        stage="",
        fraction=0.45,
        busy=0.0,
        proofs=0,
        failures=0,
        last_failure="",
    )
    items = status(sample_snapshot(threads=busy, workers=(worker,)))
    assert items["prover"].text == "prover: compiling, 45 % · 1 waiting"
    assert items["threads"].text == "6 threads ok"
    assert status(sample_snapshot(threads=busy))["threads"].text == "thread prover silent"
    stuck = tuple(replace(t, heartbeat_age=600.0) if t is prover else t for t in base.threads)
    assert status(sample_snapshot(threads=stuck, workers=(worker,)))["threads"].text == "thread prover silent"


def test_a_venue_without_threads_is_not_called_well():
    assert status(sample_snapshot(threads=()))["threads"].text == "no threads running"


def test_a_halted_sequencer_is_said_everywhere():
    base = sample_snapshot()
    snapshot = replace(base, sequencer=replace(base.sequencer, halted="journal disk full"))
    assert "journal disk full" in alarm(snapshot)
    assert "journal disk full" in status(snapshot)["halted"].text
    assert alarm(base) == ""


def test_a_growing_prover_queue_warns():
    batches = tuple(batch_view(k, "sequenced", NOW) for k in range(5))
    assert status(sample_snapshot(batches=batches))["prover"].tone == "warn"
    assert "5 batches waiting" in status(sample_snapshot(batches=batches))["prover"].text


@pytest.mark.parametrize(("interval", "words"), [(3600, "1h"), (8 * 3600, "8h"), (900, "15m"), (90, "90s")])
def test_the_funding_interval_is_the_venues_own(interval: int, words: str) -> None:
    assert interval_text(interval * SECOND) == words


def test_the_index_says_what_it_is() -> None:
    found = facts(make_header(DEFAULT_CONFIG, sample_snapshot(), 1))
    assert found["Index"].help == "mid price of the recorded market feed"
