"""What the book's kernels need from the machine and numba has no name for: bare pointers, bit counts, prefetches.

An index into a numba array may be negative, so every access first tests its sign and adds the length; the book follows
chains of indices, where each test delays all that comes after it, and arrays are counted references besides. A pointer
has neither: the same kernel is 1.7 times as fast over pointers. Indices must then be right by construction, as they
had to be before (numba checks no bounds): callers pass what :class:`engine.book.book.OrderBook` has checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

Words = Any
"""In signatures: a bare pointer to int64 words inside compiled code (see ``words``)."""


def _words(context: Any, array: Any) -> Any:
    """Pointer to the first word of a contiguous int64 array, indexed like it; the caller keeps the array alive."""
    if array != types.int64[::1]:
        raise TypingError(f"contiguous int64 words are wanted, not {array}")

    def emit(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return make_array(signature.args[0])(target, builder, args[0]).data

    return types.CPointer(array.dtype)(array), emit


def _leading_zeros(context: Any, word: Any) -> Any:
    """Leading zero bits of a non-zero int64, as one machine instruction."""

    def emit(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


def _prefetch(context: Any, pointer: Any, index: Any) -> Any:
    """Ask for the cache line of a word that will be used soon; never a fault, whatever the index."""

    def emit(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = builder.bitcast(builder.gep(args[0], [args[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [address.type], ir.FunctionType(ir.VoidType(), [address.type, word, word, word])
        )
        builder.call(function, [address, ir.Constant(word, 0), ir.Constant(word, 3), ir.Constant(word, 1)])
        return target.get_dummy_value()

    return types.void(pointer, types.int64), emit


words: Any = intrinsic(_words)
leading_zeros: Any = intrinsic(_leading_zeros)
prefetch: Any = intrinsic(_prefetch)
