"""``bench matching``: both ways over the common stream, and a stream that says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import cli
from app.benches.matching import compare, replay_blocks, replay_calls
from engine.book.stream import Stream, build
from engine.errors import ProtocolError


@pytest.fixture(scope="module")
def stream() -> Stream:
    return build(5_000, depth=500)


def test_blocks_and_calls_give_the_same_fills_and_book(stream: Stream) -> None:
    blocks, calls = replay_blocks(stream), replay_calls(stream)
    assert blocks.sums == calls.sums == stream.sums
    assert blocks.resting == calls.resting > 200
    report = compare(stream, 1, 1)
    assert report["operations"] == 5_000
    assert min(report["blocks_median"], report["calls_cpu_best"]) > 0


def test_other_fills_than_the_stream_was_made_with_are_no_measurement(stream: Stream) -> None:
    rows = stream.rows.copy()
    rows[rows[:, 6] == 2, 4] += 1  # every market order one lot larger
    with pytest.raises(ProtocolError, match="other fills"):
        compare(stream._replace(rows=rows), 1, 1)


def test_the_stream_is_an_option_of_this_bench_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["bench", "ack", "--stream", str(tmp_path / "stream")]
    assert cli.run(arguments) == 1
    assert "--stream is an option of bench matching" in capsys.readouterr().err
