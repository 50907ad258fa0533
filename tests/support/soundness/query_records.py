"""Query records as the contract reads them, changed so that all but one check still holds.

A change needs new paths and roots (:meth:`Records.with_roots`), or has to leave alone the sum that the row or leaf goes
into (:meth:`Records.same_sum`, :meth:`Records.same_fold`): five coordinates over the base field, so that among any six
elements there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.proving.statement import claim_inputs, claim_terms
from engine.settlement.contracts.abi import encode_call
from engine.settlement.verifier.client import CHECK, L1Proof
from engine.settlement.verifier.context import Drawn, batches, draw
from engine.settlement.verifier.encoding import QueryOpening, joined_rows
from engine.stark.pcs.deep import Batch
from engine.stark.pcs.fri import fold_blocks
from engine.stark.pcs.schedule import Shape, phase_widths
from engine.stark.protocol.proof import decode, public_digest
from tests.support.verifier_bench import SHAPE, Bench, Proved

WORD = 32
LAYERS_AT = 15
"""Where a context's layers begin: root, folding and mixing challenge of each."""


class Part(NamedTuple):
    """Bytes of a record: a row of one phase (0 main, 1 auxiliary, 2 quotient) of a group, or a leaf (phase 3)."""

    phase: int
    number: int
    start: int
    size: int


def rows_data(proof: L1Proof, numbers: Sequence[int], openings: Sequence[QueryOpening]) -> bytes:
    """Calldata of queries with any openings, each with the paths that it needs after the one before."""
    before = [None, *(opening.index for opening in openings)]
    nodes = [node for opening, index in zip(openings, before, strict=False) for node in opening.nodes(index)]
    return encode_call(CHECK, list(proof.words), list(numbers), joined_rows(openings), nodes)


def changed(opening: QueryOpening, place: int, value: int) -> QueryOpening:
    """The opening with the 4-byte element at ``place`` replaced."""
    row = opening.row[:place] + value.to_bytes(4, "little") + opening.row[place + 4 :]
    return replace(opening, row=row)


def element(opening: QueryOpening, place: int) -> int:
    return int.from_bytes(opening.row[place : place + 4], "little")


def kernel(columns: Sequence[Sequence[int]]) -> list[int]:
    """A vector, not zero, whose sum over the columns vanishes mod p; there is one if they outnumber the rows."""
    rows = [list(row) for row in zip(*columns, strict=True)]
    pivots: list[int] = []
    for column in range(len(columns)):
        done = len(pivots)
        found = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if found is None:
            out = [0] * len(columns)
            out[column] = 1
            for row, pivot in zip(rows, pivots, strict=True):
                out[pivot] = -row[column] % P
            return out
        rows[done], rows[found] = rows[found], rows[done]
        inverse = pow(rows[done][column], -1, P)
        rows[done] = [value * inverse % P for value in rows[done]]
        for i, row in enumerate(rows):
            if i != done and row[column]:
                rows[i] = [(a - row[column] * b) % P for a, b in zip(row, rows[done], strict=True)]
        pivots.append(column)
    raise AssertionError("the columns are independent")


