"""``bench poseidon``: Poseidon permutations a second (KoalaBear, width 16), native kernel, one thread."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from app.commands.bench import result
from engine.field.koalabear import P
from engine.hashing.poseidon import permute
from engine.hashing.poseidon_kernels import permute_many

PERMUTATIONS, QUICK_PERMUTATIONS = 1 << 18, 1 << 14
WIDTH = 16
ROUNDS = 9


def measure(*, quick: bool) -> dict[str, Any]:
    """Median of several rounds over random states, after one that is not counted; a sample is checked."""
    count = QUICK_PERMUTATIONS if quick else PERMUTATIONS
    states = np.random.default_rng(11).integers(0, P, size=WIDTH * count, dtype=np.uint32)
    outputs = permute_many(states)
    for sample in (0, count // 2, count - 1):
        block = slice(WIDTH * sample, WIDTH * (sample + 1))
        if tuple(outputs[block].tolist()) != tuple(permute(states[block].tolist())):
            raise AssertionError(f"permutation {sample} differs from the reference")
    rates = []
    for _ in range(3 if quick else ROUNDS):
        started = time.perf_counter()
        permute_many(states)
        rates.append(count / (time.perf_counter() - started))
    rates.sort()
    details = {"rounds": rates, "checked": "three outputs against the reference"}
    return result("poseidon", rates[len(rates) // 2], "permutations/s", {"permutations": count, "threads": 1}, details)
