"""KoalaBear elements side by side: the vector values that numba kernels compute with.

``Lanes`` is a numba value type over LLVM's ``<n x i32>``, ``Wide`` one over ``<n x i64>`` (the even lanes, then the odd
ones). Kernels use n = ``LANES``, one register of the processor (``engine.field.width``); the emitters take whatever
vector they are given. Explicit vectors are used because LLVM's loop vectoriser loses a factor of 2 to 10 on 32 x 32 ->
64 products and on anything it cannot prove free of overlap.

Rows come in multiples of ``BLOCK``, which every width divides. Nothing here checks bounds: an offset must leave n
elements inside the array.

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

from engine.field import width
from engine.field.koalabear import P, R

LANES = 2 * width.words()
"""Elements in a vector of the kernels: 16 with AVX-512, 8 with AVX2, 4 elsewhere."""
BLOCK = 16
"""What the kernels' callers pad rows to, whatever the width."""
I32, I64 = ir.IntType(32), ir.IntType(64)
NEGATED_INVERSE = -pow(P, -1, R) % R
"""-1 / p mod 2^32: t = x * NEGATED_INVERSE makes x + t * p divisible by 2^32.

The sign matters: LLVM turns x - t * p into x + t * (-p), whose factor no longer fits the 32-bit multiplier.
"""

Emit = Callable[..., Any]
intrinsic: Any = extending.intrinsic
"""Numba's decorator, untyped: its stub describes the definition, not the call inside compiled code."""


class LanesType(types.Type):
    """Numba type of ``count`` unsigned 32-bit values."""

    def __init__(self, count: int) -> None:
        super().__init__(name=f"lanes{count}x32")
        self.count = count


class WideType(types.Type):
    """Numba type of ``count`` unsigned 64-bit values: even lanes first, then odd lanes."""

    def __init__(self, count: int) -> None:
        super().__init__(name=f"lanes{count}x64")
        self.count = count


@extending.register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: LanesType) -> None:
        super().__init__(manager, fe_type, vector32(fe_type.count))


@extending.register_model(WideType)
class _WideModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: WideType) -> None:
        super().__init__(manager, fe_type, vector64(fe_type.count))


def vector32(count: int) -> ir.VectorType:
    """LLVM's ``<count x i32>``."""
    return ir.VectorType(I32, count)


def vector64(count: int) -> ir.VectorType:
    """LLVM's ``<count x i64>``."""
    return ir.VectorType(I64, count)


def common_type(*kinds: Any) -> Any:
    """The ``Lanes`` type among argument types, or uint32 when all are scalars."""
    return next((kind for kind in kinds if isinstance(kind, LanesType)), types.uint32)


def wide_of(kind: Any) -> Any:
    """The type of unreduced products of a ``Lanes`` type or of uint32."""
    return WideType(kind.count) if isinstance(kind, LanesType) else types.uint64


def narrow_of(kind: Any) -> Any:
    """The way back from :func:`wide_of`."""
    return LanesType(kind.count) if isinstance(kind, WideType) else types.uint32