@dataclass(frozen=True)
class Records:
    """An honest proof in pieces, with what a forger of its queries knows."""

    proof: L1Proof
    shape: Shape
    drawn: Drawn
    batches: tuple[Batch, ...]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, bench: Bench, proved: Proved) -> Records:
        layout, parameters = bench.setup.layout, bench.setup.parameters
        decoded, shape = decode(proved.proof, layout, parameters)
        publics = public_digest(claim_inputs(proved.claim), claim_terms(proved.claim, SHAPE))
        drawn = draw(layout, shape, parameters, decoded, publics)
        parts, at = [], 0
        for group, (_, tables) in enumerate(shape.groups):
            for phase, widths in enumerate(phase_widths(layout)):
                size = 4 * sum(widths[index] for index in tables)
                parts.append(Part(phase, group, at, size))
                at += size
            at += -at % WORD
        for layer, log_arity in enumerate(shape.schedule):
            parts.append(Part(3, layer, at, 20 << log_arity))
            at += -(-(20 << log_arity) // WORD) * WORD
        combined = tuple(batches(layout, shape, decoded, drawn.deep_challenge))
        return cls(bench.split(proved), shape, drawn, combined, tuple(parts))

    def joins(self, layer: int) -> bool:
        """Whether a group joins after this FRI layer."""
        level = self.shape.groups[0][0] - sum(self.shape.schedule[: layer + 1])
        return level in self.shape.log_heights_present

    def slot(self, opening: QueryOpening, layer: int) -> int:
        """Where in the layer's leaf the query itself is."""
        start, arity = sum(self.shape.schedule[:layer]), self.shape.schedule[layer]
        return (opening.index >> start) & ((1 << arity) - 1)

    def _tree_root(self, opening: QueryOpening, phase: int) -> bytes:
        digests = {
            self.shape.groups[0][0] - self.shape.groups[part.number][0]: keccak256(
                opening.row[part.start : part.start + part.size]
            )
            for part in self.parts
            if part.phase == phase
        }
        node = digests[0]
        for level, siblings in enumerate(opening.siblings):
            node = _parent(node, siblings[phase], opening.index >> level)
            if level + 1 in digests:
                node = keccak256(node + digests[level + 1])
        return node

    def _fri_root(self, opening: QueryOpening, part: Part) -> bytes:
        start, path = opening.paths[part.number]
        node = keccak256(opening.row[part.start : part.start + part.size])
        for offset, sibling in enumerate(path):
            node = _parent(node, sibling, opening.index >> (start + offset))
        return node

    def with_roots(self, opening: QueryOpening) -> L1Proof:
        """The proof with this opening alone and the roots that its paths lead to."""
        words = list(self.proof.words)
        for phase in range(3):
            words[2 + phase] = int.from_bytes(self._tree_root(opening, phase), "big")
        for part in self.parts:
            if part.phase == 3:
                words[LAYERS_AT + 3 * part.number] = int.from_bytes(self._fri_root(opening, part), "big")
        return replace(self.proof, words=tuple(words), openings=(opening,))

    def with_words(self, words: Sequence[int]) -> L1Proof:
        """The proof under another context."""
        return replace(self.proof, words=tuple(words))

    def here_only(self, part: Part) -> list[int]:
        """Elements of a row that are opened at zeta and not at zeta w."""
        following = self.batches[part.number].at_next[part.phase].tolist()
        return [index for index, weight in enumerate(following) if not any(weight)]

    def same_sum(self, opening: QueryOpening, part: Part) -> QueryOpening:
        """Six elements of a row changed, the DEEP sums as before."""
        weights = self.batches[part.number].at_point[part.phase].tolist()
        free = self.here_only(part)[:6]
        return self._moved(opening, part, free, kernel([weights[i] for i in free]))

    def same_fold(self, opening: QueryOpening, part: Part) -> QueryOpening:
        """Elements of a leaf changed, its fold and the query's own value as before."""
        layer, arity = part.number, self.shape.schedule[part.number]
        start = sum(self.shape.schedule[:layer])
        logs = (arity, self.shape.log_domain - start, self.shape.log_domain)
        position = np.array([opening.index >> (start + arity)], dtype=np.int64)
        own = self.slot(opening, layer)
        free = [i for i in range(5 << arity) if i // 5 != own][:6]
        folds = []
        for place in free:
            block = np.zeros((5, 1 << arity, 1), dtype=np.uint64)
            block[place % 5, place // 5, 0] = 1
            folds.append(fold_blocks(block, position, self.drawn.folds[layer][0], logs)[:, 0].tolist())
        return self._moved(opening, part, free, kernel(folds))

    @staticmethod
    def _moved(opening: QueryOpening, part: Part, places: Sequence[int], by: Sequence[int]) -> QueryOpening:
        for index, value in zip(places, by, strict=True):
            place = part.start + 4 * index
            opening = changed(opening, place, (element(opening, place) + value) % P)
        return opening


def _parent(node: bytes, sibling: bytes, bit: int) -> bytes:
    return keccak256(sibling + node) if bit & 1 else keccak256(node + sibling)
