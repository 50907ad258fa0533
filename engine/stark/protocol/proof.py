"""Proof bytes: layout, version 1. One byte string for one proof; everything else is refused.

All integers little-endian; an element is a canonical u32, an extension element five, a digest 32 bytes, a nonce a u64.

====================  ==============================================================================================
magic                 ``PLSTARK1``
statement digest      keccak(layout digest || parameters)
public digest         keccak of public inputs and public terms (``public_digest``)
heights               one byte per table: log2 of its rows
main root             digest
lookup nonce, root    nonce; digest of the auxiliary tree             (only if the statement has interactions)
sums                  one extension element per table with interactions, its LogUp total (likewise)
quotient root         digest
deep nonce
openings              per table, at the out-of-domain point zeta: main columns, auxiliary, quotient chunks; then at
                      zeta*w: the main columns read on the next row, the running sum
batching nonce
FRI layers            per fold: root, nonce
final polynomial      2**log_final extension elements, constant term first
query nonce
queries               fixed-size records. Per tree (main, auxiliary, quotient): the opened row of each matrix, tallest
                      first, then the path, leaf to root. Per FRI layer: the 2**arity - 1 siblings, then the path.
====================  ==============================================================================================

Every length follows from the statement, the parameters and the heights, so the total is known after the heights are
read and compared with the length at hand before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.stark.air.layout import QUOTIENT_CHUNKS, Layout, TableLayout
from engine.stark.air.table import PublicTerm
from engine.stark.errors import NOWHERE, Tree, VerificationError, Where
from engine.stark.parameters import Parameters
from engine.stark.pcs.deep import Openings
from engine.stark.pcs.schedule import Shape, TreeOpenings, TreeShape, make_shape, phase_trees
from engine.stark.protocol.inputs import heights_problem

MAGIC = b"PLSTARK1"
DIGEST = 32
TREES: tuple[Tree, ...] = get_args(Tree)


@dataclass(frozen=True, slots=True)
class Proof:
    """A decoded proof; fields in the order of the encoding."""

    statement_digest: bytes
    public_digest: bytes
    log_heights: tuple[int, ...]
    main_root: bytes
    lookup_nonce: int
    auxiliary_root: bytes
    sums: tuple[Extension, ...]
    quotient_root: bytes
    deep_nonce: int
    openings: tuple[Openings, ...]
    batching_nonce: int
    fri_roots: tuple[bytes, ...]
    fri_nonces: tuple[int, ...]
    final: tuple[Extension, ...]
    query_nonce: int
    trees: tuple[TreeOpenings, ...]
    layers: tuple[TreeOpenings, ...]


def statement_digest(layout: Layout, parameters: Parameters) -> bytes:
    """What a proof is bound to before its public part: statement, tables, constraints and every parameter."""
    return keccak256(layout.digest + parameters.encode())


def public_digest(public_inputs: Sequence[int], public_terms: Sequence[PublicTerm]) -> bytes:
    """Digest of canonical public inputs and terms; multiplicities enter mod p."""
    words = [len(public_inputs), *public_inputs, len(public_terms)]
    for term in public_terms:
        words += [term.bus, term.multiplicity % P, len(term.values), *term.values]
    return keccak256(b"".join(word.to_bytes(4, "little") for word in words))


def fri_trees(shape: Shape) -> tuple[TreeShape, ...]:
    """Tree and opened siblings of each FRI layer."""
    trees, log_size = [], shape.log_domain
    for log_arity in shape.schedule:
        log_size -= log_arity
        trees.append(TreeShape(((log_size, DEGREE * ((1 << log_arity) - 1)),)))
    return tuple(trees)


def _tree_bytes(tree: TreeShape) -> int:
    return 4 * tree.row_elements + DIGEST * tree.depth


def _table_sizes(table: TableLayout) -> tuple[int, int, int, int, int]:
    return table.width, table.auxiliary, QUOTIENT_CHUNKS, len(table.next_columns), 1 if table.groups else 0


def query_bytes(layout: Layout, shape: Shape) -> int:
    """Length of one query's record."""
    return sum(_tree_bytes(tree) for tree in (*phase_trees(layout, shape), *fri_trees(shape)))


