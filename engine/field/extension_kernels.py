"""Kernels of the challenge field F_p[X] / (X^5 + X^2 - 1), in Montgomery form.

Inside numba code an element is five values c0..c4, all uint32 or all ``Lanes``; ``e_*`` functions take
the coordinates of their operands one after the other and return a 5-tuple. Arrays of n elements are flat uint32[5 n],
coordinate k of element i at k * n + i. The inverse of zero is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from engine.errors import ProtocolError
from engine.field import extension, lanes
from engine.field.extension import Extension
from engine.field.kernels import ONE, check_out, check_words, m_add, m_mul, m_power, m_sub, to_montgomery_array
from engine.field.koalabear import P, from_montgomery, to_montgomery
from engine.field.lanes import BLOCK, aligned_empty

DEGREE = extension.DEGREE
_LANES = np.uint64(lanes.LANES)
_CHAINS = 64
"""Powers that are computed side by side."""
_CALL = 1 << 14


def _frobenius_matrix(times: int) -> tuple[tuple[int, ...], ...]:
    """Row k, column j: coordinate k of (X^j)^(p^times), Montgomery form."""
    image = extension.power((0, 1, 0, 0, 0), pow(P, times))
    columns = [extension.power(image, j) for j in range(DEGREE)]
    return tuple(tuple(to_montgomery(column[k]) for column in columns) for k in range(DEGREE))


_FROBENIUS = _frobenius_matrix(1), _frobenius_matrix(2)


def _emit_mul(builder: Any, a: Any, b: Any) -> list[Any]:
    """The five coordinates of a * b, each reduced once.

    Writing Q = p 2^32, a product is below Q / 2: sums of four products stay below 2 Q and are wrapped below Q.
    """
    products = [[lanes.emit_products(builder, x, y) for y in b] for x in a]
    sums = []
    for half in range(len(products[0][0])):
        diagonal = [[products[i][k - i][half] for i in range(max(0, k - 4), min(k, 4) + 1)] for k in range(9)]
        sums.append(_emit_fold(builder, diagonal))
    return [lanes.emit_reduce(builder, [half[k] for half in sums]) for k in range(DEGREE)]


def _emit_fold(builder: Any, diagonal: list[list[Any]]) -> list[Any]:
    """Fold the product's coefficients 5..8 by X^5 = 1 - X^2, as in extension.mul; sums below p 2^32."""
    wrap, add, sub = lanes.emit_wrap, lanes.emit_wide_add, lanes.emit_wide_sub

    def total(terms: list[Any]) -> Any:
        result = terms[0]
        for term in terms[1:]:
            result = builder.add(result, term)
        return result

    d5, d6 = wrap(builder, total(diagonal[5])), wrap(builder, total(diagonal[6]))
    d7, d8 = total(diagonal[7]), diagonal[8][0]
    top = add(builder, wrap(builder, total(diagonal[4][:4])), diagonal[4][4])
    return [
        sub(builder, add(builder, diagonal[0][0], d5), d8),
        add(builder, total(diagonal[1]), d6),
        add(builder, wrap(builder, total([*diagonal[2], d8])), sub(builder, d7, d5)),
        sub(builder, add(builder, wrap(builder, total(diagonal[3])), d8), d6),
        sub(builder, top, d7),
    ]


def _five(kinds: tuple[Any, ...]) -> Any:
    """Lanes when any operand is a vector, else uint32."""
    return lanes.common_type(*kinds)


