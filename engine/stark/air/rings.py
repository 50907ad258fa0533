"""The two rings in which constraints are evaluated by the same code.

The verifier evaluates at one point of the extension (:class:`PointRing`, Python integers), the prover's reference on a
whole domain (:class:`ArrayRing`, numpy). "Base" values are the columns: extension elements at a point, base-field
elements on a domain.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P

B = TypeVar("B")
E = TypeVar("E")
Words = NDArray[np.uint64]
_P = np.uint64(P)


class Ring(Protocol, Generic[B, E]):
    """Operations on column values (``base_*``) and on extension values."""

    def constant(self, value: int) -> B: ...
    def base_add(self, a: B, b: B) -> B: ...
    def base_sub(self, a: B, b: B) -> B: ...
    def base_mul(self, a: B, b: B) -> B: ...
    def lift(self, value: B) -> E: ...
    def embed(self, value: Extension) -> E: ...
    def add(self, a: E, b: E) -> E: ...
    def sub(self, a: E, b: E) -> E: ...
    def mul(self, a: E, b: E) -> E: ...


class PointRing:
    """One extension element per value; constants stay integers, since scaling is cheaper than a product."""

    def constant(self, value: int) -> Extension | int:
        return value

    def base_add(self, a: Extension | int, b: Extension | int) -> Extension | int:
        return extension.add(self.lift(a), self.lift(b))

    def base_sub(self, a: Extension | int, b: Extension | int) -> Extension | int:
        return extension.sub(self.lift(a), self.lift(b))

    def base_mul(self, a: Extension | int, b: Extension | int) -> Extension | int:
        if isinstance(a, int):
            return extension.scale(self.lift(b), a)
        return extension.scale(a, b) if isinstance(b, int) else extension.mul(a, b)

    def lift(self, value: Extension | int) -> Extension:
        return extension.embed(value) if isinstance(value, int) else value

    def embed(self, value: Extension) -> Extension:
        return value

    add = staticmethod(extension.add)
    sub = staticmethod(extension.sub)
    mul = staticmethod(extension.mul)


class ArrayRing:
    """Base values: uint64 arrays (rows,) of canonical elements; extension values: (5, rows)."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def constant(self, value: int) -> Words:
        return np.full(self.rows, value % P, dtype=np.uint64)

    def base_add(self, a: Words, b: Words) -> Words:
        return (a + b) % _P

    def base_sub(self, a: Words, b: Words) -> Words:
        return (a + (_P - b)) % _P

    def base_mul(self, a: Words, b: Words) -> Words:
        return a * b % _P

    def lift(self, value: Words) -> Words:
        out = np.zeros((DEGREE, self.rows), dtype=np.uint64)
        out[0] = value
        return out

    def embed(self, value: Extension) -> Words:
        return np.repeat(np.array(value, dtype=np.uint64)[:, None], self.rows, axis=1)

    add, sub = base_add, base_sub

    def mul(self, a: Words, b: Words) -> Words:
        """The product of ``extension.mul``, reduced often enough to stay below 2^64."""
        product = np.zeros((2 * DEGREE - 1, a.shape[1]), dtype=np.uint64)
        for i in range(DEGREE):
            product[i : i + DEGREE] += a[i] * b % _P
        product %= _P
        d5, d6, d7, d8 = product[DEGREE:]
        folded = [d5 + _P - d8, d6, 2 * _P + d7 + d8 - d5, _P + d8 - d6, _P - d7]
        return np.stack([(low + high) % _P for low, high in zip(product[:DEGREE], folded, strict=True)])

    def inverse(self, a: Words) -> Words:
        """1 / a elementwise, none of them zero: products of pairs, one inverse, and back."""
        size = a.shape[1]
        if size == 1:
            return np.array(extension.inverse(tuple(a[:, 0].tolist())), dtype=np.uint64)[:, None]
        half = size // 2
        left, right = a[:, :half], a[:, half : 2 * half]
        both = self.inverse(self.mul(left, right))
        parts = [self.mul(both, right), self.mul(both, left)]
        if size % 2:
            parts.append(self.inverse(a[:, -1:]))
        return np.concatenate(parts, axis=1)
