"""Unrolled butterfly networks on vectors of 16 elements, emitted as LLVM IR for the transform kernels.

Every function here becomes straight-line code in the loop that calls it: 2, 4, 8 or 16 vectors are loaded, go through
up to eight layers in registers and are stored again.

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
from engine.field.lanes import I32, I64, LANES, V32, V64_HALF, constant

Root = tuple[Any, Any, Any]
"""Even and odd half of the quotients, and the roots."""


class Memory:
    """Vector and root access to one 1-D uint32 array inside an intrinsic."""

    def __init__(self, context: Any, builder: Any, array_type: Any, array: Any) -> None:
        self.builder = builder
        self.data = context.make_array(array_type)(context, builder, array).data

    def pointer(self, index: Any, kind: Any) -> Any:
        """Pointer to ``kind`` at an i64 index."""
        return self.builder.bitcast(self.builder.gep(self.data, [index]), kind.as_pointer())

    def load(self, index: Any) -> Any:
        """16 elements."""
        return self.builder.load(self.pointer(index, V32), align=4)

    def store(self, index: Any, value: Any) -> None:
        """16 elements."""
        self.builder.store(value, self.pointer(index, V32), align=4)

    def broadcast(self, index: Any) -> Any:
        """One element in all lanes."""
        word = self.builder.load(self.pointer(index, I32), align=4)
        return lanes.emit_splat(self.builder, word)


def at(builder: Any, base: Any, *terms: Any) -> Any:
    """base + a * b + ...: each term is an (i64, int) pair."""
    total = base
    for value, factor in terms:
        total = builder.add(total, builder.mul(value, ir.Constant(I64, factor)))
    return total


def broadcast_root(builder: Any, roots: Memory, quotients: Memory, index: Any) -> Root:
    """The same root in all lanes."""
    half = builder.and_(builder.bitcast(quotients.broadcast(index), V64_HALF), constant(V64_HALF, R - 1))
    return half, half, roots.broadcast(index)


def lane_root(builder: Any, table: Memory, index: Any) -> Root:
    """A root per lane, from 16 roots and their 16 quotients."""
    quotients = table.load(at(builder, index, (ir.Constant(I64, 1), LANES)))
    return (*lanes.emit_halves(builder, quotients), table.load(index))


def times(builder: Any, value: Any, root: Root) -> Any:
    """value * root, reduced."""
    even, odd = lanes.emit_halves(builder, value)
    estimate = lanes.emit_high_words(builder, builder.mul(even, root[0]), builder.mul(odd, root[1]))
    modulus = constant(V32, P)
    rest = builder.sub(builder.mul(value, root[2]), builder.mul(estimate, modulus))
    return lanes.emit_minimum(builder, rest, builder.sub(rest, modulus))


def forward_layers(builder: Any, values: list[Any], root: Callable[[int, int], Root]) -> None:
    """Remainder tree in place: u, v -> u + r v, u - r v, reduced; root(layer, block) is asked for in order."""
    modulus = constant(V32, P)
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
                difference = builder.add(builder.sub(low, high), constant(V32, P))
                values[i + half] = times(builder, difference, factor)


def transpose(builder: Any, values: list[Any]) -> None:
    """Lane i of vector j becomes lane j of vector i, for 16 vectors: four layers of two-vector shuffles."""
    for step in (1, 2, 4, 8):
        first = [i if not i & step else LANES + i - step for i in range(LANES)]
        second = [i + step if not i & step else LANES + i for i in range(LANES)]
        for j in range(LANES):
            if not j & step:
                a, b = values[j], values[j + step]
                values[j] = builder.shuffle_vector(a, b, constant(V32, first))
                values[j + step] = builder.shuffle_vector(a, b, constant(V32, second))


def forward_pass(radix: int) -> Any:
    """Intrinsic: log2(radix) layers on 16 positions of one block.

    (source, source_offset, target, target_offset, stride, roots, quotients, node): vector r is at offset + r * stride;
    ``node`` is the block's index among the blocks of its size.
    """

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> None:
        source, target = Memory(context, builder, kinds[0], args[0]), Memory(context, builder, kinds[2], args[2])
        roots, quotients = (Memory(context, builder, kinds[k], args[k]) for k in (5, 6))
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


def _emit_chunk(context: Any, builder: Any, kinds: Any, args: Any) -> None:
    """See :data:`forward_chunk`."""
    source, target = Memory(context, builder, kinds[0], args[0]), Memory(context, builder, kinds[2], args[2])
    roots, quotients, packed = (Memory(context, builder, kinds[k], args[k]) for k in (4, 5, 6))
    values = [source.load(at(builder, args[1], (ir.Constant(I64, 1), 16 * r))) for r in range(16)]
    forward_layers(builder, values, node_roots(builder, roots, quotients, args[7]))
    transpose(builder, values)
    start = builder.mul(args[7], ir.Constant(I64, 480))

    def packed_root(layer: int, block: int) -> Root:
        return lane_root(builder, packed, at(builder, start, (ir.Constant(I64, 1), 32 * ((1 << layer) - 1 + block))))

    forward_layers(builder, values, packed_root)
    transpose(builder, values)
    for r in range(16):
        target.store(at(builder, args[3], (ir.Constant(I64, 1), 16 * r)), values[r])


def _intrinsic(emit: Callable[..., None], shape: str) -> Any:
    """An intrinsic without result; ``shape`` has a letter per argument: a(rray) or u(nsigned 64-bit)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit(context, builder, signature.args, args)
        return context.get_dummy_value()

    def typer(typingctx: Any, *given: Any) -> Any:
        kinds = [kind if letter == "a" else types.uint64 for kind, letter in zip(given, shape, strict=True)]
        return types.void(*kinds), codegen

    return lanes.intrinsic_of(len(shape), typer)