def _e_mul(typingctx: Any, *coordinates: Any) -> Any:
    """(a0, ..., a4, b0, ..., b4): a * b."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_tuple(builder, signature.return_type, _emit_mul(builder, args[:5], args[5:]))

    kind = _five(coordinates)
    return types.UniTuple(kind, 5)(*[kind] * 10), codegen


e_mul = lanes.intrinsic_of(10, _e_mul)


@njit(nogil=True, cache=True)
def e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4):  # type: ignore[no-untyped-def]
    """a + b."""
    return m_add(a0, b0), m_add(a1, b1), m_add(a2, b2), m_add(a3, b3), m_add(a4, b4)


@njit(nogil=True, cache=True)
def e_sub(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4):  # type: ignore[no-untyped-def]
    """a - b."""
    return m_sub(a0, b0), m_sub(a1, b1), m_sub(a2, b2), m_sub(a3, b3), m_sub(a4, b4)


@njit(nogil=True, cache=True)
def e_scale(a0, a1, a2, a3, a4, factor):  # type: ignore[no-untyped-def]
    """a times a base-field value."""
    return m_mul(a0, factor), m_mul(a1, factor), m_mul(a2, factor), m_mul(a3, factor), m_mul(a4, factor)


def _frobenius(matrix: tuple[tuple[int, ...], ...]) -> Any:
    """Intrinsic a -> a^(p^k): coordinates times a constant matrix (its column 0 is 1, 0, 0, 0, 0)."""

    def emit(builder: Any, a: Any) -> list[Any]:
        rows = []
        for k in range(DEGREE):
            total: Any = None
            for j in range(1, DEGREE):
                factor = lanes.scalar_or_vector(a[j].type, matrix[k][j])
                term = lanes.emit_mul(builder, a[j], factor)
                total = term if total is None else lanes.emit_add(builder, total, term)
            rows.append(lanes.emit_add(builder, total, a[0]) if k == 0 else total)
        return rows

    def typer(typingctx: Any, *coordinates: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return context.make_tuple(builder, signature.return_type, emit(builder, args))

        kind = _five(coordinates)
        return types.UniTuple(kind, 5)(*[kind] * 5), codegen

    return lanes.intrinsic_of(DEGREE, typer)


e_frobenius, e_frobenius2 = _frobenius(_FROBENIUS[0]), _frobenius(_FROBENIUS[1])


@njit(nogil=True, cache=True)
def e_inv_from(a0, a1, a2, a3, a4, one):  # type: ignore[no-untyped-def]
    """1 / a; 0 for 0; ``one`` is 1 in Montgomery form, of the kind of the coordinates.

    With c = a^(p + p^2 + p^3 + p^4), a * c is the norm, an element of the base field (Itoh and Tsujii, 1988).
    """
    f0, f1, f2, f3, f4 = e_frobenius(a0, a1, a2, a3, a4)
    b0, b1, b2, b3, b4 = e_mul(a0, a1, a2, a3, a4, f0, f1, f2, f3, f4)
    b0, b1, b2, b3, b4 = e_frobenius(b0, b1, b2, b3, b4)
    f0, f1, f2, f3, f4 = e_frobenius2(b0, b1, b2, b3, b4)
    c0, c1, c2, c3, c4 = e_mul(b0, b1, b2, b3, b4, f0, f1, f2, f3, f4)
    norm, _, _, _, _ = e_mul(a0, a1, a2, a3, a4, c0, c1, c2, c3, c4)
    return e_scale(c0, c1, c2, c3, c4, m_power(norm, np.uint64(P - 2), one))


@njit(nogil=True, cache=True)
def e_inv(a0, a1, a2, a3, a4):  # type: ignore[no-untyped-def]
    """1 / a of uint32 coordinates; 0 for 0."""
    return e_inv_from(a0, a1, a2, a3, a4, ONE)


@njit(nogil=True, cache=True)
def e_load(values, i, n):  # type: ignore[no-untyped-def]
    """A vector of elements from i on, of a flat array of n elements, as five ``Lanes``."""
    n2 = n + n
    return (
        lanes.load(values, i),
        lanes.load(values, i + n),
        lanes.load(values, i + n2),
        lanes.load(values, i + n2 + n),
        lanes.load(values, i + n2 + n2),
    )


@njit(nogil=True, cache=True)
def e_store(values, i, n, c0, c1, c2, c3, c4):  # type: ignore[no-untyped-def]
    """Five ``Lanes`` to elements i.. of a flat array of n elements."""
    n2 = n + n
    lanes.store(values, i, c0)
    lanes.store(values, i + n, c1)
    lanes.store(values, i + n2, c2)
    lanes.store(values, i + n2 + n, c3)
    lanes.store(values, i + n2 + n2, c4)


@njit("void(uint32[::1], uint32[::1], uint64, uint64, uint64)", nogil=True, cache=True)
def powers_kernel(values, factor, n, start, stop):  # type: ignore[no-untyped-def]
    """values[i] = values[i - 64] * factor for start <= i < stop, stop - start a multiple of 16: 64 chains."""
    f0, f1, f2 = lanes.splat(factor[0]), lanes.splat(factor[1]), lanes.splat(factor[2])
    f3, f4 = lanes.splat(factor[3]), lanes.splat(factor[4])
    for i in range(start, stop, _LANES):
        c0, c1, c2, c3, c4 = e_load(values, i - np.uint64(_CHAINS), n)
        c0, c1, c2, c3, c4 = e_mul(c0, c1, c2, c3, c4, f0, f1, f2, f3, f4)
        e_store(values, i, n, c0, c1, c2, c3, c4)


@njit("void(uint32[::1], uint32[::1], uint64, uint64, uint64)", nogil=True, cache=True)
def inverse_kernel(values, out, n, start, stop):  # type: ignore[no-untyped-def]
    """out = 1 / values for elements start..stop (a multiple of 16) of flat arrays of n, zero for zero.

    Montgomery's trick, a chain per lane.
    """
    one, zero = lanes.splat(ONE), lanes.splat(np.uint32(0))
    p0, p1, p2, p3, p4 = one, zero, zero, zero, zero
    for i in range(start, stop, _LANES):
        e_store(out, i, n, p0, p1, p2, p3, p4)
        v0, v1, v2, v3, v4 = e_load(values, i, n)
        v0 = lanes.where_zero(lanes.bits_or(v0, v1, v2, v3, v4), one, v0)
        p0, p1, p2, p3, p4 = e_mul(p0, p1, p2, p3, p4, v0, v1, v2, v3, v4)
    p0, p1, p2, p3, p4 = e_inv_from(p0, p1, p2, p3, p4, one)
    for step in range(_LANES, stop - start + _LANES, _LANES):
        i = stop - step
        v0, v1, v2, v3, v4 = e_load(values, i, n)
        test = lanes.bits_or(v0, v1, v2, v3, v4)
        v0 = lanes.where_zero(test, one, v0)
        c0, c1, c2, c3, c4 = e_load(out, i, n)
        c0, c1, c2, c3, c4 = e_mul(p0, p1, p2, p3, p4, c0, c1, c2, c3, c4)
        c0, c1, c2 = (
            lanes.where_zero(test, zero, c0),
            lanes.where_zero(test, zero, c1),
            lanes.where_zero(test, zero, c2),
        )
        e_store(out, i, n, c0, c1, c2, lanes.where_zero(test, zero, c3), lanes.where_zero(test, zero, c4))
        p0, p1, p2, p3, p4 = e_mul(p0, p1, p2, p3, p4, v0, v1, v2, v3, v4)


def extension_powers(base: Extension, count: int) -> np.ndarray:
    """uint32[5 count]: base^0 .. base^(count - 1) as a flat Montgomery array, from a canonical base."""
    head = min(count, _CHAINS)
    first = [extension.ONE]
    while len(first) < head:
        first.append(extension.mul(first[-1], base))
    values = aligned_empty(DEGREE * count)
    rows = values.reshape(DEGREE, count)
    rows[:, :head] = to_montgomery_array(np.array(first, dtype=np.uint32).T.reshape(-1).copy()).reshape(DEGREE, head)
    factor = np.array([to_montgomery(c) for c in extension.power(base, _CHAINS)], dtype=np.uint32)
    bulk = max(count & -BLOCK, head)
    for start in range(head, bulk, _CALL):
        powers_kernel(values, factor, count, start, min(start + _CALL, bulk))
    for i in range(bulk, count):
        last = tuple(from_montgomery(int(x)) for x in rows[:, i - 1])
        rows[:, i] = [to_montgomery(c) for c in extension.mul(last, base)]
    return values


def extension_batch_inverse(values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Inverses of a flat Montgomery array uint32[5 n], 0 for 0; ``out`` must not overlap ``values``."""
    check_words("values", values)
    if values.size % DEGREE:
        raise ProtocolError("values is not 5 n words", field="values", value=values.size, limit="a multiple of 5")
    result = check_out("out", out, values.size)
    if np.may_share_memory(values, result):
        raise ProtocolError("out overlaps values", field="out", value="overlap", limit="a separate buffer")
    count = values.size // DEGREE
    bulk = count & -BLOCK
    for start in range(0, bulk, _CALL):
        inverse_kernel(values, result, count, start, min(start + _CALL, bulk))
    if bulk < count:
        rest, inverses = np.zeros((DEGREE, BLOCK), dtype=np.uint32), aligned_empty(DEGREE * BLOCK)
        rest[:, : count - bulk] = values.reshape(DEGREE, count)[:, bulk:]
        inverse_kernel(rest.reshape(-1), inverses, BLOCK, 0, BLOCK)
        result.reshape(DEGREE, count)[:, bulk:] = inverses.reshape(DEGREE, BLOCK)[:, : count - bulk]
    return result
