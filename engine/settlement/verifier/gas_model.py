"""What verifying costs on L1, from the shape of a proof: ``python -m engine.settlement.verifier.gas_model``.

Calldata follows exactly from the shape (but for zero bytes, counted as non-zero). The prices of execution were fitted
to measurements on the embedded chain; docs/verifier.md has both side by side.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.exchange.config import DEFAULT_CONFIG
from engine.field.extension import DEGREE
from engine.proving.shape import venue_shape
from engine.proving.statement import build_statement
from engine.settlement.chain.transactions import BASE_GAS, FLOOR_TOKEN_GAS, STANDARD_TOKEN_GAS
from engine.settlement.verifier.client import MAX_BATCH
from engine.stark.air.layout import QUOTIENT_CHUNKS, Layout, layout_of
from engine.stark.parameters import Parameters
from engine.stark.pcs.schedule import Shape, make_shape, phase_trees
from engine.stark.protocol import security
from engine.stark.protocol.proof import fri_trees

WORD = 32
OPENING_GAS = 3_050_000
"""Execution of the opening: 2.15 M constraints, 0.3 M claims, 0.2 M reading, transcript; without public terms."""
TERM_GAS = 4_780
SETUP_GAS = 795_000
"""Per query transaction: powers of the DEEP challenge as weights of the opened columns, memory."""
PASS_WORDS = 4
"""Words that the DEEP sums take at a time."""
PASS_GAS = 2_300
TREE_NODE_GAS, PATH_NODE_GAS = 205, 295
GROUP_GAS, LAYER_GAS, VALUE_GAS, PAIR_GAS, QUAD_GAS, QUERY_GAS = 6_000, 2_600, 190, 720, 450, 6_000
BYTE_GAS = 4 * STANDARD_TOKEN_GAS
FLOOR_GAS = 4 * FLOOR_TOKEN_GAS


@dataclass(frozen=True, slots=True)
class GasEstimate:
    """``calldata``: bytes; ``total``: gas of all transactions, the floor price applied to each."""

    queries: int
    transactions: int
    calldata: int
    query_execution: int
    query_calldata: int
    total: int


def estimate(layout: Layout, log_heights: tuple[int, ...], parameters: Parameters, terms: int = 0) -> GasEstimate:
    """Gas of verifying a proof with these table heights and ``terms`` deposits and withdrawals."""
    shape = make_shape(layout, log_heights, parameters)
    trees, layers = phase_trees(layout, shape), fri_trees(shape)
    # A sorted query meets its neighbour's path about log2(queries) levels below the root.
    shared = math.log2(parameters.queries)
    siblings = sum(max(0.0, tree.depth - shared) for tree in trees)
    path_nodes = sum(max(0.0, layer.depth - shared) for layer in layers)
    nodes = round(siblings + path_nodes)
    spared = WORD * round(sum(tree.depth for tree in (*trees, *layers)) - siblings - path_nodes)
    values = sum(1 << arity for arity in shape.schedule)
    execution = round(PASS_GAS * _passes(layout, shape) + TREE_NODE_GAS * siblings + PATH_NODE_GAS * path_nodes)
    execution += GROUP_GAS * len(shape.groups) + LAYER_GAS * len(layers) + VALUE_GAS * values
    execution += PAIR_GAS * (values - len(layers)) + QUAD_GAS * (1 << shape.log_final) // 4 + QUERY_GAS
    row = 4 * sum(width for tree in trees for _, width in tree.matrices) + 20 * values
    used = WORD * nodes + row
    padding = 4 * WORD  # words that are not full, and the number
    data = BYTE_GAS * used + STANDARD_TOKEN_GAS * padding
    opened = 20 * sum(table.opened for table in layout.tables) + 113 * terms + 1_500
    batches = _batches(parameters.queries, used + padding)
    context = WORD * (15 + 3 * len(shape.schedule) + (1 << shape.log_final))
    total = 2 * BASE_GAS + 32_000
    total += max(OPENING_GAS + TERM_GAS * terms + BYTE_GAS * opened, FLOOR_GAS * opened)
    for count in batches:
        size = context + count * used + spared
        extra = BYTE_GAS * (context + spared)
        total += BASE_GAS + max(SETUP_GAS + count * (execution + data) + extra, FLOOR_GAS * size)
    calldata = opened + sum(context + spared + count * (used + padding) for count in batches)
    return GasEstimate(parameters.queries, len(batches) + 2, calldata, execution, data, total)


def _passes(layout: Layout, shape: Shape) -> int:
    """Groups of four words in the DEEP sums of a query, at zeta and at zeta w."""
    passes = 0
    for _, tables in shape.groups:
        own = [layout.tables[index] for index in tables]
        elements = sum(table.width + DEGREE * (table.auxiliary + QUOTIENT_CHUNKS) for table in own)
        following = sum(-(-len(table.next_columns) // 4) + 1 for table in own)  # words, as scattered as ours are
        passes += -(-elements // (8 * PASS_WORDS)) + -(-following // PASS_WORDS)
    return passes


def _batches(queries: int, size: int) -> list[int]:
    """Queries per transaction."""
    most = min(MAX_BATCH, 127_500 // size)
    transactions = -(-queries // most)
    even = -(-queries // transactions)
    return [min(even, queries - first) for first in range(0, queries, even)]


def table(layout: Layout, log_heights: tuple[int, ...], blowups: Sequence[int], grinding: Sequence[int]) -> list[str]:
    """Rows of a Markdown table: parameters chosen by the security module for 100 proven bits, and their gas."""
    rows = [
        "| rate | grinding | queries | bits | proof bytes on L1 | transactions | gas |",
        "|---|---|---|---|---|---|---|",
    ]
    for log_blowup in blowups:
        for bits in grinding:
            chosen = security.choose_parameters(layout, log_heights, log_blowup=log_blowup, query_grinding=bits)
            chosen = replace(chosen, log_arity=4)
            level = security.assess(layout, log_heights, chosen).proven_bits
            gas = estimate(layout, log_heights, chosen)
            rows.append(
                f"| 1/{1 << log_blowup} | {bits} | {gas.queries} | {level:.1f} | {gas.calldata:,} "
                f"| {gas.transactions} | {gas.total / 1e6:.1f} M |"
            )
    return rows


def main() -> None:
    """Print the tables of a small and of a full batch."""
    layout = layout_of(build_statement(venue_shape(DEFAULT_CONFIG)))
    for title, heights in (("64 updates", (11, 11, 8, 16)), ("4,096 updates", (17, 17, 12, 16))):
        lines = [f"{title}, log heights {heights}", "", *table(layout, heights, (2, 3, 4), (16, 20, 24)), ""]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
