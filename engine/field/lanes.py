"""Sixteen KoalaBear elements side by side: the vector values that numba kernels compute with.

``Lanes`` is a numba value type over LLVM's ``<16 x i32>``, ``Wide`` one over ``<16 x i64>`` (the even lanes, then the
odd ones). LLVM lowers both to whatever the machine has: one AVX-512 register for a ``Lanes``, two AVX2 or four NEON
ones elsewhere. Explicit vectors are used because LLVM's loop vectoriser loses a factor of 2 to 10 on 32 x 32 -> 64
products and on anything it cannot prove free of overlap.

Nothing here checks bounds: an offset must leave 16 elements inside the array.

Numba's cache looks only at the file of the cached function: after editing this module, delete the ``*.nbi`` files.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, extending
from numba.core.datamodel import models

from engine.field.koalabear import P, R

LANES = 16
I32, I64 = ir.IntType(32), ir.IntType(64)
V32, V64, V64_HALF = ir.VectorType(I32, LANES), ir.VectorType(I64, LANES), ir.VectorType(I64, LANES // 2)
NEGATED_INVERSE = -pow(P, -1, R) % R
"""-1 / p mod 2^32: t = x * NEGATED_INVERSE makes x + t * p divisible by 2^32.

The sign matters: LLVM turns x - t * p into x + t * (-p), whose factor no longer fits the 32-bit multiplier.
"""

Emit = Callable[..., Any]
intrinsic: Any = extending.intrinsic
"""Numba's decorator, untyped: its stub describes the definition, not the call inside compiled code."""


class LanesType(types.Type):
    """Numba type of 16 unsigned 32-bit values."""

    def __init__(self) -> None:
        super().__init__(name="lanes16x32")


class WideType(types.Type):
    """Numba type of 16 unsigned 64-bit values: even lanes first, then odd lanes."""

    def __init__(self) -> None:
        super().__init__(name="lanes16x64")


lanes_type, wide_type = LanesType(), WideType()


@extending.register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: types.Type) -> None:
        super().__init__(manager, fe_type, V32)


@extending.register_model(WideType)
class _WideModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: types.Type) -> None:
        super().__init__(manager, fe_type, V64)


