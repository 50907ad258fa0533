"""Kernels that run a lowered program (``engine.stark.lowering``) over rows, sixteen at a time.

Rows are taken in blocks of ``width`` (16 or a multiple): slot s of the block lies at s * width in ``scratch``, which
stays in the second-level cache, and each operation walks the block before the next one starts. Montgomery form
throughout. A program is passed as flat arrays (``engine.stark.evaluator.Machine``):

loads: kind (0 one, 1 column, 2 column on the next row, 3 public), column; operations: kind (0 linear, 1 product), two
numbers (first and last term, or two slots); terms: slot, coefficient. Weighted sums with extension coefficients are
``slots`` and ``weights`` (five per slot), delimited by ``ends``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field import lanes
from engine.field.extension_kernels import e_add, e_load, e_mul, e_scale, e_store, e_sub
from engine.field.kernels import m_add, m_mul

LANES = np.uint64(16)
ZERO, ONE_STEP = np.uint64(0), np.uint64(1)


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
def run_operations(op_kind, op_a, op_b, term_slot, term_weight, first_slot, width, scratch):  # type: ignore[no-untyped-def]
    """All linear forms and products of one block."""
    for op in range(ZERO, np.uint64(op_kind.size)):
        a, b, target = op_a[op], op_b[op], (first_slot + op) * width
        if op_kind[op] == 1:
            for r in range(ZERO, width, LANES):
                lanes.store(
                    scratch, target + r, m_mul(lanes.load(scratch, a * width + r), lanes.load(scratch, b * width + r))
                )
        else:
            for r in range(ZERO, width, LANES):
                total = lanes.wide_product(lanes.load(scratch, term_slot[a] * width + r), lanes.splat(term_weight[a]))
                for term in range(a + ONE_STEP, b):
                    value = lanes.load(scratch, term_slot[term] * width + r)
                    total = lanes.wide_mul_add(total, value, lanes.splat(term_weight[term]))
                lanes.store(scratch, target + r, lanes.wide_reduce(total))


@njit(nogil=True, cache=True)
def weighted(slots, weights, first, last, width, row, scratch):  # type: ignore[no-untyped-def]
    """Extension value of sum of weight * slot over entries first..last, for 16 rows of the block."""
    nothing = lanes.splat(np.uint32(0))
    w0 = w1 = w2 = w3 = w4 = lanes.wide_product(nothing, nothing)
    for entry in range(first, last):
        value, at = lanes.load(scratch, slots[entry] * width + row), np.uint64(5) * entry
        w0 = lanes.wide_mul_add(w0, value, lanes.splat(weights[at]))
        w1 = lanes.wide_mul_add(w1, value, lanes.splat(weights[at + np.uint64(1)]))
        w2 = lanes.wide_mul_add(w2, value, lanes.splat(weights[at + np.uint64(2)]))
        w3 = lanes.wide_mul_add(w3, value, lanes.splat(weights[at + np.uint64(3)]))
        w4 = lanes.wide_mul_add(w4, value, lanes.splat(weights[at + np.uint64(4)]))
    return (
        lanes.wide_reduce(w0), lanes.wide_reduce(w1), lanes.wide_reduce(w2), lanes.wide_reduce(w3),
        lanes.wide_reduce(w4),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def plain(slots, weights, first, last, width, row, scratch):  # type: ignore[no-untyped-def]
    """Base-field value of sum of weight * slot over entries first..last, for 16 rows of the block."""
    nothing = lanes.splat(np.uint32(0))
    total = lanes.wide_product(nothing, nothing)
    for entry in range(first, last):
        value = lanes.load(scratch, slots[entry] * width + row)
        total = lanes.wide_mul_add(total, value, lanes.splat(weights[entry]))
    return lanes.wide_reduce(total)


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
    """Sum of zeta^i * (LogUp constraint i) for 16 rows. ``powers``: five words per group; ``near``: scratch of 80."""
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
def combine_kernel(columns, rows, weights, first, last, start, stop, out):  # type: ignore[no-untyped-def]
    """out (5, rows) += sum of columns first..last times their weights (five per column), on rows start..stop."""
    for r in range(start, stop, LANES):
        nothing = lanes.splat(np.uint32(0))
        w0 = w1 = w2 = w3 = w4 = lanes.wide_product(nothing, nothing)
        for column in range(first, last):
            value, at = lanes.load(columns, column * rows + r), np.uint64(5) * column
            w0 = lanes.wide_mul_add(w0, value, lanes.splat(weights[at]))
            w1 = lanes.wide_mul_add(w1, value, lanes.splat(weights[at + np.uint64(1)]))
            w2 = lanes.wide_mul_add(w2, value, lanes.splat(weights[at + np.uint64(2)]))
            w3 = lanes.wide_mul_add(w3, value, lanes.splat(weights[at + np.uint64(3)]))
            w4 = lanes.wide_mul_add(w4, value, lanes.splat(weights[at + np.uint64(4)]))
        c0, c1, c2, c3, c4 = e_load(out, r, rows)
        c0, c1 = m_add(c0, lanes.wide_reduce(w0)), m_add(c1, lanes.wide_reduce(w1))
        c2, c3 = m_add(c2, lanes.wide_reduce(w2)), m_add(c3, lanes.wide_reduce(w3))
        e_store(out, r, rows, c0, c1, c2, c3, m_add(c4, lanes.wide_reduce(w4)))


@njit(nogil=True, cache=True)
def multiply_kernel(a, b, out, n, start, stop):  # type: ignore[no-untyped-def]
    """out = a * b for elements start..stop (a multiple of 16) of flat extension arrays of n; out may be a or b."""
    for i in range(start, stop, LANES):
        a0, a1, a2, a3, a4 = e_load(a, i, n)
        b0, b1, b2, b3, b4 = e_load(b, i, n)
        a0, a1, a2, a3, a4 = e_mul(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4)
        e_store(out, i, n, a0, a1, a2, a3, a4)
