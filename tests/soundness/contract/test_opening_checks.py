"""Checks of the opening contract, each met by a head or claim in which the checks before it hold.

Where the transcript changes with the forgery, a later check would refuse it too: the stage tells which one it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from engine.exchange.leaf import address_limbs
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.proving.shape import BUS_EXTERNAL
from engine.proving.statement import claim_inputs
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.transactions import contract_address, sign_transaction
from engine.settlement.verifier.artifacts import load
from engine.settlement.verifier.client import L1Proof, encode_terms, open_data
from engine.settlement.verifier.deployment import (
    DEPLOY_GAS,
    VerifierSetup,
    constraint_code,
    opening_code,
    programs,
    queries_code,
)
from engine.stark.air.table import PublicTerm
from engine.stark.protocol.proof import decode
from tests.support.verifier_bench import CHAIN_ID, EXCHANGE, KEY, Bench, Proved

OUTPUTS_INPUT = 36
"""Where the public inputs hold the 16 limbs of the outputs' hash."""
HEAD_DIGEST = slice(40, 72)
"""Where a head holds the digest of its public inputs and terms."""
HEIGHTS = 72
"""Where a head holds the tables' log2 heights, a byte each."""


@dataclass(frozen=True)
class Fields:
    """Where things begin in the head of a proof with 4 tables; ``openings``: per table first byte and count of values.

    ``nonces``: place and bits of work of each.
    """

    sums: int
    openings: tuple[tuple[int, int], ...]
    final: int
    nonces: tuple[tuple[int, int], ...]


@pytest.fixture(scope="module")
def honest(bench: Bench, proved: Proved) -> L1Proof:
    return bench.split(proved)


@pytest.fixture(scope="module")
def fields(bench: Bench, proved: Proved) -> Fields:
    parameters, layout = bench.setup.parameters, bench.setup.layout
    _, shape = decode(proved.proof, layout, parameters)
    sums, openings = HEIGHTS + len(layout.tables) + 32 + 8 + 32, []
    at = sums + 20 * sum(bool(table.groups) for table in layout.tables) + 32 + 8
    nonces = [(sums - 40, parameters.lookup_grinding), (at - 8, parameters.deep_grinding)]
    for table in layout.tables:
        openings.append((at, table.opened))
        at += 20 * table.opened
    nonces.append((at, parameters.batching_grinding))
    at += 8
    for _ in shape.schedule:
        nonces.append((at + 32, parameters.folding_grinding))
        at += 40
    nonces.append((at + (20 << shape.log_final), parameters.query_grinding))
    return Fields(sums, tuple(openings), at, tuple(nonces))


def verdict(bench: Bench, proof: L1Proof, opening: bytes | None = None) -> str:
    result = bench.chain.simulate(opening or bench.addresses.opening, open_data(proof))
    return "accepted" if result.success else result.reason


def with_bytes(proof: L1Proof, place: int, data: bytes) -> L1Proof:
    return replace(proof, head=proof.head[:place] + data + proof.head[place + len(data) :])


def created(bench: Bench, code: bytes) -> tuple[Receipt, bytes]:
    """The receipt of a creation and the contract's address."""
    nonce = bench.chain.nonce(bench.sender)
    raw = sign_transaction(KEY, chain_id=CHAIN_ID, nonce=nonce, to=b"", data=code, gas_limit=DEPLOY_GAS)
    return bench.send_raw(raw), contract_address(bench.sender, nonce)


def opening_for(bench: Bench, setup: VerifierSetup) -> bytes:
    """An opening contract for another setup, beside the other contracts of the bench."""
    code = opening_code(setup, EXCHANGE, bench.addresses.queries, bench.addresses.evaluators)
    receipt, address = created(bench, code)
    assert receipt.status
    return address