def aligned_empty(size: int, dtype: type = np.uint32) -> np.ndarray:
    """Uninitialised 1-D array whose data starts on a 64-byte boundary, so that no vector straddles two cache lines."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.empty(size * itemsize + 64, dtype=np.uint8)
    start = -raw.__array_interface__["data"][0] % 64  # raw.ctypes.data takes three times as long
    return raw[start : start + size * itemsize].view(dtype)


def constant(kind: ir.VectorType, value: int | list[int]) -> ir.Constant:
    """A vector constant: one value in all lanes, or a list."""
    return ir.Constant(kind, value if isinstance(value, list) else [value] * kind.count)


_EVEN = ir.Constant(ir.VectorType(I32, 8), list(range(8)))
_ODD = ir.Constant(ir.VectorType(I32, 8), list(range(8, 16)))
_BOTH = ir.Constant(V32, list(range(16)))
_HIGH_WORDS = ir.Constant(V32, [i + 1 if i % 2 == 0 else 16 + i for i in range(16)])


def emit_halves(builder: Any, value: Any) -> tuple[Any, Any]:
    """The even and the odd elements of a ``<16 x i32>``, each zero-extended to ``<8 x i64>``."""
    pairs = builder.bitcast(value, V64_HALF)
    even = builder.and_(pairs, constant(V64_HALF, R - 1))
    return even, builder.lshr(pairs, constant(V64_HALF, 32))


def emit_prefetch(builder: Any, pointer: Any) -> None:
    """Ask for the cache line behind an i8 pointer; never faults."""
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), I32, I32, I32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    builder.call(function, [pointer, ir.Constant(I32, 0), ir.Constant(I32, 3), ir.Constant(I32, 1)])


def emit_splat(builder: Any, value: Any) -> Any:
    """An i32 in all lanes."""
    undefined = ir.Constant(V32, ir.Undefined)
    single = builder.insert_element(undefined, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(single, undefined, constant(V32, 0))


def emit_minimum(builder: Any, a: Any, b: Any) -> Any:
    """Unsigned minimum."""
    return builder.select(builder.icmp_unsigned("<", a, b), a, b)


def emit_add(builder: Any, a: Any, b: Any) -> Any:
    """a + b mod p of reduced values, scalar or vector."""
    total = builder.add(a, b)
    return emit_minimum(builder, total, builder.sub(total, scalar_or_vector(total.type, P)))


def emit_sub(builder: Any, a: Any, b: Any) -> Any:
    """a - b mod p of reduced values, scalar or vector."""
    difference = builder.sub(a, b)
    return emit_minimum(builder, difference, builder.add(difference, scalar_or_vector(difference.type, P)))


def emit_mul(builder: Any, a: Any, b: Any) -> Any:
    """a * b / 2^32 mod p, reduced, for a * b < 2^32 p; scalar or vector."""
    if a.type == I32:
        product = builder.mul(builder.zext(a, I64), builder.zext(b, I64))
        t = builder.mul(builder.trunc(product, I32), ir.Constant(I32, NEGATED_INVERSE))
        total = builder.add(product, builder.mul(builder.zext(t, I64), ir.Constant(I64, P)))
        high = builder.trunc(builder.lshr(total, ir.Constant(I64, 32)), I32)
    else:
        products = [builder.mul(x, y) for x, y in zip(emit_halves(builder, a), emit_halves(builder, b), strict=True)]
        high = emit_montgomery(builder, products, builder.mul(a, b))
    return emit_minimum(builder, high, builder.sub(high, scalar_or_vector(high.type, P)))


def emit_montgomery(builder: Any, products: Sequence[Any], low: Any) -> Any:
    """(x + t p) / 2^32 of 16 products given as halves, ``low`` being their low words in lane order; below 2p."""
    factors = emit_halves(builder, builder.mul(low, constant(V32, NEGATED_INVERSE)))
    modulus = constant(V64_HALF, P)
    totals = [builder.add(x, builder.mul(t, modulus)) for x, t in zip(products, factors, strict=True)]
    return emit_high_words(builder, *totals)


def emit_high_words(builder: Any, even: Any, odd: Any) -> Any:
    """The high 32 bits of 16 wide values, in lane order."""
    return builder.shuffle_vector(builder.bitcast(even, V32), builder.bitcast(odd, V32), _HIGH_WORDS)


def scalar_or_vector(kind: Any, value: int) -> ir.Constant:
    """The constant ``value`` of a scalar or vector type."""
    return constant(kind, value) if isinstance(kind, ir.VectorType) else ir.Constant(kind, value)


def emit_pointer(context: Any, builder: Any, array_type: Any, array: Any, offset: Any, kind: Any) -> Any:
    """Pointer to ``kind`` at element ``offset`` of a 1-D array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), kind.as_pointer())


def intrinsic_of(count: int, typer: Callable[..., Any]) -> Any:
    """A numba intrinsic of ``count`` arguments from typer(typingctx, *argument_types).

    Numba reads the argument list off the function; the explicit signature spares writing out ten names.
    """
    names = ["typingctx", *(f"x{i}" for i in range(count))]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    typer.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    return intrinsic(typer)


def binary(emit: Emit) -> Emit:
    """An intrinsic body for f(a, b) on two scalars (uint32) or two ``Lanes``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit(builder, *args)

    def typer(typingctx: Any, a: Any, b: Any) -> Any:
        kind = lanes_type if isinstance(a, LanesType) or isinstance(b, LanesType) else types.uint32
        return kind(kind, kind), codegen

    return typer


@intrinsic
def load(typingctx: Any, array: Any, offset: Any) -> Any:
    """array[offset : offset + 16] of a 1-D uint32 array as ``Lanes``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(emit_pointer(context, builder, signature.args[0], args[0], args[1], V32), align=4)

    return lanes_type(array, types.uint64), codegen


