"""The native verifier's and the contracts' verdict on the same proof bytes."""

from __future__ import annotations

import numpy as np

from engine.proving.statement import build_statement, claim_terms
from engine.settlement.contracts.abi import encode_call
from engine.settlement.verifier.client import check_data, in_order, open_data
from engine.stark.errors import VerificationError
from engine.stark.pcs.schedule import phase_widths
from engine.stark.protocol.proof import Proof, decode, query_bytes
from engine.stark.protocol.verifier import verify
from tests.support.verifier_bench import SHAPE, Bench, Proved

ACCEPTED = "accepted"


def native_verdict(bench: Bench, proved: Proved) -> str:
    """The stage that the native verifier refuses at, or "accepted"."""
    terms = claim_terms(proved.claim, SHAPE)
    try:
        verify(build_statement(SHAPE), proved.inputs, terms, proved.proof, bench.setup.parameters)
    except VerificationError as error:
        return str(error.stage)
    return ACCEPTED


def contract_verdict(bench: Bench, proved: Proved) -> str:
    """The stage that the contracts refuse at, or "accepted"; nothing of it stays on the chain.

    The client decodes the bytes to make transactions of them; what does not decode cannot be brought before the
    contracts in this way and counts as its refusal.
    """
    try:
        proof = bench.split(proved)
    except VerificationError as error:
        return str(error.stage)
    opening, queries = bench.addresses.opening, bench.addresses.queries
    calls = [(opening, open_data(proof)), (queries, check_data(proof, in_order(proof)))]
    for to, data in calls:
        result = bench.chain.simulate(to, data)
        if not result.success:
            return result.reason
    return ACCEPTED


def same_transactions(bench: Bench, one: Proved, other: Proved) -> bool:
    """Whether two proofs come before the contracts as the same bytes."""
    first, second = bench.split(one), bench.split(other)
    calls = [(open_data(proof), check_data(proof, in_order(proof))) for proof in (first, second)]
    return calls[0] == calls[1]


def split_head(bench: Bench, data: bytes) -> tuple[Proof, int]:
    """The decoded proof, and where the query records start."""
    decoded, shape = decode(data, bench.setup.layout, bench.setup.parameters)
    layout = bench.setup.layout
    return decoded, len(data) - bench.setup.parameters.queries * query_bytes(layout, shape)


def leaf_sizes(bench: Bench, proved: Proved) -> list[tuple[int, int]]:
    """Bytes and log2 of the arity of each FRI leaf of a query's record."""
    _, shape = decode(proved.proof, bench.setup.layout, bench.setup.parameters)
    return [(-(-(20 << arity) // 32) * 32, arity) for arity in shape.schedule]


def trace_bytes(bench: Bench, proved: Proved) -> int:
    """Bytes of a query's record before its FRI leaves."""
    layout = bench.setup.layout
    _, shape = decode(proved.proof, layout, bench.setup.parameters)
    total = 0
    for _, tables in shape.groups:
        elements = sum(sum(widths[index] for widths in phase_widths(layout)) for index in tables)
        total += -(-4 * elements // 32) * 32
    return total


def flipped(data: bytes, place: int, bit: int) -> bytes:
    out = bytearray(data)
    out[place] ^= 1 << bit
    return bytes(out)


def places(numbers: np.random.Generator, start: int, stop: int, count: int) -> list[int]:
    return sorted(
        int(place) for place in numbers.choice(np.arange(start, stop), size=min(count, stop - start), replace=False)
    )


__all__ = [
    "ACCEPTED",
    "contract_verdict",
    "encode_call",
    "flipped",
    "leaf_sizes",
    "native_verdict",
    "places",
    "same_transactions",
    "split_head",
    "trace_bytes",
]
