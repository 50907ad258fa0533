"""Number-theoretic transforms and low-degree extension over KoalaBear.

Arrays are flat and column-major: value i of column c of height n at c * n + i, uint32, Montgomery form, reduced.

Domains. ``w_n`` is two_adic_generator(log2 n). Trace values and coefficients are in natural order: value i of a trace
column belongs to the point w_n^i. A low-degree extension to N = blowup * n points is in bit-reversed order: its value j
belongs to shift * w_N^bitrev(j), so the two points x and -x are neighbours.

The extension walks the tree of remainders: f mod (X^m - s^2) splits into f mod (X^(m/2) - s) and f mod (X^(m/2) + s).
The roots s of a layer, in bit-reversed order, are a prefix of one table, and the first layers, which only copy because
the upper coefficients are zero, are skipped: the blowup blocks of the result are transforms of size n.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from engine.errors import ProtocolError, check_range
from engine.field import extension
from engine.field import koalabear as field
from engine.field.extension import Extension
from engine.field.extension_kernels import extension_powers
from engine.field.kernels import check_out, check_words, from_montgomery_array, to_montgomery_array
from engine.field.koalabear import TWO_ADICITY, P
from engine.field.lanes import LANES, aligned_empty
from engine.field.ntt_kernels import (
    dot_columns,
    extend,
    extend_small,
    interpolate_columns,
    interpolate_small,
    mirror_columns,
)

MIN_LOG_SIZE, MAX_LOG_SIZE = 3, 22
_LOG_CHUNK = 2 * (LANES.bit_length() - 1)
"""Below this size the kernels run layer by layer and take roots in Montgomery form."""
_BUTTERFLIES = 1 << 24
"""Elements times layers in one kernel call: below 20 ms."""
_PRODUCTS, _ROWS = 1 << 21, 1 << 10


def bit_reverse(index: int, bits: int) -> int:
    """The lowest ``bits`` bits of ``index``, mirrored."""
    return int(format(index, f"0{bits}b")[::-1], 2) if bits else 0


def dft(coefficients: Sequence[int], shift: int = 1) -> list[int]:
    """Reference: canonical values at shift * w_n^i, natural order, by evaluating term by term."""
    w = field.two_adic_generator(len(coefficients).bit_length() - 1)
    return [evaluate(coefficients, shift * pow(w, i, P) % P) for i in range(len(coefficients))]


def idft(values: Sequence[int]) -> list[int]:
    """Reference: canonical coefficients from values at w_n^i, by the inverse sum."""
    n = len(values)
    w = field.inverse(field.two_adic_generator(n.bit_length() - 1))
    unit = field.inverse(n)
    return [evaluate(values, pow(w, i, P)) * unit % P for i in range(n)]


def evaluate(coefficients: Sequence[int], point: int) -> int:
    """Reference: the polynomial at a base-field point, Horner."""
    result = 0
    for coefficient in reversed(coefficients):
        result = (result * point + coefficient) % P
    return result


def powers(base: int, count: int, first: int = 1) -> np.ndarray:
    """uint32[count]: first * base^i in Montgomery form, from canonical arguments."""
    result = np.empty(max(count, 1), dtype=np.uint64)
    result[0] = first
    done = 1
    while done < count:
        step = min(done, count - done)
        result[done : done + step] = result[:step] * np.uint64(pow(base, done, P)) % np.uint64(P)
        done += step
    return to_montgomery_array(result[:count].astype(np.uint32))


def bit_reversal(bits: int) -> np.ndarray:
    """int64[2^bits]: the bit-reversed index of each index."""
    order = np.zeros(1, dtype=np.int64)
    for _ in range(bits):
        order = np.concatenate((2 * order, 2 * order + 1))
    return order


@lru_cache(maxsize=16)
def _mirrored_rows(bits: int) -> np.ndarray:
    return bit_reversal(bits).astype(np.uint32)


@lru_cache(maxsize=32)
def tree_roots(log_domain: int, inverse: bool = False) -> np.ndarray:
    """uint32[2^log_domain / 2], Montgomery form: entry i is w^bitrev(i), w of order 2^log_domain (or 1 / w)."""
    w = field.two_adic_generator(log_domain)
    table = powers(field.inverse(w) if inverse else w, 1 << (log_domain - 1))[bit_reversal(log_domain - 1)]
    return _aligned(table)


@lru_cache(maxsize=32)
def _root_pair(log_domain: int, inverse: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The roots of :func:`tree_roots`, canonical, and their quotients floor(2^32 r / p)."""
    roots = from_montgomery_array(tree_roots(log_domain, inverse))
    return roots, _aligned(_quotients(roots))