@intrinsic
def store(typingctx: Any, array: Any, offset: Any, value: Any) -> Any:
    """array[offset : offset + 16] = value, for a 1-D uint32 array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], V32)
        builder.store(args[2], pointer, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, lanes_type), codegen


@intrinsic
def prefetch(typingctx: Any, array: Any, offset: Any) -> Any:
    """Ask for the cache line of array[offset]; any offset is safe."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], ir.IntType(8))
        emit_prefetch(builder, pointer)
        return context.get_dummy_value()

    return types.void(array, types.uint64), codegen


@intrinsic
def splat(typingctx: Any, value: Any) -> Any:
    """One uint32 in all 16 lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_splat(builder, args[0])

    return lanes_type(types.uint32), codegen


@intrinsic
def extract(typingctx: Any, value: Any, lane: Any) -> Any:
    """Lane ``lane`` of a ``Lanes`` as uint32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.extract_element(args[0], builder.trunc(args[1], I32))

    return types.uint32(lanes_type, types.uint64), codegen


@intrinsic
def every_other(typingctx: Any, first: Any, second: Any, start: Any) -> Any:
    """Of 32 elements in two ``Lanes`` those at even (literal ``start`` 0) or odd (1) places."""
    if not isinstance(start, types.Literal):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        order = constant(V32, list(range(start.literal_value, 2 * LANES, 2)))
        return builder.shuffle_vector(args[0], args[1], order)

    return lanes_type(lanes_type, lanes_type, start), codegen


@intrinsic
def where_zero(typingctx: Any, test: Any, a: Any, b: Any) -> Any:
    """a where ``test`` is zero, b elsewhere; scalars or ``Lanes``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, None)
        return builder.select(builder.icmp_unsigned("==", args[0], zero), args[1], args[2])

    kind = lanes_type if isinstance(test, LanesType) else types.uint32
    return kind(kind, kind, kind), codegen


def _bits_or(typingctx: Any, *values: Any) -> Any:
    """Bitwise or of five scalars or ``Lanes``: zero exactly where all are zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = args[0]
        for value in args[1:]:
            result = builder.or_(result, value)
        return result

    kind = lanes_type if isinstance(values[0], LanesType) else types.uint32
    return kind(*[kind] * len(values)), codegen


bits_or = intrinsic_of(5, _bits_or)


WIDE_MODULUS = P << 32
"""Sums of products are kept below p * 2^32, the bound under which Montgomery's reduction gives a value below 2p."""


def emit_products(builder: Any, a: Any, b: Any) -> list[Any]:
    """The unreduced products a * b: one i64 for scalars, the even and the odd half for ``Lanes``."""
    if a.type == I32:
        return [builder.mul(builder.zext(a, I64), builder.zext(b, I64))]
    return [builder.mul(x, y) for x, y in zip(emit_halves(builder, a), emit_halves(builder, b), strict=True)]


def emit_wrap(builder: Any, total: Any) -> Any:
    """A sum below 2 * WIDE_MODULUS brought below WIDE_MODULUS."""
    return emit_minimum(builder, total, builder.sub(total, scalar_or_vector(total.type, WIDE_MODULUS)))


def emit_wide_add(builder: Any, a: Any, b: Any) -> Any:
    """a + b modulo WIDE_MODULUS, of values below it."""
    return emit_wrap(builder, builder.add(a, b))


def emit_wide_sub(builder: Any, a: Any, b: Any) -> Any:
    """a - b modulo WIDE_MODULUS, of values below it."""
    difference = builder.sub(a, b)
    return emit_minimum(builder, difference, builder.add(difference, scalar_or_vector(difference.type, WIDE_MODULUS)))


