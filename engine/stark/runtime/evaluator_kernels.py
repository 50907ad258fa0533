"""Kernels that run a lowered program (``engine.stark.air.lowering``) over rows, a vector at a time.

Rows are taken in blocks of ``width`` (16 or a multiple): slot s of the block lies at s * width in ``scratch``, which
stays in the second-level cache, and each operation walks the block before the next one starts. Montgomery form
throughout. A program is passed as flat arrays (``engine.stark.runtime.evaluator.Machine``):

loads: kind (0 one, 1 column, 2 column on the next row, 3 public), column; operations: kind (0 linear, 1 product, 2 the
sum of one slot and a constant, its two terms in this order), two numbers (first and last term, or two slots); terms:
slot, coefficient. Weighted sums with extension coefficients are ``slots`` and ``weights`` (five per slot), delimited by
``ends``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field import lanes
from engine.field.extension_kernels import e_add, e_load, e_mul, e_scale, e_store, e_sub
from engine.field.kernels import m_add, m_mul

LANES = np.uint64(lanes.LANES)
ZERO, ONE_STEP = np.uint64(0), np.uint64(1)
V1, V2, V3, V4 = (np.uint64(k * lanes.LANES) for k in (1, 2, 3, 4))
TWO, THREE, FOUR, FIVE = np.uint64(2), np.uint64(3), np.uint64(4), np.uint64(5)


@njit(nogil=True, cache=True)
def load_block(load_kind, load_column, columns, rows, following, start, width, scratch):  # type: ignore[no-untyped-def]
    """Fill the column slots for rows start .. start + width; constants and publics are there already."""
    for slot in range(ZERO, np.uint64(load_kind.size)):
        kind = load_kind[slot]
        base, target = load_column[slot] * rows, slot * width
        if kind == 1:
            for r in range(ZERO, width, LANES):
                lanes.store(scratch, target + r, lanes.load(columns, base + start + r))
        elif kind == 2:
            for r in range(ZERO, width):
                scratch[target + r] = columns[base + following[start + r]]


@njit(nogil=True, cache=True)
def plain(slots, weights, first, last, width, row, scratch):  # type: ignore[no-untyped-def]
    """Base-field value of sum of weight * slot over entries first..last, for one vector of rows of the block."""
    nothing = lanes.splat(np.uint32(0))
    total = lanes.wide_product(nothing, nothing)
    pairs = first + ((last - first) & ~ONE_STEP)
    for entry in range(first, pairs, TWO):
        value = lanes.load(scratch, slots[entry] * width + row)
        other = lanes.load(scratch, slots[entry + ONE_STEP] * width + row)
        total = lanes.wide_mul_add_pair(total, value, weights[entry], other, weights[entry + ONE_STEP])
    if pairs < last:
        value = lanes.load(scratch, slots[pairs] * width + row)
        total = lanes.wide_mul_add(total, value, lanes.splat(weights[pairs]))
    return lanes.wide_reduce(total)


@njit(nogil=True, cache=True)
def plain_rows(slots, weights, first, last, width, target, scratch):  # type: ignore[no-untyped-def]
    """:func:`plain` of the whole block to scratch[target:], four vectors at a time: the four sums do not wait for each
    other, and a weight is spread over the lanes once."""
    nothing = lanes.splat(np.uint32(0))
    pairs = first + ((last - first) & ~ONE_STEP)
    bulk = width & ~(V4 - ONE_STEP)
    for row in range(ZERO, bulk, V4):
        w0 = w1 = w2 = w3 = lanes.wide_product(nothing, nothing)
        for entry in range(first, pairs, TWO):
            at, then = slots[entry] * width + row, slots[entry + ONE_STEP] * width + row
            x, y = weights[entry], weights[entry + ONE_STEP]
            w0 = lanes.wide_mul_add_pair(w0, lanes.load(scratch, at), x, lanes.load(scratch, then), y)
            w1 = lanes.wide_mul_add_pair(w1, lanes.load(scratch, at + V1), x, lanes.load(scratch, then + V1), y)
            w2 = lanes.wide_mul_add_pair(w2, lanes.load(scratch, at + V2), x, lanes.load(scratch, then + V2), y)
            w3 = lanes.wide_mul_add_pair(w3, lanes.load(scratch, at + V3), x, lanes.load(scratch, then + V3), y)
        if pairs < last:
            at, x = slots[pairs] * width + row, lanes.splat(weights[pairs])
            w0 = lanes.wide_mul_add(w0, lanes.load(scratch, at), x)
            w1 = lanes.wide_mul_add(w1, lanes.load(scratch, at + V1), x)
            w2 = lanes.wide_mul_add(w2, lanes.load(scratch, at + V2), x)
            w3 = lanes.wide_mul_add(w3, lanes.load(scratch, at + V3), x)
        lanes.store(scratch, target + row, lanes.wide_reduce(w0))
        lanes.store(scratch, target + row + V1, lanes.wide_reduce(w1))
        lanes.store(scratch, target + row + V2, lanes.wide_reduce(w2))
        lanes.store(scratch, target + row + V3, lanes.wide_reduce(w3))
    for row in range(bulk, width, LANES):
        lanes.store(scratch, target + row, plain(slots, weights, first, last, width, row, scratch))


@njit(nogil=True, cache=True)
def run_operations(op_kind, op_a, op_b, term_slot, term_weight, first_slot, width, scratch):  # type: ignore[no-untyped-def]
    """All operations of one block."""
    for op in range(ZERO, np.uint64(op_kind.size)):
        kind, a, b, target = op_kind[op], op_a[op], op_b[op], (first_slot + op) * width
        if kind == 1:
            left, right = a * width, b * width
            for r in range(ZERO, width, LANES):
                lanes.store(scratch, target + r, m_mul(lanes.load(scratch, left + r), lanes.load(scratch, right + r)))
        elif kind == 2:
            left, constant = term_slot[a] * width, lanes.splat(term_weight[a + ONE_STEP])
            for r in range(ZERO, width, LANES):
                lanes.store(scratch, target + r, m_add(lanes.load(scratch, left + r), constant))
        else:
            plain_rows(term_slot, term_weight, a, b, width, target, scratch)


@njit(nogil=True, cache=True)
def weighted(slots, weights, first, last, width, row, scratch):  # type: ignore[no-untyped-def]
    """Extension value of sum of weight * slot over entries first..last, for one vector of rows of the block."""
    nothing = lanes.splat(np.uint32(0))
    w0 = w1 = w2 = w3 = w4 = lanes.wide_product(nothing, nothing)
    pairs = first + ((last - first) & ~ONE_STEP)
    for entry in range(first, pairs, TWO):
        value, at = lanes.load(scratch, slots[entry] * width + row), FIVE * entry
        other, then = lanes.load(scratch, slots[entry + ONE_STEP] * width + row), at + FIVE
        w0 = lanes.wide_mul_add_pair(w0, value, weights[at], other, weights[then])
        w1 = lanes.wide_mul_add_pair(w1, value, weights[at + ONE_STEP], other, weights[then + ONE_STEP])
        w2 = lanes.wide_mul_add_pair(w2, value, weights[at + TWO], other, weights[then + TWO])
        w3 = lanes.wide_mul_add_pair(w3, value, weights[at + THREE], other, weights[then + THREE])
        w4 = lanes.wide_mul_add_pair(w4, value, weights[at + FOUR], other, weights[then + FOUR])
    if pairs < last:
        value, at = lanes.load(scratch, slots[pairs] * width + row), FIVE * pairs
        w0 = lanes.wide_mul_add(w0, value, lanes.splat(weights[at]))
        w1 = lanes.wide_mul_add(w1, value, lanes.splat(weights[at + ONE_STEP]))
        w2 = lanes.wide_mul_add(w2, value, lanes.splat(weights[at + TWO]))
        w3 = lanes.wide_mul_add(w3, value, lanes.splat(weights[at + THREE]))
        w4 = lanes.wide_mul_add(w4, value, lanes.splat(weights[at + FOUR]))
    return (
        lanes.wide_reduce(w0), lanes.wide_reduce(w1), lanes.wide_reduce(w2), lanes.wide_reduce(w3),
        lanes.wide_reduce(w4),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def group_fraction(first, last, fingerprints, multiplicities, width, row, scratch):  # type: ignore[no-untyped-def]
    """Numerator and denominator (ten ``Lanes``) of the group of interactions first..last."""
    f_slots, f_weights, f_ends = fingerprints
    m_slots, m_weights, m_ends = multiplicities
    zero = lanes.splat(np.uint32(0))
    n0 = plain(m_slots, m_weights, m_ends[first], m_ends[first + ONE_STEP], width, row, scratch)
    n1 = n2 = n3 = n4 = zero
    d0, d1, d2, d3, d4 = weighted(f_slots, f_weights, f_ends[first], f_ends[first + ONE_STEP], width, row, scratch)
    for item in range(first + ONE_STEP, last):
        m = plain(m_slots, m_weights, m_ends[item], m_ends[item + ONE_STEP], width, row, scratch)
        f0, f1, f2, f3, f4 = weighted(f_slots, f_weights, f_ends[item], f_ends[item + ONE_STEP], width, row, scratch)
        n0, n1, n2, n3, n4 = e_mul(n0, n1, n2, n3, n4, f0, f1, f2, f3, f4)
        s0, s1, s2, s3, s4 = e_scale(d0, d1, d2, d3, d4, m)
        n0, n1, n2, n3, n4 = e_add(n0, n1, n2, n3, n4, s0, s1, s2, s3, s4)
        d0, d1, d2, d3, d4 = e_mul(d0, d1, d2, d3, d4, f0, f1, f2, f3, f4)
    return n0, n1, n2, n3, n4, d0, d1, d2, d3, d4


@njit(nogil=True, cache=True)
def fractions_kernel(machine, fingerprints, multiplicities, groups, trace, start, stop, width, scratch, tops, bottoms):  # type: ignore[no-untyped-def]
    """Numerators and denominators of all groups on trace rows start..stop, to flat arrays of groups * rows elements."""
    load_kind, load_column, op_kind, op_a, op_b, term_slot, term_weight = machine
    columns, rows, following = trace
    count = np.uint64(groups.size - 1)
    total = count * rows
    for block in range(start, stop, width):
        load_block(load_kind, load_column, columns, rows, following, block, width, scratch)
        run_operations(op_kind, op_a, op_b, term_slot, term_weight, np.uint64(load_kind.size), width, scratch)
        for group in range(ZERO, count):
            for r in range(ZERO, width, LANES):
                n0, n1, n2, n3, n4, d0, d1, d2, d3, d4 = group_fraction(
                    groups[group], groups[group + ONE_STEP], fingerprints, multiplicities, width, r, scratch
                )
                at = group * rows + block + r
                e_store(tops, at, total, n0, n1, n2, n3, n4)
                e_store(bottoms, at, total, d0, d1, d2, d3, d4)


@njit(nogil=True, cache=True)
def splat_extension(values, at):  # type: ignore[no-untyped-def]
    """Five consecutive words as ``Lanes``."""
    return (
        lanes.splat(values[at]), lanes.splat(values[at + np.uint64(1)]), lanes.splat(values[at + np.uint64(2)]),
        lanes.splat(values[at + np.uint64(3)]), lanes.splat(values[at + np.uint64(4)]),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def lookup_sum(  # type: ignore[no-untyped-def]
    fingerprints, multiplicities, groups, powers, step, auxiliary, rows, following, block, r, width, scratch, near
):
    """Sum of alpha^i * (LogUp constraint i) for one vector of rows.

    ``powers``: five words per group; ``near``: scratch of 80 words.
    """
    count = np.uint64(groups.size - 1)
    zero = lanes.splat(np.uint32(0))
    t0 = t1 = t2 = t3 = t4 = zero
    five = np.uint64(5)
    last = (count - ONE_STEP) * five * rows
    for k in range(ZERO, five):
        for lane in range(ZERO, LANES):
            near[k * LANES + lane] = auxiliary[last + k * rows + following[block + r + lane]]
    c0, c1, c2, c3, c4 = e_load(near, ZERO, LANES)
    s0, s1, s2, s3, s4 = splat_extension(step, ZERO)
    c0, c1, c2, c3, c4 = e_add(c0, c1, c2, c3, c4, s0, s1, s2, s3, s4)
    for group in range(ZERO, count):
        n0, n1, n2, n3, n4, d0, d1, d2, d3, d4 = group_fraction(
            groups[group], groups[group + ONE_STEP], fingerprints, multiplicities, width, r, scratch
        )
        h0, h1, h2, h3, h4 = e_load(auxiliary, group * five * rows + block + r, rows)
        c0, c1, c2, c3, c4 = e_sub(c0, c1, c2, c3, c4, h0, h1, h2, h3, h4)
        if group == count - ONE_STEP:
            h0, h1, h2, h3, h4 = c0, c1, c2, c3, c4
        h0, h1, h2, h3, h4 = e_mul(h0, h1, h2, h3, h4, d0, d1, d2, d3, d4)
        h0, h1, h2, h3, h4 = e_sub(h0, h1, h2, h3, h4, n0, n1, n2, n3, n4)
        z0, z1, z2, z3, z4 = splat_extension(powers, group * five)
        h0, h1, h2, h3, h4 = e_mul(h0, h1, h2, h3, h4, z0, z1, z2, z3, z4)
        t0, t1, t2, t3, t4 = e_add(t0, t1, t2, t3, t4, h0, h1, h2, h3, h4)
    return t0, t1, t2, t3, t4


@njit(nogil=True, cache=True)
def quotient_kernel(machine, combination, lookups, domain, selectors, start, stop, width, scratch, near, out):  # type: ignore[no-untyped-def]
    """Q on rows start..stop of the quotient domain, five coordinates in ``out`` (size each).

    ``combination``: weighted sums of the constraints by rows (every, transition, first, last). ``selectors``: x - 1/w,
    1/(x - 1), 1/(x - 1/w) and 1/(x^N - 1) on the domain.
    """
    load_kind, load_column, op_kind, op_a, op_b, term_slot, term_weight = machine
    slots, weights, ends = combination
    fingerprints, multiplicities, groups, powers, step, auxiliary = lookups
    columns, rows, following, size = domain
    from_last, inverse_first, inverse_last, inverse_vanishing = selectors
    for block in range(start, stop, width):
        load_block(load_kind, load_column, columns, rows, following, block, width, scratch)
        run_operations(op_kind, op_a, op_b, term_slot, term_weight, np.uint64(load_kind.size), width, scratch)
        for r in range(ZERO, width, LANES):
            a0, a1, a2, a3, a4 = weighted(slots, weights, ends[0], ends[1], width, r, scratch)
            if ends[2] > ends[1]:
                b0, b1, b2, b3, b4 = weighted(slots, weights, ends[1], ends[2], width, r, scratch)
                b0, b1, b2, b3, b4 = e_scale(b0, b1, b2, b3, b4, lanes.load(from_last, block + r))
                a0, a1, a2, a3, a4 = e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
            if groups.size > 1:
                b0, b1, b2, b3, b4 = lookup_sum(
                    fingerprints, multiplicities, groups, powers, step, auxiliary, rows, following, block, r, width,
                    scratch, near,
                )  # fmt: skip
                a0, a1, a2, a3, a4 = e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
            a0, a1, a2, a3, a4 = e_scale(a0, a1, a2, a3, a4, lanes.load(inverse_vanishing, block + r))
            if ends[3] > ends[2]:
                b0, b1, b2, b3, b4 = weighted(slots, weights, ends[2], ends[3], width, r, scratch)
                b0, b1, b2, b3, b4 = e_scale(b0, b1, b2, b3, b4, lanes.load(inverse_first, block + r))
                a0, a1, a2, a3, a4 = e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
            if ends[4] > ends[3]:
                b0, b1, b2, b3, b4 = weighted(slots, weights, ends[3], ends[4], width, r, scratch)
                b0, b1, b2, b3, b4 = e_scale(b0, b1, b2, b3, b4, lanes.load(inverse_last, block + r))
                a0, a1, a2, a3, a4 = e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
            e_store(out, block + r, size, a0, a1, a2, a3, a4)


@njit(nogil=True, cache=True)
def combine_kernel(columns, rows, first, order, weights, start, stop, width, scratch, out):  # type: ignore[no-untyped-def]
    """out (5, rows) += sum of columns from ``first`` on times their weights (five each), on rows start..stop.

    ``order``: 0, 1, 2, ... one per column. Blocks of ``width`` rows are first copied to ``scratch`` (a word per row and
    column): lines of a column are read one after the other, where reading sixteen rows of every column at a time would
    wait for memory at each of them.
    """
    count = np.uint64(order.size)
    for block in range(start, stop, width):
        for column in range(ZERO, count):
            for r in range(ZERO, width, LANES):
                lanes.store(scratch, column * width + r, lanes.load(columns, (first + column) * rows + block + r))
        for r in range(ZERO, width, LANES):
            w0, w1, w2, w3, w4 = weighted(order, weights, ZERO, count, width, r, scratch)
            c0, c1, c2, c3, c4 = e_load(out, block + r, rows)
            c0, c1, c2, c3, c4 = e_add(c0, c1, c2, c3, c4, w0, w1, w2, w3, w4)
            e_store(out, block + r, rows, c0, c1, c2, c3, c4)


@njit(nogil=True, cache=True)
def deep_kernel(now, following, near, far, claims, correction, points, rows, start, stop, out):  # type: ignore[no-untyped-def]
    """(1 + correction * x) * ((now - claim 0) * near + (following - claim 1) * far) on rows start..stop.

    Flat extension arrays of ``rows`` elements; ``claims`` ten words, ``correction`` five; ``points``: x.
    """
    for r in range(start, stop, LANES):
        a0, a1, a2, a3, a4 = e_load(now, r, rows)
        c0, c1, c2, c3, c4 = splat_extension(claims, ZERO)
        a0, a1, a2, a3, a4 = e_sub(a0, a1, a2, a3, a4, c0, c1, c2, c3, c4)
        c0, c1, c2, c3, c4 = e_load(near, r, rows)
        a0, a1, a2, a3, a4 = e_mul(a0, a1, a2, a3, a4, c0, c1, c2, c3, c4)
        b0, b1, b2, b3, b4 = e_load(following, r, rows)
        c0, c1, c2, c3, c4 = splat_extension(claims, FIVE)
        b0, b1, b2, b3, b4 = e_sub(b0, b1, b2, b3, b4, c0, c1, c2, c3, c4)
        c0, c1, c2, c3, c4 = e_load(far, r, rows)
        b0, b1, b2, b3, b4 = e_mul(b0, b1, b2, b3, b4, c0, c1, c2, c3, c4)
        a0, a1, a2, a3, a4 = e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
        c0, c1, c2, c3, c4 = splat_extension(correction, ZERO)
        c0, c1, c2, c3, c4 = e_scale(c0, c1, c2, c3, c4, lanes.load(points, r))
        b0, b1, b2, b3, b4 = e_mul(a0, a1, a2, a3, a4, c0, c1, c2, c3, c4)
        a0, a1, a2, a3, a4 = e_add(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
        e_store(out, r, rows, a0, a1, a2, a3, a4)


@njit(nogil=True, cache=True)
def multiply_kernel(a, b, out, n, start, stop):  # type: ignore[no-untyped-def]
    """out = a * b for elements start..stop (a multiple of 16) of flat extension arrays of n; out may be a or b."""
    for i in range(start, stop, LANES):
        a0, a1, a2, a3, a4 = e_load(a, i, n)
        b0, b1, b2, b3, b4 = e_load(b, i, n)
        a0, a1, a2, a3, a4 = e_mul(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
        e_store(out, i, n, a0, a1, a2, a3, a4)