def told(proved: Proved, proof: L1Proof, outputs: bytes, terms: bytes, inputs: Sequence[int] | None = None) -> L1Proof:
    """The proof with other outputs and terms, and a public digest that fits both."""
    words = list(inputs or claim_inputs(proved.claim))
    hashed = keccak256(outputs)
    words[OUTPUTS_INPUT:] = [int.from_bytes(hashed[at : at + 2], "big") for at in range(0, 32, 2)]
    message = b"".join(word.to_bytes(4, "little") for word in (len(words), *words, len(terms) // 76)) + terms
    forged = with_bytes(proof, HEAD_DIGEST.start, keccak256(message))
    return replace(forged, outputs=outputs, terms=terms)


Entry = tuple[int, int, bytes, int]
"""Kind, account, owner, amount."""


def entries_of(proof: L1Proof) -> list[Entry]:
    pieces = [proof.outputs[at : at + 37] for at in range(0, len(proof.outputs), 37)]
    return [
        (piece[0], int.from_bytes(piece[1:9], "big"), piece[9:29], int.from_bytes(piece[29:], "big"))
        for piece in pieces
    ]


def told_entries(proved: Proved, proof: L1Proof, entries: Sequence[Entry]) -> L1Proof:
    """The proof with these deposits and withdrawals, in outputs, terms and digest alike."""
    outputs, terms = b"", []
    for kind, account, owner, amount in entries:
        outputs += bytes([kind]) + account.to_bytes(8, "big") + owner + amount.to_bytes(8, "big")
        limbs = [(amount >> (16 * i)) & 0xFFFF for i in range(4)]
        terms.append(PublicTerm(BUS_EXTERNAL, -1, (kind, account, *address_limbs(owner), *limbs)))
    return told(proved, proof, outputs, encode_terms(terms))


def test_the_honest_claim_told_again_is_the_same(bench: Bench, proved: Proved, honest: L1Proof) -> None:
    """What the forgeries below start from."""
    assert told_entries(proved, honest, entries_of(honest)) == honest
    assert verdict(bench, honest) == "accepted"


def test_heights_outside_those_given_at_deployment_are_refused(bench: Bench, honest: L1Proof) -> None:
    setup, layout = bench.setup, bench.setup.layout
    for index, height in enumerate(honest.head[HEIGHTS : HEIGHTS + len(layout.tables)]):
        for bound, reason in ((height, "accepted"), (height - 1, "encoding")):
            greatest = tuple(bound if i == index else own for i, own in enumerate(setup.greatest))
            assert verdict(bench, honest, opening_for(bench, replace(setup, greatest=greatest))) == reason, index
        table = layout.tables[index]
        taller = replace(table, table=replace(table.table, min_log_height=height + 1, max_log_height=22))
        tables = tuple(taller if i == index else own for i, own in enumerate(layout.tables))
        opening = opening_for(bench, replace(setup, layout=replace(layout, tables=tables)))
        assert verdict(bench, honest, opening) == "encoding", index


def test_heads_of_another_form_are_refused_as_such(bench: Bench, honest: L1Proof, fields: Fields) -> None:
    """Too short, too long, of four heights, of more layers than there is room for."""
    for head in (b"", honest.head[:300], honest.head[:-1], honest.head + bytes(1)):
        assert verdict(bench, replace(honest, head=head)) == "encoding"
    assert verdict(bench, with_bytes(honest, HEIGHTS, bytes([9, 8, 5, 16]))) == "encoding"
    before_layers = honest.head[: fields.nonces[2][0] + 8]
    for log_final, layers, stage in ((4, 12, "transcript"), (2, 14, "encoding")):
        head = before_layers + bytes(40 * layers + (20 << log_final) + 8)
        parameters = replace(bench.setup.parameters, log_arity=1, log_final=log_final)
        opening = opening_for(bench, replace(bench.setup, parameters=parameters))
        assert verdict(bench, replace(honest, head=head), opening) == stage


def test_heads_that_name_another_format_statement_or_claim_are_refused(bench: Bench, honest: L1Proof) -> None:
    """In calldata: the client's decoder would refuse the first two itself."""
    for place, stage in ((0, "encoding"), (7, "encoding"), (8, "transcript"), (39, "transcript"), (40, "public input")):
        assert verdict(bench, with_bytes(honest, place, bytes([honest.head[place] ^ 1]))) == stage


def test_elements_of_the_head_that_are_not_canonical_are_refused(bench: Bench, honest: L1Proof, fields: Fields) -> None:
    """Raised by p: opened values (eight at a time, and the rest), sums, the last polynomial."""
    places = [fields.sums + 20 * i for i in range(4)] + [fields.final + 20 * i for i in range(8)]
    for start, count in fields.openings:
        places += [start + 20 * i for i in {*range(min(8, count)), *range(max(0, count - 8), count)}]
    for number, place in enumerate(places):
        at = place + 4 * (number % 5)
        raised = int.from_bytes(honest.head[at : at + 4], "little") + P
        assert verdict(bench, with_bytes(honest, at, raised.to_bytes(4, "little"))) == "encoding", at


def test_nonces_without_work_are_refused(bench: Bench, honest: L1Proof, fields: Fields) -> None:
    """And any but zero where no work is asked for, or a proof could be told in many ways."""
    for place, bits in fields.nonces:
        others = [
            (int.from_bytes(honest.head[place : place + 8], "little") + i).to_bytes(8, "little") for i in range(1, 13)
        ]
        verdicts = [verdict(bench, with_bytes(honest, place, other)) for other in others]
        if bits == 0:
            assert set(verdicts) == {"grinding"}
        else:
            assert verdicts.count("grinding") >= 6, bits


def test_terms_have_to_say_what_the_outputs_say(bench: Bench, proved: Proved, honest: L1Proof) -> None:
    """Every word of a term, and how many there are of both."""
    for word in range(19):
        place = 76 + 4 * word
        terms = honest.terms[:place] + bytes([honest.terms[place] ^ 1]) + honest.terms[place + 1 :]
        assert verdict(bench, told(proved, honest, honest.outputs, terms)) == "public input", word
    for outputs, terms in (
        (honest.outputs + bytes(1), honest.terms),
        (honest.outputs[:-1], honest.terms[:-76]),
        (honest.outputs, honest.terms + bytes(76)),
        (honest.outputs, honest.terms + bytes(4)),
    ):
        assert verdict(bench, told(proved, honest, outputs, terms)) == "public input"


def test_entries_that_no_batch_may_have_are_refused(bench: Bench, proved: Proved, honest: L1Proof) -> None:
    """Told alike in outputs, terms and digest: kinds, their order, accounts, amounts."""
    first, *rest = entries_of(honest)
    kind, account, owner, amount = first
    bad = {
        "kind beyond withdrawals": [first, *rest[:-1], (2, *rest[-1][1:])],
        "withdrawals before deposits": [*rest, first],
        "an account twice": [first, first, *rest],
        "falling accounts": [first, *rest[::-1]],
        "an account beyond the tree": [(kind, account + 65536, owner, amount), *rest],
        "an account far beyond": [(kind, account + (1 << 31), owner, amount), *rest],
        "nothing": [(kind, account, owner, 0), *rest],
        "an amount beyond 63 bits": [(kind, account, owner, amount | 1 << 63), *rest],
    }
    for name, entries in bad.items():
        assert verdict(bench, told_entries(proved, honest, entries)) == "public input", name
    smaller = opening_for(bench, replace(bench.setup, account_limit=entries_of(honest)[-1][1]))
    assert verdict(bench, honest, smaller) == "public input"


def test_roots_that_are_not_canonical_are_refused(bench: Bench, proved: Proved, honest: L1Proof) -> None:
    """Raised by p with a public digest that fits."""
    for which in (0, 1):
        for limb in (0, 7):
            inputs = list(claim_inputs(proved.claim))
            inputs[8 * which + limb] += P
            root = b"".join(value.to_bytes(4, "big") for value in inputs[8 * which : 8 * which + 8])
            claim = tuple(root if place == 1 + which else part for place, part in enumerate(honest.claim))
            forged = replace(told(proved, honest, honest.outputs, honest.terms, inputs), claim=claim)
            assert verdict(bench, forged) == "public input"


def test_constructors_refuse_what_the_contracts_cannot_work_with(bench: Bench) -> None:
    """Arguments changed by words: none or too many queries, folds, final lengths, results, accounts, parameters."""
    setup = bench.setup
    opening = opening_code(setup, EXCHANGE, bench.addresses.queries, bench.addresses.evaluators)
    codes = {
        "queries": queries_code(setup),
        "constraints": constraint_code(setup, programs(setup)[0]),
        "opening": opening,
    }
    size = len(load("opening").bytecode) // 2
    parameters = int.from_bytes(opening[size + 32 : size + 64], "big") // 32
    bad = [("queries", 0, 0), ("queries", 0, 257), ("queries", 2, 5), ("queries", 3, 1), ("constraints", 1, 33)]
    bad += [("opening", 6, 65537), ("opening", parameters, 39)]
    first = int.from_bytes(opening[size + 32 * parameters + 32 :][:32], "big")
    bad += [("opening", parameters + 1, first & (1 << 224) - 1)]  # the number of queries
    for name, code in codes.items():
        assert created(bench, code)[0].status, name
    for name, word, value in bad:
        at = len(load(name).bytecode) // 2 + 32 * word
        code = codes[name][:at] + value.to_bytes(32, "big") + codes[name][at + 32 :]
        assert not created(bench, code)[0].status, (name, word)