def emit_reduce(builder: Any, halves: list[Any]) -> Any:
    """sum / 2^32 mod p, reduced, of sums below WIDE_MODULUS."""
    if len(halves) == 1:
        t = builder.mul(builder.trunc(halves[0], I32), ir.Constant(I32, NEGATED_INVERSE))
        total = builder.add(halves[0], builder.mul(builder.zext(t, I64), ir.Constant(I64, P)))
        high = builder.trunc(builder.lshr(total, ir.Constant(I64, 32)), I32)
    else:
        words = [builder.bitcast(half, V32) for half in halves]
        high = emit_montgomery(builder, halves, builder.shuffle_vector(*words, _LOW_WORDS))
    return emit_minimum(builder, high, builder.sub(high, scalar_or_vector(high.type, P)))


_LOW_WORDS = ir.Constant(V32, [i if i % 2 == 0 else 15 + i for i in range(16)])


def _split(builder: Any, wide: Any) -> list[Any]:
    """The halves of a wide value (or the scalar itself)."""
    if wide.type == I64:
        return [wide]
    undefined = ir.Constant(V64, ir.Undefined)
    return [builder.shuffle_vector(wide, undefined, order) for order in (_EVEN, _ODD)]


def _join(builder: Any, halves: list[Any]) -> Any:
    return halves[0] if len(halves) == 1 else builder.shuffle_vector(*halves, _BOTH)


@intrinsic
def wide_product(typingctx: Any, a: Any, b: Any) -> Any:
    """a * b unreduced: a sum of products to be continued by :func:`wide_mul_add`; uint64 or ``Wide``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _join(builder, emit_products(builder, *args))

    vector = isinstance(a, LanesType) or isinstance(b, LanesType)
    kind = lanes_type if vector else types.uint32
    return (wide_type if vector else types.uint64)(kind, kind), codegen


@intrinsic
def wide_mul_add(typingctx: Any, total: Any, a: Any, b: Any) -> Any:
    """total + a * b modulo p * 2^32: any number of products summed with one reduction at the end."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        products = emit_products(builder, args[1], args[2])
        return _join(
            builder, [emit_wide_add(builder, t, x) for t, x in zip(_split(builder, args[0]), products, strict=True)]
        )

    vector = isinstance(total, WideType)
    kind = lanes_type if vector else types.uint32
    wide = wide_type if vector else types.uint64
    return wide(wide, kind, kind), codegen


def emit_factor(builder: Any, value: Any) -> tuple[Any, Any]:
    """Halves of ``Lanes`` as :func:`emit_halves` gives them; those of a scalar are one and the same broadcast."""
    if value.type != I32:
        return emit_halves(builder, value)
    pairs = builder.bitcast(emit_splat(builder, value), V64_HALF)
    even = builder.and_(pairs, constant(V64_HALF, R - 1))
    return even, even


def _wide_mul_add_pair(typingctx: Any, total: Any, a: Any, x: Any, b: Any, y: Any) -> Any:
    """total + a x + b y modulo p * 2^32; x and y are ``Lanes``, or uint32 for one factor in all lanes.

    Two products fit beside the total before it is brought below p * 2^32 again: a third fewer operations than two
    calls of :func:`wide_mul_add`.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first, second = (
            [
                builder.mul(u, v)
                for u, v in zip(emit_halves(builder, args[i]), emit_factor(builder, args[i + 1]), strict=True)
            ]
            for i in (1, 3)
        )
        totals = zip(_split(builder, args[0]), first, second, strict=True)
        return _join(builder, [emit_wrap(builder, builder.add(t, builder.add(u, v))) for t, u, v in totals])

    kind = lanes_type if isinstance(x, LanesType) else types.uint32
    return wide_type(wide_type, lanes_type, kind, lanes_type, kind), codegen


wide_mul_add_pair = intrinsic_of(5, _wide_mul_add_pair)


@intrinsic
def wide_reduce(typingctx: Any, total: Any) -> Any:
    """total / 2^32 mod p, reduced: of Montgomery factors, the Montgomery form of the sum of products."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_reduce(builder, _split(builder, args[0]))

    vector = isinstance(total, WideType)
    return (lanes_type if vector else types.uint32)(wide_type if vector else types.uint64), codegen
