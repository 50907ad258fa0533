"""The unrolled transforms at every width of vectors, whatever the processor's own."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from engine.field import koalabear as field
from engine.field import ntt
from engine.field.butterflies import forward_chunk, forward_pass, inverse_first, inverse_pass
from engine.field.kernels import from_montgomery_array, to_montgomery_array
from engine.field.koalabear import P
from engine.field.width import WIDTHS

ZERO = np.uint64(0)


def sample(size: int) -> list[int]:
    values = np.random.default_rng(9).integers(0, P, size).tolist()
    values[:4] = [0, 1, P - 1, P - 2]
    return values


@pytest.mark.parametrize("count", [2 * words for words in WIDTHS])
def test_a_transform_and_the_way_back(count: int) -> None:
    """count^3 elements: a pass on count blocks, the last layers in chunks; then the inverse of both."""
    bits = count.bit_length() - 1
    log_n, size, part = 3 * bits, np.uint64(count**3), np.uint64(count**2)
    step, chunk, first = forward_pass(count, count), forward_chunk(count), inverse_first(count)
    last = inverse_pass(count, scaled=True, count=count)
    lanes, half = np.uint64(count), np.uint64(bits)

    @njit
    def forward(values, out, roots, quotients, packed):
        for i in range(ZERO, part, lanes):
            step(values, i, out, i, part, roots, quotients, ZERO)
        for block in range(ZERO, lanes):
            chunk(out, block * part, out, block * part, roots, quotients, packed, block)

    @njit
    def backward(values, out, roots, quotients, natural, factors, mirrored):
        for group in range(ZERO, lanes):
            first(values, ZERO, out, ZERO, part, natural, group << half, mirrored[group] << half)
        for block in range(ZERO, lanes):
            for i in range(block * part, block * part + lanes, lanes):
                middle(out, i, lanes, roots, quotients, block, factors, ZERO)
        for i in range(ZERO, part, lanes):
            last(out, i, part, roots, quotients, ZERO, factors, i)

    middle = inverse_pass(count, scaled=False, count=count)
    coefficients = sample(int(size))
    words, out = to_montgomery_array(np.array(coefficients, dtype=np.uint32)), np.empty(int(size), dtype=np.uint32)
    forward(words, out, *ntt._root_pair(log_n), ntt._packed_roots(log_n, count))
    values = from_montgomery_array(out)
    w = field.two_adic_generator(log_n)
    for j in (0, 1, 2, int(size) // 3, int(size) - 1):
        assert ntt.evaluate(coefficients, pow(w, ntt.bit_reverse(j, log_n), P)) == values[j]
    natural = np.ascontiguousarray(out[ntt.bit_reversal(log_n)])
    mirrored = ntt.bit_reversal(bits).astype(np.uint64)
    tables = (*ntt._root_pair(log_n, inverse=True), ntt._natural_roots(log_n, count), ntt._factors(log_n, 1))
    backward(natural, out, *tables, mirrored)
    assert out.tolist() == words.tolist()