def proof_bytes(layout: Layout, shape: Shape, parameters: Parameters) -> int:
    """Length of a proof."""
    element = 4 * DEGREE
    size = len(MAGIC) + 2 * DIGEST + len(layout.tables) + DIGEST
    if layout.bus_arity:
        size += 8 + DIGEST + element * sum(1 for table in layout.tables if table.groups)
    size += DIGEST + 8 + element * sum(table.opened for table in layout.tables) + 8
    size += len(shape.schedule) * (DIGEST + 8) + element * (1 << shape.log_final) + 8
    return size + parameters.queries * query_bytes(layout, shape)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise VerificationError("encoding", "the proof ends early", value=len(self.data), limit=self.at + count)
        self.at += count
        return self.data[self.at - count : self.at]

    def nonce(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def extensions(self, count: int, where: Where = NOWHERE) -> tuple[Extension, ...]:
        words = np.frombuffer(self.take(4 * DEGREE * count), dtype="<u4")
        if words.size and int(words.max()) >= P:
            raise _not_canonical(int(words.max()), where)
        return tuple(tuple(row) for row in words.reshape(count, DEGREE).tolist())

    def openings(self, table: TableLayout) -> Openings:
        where = Where(tables=(table.table.name,))
        main, auxiliary, quotient, following, sums = (self.extensions(size, where) for size in _table_sizes(table))
        return Openings(main, auxiliary, quotient, following, sums)


def _not_canonical(value: int, where: Where) -> VerificationError:
    return VerificationError("encoding", "a field element is not canonical", where=where, value=value, limit=P)


def _split_records(records: NDArray[np.uint8], tree: TreeShape, at: int, log_blowup: int, name: Where) -> TreeOpenings:
    """One tree's part of every query's record, from byte ``at`` on; ``name``: whose tree it is."""
    rows = []
    for log_rows, width in tree.matrices:
        block = np.ascontiguousarray(records[:, at : at + 4 * width]).view("<u4")
        if int(block.max()) >= P:
            query = int(np.argmax(block.max(axis=1) >= P))
            height = None if name.tree is None else log_rows - log_blowup
            raise _not_canonical(int(block.max()), replace(name, query=query, log_height=height))
        rows.append(block)
        at += 4 * width
    paths = records[:, at : at + DIGEST * tree.depth].reshape(len(records), tree.depth, DIGEST)
    return TreeOpenings(tuple(rows), paths)


def _read_heights(reader: _Reader, layout: Layout, parameters: Parameters) -> tuple[int, ...]:
    heights = tuple(reader.take(len(layout.tables)))
    for table, height in zip(layout.tables, heights, strict=True):
        problem = heights_problem(table.table, height, parameters)
        if problem:
            where = Where(tables=(table.table.name,), log_height=height)
            raise VerificationError("encoding", problem, where=where, value=height)
    return heights


def decode(data: bytes, layout: Layout, parameters: Parameters) -> tuple[Proof, Shape]:
    """Parse proof bytes. Raises :class:`VerificationError` with stage ``encoding`` for anything malformed."""
    reader = _Reader(data)
    if reader.take(len(MAGIC)) != MAGIC:
        raise VerificationError("encoding", "unknown magic or version", limit=MAGIC.decode())
    digests = reader.take(DIGEST), reader.take(DIGEST)
    heights = _read_heights(reader, layout, parameters)
    shape = make_shape(layout, heights, parameters)
    expected = proof_bytes(layout, shape, parameters)
    if len(data) != expected:
        raise VerificationError("encoding", "wrong proof length", value=len(data), limit=expected)
    return _decode_body(reader, digests, layout, shape, parameters), shape


def _decode_body(
    reader: _Reader, digests: tuple[bytes, bytes], layout: Layout, shape: Shape, parameters: Parameters
) -> Proof:
    main_root, nonce, auxiliary_root = reader.take(DIGEST), 0, b""
    if layout.bus_arity:
        nonce, auxiliary_root = reader.nonce(), reader.take(DIGEST)
    sums = reader.extensions(sum(1 for table in layout.tables if table.groups))
    quotient_root, deep_nonce = reader.take(DIGEST), reader.nonce()
    openings = tuple(reader.openings(table) for table in layout.tables)
    batching_nonce = reader.nonce()
    layers = [(reader.take(DIGEST), reader.nonce()) for _ in shape.schedule]
    final, query_nonce = reader.extensions(1 << shape.log_final), reader.nonce()
    size = query_bytes(layout, shape)
    records = np.frombuffer(reader.take(parameters.queries * size), dtype=np.uint8).reshape(parameters.queries, size)
    parts, at = [], 0
    names = [*(Where(tree=tree) for tree in TREES), *(Where(round=k + 1) for k in range(len(shape.schedule)))]
    for tree, name in zip((*phase_trees(layout, shape), *fri_trees(shape)), names, strict=True):
        parts.append(_split_records(records, tree, at, shape.log_blowup, name))
        at += _tree_bytes(tree)
    return Proof(
        *digests, shape.log_heights, main_root, nonce, auxiliary_root, sums, quotient_root, deep_nonce, openings,
        batching_nonce, tuple(root for root, _ in layers), tuple(item for _, item in layers), final, query_nonce,
        tuple(parts[:3]), tuple(parts[3:]),
    )  # fmt: skip


def encode_extensions(values: Sequence[Extension]) -> bytes:
    """Extension elements as canonical words."""
    return np.array(values, dtype="<u4").tobytes()


def _encode_records(proof: Proof) -> bytes:
    blocks = []
    for part in (*proof.trees, *proof.layers):
        for rows in part.rows:
            blocks.append(np.ascontiguousarray(rows, dtype="<u4").view(np.uint8))
        blocks.append(part.paths.reshape(len(part.paths), -1))
    return np.concatenate(blocks, axis=1).tobytes()


def encode(proof: Proof, layout: Layout) -> bytes:
    """The bytes of a proof; the inverse of :func:`decode`."""
    parts = [MAGIC, proof.statement_digest, proof.public_digest, bytes(proof.log_heights), proof.main_root]
    if layout.bus_arity:
        parts += [proof.lookup_nonce.to_bytes(8, "little"), proof.auxiliary_root, encode_extensions(proof.sums)]
    parts += [proof.quotient_root, proof.deep_nonce.to_bytes(8, "little")]
    parts += [encode_extensions(openings.flat()) for openings in proof.openings]
    parts.append(proof.batching_nonce.to_bytes(8, "little"))
    parts += [root + nonce.to_bytes(8, "little") for root, nonce in zip(proof.fri_roots, proof.fri_nonces, strict=True)]
    parts += [encode_extensions(proof.final), proof.query_nonce.to_bytes(8, "little"), _encode_records(proof)]
    return b"".join(parts)
