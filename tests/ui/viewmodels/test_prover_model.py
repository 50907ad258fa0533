"""The prover panel's words: bars, scale, percentiles, costs, failures, workers, terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.snapshot.rules import MAX_ATTEMPTS
from tests.support.sample_snapshot import NOW, TERMS, batch_view, sample_snapshot, stage_seconds
from ui.viewmodels import prover, prover_bars
from ui.viewmodels.prover_bars import ProofBar, bar

SNAPSHOT = sample_snapshot()


def facts(**more: object) -> dict[str, str]:
    snapshot = replace(SNAPSHOT, **more)  # type: ignore[arg-type]
    return {fact.name: fact.text for fact in prover.headline(snapshot, prover.prove_times(snapshot))}


def test_segments_come_in_the_protocols_order_and_name_the_slowest() -> None:
    shuffled = dict(reversed(stage_seconds(10.0, 0).items())) | {"moon": 0.5}
    segments = prover_bars.segments_of(shuffled)
    assert "".join(segment.letter for segment in segments) == "WTECLQDFOM"
    assert [segment.name for segment in segments if segment.slowest] == ["commitment"]
    assert sum(segment.share for segment in segments) == pytest.approx(1)
    assert prover_bars.segments_of({}) == prover_bars.segments_of({"fri": 0.0}) == ()


def test_each_kind_of_batch_has_its_words() -> None:
    made = {shown.number: shown for shown in prover_bars.BarBook().bars(SNAPSHOT.batches)}
    assert 47 not in made, "the open batch is not the prover's yet"
    assert (made[46].kind, made[46].words) == ("waiting", "waiting for a worker")
    assert (made[45].kind, made[45].words, made[45].prove_time) == (
        "running",
        "58 %, quotient done, attempt 2",
        "6.9 s",
    )
    assert made[45].open_seconds == pytest.approx(6.9 - sum(s.seconds for s in made[45].segments))
    assert made[44].kind == "failed"
    assert made[44].words.startswith("attempt 2 failed, will be retried: worker killed")
    assert (made[43].kind, made[43].slowest, made[43].proof_size) == ("proved", "commitment 22 %", "414 kB")
    unkept = bar(batch_view(40, "final", NOW, stage_seconds={}))
    assert (unkept.kind, unkept.words) == ("unknown", "stage times were not stored")
    assert bar(batch_view(40, "final", NOW, attempts=3)).words == "attempt 3"
    given_up = bar(batch_view(40, "failed", NOW, attempts=MAX_ATTEMPTS))
    assert "given up: no reason given" in given_up.words


def test_a_bar_that_did_not_change_is_kept() -> None:
    book = prover_bars.BarBook()
    first = book.bars(SNAPSHOT.batches)
    moved = tuple(
        replace(view, running_seconds=7.5) if view.number == 45 else replace(view) for view in SNAPSHOT.batches
    )
    assert [a is b for a, b in zip(first, book.bars(moved), strict=True)] == [shown.number != 45 for shown in first]


@pytest.mark.parametrize(("seconds", "scale"), [(0.01, 0.1), (0.33, 0.4), (0.41, 0.5), (0.9, 1.0), (11.0, 15.0)])
def test_the_scale_is_a_round_number(seconds: float, scale: float) -> None:
    assert prover_bars.nice(seconds) == scale


def bars_of(*seconds: float) -> tuple[ProofBar, ...]:
    views = (batch_view(90 - k, "final", NOW, stage_seconds={"fri": each}) for k, each in enumerate(seconds))
    return tuple(bar(view) for view in views)


def test_the_scale_holds_all_but_outliers_and_does_not_jump() -> None:
    assert prover_bars.scale(bars_of(*[0.3] * 40, 9.0)) == 0.4
    assert prover_bars.scale(bars_of(*[0.3] * 40), before=0.5) == 0.5
    assert prover_bars.scale(bars_of(*[0.3] * 40), before=5.0) == 0.4
    assert prover_bars.scale((), before=0.0) == 1.0


def test_percentiles_are_of_a_stated_window() -> None:
    seconds = np.linspace(1.0, 500.0, 500)
    times = prover.prove_times(replace(SNAPSHOT, prove_seconds=seconds))
    assert times.percentiles == tuple(np.percentile(seconds[-prover.WINDOW :], (50, 95, 99)))
    assert times.words.endswith("last 200 proofs")
    assert (facts()["p50 of last 120"], facts()["p95"], facts()["p99"]) == ("13 s", "16 s", "16 s")


def test_the_headline_says_size_security_and_cost() -> None:
    told = facts()
    assert (told["proof size"], told["proven"]) == ("414 kB", "102.4 bits")
    posted = [view for view in SNAPSHOT.batches if view.gas][:20]
    assert told["gas per batch"] == f"{np.median([view.gas for view in posted]) / 1000:.0f} k"
    assert told["gas per tx"] == f"{np.median([view.gas / view.transactions for view in posted]):.0f}"
    assert (told["waiting"], told["failed"]) == ("2 batches", "1 attempt")
    security = next(f for f in prover.headline(SNAPSHOT, prover.prove_times(SNAPSHOT)) if f.name == "proven")
    assert "the weakest step is folding 1 with 102.4 bits" in security.help


def test_nothing_proved_yet_is_no_number() -> None:
    told = facts(batches=SNAPSHOT.batches[:2], prove_seconds=np.zeros(0), proof_failures=0)
    shown = ("p50", "p95", "p99", "proof size", "proven", "gas per batch", "gas per tx")
    assert {told[name] for name in shown} == {"–"}
    assert prover.term_rows(()) == ()
    assert prover.weakest_words(()) == "its terms were not stored"


@pytest.mark.parametrize(
    ("gas", "words"), [(980.2, "980"), (9_940, "9.9 k"), (214_300, "214 k"), (999_700, "1.0 M"), (17_312_000, "17.3 M")]
)
def test_gas_has_three_digits_and_a_unit(gas: float, words: str) -> None:
    assert prover.gas_figure(gas) == words


def cells(row: object) -> list[str]:
    return [cell.text for cell in row.cells]  # type: ignore[attr-defined]


def test_failures_say_what_came_of_them() -> None:
    views = (
        batch_view(9, "proved", NOW, attempts=2, failure="lost"),
        batch_view(8, "proving", NOW, attempts=1, failure="lost"),
        *SNAPSHOT.batches,
    )
    assert [cells(row)[:3] for row in prover.failure_rows(views)] == [
        ["#9", "2", "proved on attempt 2"],
        ["#8", "1", "attempt 2 runs"],
        ["#44", "2", "will be retried"],
    ]


def test_workers_say_state_load_and_last_failure() -> None:
    rows = [cells(row) for row in prover.worker_rows(SNAPSHOT.workers)]
    assert rows[0][:5] == ["in this process", "thread", "batch 45, quotient 58 %", "83 %", "212"]
    assert rows[2][2] == "set aside after failures"
    assert rows[3][2] == "lost; its batch goes to another worker"
    assert rows[3][5:] == ["1", "killed by signal 9"]
    starting = replace(SNAPSHOT.workers[1], state="starting", stage="compiling the prover: fri", fraction=0.45)
    (row,) = prover.worker_rows((starting,))
    assert (row.cells[2].text, row.cells[2].tip) == ("starting, 45 %", "compiling the prover: fri")
    assert prover.workers_title(SNAPSHOT) == "Workers 4, 2 out"
    assert prover.workers_title(replace(SNAPSHOT, workers=())) == "Workers 0"


def test_terms_come_weakest_first() -> None:
    rows = [cells(row) for row in prover.term_rows(TERMS)]
    assert rows[0] == ["folding 1, the weakest", "102.4", "–"]
    assert rows[1] == ["query", "102.5", "16"]
    assert [float(row[1]) for row in rows] == sorted(term.bits for term in TERMS)