def aligned_empty(size: int, dtype: type = np.uint32) -> np.ndarray:
    """Uninitialised 1-D array whose data starts on a 64-byte boundary, so that no vector straddles two cache lines."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.empty(size * itemsize + 64, dtype=np.uint8)
    start = -raw.__array_interface__["data"][0] % 64  # raw.ctypes.data takes three times as long
    return raw[start : start + size * itemsize].view(dtype)


def constant(kind: ir.VectorType, value: int | list[int]) -> ir.Constant:
    """A vector constant: one value in all lanes, or a list."""
    return ir.Constant(kind, value if isinstance(value, list) else [value] * kind.count)


def order(places: Sequence[int]) -> ir.Constant:
    """The places that a shuffle takes its elements from."""
    return ir.Constant(vector32(len(places)), list(places))


def emit_halves(builder: Any, value: Any) -> tuple[Any, Any]:
    """The even and the odd elements of an i32 vector, each zero-extended to i64."""
    kind = vector64(value.type.count // 2)
    pairs = builder.bitcast(value, kind)
    even = builder.and_(pairs, constant(kind, R - 1))
    return even, builder.lshr(pairs, constant(kind, 32))


def align_stack(builder: Any) -> None:
    """Have the function under construction align its stack to the widest vectors.

    LLVM aligns it by itself only for variables it knows of before it allocates registers. Values that it then has to
    put aside would lie across two cache lines, or not, by the caller's stack: up to twice the time.
    """
    builder.function.attributes.alignstack = 64
    builder.function.attributes.add("nounwind")  # llvmlite prints the alignment only beside another attribute


def emit_prefetch(builder: Any, pointer: Any) -> None:
    """Ask for the cache line behind an i8 pointer; never faults."""
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), I32, I32, I32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    builder.call(function, [pointer, ir.Constant(I32, 0), ir.Constant(I32, 3), ir.Constant(I32, 1)])


def emit_splat(builder: Any, value: Any, count: int) -> Any:
    """A scalar in all of ``count`` lanes."""
    undefined = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    single = builder.insert_element(undefined, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(single, undefined, order([0] * count))


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
    """(x + t p) / 2^32 of products given as halves, ``low`` being their low words in lane order; below 2p."""
    factors = emit_halves(builder, builder.mul(low, constant(low.type, NEGATED_INVERSE)))
    modulus = constant(factors[0].type, P)
    totals = [builder.add(x, builder.mul(t, modulus)) for x, t in zip(products, factors, strict=True)]
    return emit_high_words(builder, *totals)


def emit_high_words(builder: Any, even: Any, odd: Any) -> Any:
    """The high 32 bits of wide values, in lane order."""
    count = 2 * even.type.count
    words = [builder.bitcast(half, vector32(count)) for half in (even, odd)]
    return builder.shuffle_vector(*words, order([i + 1 if i % 2 == 0 else count + i for i in range(count)]))


def scalar_or_vector(kind: Any, value: int) -> ir.Constant:
    """The constant ``value`` of a scalar or vector type."""
    return constant(kind, value) if isinstance(kind, ir.VectorType) else ir.Constant(kind, value)


def emit_pointer(context: Any, builder: Any, array_type: Any, array: Any, offset: Any, kind: Any) -> Any:
    """Pointer to ``kind`` at element ``offset`` of a 1-D array."""
    align_stack(builder)
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
        kind = common_type(a, b)
        return kind(kind, kind), codegen

    return typer


def load_of(count: int) -> Any:
    """Intrinsic (array, offset): array[offset : offset + count] of a 1-D uint32 array as ``Lanes``."""

    def load(typingctx: Any, array: Any, offset: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = vector32(count)
            return builder.load(emit_pointer(context, builder, signature.args[0], args[0], args[1], kind), align=4)

        return LanesType(count)(array, types.uint64), codegen

    return intrinsic(load)


def splat_of(count: int) -> Any:
    """Intrinsic: one uint32 in all of ``count`` lanes."""

    def splat(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return emit_splat(builder, args[0], count)

        return LanesType(count)(types.uint32), codegen

    return intrinsic(splat)


load, splat = load_of(LANES), splat_of(LANES)


@intrinsic
def store(typingctx: Any, array: Any, offset: Any, value: Any) -> Any:
    """array[offset :] = value, for a 1-D uint32 array and as many elements as the ``Lanes`` have."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], args[2].type)
        builder.store(args[2], pointer, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, value), codegen


@intrinsic
def prefetch(typingctx: Any, array: Any, offset: Any) -> Any:
    """Ask for the cache line of array[offset]; any offset is safe."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], ir.IntType(8))
        emit_prefetch(builder, pointer)
        return context.get_dummy_value()

    return types.void(array, types.uint64), codegen


@intrinsic
def extract(typingctx: Any, value: Any, lane: Any) -> Any:
    """Lane ``lane`` of a ``Lanes`` as uint32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.extract_element(args[0], builder.trunc(args[1], I32))

    return types.uint32(value, types.uint64), codegen


