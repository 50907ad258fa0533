"""Unrolled butterfly networks on vectors of elements, emitted as LLVM IR for the transform kernels.

Every function here becomes straight-line code in the loop that calls it: 2, 4, 8 or 16 vectors are loaded, go through
some layers in registers and are stored again. ``count`` is the number of lanes, L its logarithm.

Multiplication by a known root r (canonical) uses its quotient r' = floor(2^32 r / p) (V. Shoup's method): for any v
below 2^32, v r - floor(v r' / 2^32) p lies in [0, 2p), and only its low word is needed. v keeps its form, Montgomery or
not. A value that the next layer multiplies may therefore stay in [0, 2p).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types

from engine.field import lanes
from engine.field.koalabear import P, R
from engine.field.lanes import I32, I64, LANES, constant, order, vector32, vector64

Root = tuple[Any, Any, Any]
"""Even and odd half of the quotients, and the roots."""


class Memory:
    """Access to one 1-D uint32 array inside an intrinsic, by vectors of ``count``."""

    def __init__(self, context: Any, builder: Any, array_type: Any, array: Any, count: int = LANES) -> None:
        lanes.align_stack(builder)
        self.builder, self.count = builder, count
        self.data = context.make_array(array_type)(context, builder, array).data

    def pointer(self, index: Any, kind: Any) -> Any:
        """Pointer to ``kind`` at an i64 index."""
        return self.builder.bitcast(self.builder.gep(self.data, [index]), kind.as_pointer())

    def load(self, index: Any) -> Any:
        """A vector of elements."""
        return self.builder.load(self.pointer(index, vector32(self.count)), align=4)

    def store(self, index: Any, value: Any) -> None:
        """A vector of elements."""
        self.builder.store(value, self.pointer(index, value.type), align=4)

    def broadcast(self, index: Any) -> Any:
        """One element in all lanes."""
        word = self.builder.load(self.pointer(index, I32), align=4)
        return lanes.emit_splat(self.builder, word, self.count)


def memories(context: Any, builder: Any, kinds: Any, args: Any, which: tuple[int, ...], count: int) -> list[Memory]:
    """Access to the arrays among an intrinsic's arguments."""
    return [Memory(context, builder, kinds[k], args[k], count) for k in which]


def at(builder: Any, base: Any, *terms: Any) -> Any:
    """base + a * b + ...: each term is an (i64, int) pair."""
    total = base
    for value, factor in terms:
        total = builder.add(total, builder.mul(value, ir.Constant(I64, factor)))
    return total