def _quotients(roots: np.ndarray) -> np.ndarray:
    return ((roots.astype(np.uint64) << np.uint64(32)) // np.uint64(P)).astype(np.uint32)


@lru_cache(maxsize=16)
def _packed_roots(log_domain: int, count: int = LANES) -> np.ndarray:
    """uint32[(2 count - 2) * 2^log_domain / count]: for each block of count^2 points, the count - 1 root vectors of its
    last log2(count) layers.

    Vector 2^l - 1 + k of block c holds, in lane i, the root of sub-block k at layer l below block count * c + i of
    ``count``; the quotients of each vector follow it.
    """
    roots = _root_pair(log_domain)[0]
    nodes = np.arange((1 << log_domain) // count).reshape(-1, 1, count)
    layers = range(count.bit_length() - 1)
    vectors = [roots[(nodes << layer) + block] for layer in layers for block in range(1 << layer)]
    return _with_quotients(np.ascontiguousarray(np.concatenate(vectors, axis=1)).reshape(-1), count)


@lru_cache(maxsize=16)
def _natural_roots(log_n: int, count: int = LANES) -> np.ndarray:
    """n/2 powers of 1 / w_n, n/4 of its square, n/8 of its fourth power and so on: log2(count) tables.

    Canonical; the quotients of each vector follow it.
    """
    w = field.inverse(field.two_adic_generator(log_n))
    layers = range(count.bit_length() - 1)
    parts = [powers(pow(w, 1 << k, P), (1 << log_n) >> (k + 1)) for k in layers]
    return _with_quotients(from_montgomery_array(np.concatenate(parts)), count)


def _with_quotients(roots: np.ndarray, count: int) -> np.ndarray:
    """Vectors of ``count`` roots, each followed by its quotients."""
    vectors = roots.reshape(-1, 1, count)
    return _aligned(np.concatenate((vectors, _quotients(vectors)), axis=1).reshape(-1))


@lru_cache(maxsize=32)
def _factors(log_n: int, shift: int) -> np.ndarray:
    """shift^i / n: what turns the unscaled inverse transform into the coefficients of f(shift X)."""
    return _aligned(powers(shift, 1 << log_n, first=field.inverse(1 << log_n)))


def _aligned(table: np.ndarray) -> np.ndarray:
    aligned = aligned_empty(table.size)
    aligned[:] = table
    return aligned


def interpolate(
    columns: np.ndarray, n_cols: int, log_n: int, *, shift: int = 1, out: np.ndarray | None = None
) -> np.ndarray:
    """Coefficients of f(shift X), natural order, from values at w_n^i, natural order.

    columns : uint32[n_cols * n], Montgomery; n = 2^log_n, 3 <= log_n <= 22
    shift : canonical; 1 gives the coefficients of f itself
    out : uint32[n_cols * n] that does not overlap ``columns``; allocated when None
    """
    _check_sizes(columns, n_cols, log_n, 0)
    result = _separate(check_out("out", out, n_cols << log_n), columns)
    factors = _factors(log_n, shift % P)
    group = max(_BUTTERFLIES // ((log_n + 2) << log_n), 1)
    for first in range(0, n_cols, group):
        last = min(first + group, n_cols)
        if log_n < _LOG_CHUNK:
            interpolate_small(columns, result, first, last, log_n, tree_roots(log_n, inverse=True), factors)
        else:
            tables = (*_root_pair(log_n, inverse=True), _natural_roots(log_n))
            interpolate_columns(columns, result, first, last, log_n, *tables, factors)
    return result


def interpolate_coset(
    values: np.ndarray, n_cols: int, log_n: int, shift: int, *, out: np.ndarray | None = None
) -> np.ndarray:
    """Coefficients of f, natural order, from values at shift * w_n^bitrev(j): the way back from :func:`coset_lde`."""
    _check_sizes(values, n_cols, log_n, 0)
    mirrored, order = aligned_empty(n_cols << log_n), _mirrored_rows(log_n)
    group = max(_BUTTERFLIES // (8 << log_n), 1)
    for first in range(0, n_cols, group):
        mirror_columns(values, mirrored, first, min(first + group, n_cols), order)
    return interpolate(mirrored, n_cols, log_n, shift=field.inverse(shift), out=out)


def extend_columns(
    coefficients: np.ndarray, n_cols: int, log_n: int, log_blowup: int, *, out: np.ndarray | None = None
) -> np.ndarray:
    """Values of polynomials of degree below n at w_N^bitrev(j), N = n << log_blowup, from their coefficients.

    With the coefficients of f(shift X) these are the values of f on the coset shift * <w_N>.
    out : uint32[n_cols * N] that does not overlap ``coefficients``; allocated when None
    """
    _check_sizes(coefficients, n_cols, log_n, log_blowup)
    log_domain = log_n + log_blowup
    result = _separate(check_out("out", out, n_cols << log_domain), coefficients)
    group = max(_BUTTERFLIES // (log_n << log_n), 1)
    units = n_cols << log_blowup
    for first in range(0, units, group):
        last = min(first + group, units)
        if log_n < _LOG_CHUNK:
            extend_small(coefficients, result, first, last, log_n, log_blowup, tree_roots(log_domain))
        else:
            tables = (*_root_pair(log_domain), _packed_roots(log_domain))
            extend(coefficients, result, first, last, log_n, log_blowup, *tables)
    return result


def coset_lde(
    columns: np.ndarray,
    n_cols: int,
    log_n: int,
    log_blowup: int,
    shift: int,
    *,
    out: np.ndarray | None = None,
    coefficients: np.ndarray | None = None,
) -> np.ndarray:
    """Low-degree extension: uint32[n_cols * N], row j at shift * w_N^bitrev(j), N = n << log_blowup.

    columns : values at w_n^i, natural order
    coefficients : a buffer uint32[n_cols * n] that receives the coefficients of f(shift X); scratch when None
    """
    scaled = interpolate(columns, n_cols, log_n, shift=shift, out=coefficients)
    return extend_columns(scaled, n_cols, log_n, log_blowup, out=out)


def weighted_sums(columns: np.ndarray, n_cols: int, n: int, weights: np.ndarray) -> np.ndarray:
    """uint32[n_cols * 5]: for each column the extension element sum_i columns[c n + i] * weights[i], Montgomery.

    weights : flat extension array uint32[5 n], coordinate-major
    """
    check_words("columns", columns)
    check_out("columns", columns, n_cols * n)
    check_out("weights", weights, 5 * n)
    sums = np.zeros(5 * n_cols, dtype=np.uint32)
    group = max(_PRODUCTS // max(min(n, _ROWS), 1), 1)
    # Row blocks outside, so that a block of weights stays in the first-level cache for all columns.
    for start in range(0, n, _ROWS):
        for first in range(0, n_cols, group):
            last = min(first + group, n_cols)
            dot_columns(columns, first, last, n, weights, start, min(start + _ROWS, n), sums)
    return sums


def evaluate_at_extension(
    coefficients: np.ndarray, n_cols: int, log_n: int, point: Extension, *, shift: int = 1
) -> list[Extension]:
    """Values at a canonical extension point of polynomials given by the coefficients of f(shift X); canonical."""
    _check_sizes(coefficients, n_cols, log_n, 0)
    weights = extension_powers(extension.scale(point, field.inverse(shift)), 1 << log_n)
    words = from_montgomery_array(weighted_sums(coefficients, n_cols, 1 << log_n, weights)).tolist()
    return [tuple(words[5 * c : 5 * c + 5]) for c in range(n_cols)]


def _check_sizes(array: np.ndarray, n_cols: int, log_n: int, log_blowup: int) -> None:
    check_range("log_n", log_n, MIN_LOG_SIZE, MAX_LOG_SIZE)
    check_range("log_blowup", log_blowup, 0, TWO_ADICITY - log_n)
    check_range("n_cols", n_cols, 0, 1 << 16)
    check_words("columns", array)
    check_out("columns", array, n_cols << log_n)


def _separate(out: np.ndarray, source: np.ndarray) -> np.ndarray:
    if np.may_share_memory(out, source):
        raise ProtocolError("out overlaps the input", field="out", value="overlap", limit="a separate buffer")
    return out