forward_chunk = _intrinsic(_emit_chunk, "auauaaau")
"""(source, source_offset, target, target_offset, roots, quotients, packed, node): the last eight layers of a block of
256 elements, bit-reversed order out; ``packed`` holds 15 vectors of roots and of quotients per block."""


def _emit_inverse_first(context: Any, builder: Any, kinds: Any, args: Any) -> None:
    """See :data:`inverse_first`."""
    source, target, natural = (Memory(context, builder, kinds[k], args[k]) for k in (0, 2, 5))
    sixteenth, base = args[4], args[6]
    order = [int(f"{r:04b}"[::-1], 2) for r in range(16)]
    places = [at(builder, builder.add(args[1], base), (sixteenth, order[r])) for r in range(16)]
    values = [source.load(place) for place in places]
    for place in places:
        lanes.emit_prefetch(builder, source.pointer(at(builder, place, (ir.Constant(I64, 1), 48)), ir.IntType(8)))

    def natural_root(layer: int, block: int) -> Root:
        # Layer k uses every 2^k-th power: its table of n / 2^(k+1) entries follows those of the layers before it.
        start = 16 - (16 >> layer) + order[block << (layer + 1)]
        return lane_root(builder, natural, at(builder, ir.Constant(I64, 0), (base, 2), (sixteenth, 2 * start)))

    inverse_layers(builder, values, natural_root)
    transpose(builder, values)
    for lane in range(16):
        place = at(builder, builder.add(args[3], args[7]), (sixteenth, order[lane]))
        target.store(place, values[lane])


inverse_first = _intrinsic(_emit_inverse_first, "auauuauu")
"""(source, source_offset, target, target_offset, n / 16, natural, base, place): the first four layers back, reading
values in natural order at base + lane (base a multiple of 16) and writing 16 blocks of 16 in bit-reversed order;
``place`` is 16 * bitrev(base / 16)."""


def inverse_pass(radix: int, scaled: bool) -> Any:
    """Intrinsic: log2(radix) layers back on 16 positions of one block.

    (array, offset, stride, roots, quotients, node, factors, position): inverted roots; ``node`` is the index of the
    block that results. A scaled pass multiplies element r * stride + lane by factors[position + r * stride + lane].
    """
    layers = radix.bit_length() - 1

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> None:
        array, roots, quotients, factors = (Memory(context, builder, kinds[k], args[k]) for k in (0, 3, 4, 6))
        places = [at(builder, args[1], (args[2], r)) for r in range(radix)]
        values = [array.load(place) for place in places]
        table = node_roots(builder, roots, quotients, args[5])
        inverse_layers(builder, values, lambda layer, block: table(layers - 1 - layer, block))
        for r in range(radix):
            if scaled:
                values[r] = lanes.emit_mul(builder, values[r], factors.load(at(builder, args[7], (args[2], r))))
            array.store(places[r], values[r])

    return _intrinsic(emit, "auuaauau")