def broadcast_root(builder: Any, roots: Memory, quotients: Memory, index: Any) -> Root:
    """The same root in all lanes."""
    kind = vector64(quotients.count // 2)
    half = builder.and_(builder.bitcast(quotients.broadcast(index), kind), constant(kind, R - 1))
    return half, half, roots.broadcast(index)


def lane_root(builder: Any, table: Memory, index: Any) -> Root:
    """A root per lane, from a vector of roots and the vector of their quotients."""
    quotients = table.load(at(builder, index, (ir.Constant(I64, 1), table.count)))
    return (*lanes.emit_halves(builder, quotients), table.load(index))


def times(builder: Any, value: Any, root: Root) -> Any:
    """value * root, reduced."""
    even, odd = lanes.emit_halves(builder, value)
    estimate = lanes.emit_high_words(builder, builder.mul(even, root[0]), builder.mul(odd, root[1]))
    modulus = constant(value.type, P)
    rest = builder.sub(builder.mul(value, root[2]), builder.mul(estimate, modulus))
    return lanes.emit_minimum(builder, rest, builder.sub(rest, modulus))


def forward_layers(builder: Any, values: list[Any], root: Callable[[int, int], Root]) -> None:
    """Remainder tree in place: u, v -> u + r v, u - r v, reduced; root(layer, block) is asked for in order."""
    modulus = constant(values[0].type, P)
    layers = len(values).bit_length() - 1
    for layer in range(layers):
        half = len(values) >> (layer + 1)
        for block in range(1 << layer):
            factor = root(layer, block)
            for i in range(2 * half * block, 2 * half * block + half):
                low, product = values[i], times(builder, values[i + half], factor)
                if i & (half >> 1):  # both are multiplied in the next layer
                    values[i] = builder.add(low, product)
                    values[i + half] = builder.add(builder.sub(low, product), modulus)
                else:
                    values[i] = lanes.emit_add(builder, low, product)
                    values[i + half] = lanes.emit_sub(builder, low, product)


def inverse_layers(builder: Any, values: list[Any], root: Callable[[int, int], Root]) -> None:
    """The way back: u, v -> u + v, (u - v) / r with inverted roots; layer 0 is the one of neighbours."""
    layers = len(values).bit_length() - 1
    for layer in range(layers):
        half = 1 << layer
        for block in range(len(values) >> (layer + 1)):
            factor = root(layer, block)
            for i in range(2 * half * block, 2 * half * block + half):
                low, high = values[i], values[i + half]
                values[i] = lanes.emit_add(builder, low, high)
                difference = builder.add(builder.sub(low, high), constant(low.type, P))
                values[i + half] = times(builder, difference, factor)


def transpose(builder: Any, values: list[Any]) -> None:
    """Lane i of vector j becomes lane j of vector i, for as many vectors as lanes: L layers of two-vector shuffles."""
    count = len(values)
    for step in (1 << k for k in range(count.bit_length() - 1)):
        first = [i if not i & step else count + i - step for i in range(count)]
        second = [i + step if not i & step else count + i for i in range(count)]
        for j in range(count):
            if not j & step:
                a, b = values[j], values[j + step]
                values[j] = builder.shuffle_vector(a, b, order(first))
                values[j + step] = builder.shuffle_vector(a, b, order(second))


def forward_pass(radix: int, count: int = LANES) -> Any:
    """Intrinsic: log2(radix) layers on ``count`` positions of one block.

    (source, source_offset, target, target_offset, stride, roots, quotients, node): vector r is at offset + r * stride;
    ``node`` is the block's index among the blocks of its size.
    """

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> None:
        source, target, roots, quotients = memories(context, builder, kinds, args, (0, 2, 5, 6), count)
        values = [source.load(at(builder, args[1], (args[4], r))) for r in range(radix)]
        forward_layers(builder, values, node_roots(builder, roots, quotients, args[7]))
        for r in range(radix):
            target.store(at(builder, args[3], (args[4], r)), values[r])

    return _intrinsic(emit, "auauuaau")


def node_roots(builder: Any, roots: Memory, quotients: Memory, node: Any) -> Callable[[int, int], Root]:
    """Root of sub-block ``block`` at ``layer`` below block ``node``: table entry node * 2^layer + block."""

    def root(layer: int, block: int) -> Root:
        return broadcast_root(builder, roots, quotients, at(builder, ir.Constant(I64, block), (node, 1 << layer)))

    return root


def forward_chunk(count: int = LANES) -> Any:
    """Intrinsic: the last 2 L layers of a block of count^2 elements, bit-reversed order out.

    (source, source_offset, target, target_offset, roots, quotients, packed, node): ``packed`` holds, per block,
    count - 1 vectors of roots, each followed by its quotients.
    """
    one = ir.Constant(I64, 1)

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> None:
        source, target, roots, quotients, packed = memories(context, builder, kinds, args, (0, 2, 4, 5, 6), count)
        values = [source.load(at(builder, args[1], (one, count * r))) for r in range(count)]
        forward_layers(builder, values, node_roots(builder, roots, quotients, args[7]))
        transpose(builder, values)
        start = builder.mul(args[7], ir.Constant(I64, 2 * count * (count - 1)))

        def packed_root(layer: int, block: int) -> Root:
            return lane_root(builder, packed, at(builder, start, (one, 2 * count * ((1 << layer) - 1 + block))))

        forward_layers(builder, values, packed_root)
        transpose(builder, values)
        for r in range(count):
            target.store(at(builder, args[3], (one, count * r)), values[r])

    return _intrinsic(emit, "auauaaau")


def _intrinsic(emit: Callable[..., None], shape: str) -> Any:
    """An intrinsic without result; ``shape`` has a letter per argument: a(rray) or u(nsigned 64-bit)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit(context, builder, signature.args, args)
        return context.get_dummy_value()

    def typer(typingctx: Any, *given: Any) -> Any:
        kinds = [kind if letter == "a" else types.uint64 for kind, letter in zip(given, shape, strict=True)]
        return types.void(*kinds), codegen

    return lanes.intrinsic_of(len(shape), typer)


def inverse_first(count: int = LANES) -> Any:
    """Intrinsic: the first L layers back, from natural order to count blocks of count in bit-reversed order.

    (source, source_offset, target, target_offset, n / count, natural, base, place): reads values at base + lane (base a
    multiple of ``count``) and writes at ``place``, which is count * bitrev(base / count).
    """
    bits = count.bit_length() - 1
    mirrored = [int(f"{r:0{bits}b}"[::-1], 2) for r in range(count)]

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> None:
        source, target, natural = memories(context, builder, kinds, args, (0, 2, 5), count)
        part, base = args[4], args[6]
        places = [at(builder, builder.add(args[1], base), (part, mirrored[r])) for r in range(count)]
        values = [source.load(place) for place in places]
        for place in places:
            lanes.emit_prefetch(builder, source.pointer(at(builder, place, (ir.Constant(I64, 1), 48)), ir.IntType(8)))

        def natural_root(layer: int, block: int) -> Root:
            # Layer k uses every 2^k-th power: its table of n / 2^(k+1) entries follows those of the layers before it.
            start = count - (count >> layer) + mirrored[block << (layer + 1)]
            return lane_root(builder, natural, at(builder, ir.Constant(I64, 0), (base, 2), (part, 2 * start)))

        inverse_layers(builder, values, natural_root)
        transpose(builder, values)
        for lane in range(count):
            target.store(at(builder, builder.add(args[3], args[7]), (part, mirrored[lane])), values[lane])

    return _intrinsic(emit, "auauuauu")


def inverse_pass(radix: int, scaled: bool, count: int = LANES) -> Any:
    """Intrinsic: log2(radix) layers back on ``count`` positions of one block.

    (array, offset, stride, roots, quotients, node, factors, position): inverted roots; ``node`` is the index of the
    block that results. A scaled pass multiplies element r * stride + lane by factors[position + r * stride + lane].
    """
    layers = radix.bit_length() - 1

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> None:
        array, roots, quotients, factors = memories(context, builder, kinds, args, (0, 3, 4, 6), count)
        places = [at(builder, args[1], (args[2], r)) for r in range(radix)]
        values = [array.load(place) for place in places]
        table = node_roots(builder, roots, quotients, args[5])
        inverse_layers(builder, values, lambda layer, block: table(layers - 1 - layer, block))
        for r in range(radix):
            if scaled:
                values[r] = lanes.emit_mul(builder, values[r], factors.load(at(builder, args[7], (args[2], r))))
            array.store(places[r], values[r])

    return _intrinsic(emit, "auuaauau")
