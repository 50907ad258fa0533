"""Numba kernels of the number-theoretic transforms; see engine.field.ntt for the conventions.

Sizes from LANES^2 run in passes of several layers on vectors (engine.field.butterflies), smaller ones layer by layer.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field import lanes
from engine.field.butterflies import forward_chunk, forward_pass, inverse_first, inverse_pass
from engine.field.kernels import m_add, m_mul, m_sub

_LANES = np.uint64(lanes.LANES)
_LOG_LANES = np.uint64(lanes.LANES.bit_length() - 1)
_CHUNK, _LOG_CHUNK = _LANES * _LANES, _LOG_LANES + _LOG_LANES
_chunk, _first = forward_chunk(), inverse_first()
_forward2, _forward4, _forward8, _forward16 = (forward_pass(radix) for radix in (2, 4, 8, 16))
_inverse2, _inverse4, _inverse8, _inverse16 = (inverse_pass(radix, scaled=True) for radix in (2, 4, 8, 16))
_inverse16_unscaled = inverse_pass(16, scaled=False)


@njit(nogil=True, cache=True)
def _mirror(index, bits):  # type: ignore[no-untyped-def]
    """The lowest ``bits`` bits in reverse."""
    mirrored = np.uint64(0)
    for bit in range(np.uint64(0), bits):
        mirrored = (mirrored << np.uint64(1)) | ((index >> bit) & np.uint64(1))
    return mirrored


@njit("void(uint32[::1], uint32[::1], uint64, uint64, uint64, uint64, uint32[::1])", nogil=True, cache=True)
def extend_small(coefficients, out, first, last, log_n, log_blowup, roots):  # type: ignore[no-untyped-def]
    """:func:`extend` for n below LANES^2, layer by layer; roots in Montgomery form."""
    n = np.uint64(1) << log_n
    for unit in range(first, last):
        column = unit >> log_blowup
        node = unit - (column << log_blowup)
        start = unit * n
        for i in range(np.uint64(0), n):
            out[start + i] = coefficients[column * n + i]
        half, blocks = n >> np.uint64(1), np.uint64(1)
        while half:
            for block in range(np.uint64(0), blocks):
                root = roots[node * blocks + block]
                low = start + np.uint64(2) * half * block
                for i in range(low, low + half):
                    x, y = out[i], m_mul(out[i + half], root)
                    out[i] = m_add(x, y)
                    out[i + half] = m_sub(x, y)
            half >>= np.uint64(1)
            blocks <<= np.uint64(1)


@njit("void(uint32[::1], uint32[::1], uint64, uint64, uint64, uint32[::1], uint32[::1])", nogil=True, cache=True)
def interpolate_small(values, out, first, last, log_n, roots, factors):  # type: ignore[no-untyped-def]
    """:func:`interpolate_columns` for n below LANES^2, layer by layer; roots in Montgomery form."""
    n = np.uint64(1) << log_n
    for column in range(first, last):
        start = column * n
        for i in range(np.uint64(0), n):
            out[start + _mirror(i, log_n)] = values[start + i]
        half = np.uint64(1)
        while half < n:
            for block in range(np.uint64(0), n // (np.uint64(2) * half)):
                low = start + np.uint64(2) * half * block
                for i in range(low, low + half):
                    x, y = out[i], out[i + half]
                    out[i] = m_add(x, y)
                    out[i + half] = m_mul(m_sub(x, y), roots[block])
            half <<= np.uint64(1)
        for i in range(np.uint64(0), n):
            out[start + i] = m_mul(out[start + i], factors[i])


@njit(
    "void(uint32[::1], uint32[::1], uint64, uint64, uint64, uint64, uint32[::1], uint32[::1], uint32[::1])",
    nogil=True,
    cache=True,
)
def extend(coefficients, out, first, last, log_n, log_blowup, roots, quotients, packed):  # type: ignore[no-untyped-def]
    """Units first..last of an extension; unit u is block u mod 2^log_blowup of column u >> log_blowup; n >= LANES^2.

    A block is the transform of the column's n coefficients below node u mod 2^log_blowup of the tree.
    """
    n = np.uint64(1) << log_n
    odd = (log_n - _LOG_CHUNK) & np.uint64(3)
    for unit in range(first, last):
        column = unit >> log_blowup
        node = unit - (column << log_blowup)
        source, origin, start, size = coefficients, column * n, unit * n, n
        # The first pass takes the layers beyond a multiple of four and moves the data; later ones are in place.
        if odd:
            stride = n >> odd
            for i in range(np.uint64(0), stride, _LANES):
                if odd == 1:
                    _forward2(source, origin + i, out, start + i, stride, roots, quotients, node)
                elif odd == 2:
                    _forward4(source, origin + i, out, start + i, stride, roots, quotients, node)
                else:
                    _forward8(source, origin + i, out, start + i, stride, roots, quotients, node)
            source, origin, size = out, start, stride
        while size > _CHUNK:
            stride = size >> np.uint64(4)
            blocks = n // size
            for block in range(np.uint64(0), blocks):
                place = block * size
                for i in range(place, place + stride, _LANES):
                    _forward16(source, origin + i, out, start + i, stride, roots, quotients, node * blocks + block)
            source, origin, size = out, start, stride
        blocks = n >> _LOG_CHUNK
        for block in range(np.uint64(0), blocks):
            place = block << _LOG_CHUNK
            _chunk(source, origin + place, out, start + place, roots, quotients, packed, node * blocks + block)


@njit(
    "void(uint32[::1], uint32[::1], uint64, uint64, uint64, uint32[::1], uint32[::1], uint32[::1], uint32[::1])",
    nogil=True,
    cache=True,
)
def interpolate_columns(values, out, first, last, log_n, roots, quotients, natural, factors):  # type: ignore[no-untyped-def]
    """Columns first..last from values to coefficients, times factors[i] (which hold 1 / n); n >= LANES^2."""
    n = np.uint64(1) << log_n
    bits = log_n - _LOG_CHUNK
    for column in range(first, last):
        start = column << log_n
        for group in range(np.uint64(0), n >> _LOG_CHUNK):
            place = _mirror(group, bits) << _LOG_LANES
            _first(values, start, out, start, n >> _LOG_LANES, natural, group << _LOG_LANES, place)
        stride = _LANES
        while n // stride > np.uint64(16):
            size = stride << np.uint64(4)
            for block in range(np.uint64(0), n // size):
                place = start + block * size
                for i in range(place, place + stride, _LANES):
                    _inverse16_unscaled(out, i, stride, roots, quotients, block, factors, np.uint64(0))
            stride = size
        radix = n // stride
        for i in range(np.uint64(0), stride, _LANES):
            if radix == 2:
                _inverse2(out, start + i, stride, roots, quotients, np.uint64(0), factors, i)
            elif radix == 4:
                _inverse4(out, start + i, stride, roots, quotients, np.uint64(0), factors, i)
            elif radix == 8:
                _inverse8(out, start + i, stride, roots, quotients, np.uint64(0), factors, i)
            else:
                _inverse16(out, start + i, stride, roots, quotients, np.uint64(0), factors, i)


@njit("void(uint32[::1], uint32[::1], uint64, uint64, uint32[::1])", nogil=True, cache=True)
def mirror_columns(values, out, first, last, order):  # type: ignore[no-untyped-def]
    """Columns first..last with row order[i] at row i; a column stays in the cache while its rows are gathered."""
    n = np.uint64(order.size)
    for column in range(first, last):
        for i in range(np.uint64(0), n):
            out[column * n + i] = values[column * n + np.uint64(order[i])]


@njit(nogil=True, cache=True)
def _total(total, wide, columns, base, weights, weight_base, start, stop):  # type: ignore[no-untyped-def]
    """total + the partial sums of ``wide`` + the products of rows start..stop."""
    vector = lanes.wide_reduce(wide)
    for lane in range(np.uint64(0), _LANES):
        total = m_add(total, lanes.extract(vector, lane))
    for i in range(start, stop):
        total = m_add(total, m_mul(columns[base + i], weights[weight_base + i]))
    return total


@njit("void(uint32[::1], uint64, uint64, uint64, uint32[::1], uint64, uint64, uint32[::1])", nogil=True, cache=True)
def dot_columns(columns, first, last, n, weights, start, stop, sums):  # type: ignore[no-untyped-def]
    """sums[5 c + k] += sum over rows start..stop of columns[c n + i] * weights[k n + i], for columns first..last."""
    bulk = start + ((stop - start) & ~(_LANES - np.uint64(1)))
    for column in range(first, last):
        base = column * n
        zero = lanes.splat(np.uint32(0))
        w0 = w1 = w2 = w3 = w4 = lanes.wide_product(zero, zero)
        paired = start + ((stop - start) & ~(_LANES + _LANES - np.uint64(1)))
        n2 = n + n
        for i in range(start, paired, _LANES + _LANES):
            x, y, j = lanes.load(columns, base + i), lanes.load(columns, base + i + _LANES), i + _LANES
            w0 = lanes.wide_mul_add_pair(w0, x, lanes.load(weights, i), y, lanes.load(weights, j))
            w1 = lanes.wide_mul_add_pair(w1, x, lanes.load(weights, i + n), y, lanes.load(weights, j + n))
            w2 = lanes.wide_mul_add_pair(w2, x, lanes.load(weights, i + n2), y, lanes.load(weights, j + n2))
            w3 = lanes.wide_mul_add_pair(w3, x, lanes.load(weights, i + n2 + n), y, lanes.load(weights, j + n2 + n))
            w4 = lanes.wide_mul_add_pair(w4, x, lanes.load(weights, i + n2 + n2), y, lanes.load(weights, j + n2 + n2))
        for i in range(paired, bulk, _LANES):
            x = lanes.load(columns, base + i)
            w0 = lanes.wide_mul_add(w0, x, lanes.load(weights, i))
            w1 = lanes.wide_mul_add(w1, x, lanes.load(weights, i + n))
            w2 = lanes.wide_mul_add(w2, x, lanes.load(weights, i + n2))
            w3 = lanes.wide_mul_add(w3, x, lanes.load(weights, i + n2 + n))
            w4 = lanes.wide_mul_add(w4, x, lanes.load(weights, i + n2 + n2))
        at = np.uint64(5) * column
        sums[at] = _total(sums[at], w0, columns, base, weights, np.uint64(0), bulk, stop)
        sums[at + np.uint64(1)] = _total(sums[at + np.uint64(1)], w1, columns, base, weights, n, bulk, stop)
        sums[at + np.uint64(2)] = _total(sums[at + np.uint64(2)], w2, columns, base, weights, n2, bulk, stop)
        sums[at + np.uint64(3)] = _total(sums[at + np.uint64(3)], w3, columns, base, weights, n2 + n, bulk, stop)
        sums[at + np.uint64(4)] = _total(sums[at + np.uint64(4)], w4, columns, base, weights, n2 + n2, bulk, stop)
