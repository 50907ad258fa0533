"""The first launch says what it compiles; a copy of the sources elsewhere is a first launch of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numba
import pytest

from app.runtime import jit_cache
from app.runtime.terminal_progress import TerminalProgress
from app.runtime.warmup import told


def test_each_compiled_function_is_told_with_how_far_it_is() -> None:
    said: list[tuple[str, float]] = []
    with told("two things", 4, lambda words, fraction: said.append((words, fraction))):
        numba.njit(lambda x: x + 1)(1)
        numba.njit(lambda x: x + 2)(1)
    numba.njit(lambda x: x + 3)(1)
    stage = "first launch, compiling two things"
    assert said == [(stage, 0.0), (f"{stage}: 1 of about 4 kernels", 0.25), (f"{stage}: 2 of about 4 kernels", 0.5)]


def test_a_launch_that_was_given_up_stops_at_the_next_function() -> None:
    def give_up(words: str, fraction: float) -> None:
        if fraction:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), told("too much", 4, give_up):
        numba.njit(lambda x: x + 4)(1)
    assert numba.njit(lambda x: x + 5)(1) == 6, "the compiler is free again"


def test_sources_that_moved_or_were_written_again_are_not_called_warm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, copy = tmp_path / "kernel.py", tmp_path / "copy.py"
    source.write_text("njit")
    copy.write_text("njit")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit_cache, "kernel_sources", lambda: [source])
    assert not jit_cache.is_warm()
    jit_cache.mark_warm()
    assert jit_cache.is_warm()
    os.utime(source, ns=(1, 1))
    assert not jit_cache.is_warm(), "numba compiles it again"
    jit_cache.mark_warm()
    monkeypatch.setattr(jit_cache, "kernel_sources", lambda: [copy])
    assert not jit_cache.is_warm(), "numba knows a kernel by the place of its file"


def test_the_terminal_tells_a_stage_once_and_a_long_one_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 0.1, 0.2, 5.0])
    monkeypatch.setattr("app.runtime.terminal_progress.time.monotonic", lambda: next(clock))
    tell = TerminalProgress(sys.stderr)
    for words, fraction in (("compiling", 0.0), ("compiling: 1 of 9", 0.1), ("reading", 0.5), ("reading: 8 of 9", 0.9)):
        tell(words, fraction)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["  0% compiling", " 50% reading", " 90% reading: 8 of 9"]
