"""Batches, withdrawals, sequencer and proof: lanes, steps, ranges and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.snapshot.views import WithdrawalView
from engine.exchange.config import DEFAULT_CONFIG
from engine.units import SECOND
from tests.support.sample_snapshot import NOW, batch_view, sample_snapshot
from ui.viewmodels import batches, sequencer, withdrawals

SNAPSHOT = sample_snapshot()


def lane_words(number: int) -> list[tuple[str, str]]:
    view = batches.batch_by_number(SNAPSHOT, number)
    assert view is not None
    return [(step.state, step.words) for step in batches.lane(view).steps]


def test_lanes_say_where_each_batch_is() -> None:
    assert lane_words(47) == [("active", "open"), *[("waiting", "")] * 4]
    assert lane_words(46)[:2] == [("done", "10:03:21"), ("waiting", "queued")]
    assert lane_words(45)[1] == ("active", "quotient 58 %")
    assert lane_words(44)[1] == ("failed", "failed, attempt 2")
    assert [state for state, _ in lane_words(43)] == ["done", "done", "done", "waiting", "waiting"]
    assert [state for state, _ in lane_words(42)] == ["done", "done", "done", "done", "waiting"]
    assert [state for state, _ in lane_words(41)] == ["done"] * 5


def test_a_lane_keeps_failure_and_figures() -> None:
    failed = batches.lane(batch_view(44, "failed", NOW, attempts=2, failure="out of memory"))
    assert failed.note == "attempt 2 failed: out of memory"
    assert failed.spoken == "batch 44, failed, attempt 2 failed: out of memory"
    assert (failed.prove_time, failed.gas) == ("–", "–")
    retried = batches.lane(batch_view(44, "proved", NOW, attempts=3, failure="out of memory"))
    assert retried.note == "proved on attempt 3; before: out of memory"
    done = batches.lane(batch_view(40, "final", NOW))
    assert (done.prove_time, done.proof_size, done.gas) == ("11 s", "414 kB", "214k gas")


@pytest.mark.parametrize(("progress", "shown"), [(-0.5, 0.0), (0.4, 0.4), (1.7, 1.0)])
def test_progress_stays_in_its_bar(progress: float, shown: float) -> None:
    step = batches.lane(batch_view(1, "proving", NOW, progress=progress)).steps[1]
    assert step.progress == shown


def test_the_head_counts_and_takes_percentiles() -> None:
    head = batches.summary(SNAPSHOT)
    p50, p95 = np.percentile(SNAPSHOT.prove_seconds, (50, 95))
    assert head.prove_times == f"p50 {p50:.0f} s, p95 {p95:.0f} s, 120 proofs"
    assert head.queue == "3 to prove"
    assert (head.failures, head.failures_tone) == ("1 failed attempt", "warn")
    assert len(head.history) == 120
    nothing = batches.summary(replace(SNAPSHOT, prove_seconds=np.zeros(0), proof_failures=0, batches=()))
    assert (nothing.prove_times, nothing.queue, nothing.failures) == ("no proof yet", "0 to prove", "no failures")


def test_stage_durations_take_only_batches_that_passed_both() -> None:
    views = (batch_view(3, "proving", NOW), batch_view(2, "proved", NOW), batch_view(1, "final", NOW))
    assert batches.stage_durations(views, "sequenced", "proved", 20) == [13.0, 13.0]
    assert batches.stage_durations(views, "sequenced", "proved", 1) == [13.0]
    assert batches.stage_durations(views, "proved", "posted", 20) == [4.0]


def steps(view: WithdrawalView, **more: object) -> withdrawals.WithdrawalState:
    return withdrawals.withdrawal_state(view, replace(SNAPSHOT, **more), DEFAULT_CONFIG)  # type: ignore[arg-type]


def withdrawal(*keys: str, batch: int = 46) -> WithdrawalView:
    stamps = {key: NOW - (60 - 9 * index) * SECOND for index, key in enumerate(keys)}
    return WithdrawalView(withdrawal_id=7, path="normal", amount=2_500_000_000, batch=batch, stages=stamps)


def test_a_stepper_has_stamps_behind_and_ranges_ahead() -> None:
    state = steps(withdrawal("requested", "in_batch"))
    assert [step.state for step in state.steps] == ["done", "done", "active", "waiting", "waiting", "waiting"]
    assert state.steps[0].words == "10:02:25"
    assert state.steps[2].words == "≈ 13 s"
    assert state.next_words == "prover: proves batch 46, waiting 51 s"
    assert not state.needs_user


def test_ranges_are_the_middle_of_the_last_twenty_batches() -> None:
    views = tuple(
        replace(view, stages={**view.stages, "proved": view.stages["sequenced"] + (10 + k) * SECOND})
        for k, view in enumerate(batch_view(60 - k, "final", NOW) for k in range(25))
    )
    low, high = np.percentile(np.arange(10, 30), (10, 90))
    assert withdrawals.expectation("proved", views) == f"{low:.0f}–{high:.0f} s"
    assert withdrawals.source_words(views) == "expected: 10th to 90th percentile of the last 20 batches, venue time"
    assert withdrawals.expectation("proved", ()) == "no history"
    assert "first proved batch" in withdrawals.source_words(())


@pytest.mark.parametrize(
    ("keys", "actor"),
    [
        ((), "sequencer: takes the request"),
        (("requested",), "sequencer: closes the open batch"),
        (("requested", "in_batch", "proved"), "relayer: posts batch 46"),
        (("requested", "in_batch", "proved", "on_l1"), "you: claim it on L1, no deadline"),
        (("requested", "in_batch", "proved", "on_l1", "claiming"), "L1: claim sent"),
        (("requested", "in_batch", "proved", "on_l1", "claimable", "claimed"), "done: the money is in the L1 wallet"),
    ],
)
def test_who_acts_next(keys: tuple[str, ...], actor: str) -> None:
    state = steps(withdrawal(*keys))
    assert state.next_words.startswith(actor)
    assert state.needs_user == actor.startswith("you")
    assert state.finished == actor.startswith("done")


def test_stamps_never_move() -> None:
    view = withdrawal("requested", "in_batch")
    early = steps(view)
    late = steps(view, time=NOW + 3600 * SECOND, batches=())
    assert [step.words for step in early.steps[:2]] == [step.words for step in late.steps[:2]]


def test_unfinished_withdrawals_come_first() -> None:
    states = withdrawals.withdrawal_states(SNAPSHOT, DEFAULT_CONFIG)
    assert [state.withdrawal_id for state in states] == [3, 2, 1]
    assert [state.finished for state in states] == [False, False, True]
    assert states[1].title == "#2  1,250.44 pUSD"
    assert {name for name, _ in withdrawals.NOT_BUILT} == {"Fast withdrawal", "Forced withdrawal", "Escape"}


def test_sequencer_figures_and_tiers() -> None:
    shown = {figure.label: figure.value for figure in sequencer.figures(SNAPSHOT, DEFAULT_CONFIG)}
    assert shown["Sequence number"] == "184,220"
    assert shown["Ack p50, p99"] == "410 µs, 1.9 ms"
    assert shown["Open batch"] == "#47, 4.0 s of 10 s"
    assert shown["Open batch size"] == "73 of 512 tx, 11 of 64 accounts"
    view = SNAPSHOT.sequencer
    tones = [sequencer.queue_tone(replace(view, queue_depth=depth)) for depth in (2_047, 2_048, 3_686, 3_687)]
    assert tones == ["text", "warn", "warn", "danger"]
    assert sequencer.open_batch_fill(view, DEFAULT_CONFIG) == 0.4
    assert sequencer.open_batch_fill(replace(view, open_batch_age=99 * SECOND), DEFAULT_CONFIG) == 1.0


def test_l1_figures_say_how_far_l1_is_behind() -> None:
    shown = {figure.label: figure.value for figure in sequencer.l1_figures(SNAPSHOT)}
    assert (shown["Last batch on L1"], shown["Not on L1 yet"]) == ("#42", "4 batches")
    even = replace(SNAPSHOT, l1=replace(SNAPSHOT.l1, last_batch=46))
    assert {figure.label: figure.value for figure in sequencer.l1_figures(even)}["Not on L1 yet"] == "nothing"


def test_the_newest_proof_stands_in_for_no_choice() -> None:
    newest = batches.batch_by_number(SNAPSHOT, None)
    assert newest is not None
    assert newest.number == 43
    assert batches.batch_by_number(SNAPSHOT, 1) is None


def test_a_batch_that_did_not_change_keeps_its_lane() -> None:
    book = batches.LaneBook()
    first = book.lanes(SNAPSHOT.batches)
    moved = tuple(replace(view, progress=0.9) if view.number == 45 else replace(view) for view in SNAPSHOT.batches)
    second = book.lanes(moved)
    assert [a is b for a, b in zip(first, second, strict=True)] == [view.number != 45 for view in moved]
    assert second[2].steps[1].words == "quotient 90 %"
    assert book.lanes(()) == ()


def test_acknowledgement_times_before_the_first_command_are_no_figure() -> None:
    view = replace(SNAPSHOT.sequencer, ack_p50_us=0.0, ack_p99_us=0.0)
    assert sequencer.ack_words(view) == "no commands yet"
    assert sequencer.ack_words(replace(view, ack_p50_us=420.0, ack_p99_us=1500.0)) == "420 µs, 1.5 ms"