@intrinsic
def every_other(typingctx: Any, first: Any, second: Any, start: Any) -> Any:
    """Of the elements in two ``Lanes`` those at even (literal ``start`` 0) or odd (1) places."""
    if not isinstance(start, types.Literal):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = range(start.literal_value, 2 * first.count, 2)
        return builder.shuffle_vector(args[0], args[1], order(places))

    return first(first, first, start), codegen


@intrinsic
def where_zero(typingctx: Any, test: Any, a: Any, b: Any) -> Any:
    """a where ``test`` is zero, b elsewhere; scalars or ``Lanes``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, None)
        return builder.select(builder.icmp_unsigned("==", args[0], zero), args[1], args[2])

    kind = common_type(test)
    return kind(kind, kind, kind), codegen


def _bits_or(typingctx: Any, *values: Any) -> Any:
    """Bitwise or of five scalars or ``Lanes``: zero exactly where all are zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = args[0]
        for value in args[1:]:
            result = builder.or_(result, value)
        return result

    kind = common_type(*values)
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
        count = 2 * halves[0].type.count
        words = [builder.bitcast(half, vector32(count)) for half in halves]
        places = [i if i % 2 == 0 else count - 1 + i for i in range(count)]
        high = emit_montgomery(builder, halves, builder.shuffle_vector(*words, order(places)))
    return emit_minimum(builder, high, builder.sub(high, scalar_or_vector(high.type, P)))


def _split(builder: Any, wide: Any) -> list[Any]:
    """The halves of a wide value (or the scalar itself)."""
    if wide.type == I64:
        return [wide]
    undefined, half = ir.Constant(wide.type, ir.Undefined), wide.type.count // 2
    return [builder.shuffle_vector(wide, undefined, order(range(at, at + half))) for at in (0, half)]


def _join(builder: Any, halves: list[Any]) -> Any:
    if len(halves) == 1:
        return halves[0]
    return builder.shuffle_vector(*halves, order(range(2 * halves[0].type.count)))


@intrinsic
def wide_product(typingctx: Any, a: Any, b: Any) -> Any:
    """a * b unreduced: a sum of products to be continued by :func:`wide_mul_add`; uint64 or ``Wide``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _join(builder, emit_products(builder, *args))

    kind = common_type(a, b)
    return wide_of(kind)(kind, kind), codegen


@intrinsic
def wide_mul_add(typingctx: Any, total: Any, a: Any, b: Any) -> Any:
    """total + a * b modulo p * 2^32: any number of products summed with one reduction at the end."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        products = emit_products(builder, args[1], args[2])
        return _join(
            builder, [emit_wide_add(builder, t, x) for t, x in zip(_split(builder, args[0]), products, strict=True)]
        )

    kind = narrow_of(total)
    return wide_of(kind)(wide_of(kind), kind, kind), codegen


def emit_factor(builder: Any, value: Any, count: int) -> tuple[Any, Any]:
    """Halves of ``Lanes`` as :func:`emit_halves` gives them; those of a scalar are one and the same broadcast."""
    if value.type != I32:
        return emit_halves(builder, value)
    kind = vector64(count // 2)
    pairs = builder.bitcast(emit_splat(builder, value, count), kind)
    even = builder.and_(pairs, constant(kind, R - 1))
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
                for u, v in zip(
                    emit_halves(builder, args[i]), emit_factor(builder, args[i + 1], total.count), strict=True
                )
            ]
            for i in (1, 3)
        )
        totals = zip(_split(builder, args[0]), first, second, strict=True)
        return _join(builder, [emit_wrap(builder, builder.add(t, builder.add(u, v))) for t, u, v in totals])

    kind = common_type(x)
    return total(total, a, kind, b, kind), codegen


wide_mul_add_pair = intrinsic_of(5, _wide_mul_add_pair)


@intrinsic
def wide_reduce(typingctx: Any, total: Any) -> Any:
    """total / 2^32 mod p, reduced: of Montgomery factors, the Montgomery form of the sum of products."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_reduce(builder, _split(builder, args[0]))

    kind = narrow_of(total)
    return kind(wide_of(kind)), codegen
