"""A proof as L1 transactions: one opens it, some bring its queries, the last one registers the fact.

``split_proof`` does the arithmetic, ``VerifierClient`` signs. Transactions keep to Ethereum's limits: 128 KiB in a
mempool, 2^24 gas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.field.koalabear import P
from engine.proving.shape import StatementShape
from engine.proving.statement import Claim, FactParts, claim_inputs, claim_outputs, claim_terms, fact
from engine.sequencer.batch import root_bytes
from engine.settlement.chain.ledger import Ledger
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, sign_transaction
from engine.settlement.contracts.abi import decode_words, encode_arguments, encode_call, selector
from engine.settlement.verifier.context import batches, context_digest, context_words, draw
from engine.settlement.verifier.deployment import VerifierAddresses, VerifierSetup
from engine.settlement.verifier.encoding import ROW_WORDS, WORD, QueryOpening, joined_rows, query_openings
from engine.stark.air.table import PublicTerm
from engine.stark.protocol.proof import decode, public_digest, query_bytes

MAX_BATCH = 20
"""Queries per transaction, as the contract has it."""
MAX_NODES = 1920
"""Siblings per transaction, as the contract has it."""
MAX_TRANSACTION_DATA = 130_900
"""Bytes of calldata per transaction, leaving room for the envelope (at most 150 bytes) below 128 KiB."""
OPEN = "open(bytes,(uint64,bytes32,bytes32,bytes32),bytes,bytes)"
OPEN_TYPES = ("bytes", "(uint64,bytes32,bytes32,bytes32)", "bytes", "bytes")
CHECK = "check(uint256[],uint256[],bytes,bytes32[])"


@dataclass(frozen=True, slots=True)
class L1Proof:
    """A proof cut up for L1. ``context``: digest that its facts are kept under; ``fact``: what it proves in the end."""

    head: bytes
    claim: tuple[int, bytes, bytes, bytes]
    outputs: bytes
    terms: bytes
    fact: bytes
    words: tuple[int, ...]
    context: bytes
    openings: tuple[QueryOpening, ...]


def encode_terms(terms: Sequence[PublicTerm]) -> bytes:
    """Public terms as the public digest takes them, without their count."""
    words: list[int] = []
    for term in terms:
        words += [term.bus, term.multiplicity % P, len(term.values), *term.values]
    return b"".join(word.to_bytes(4, "little") for word in words)


def split_proof(
    setup: VerifierSetup, shape: StatementShape, claim: Claim, proof: bytes, *, chain_id: int, exchange: bytes
) -> L1Proof:
    """Cut up a STARK proof (``protocol.proof``) of a claim. Nothing is verified; raises VerificationError for bytes
    that do not decode."""
    layout, parameters = setup.layout, setup.parameters
    decoded, form = decode(proof, layout, parameters)
    outputs, terms = claim_outputs(claim), claim_terms(claim, shape)
    parts = FactParts(
        statement_id=layout.digest,
        parameter_digest=setup.parameter_digest,
        config_hash=claim.config_hash,
        chain_id=chain_id,
        exchange=exchange,
        number=claim.number,
        old_root=claim.old_root,
        new_root=claim.new_root,
        outputs=outputs,
    )
    drawn = draw(layout, form, parameters, decoded, public_digest(claim_inputs(claim), terms))
    combined = batches(layout, form, decoded, drawn.deep_challenge)
    words = context_words(form, decoded, drawn, combined, fact(parts))
    values = (claim.number, root_bytes(claim.old_root), root_bytes(claim.new_root), claim.config_hash)
    return L1Proof(
        head=proof[: len(proof) - parameters.queries * query_bytes(layout, form)],
        claim=values,
        outputs=outputs,
        terms=encode_terms(terms),
        fact=fact(parts),
        words=tuple(words),
        context=context_digest(words),
        openings=tuple(query_openings(layout, form, decoded, drawn, combined)),
    )


def open_data(proof: L1Proof) -> bytes:
    """Calldata of the opening."""
    return selector(OPEN) + encode_arguments(OPEN_TYPES, proof.head, proof.claim, proof.outputs, proof.terms)


def check_data(proof: L1Proof, numbers: Sequence[int]) -> bytes:
    """Calldata of the queries with these numbers, which have rising indices."""
    chosen = [proof.openings[number] for number in numbers]
    before = [None, *(opening.index for opening in chosen)]
    nodes = [
        node for opening, index in zip(chosen, before[: len(chosen)], strict=True) for node in opening.nodes(index)
    ]
    return encode_call(CHECK, list(proof.words), list(numbers), joined_rows(chosen), nodes)


def in_order(proof: L1Proof) -> list[int]:
    """The numbers of all queries by rising index: neighbours share most of their paths."""
    return sorted(range(len(proof.openings)), key=lambda number: proof.openings[number].index)


def query_batches(proof: L1Proof, limit: int = MAX_TRANSACTION_DATA, verified: int = 0) -> list[list[int]]:
    """The numbers of the queries of each transaction, in rising order of their indices: each as full as it may be,
    which makes the fewest transactions. ``verified``: queries that need not be sent, bit by bit."""
    empty = len(check_data(proof, [])) + WORD * ROW_WORDS - min(len(opening.row) for opening in proof.openings)
    pieces: list[list[int]] = []
    size, nodes, before = 0, 0, None
    for number in in_order(proof):
        if verified >> number & 1:
            continue
        opening = proof.openings[number]
        more = len(opening.nodes(before))
        full = pieces and (len(pieces[-1]) == MAX_BATCH or nodes + more > MAX_NODES)
        if not pieces or full or size + len(opening.row) + WORD * (1 + more) > limit:
            pieces.append([])
            size, nodes, more = empty, 0, len(opening.nodes(None))
        pieces[-1].append(number)
        size, nodes, before = size + len(opening.row) + WORD * (1 + more), nodes + more, opening.index
    return pieces


class VerifierClient:
    """The verifier of one venue on one chain. Transactions come back raw and signed, for :meth:`Ledger.include`."""

    def __init__(self, chain: Ledger, addresses: VerifierAddresses) -> None:
        self.chain = chain
        self.addresses = addresses

    def transactions(self, key: bytes, proof: L1Proof, nonce: int) -> list[bytes]:
        """Everything that makes the proof's fact valid and is not on the chain yet, in order."""
        return [self.sign(key, to, data, nonce + at) for at, (_, to, data) in enumerate(self.remaining(proof))]

    def sign(self, key: bytes, to: bytes, data: bytes, nonce: int) -> bytes:
        """A transaction that may use all the gas that one transaction may."""
        chain = self.chain
        return sign_transaction(
            key,
            chain_id=chain.chain_id,
            nonce=nonce,
            to=to,
            data=data,
            gas_limit=MAX_GAS_LIMIT,
            gas_price=chain.gas_price,
        )

    def remaining(self, proof: L1Proof) -> list[tuple[str, bytes, bytes]]:
        """What the chain does not have of a proof yet: kind, address and calldata of each call, in order.

        Kinds: open, check (some queries), register.
        """
        if self.is_valid(proof.fact):
            return []
        opening, queries = self.addresses.opening, self.addresses.queries
        calls = [] if self._opened(proof.context) == proof.fact else [("open", opening, open_data(proof))]
        pieces = query_batches(proof, verified=self._verified(proof.context))
        calls += [("check", queries, check_data(proof, piece)) for piece in pieces]
        return [*calls, ("register", opening, encode_call("register(bytes32)", proof.context))]

    def _opened(self, context: bytes) -> bytes:
        call = encode_call("opened(bytes32)", context)
        return bytes(decode_words(("bytes32",), self.chain.call(self.addresses.opening, call))[0])

    def _verified(self, context: bytes) -> int:
        call = encode_call("verified(bytes32)", context)
        return int(decode_words(("uint256",), self.chain.call(self.addresses.queries, call))[0])

    def is_valid(self, fact: bytes) -> bool:
        """Whether a fact was registered."""
        call = encode_call("is_valid(bytes32)", fact)
        return bool(decode_words(("bool",), self.chain.call(self.addresses.opening, call))[0])
