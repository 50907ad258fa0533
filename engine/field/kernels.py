"""Base-field kernels: Montgomery arithmetic on uint32, scalar or a vector at once.

``m_mul``, ``m_add`` and ``m_sub`` take two uint32 or two ``Lanes`` (engine.field.lanes) inside numba code; values are
in Montgomery form and reduced to [0, p), and so are results. ``m_mul`` also converts: by 2^64 mod p into Montgomery
form, by 1 out of it. The inverse of zero is zero, in every kernel.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.errors import ProtocolError
from engine.field import lanes
from engine.field.koalabear import P, R, to_montgomery
from engine.field.lanes import aligned_empty

ONE = np.uint32(to_montgomery(1))
R_SQUARED = np.uint32(to_montgomery(R))
_LANES = np.uint64(lanes.LANES)
_CALL = 1 << 18
"""Elements per call of a kernel here: a few milliseconds."""

m_add = lanes.intrinsic(lanes.binary(lanes.emit_add))
m_sub = lanes.intrinsic(lanes.binary(lanes.emit_sub))
m_mul = lanes.intrinsic(lanes.binary(lanes.emit_mul))


@njit(nogil=True, cache=True)
def m_power(a, exponent, one):  # type: ignore[no-untyped-def]
    """a ** exponent for a scalar or ``Lanes``; ``one`` is 1 in Montgomery form, of the same kind."""
    result = one
    while exponent:
        if exponent & np.uint64(1):
            result = m_mul(result, a)
        a = m_mul(a, a)
        exponent >>= np.uint64(1)
    return result


@njit(nogil=True, cache=True)
def m_inv(a):  # type: ignore[no-untyped-def]
    """1 / a in Montgomery form for a uint32; 0 for 0."""
    return m_power(a, np.uint64(P - 2), ONE)


@njit("void(uint32[::1], uint32, uint32[::1])", nogil=True, cache=True)
def scale_kernel(values, factor, out):  # type: ignore[no-untyped-def]
    """out[i] = values[i] * factor / 2^32; ``out`` may be ``values``."""
    size = np.uint64(values.size)
    bulk = size & ~(_LANES - np.uint64(1))
    factors = lanes.splat(factor)
    for i in range(np.uint64(0), bulk, _LANES):
        lanes.store(out, i, m_mul(lanes.load(values, i), factors))
    for i in range(bulk, size):
        out[i] = m_mul(values[i], factor)


@njit("void(uint32[::1], uint32[::1])", nogil=True, cache=True)
def batch_inverse_kernel(values, out):  # type: ignore[no-untyped-def]
    """out[i] = 1 / values[i], zero for zero: Montgomery's trick, a chain per lane. ``out`` is not ``values``."""
    size = np.uint64(values.size)
    bulk = size & ~(_LANES - np.uint64(1))
    one = lanes.splat(ONE)
    product = one
    for i in range(np.uint64(0), bulk, _LANES):
        lanes.store(out, i, product)
        value = lanes.load(values, i)
        product = m_mul(product, lanes.where_zero(value, one, value))
    inverse = m_power(product, np.uint64(P - 2), one)
    for step in range(_LANES, bulk + _LANES, _LANES):
        at = bulk - step
        value = lanes.load(values, at)
        lanes.store(out, at, lanes.where_zero(value, value, m_mul(inverse, lanes.load(out, at))))
        inverse = m_mul(inverse, lanes.where_zero(value, one, value))
    for j in range(bulk, size):
        out[j] = m_inv(values[j])


def check_words(name: str, array: np.ndarray) -> np.ndarray:
    """``array`` when it is a contiguous, writable 1-D uint32 array, else a ProtocolError that names it."""
    return check_array(name, array, np.uint32)


def check_array(name: str, array: np.ndarray, dtype: type) -> np.ndarray:
    """The same for any dtype. Compiled signatures take no read-only arrays, not even as input."""
    if array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous or not array.flags.writeable:
        limit = f"contiguous writable 1-D {np.dtype(dtype).name}"
        given = f"{array.ndim}-D {array.dtype}"
        raise ProtocolError(f"{name} must be a {limit} array, not {given}", field=name, value=given, limit=limit)
    return array


def check_out(name: str, out: np.ndarray | None, size: int) -> np.ndarray:
    """A fresh aligned buffer, or the caller's once it is known to be uint32[size]."""
    if out is None:
        return aligned_empty(size)
    if check_words(name, out).size != size:
        raise ProtocolError(f"{name} holds {out.size} words, not {size}", field=name, value=out.size, limit=size)
    return out


def to_montgomery_array(values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Canonical uint32[n] (any words below 2^32 are reduced) to Montgomery form; ``out`` may be ``values``."""
    return _scale("values", values, R_SQUARED, out)


def from_montgomery_array(values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Montgomery uint32[n] to canonical words; ``out`` may be ``values``."""
    return _scale("values", values, np.uint32(1), out)


def batch_inverse(values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Inverses of uint32[n] in Montgomery form, 0 for 0; ``out`` must not overlap ``values``."""
    check_words("values", values)
    result = check_out("out", out, values.size)
    if np.may_share_memory(values, result):
        raise ProtocolError("out overlaps values", field="out", value="overlap", limit="a separate buffer")
    for start in range(0, values.size, _CALL):
        batch_inverse_kernel(values[start : start + _CALL], result[start : start + _CALL])
    return result


def _scale(name: str, values: np.ndarray, factor: np.uint32, out: np.ndarray | None) -> np.ndarray:
    check_words(name, values)
    result = check_out("out", out, values.size)
    for start in range(0, values.size, _CALL):
        scale_kernel(values[start : start + _CALL], factor, result[start : start + _CALL])
    return result
