"""The width of vectors: from the processor's registers, overridden, and the same results whatever it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.field import width
from engine.field.lanes import BLOCK, LANES


@pytest.fixture(autouse=True)
def ask_again() -> Iterator[None]:
    """The answer is kept for the process; tests ask anew, and leave nothing behind."""
    width.words.cache_clear()
    yield
    width.words.cache_clear()


@pytest.mark.skipif(sys.platform == "darwin" or os.uname().machine != "x86_64", reason="names of x86 processors")
@pytest.mark.parametrize(
    ("name", "words"), [("znver3", 4), ("haswell", 4), ("znver4", 8), ("skylake-avx512", 8), ("x86-64", 2)]
)
def test_the_registers_of_known_processors(name: str, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(width.OVERRIDE, raising=False)
    monkeypatch.setenv("NUMBA_CPU_NAME", name)
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
    assert width.words() == words
    assert width.cache_label() == f"{64 * words}-{name}"


def test_the_features_of_this_machine_count_unless_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "znver3")
    monkeypatch.delenv("NUMBA_CPU_FEATURES", raising=False)
    assert width.processor() == ("znver3", width.llvm.get_host_cpu_features().flatten())


@pytest.mark.parametrize("words", width.WIDTHS)
def test_an_override_is_obeyed(words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(width.OVERRIDE, str(words))
    assert width.words() == words
    assert width.cache_label().startswith(f"{64 * words}-")


@pytest.mark.parametrize("given", ["", "16", "four"])
def test_another_override_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(width.OVERRIDE, given)
    with pytest.raises(ValueError, match=width.OVERRIDE):
        width.words()


def test_the_kernels_use_it() -> None:
    assert 2 * width.words() == LANES
    assert BLOCK % LANES == 0


ALL = """
import hashlib, numpy as np
from engine.field import ntt
from engine.field.extension_kernels import extension_batch_inverse, extension_powers
from engine.field.kernels import batch_inverse
from engine.field.koalabear import P
from engine.hashing import keccak
from engine.hashing.poseidon_kernels import witness_rows

def results():
    words = np.random.default_rng(1).integers(0, P, size=3 << 11, dtype=np.uint32)
    yield words
    yield batch_inverse(words)
    yield ntt.interpolate(words, 3, 11)
    yield ntt.coset_lde(words, 3, 11, 2, 3)
    powers = extension_powers((1, 2, 3, 4, 5), 1000)
    yield powers
    yield extension_batch_inverse(powers)
    yield ntt.weighted_sums(words[:6000].copy(), 6, 1000, powers)
    leaves = keccak.hash_rows(words, 3, 1 << 11)
    yield leaves
    yield keccak.hash_pairs(leaves)
    yield np.array([keccak.grind(bytes(32), 9)])
    yield witness_rows(words)

for result in results():
    print(hashlib.sha256(result.tobytes()).hexdigest())
"""


def _digests(words: int) -> list[str]:
    """What a process of that width computes; its kernels are kept beside those of the tests."""
    folder = Path(os.environ["NUMBA_CACHE_DIR"]) / f"{64 * words}-bits"
    environment = {**os.environ, width.OVERRIDE: str(words), "NUMBA_CACHE_DIR": str(folder)}
    run = subprocess.run(
        [sys.executable, "-c", ALL], env=environment, capture_output=True, text=True, timeout=240, check=True
    )
    return run.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize("words", [w for w in width.WIDTHS if 2 * w != LANES])
def test_every_width_computes_the_same(words: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(ALL, "all", "exec"), {})
    own = capsys.readouterr().out.split()
    assert len(own) == 11
    assert _digests(words) == own
