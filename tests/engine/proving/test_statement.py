"""Public inputs, public terms, outputs and the fact: exact bytes, and nothing left unbound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import OutOfRange, ProtocolError, UnknownName
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.proving.coverage import COVERED, NOT_COVERED
from engine.proving.parameters import (
    DEFAULT_PROFILE,
    LARGEST_HEIGHTS,
    PROFILES,
    Profile,
    parameter_digest,
    profile_named,
)
from engine.proving.shape import BUS_EXTERNAL, StatementShape, venue_shape
from engine.proving.statement import (
    PUBLIC_COUNT,
    Claim,
    FactParts,
    build_statement,
    check_claim,
    claim_of,
    fact,
    outputs_bytes,
    public_inputs,
    public_terms,
    statement_id,
)
from engine.sequencer.batch import ExternalFlow, root_bytes
from engine.stark.air.layout import layout_of
from engine.stark.protocol.security import assess, choose_parameters
from tests.support.proving_batches import SMALL, sample_batch

HASH = bytes(range(32))


def test_public_inputs_word_by_word():
    batch = replace(sample_batch(), number=0x0004_0003_0002_0001)
    words = public_inputs(batch, HASH)
    outputs = keccak256(outputs_bytes(batch))
    assert len(words) == PUBLIC_COUNT
    assert words[:16] == (*batch.old_root, *batch.new_root)
    assert words[16:20] == (1, 2, 3, 4)
    assert words[20:22] == (0x0001, 0x0203)
    assert b"".join(word.to_bytes(2, "big") for word in words[20:36]) == HASH
    assert b"".join(word.to_bytes(2, "big") for word in words[36:]) == outputs


def test_outputs_are_37_bytes_an_entry_deposits_first():
    batch = sample_batch()
    data = outputs_bytes(batch)
    assert len(data) == 37 * (len(batch.deposits) + len(batch.withdrawals))
    last = batch.withdrawals[-1]
    expected = b"\x01" + last.account.to_bytes(8, "big") + last.owner + last.amount.to_bytes(8, "big")
    assert data[-37:] == expected
    assert data[0] == 0
    assert data[1:9] == batch.deposits[0].account.to_bytes(8, "big")


def test_public_terms_are_received_once_each():
    terms = public_terms(sample_batch(), SMALL)
    assert {term.bus for term in terms} == {BUS_EXTERNAL}
    assert {term.multiplicity for term in terms} == {-1}
    owner = [0xA1A1] * 10
    assert [term.values for term in terms if term.values[1] == 2] == [
        (0, 2, *owner, 40, 0, 0, 0),
        (1, 2, *owner, 300 - 256, 1, 0, 0),
    ]


PARTS = FactParts(
    statement_id=b"\x01" * 32,
    parameter_digest=b"\x02" * 32,
    config_hash=b"\x03" * 32,
    chain_id=31337,
    exchange=b"\x05" * 20,
    number=6,
    old_root=(1, 2, 3, 4, 5, 6, 7, P - 1),
    new_root=(8,) * 8,
    outputs=b"abc",
)


def test_fact_is_the_hash_of_nine_words():
    words = [
        b"\x01" * 32,
        b"\x02" * 32,
        b"\x03" * 32,
        (31337).to_bytes(32, "big"),
        bytes(12) + b"\x05" * 20,
        (6).to_bytes(32, "big"),
        root_bytes(PARTS.old_root),
        root_bytes(PARTS.new_root),
        keccak256(b"abc"),
    ]
    assert fact(PARTS) == keccak256(b"".join(words))
    assert root_bytes(PARTS.old_root)[:8] == bytes([0, 0, 0, 1, 0, 0, 0, 2])


@pytest.mark.parametrize(
    "change",
    [
        {"statement_id": bytes(32)},
        {"parameter_digest": bytes(32)},
        {"config_hash": bytes(32)},
        {"chain_id": 1},
        {"exchange": bytes(20)},
        {"number": 7},
        {"old_root": (0,) * 8},
        {"new_root": (0,) * 8},
        {"outputs": b""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_fact_binds_every_part(change: dict):
    assert fact(replace(PARTS, **change)) != fact(PARTS)


@pytest.mark.parametrize(
    "change", [{"statement_id": b""}, {"exchange": bytes(32)}, {"chain_id": 1 << 256}, {"number": 1 << 64}]
)
def test_fact_refuses_parts_of_the_wrong_size(change: dict):
    with pytest.raises(ProtocolError) as caught:
        fact(replace(PARTS, **change))
    assert next(iter(change)).split("_")[0] in caught.value.field


def flow(account: int = 3, amount: int = 5, owner: bytes = bytes(20)) -> tuple[ExternalFlow, ...]:
    return (ExternalFlow(account, owner, amount),)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": 1 << 64}, "batch number"),
        ({"number": -1}, "batch number"),
        ({"config_hash": bytes(31)}, "length of config hash"),
        ({"old_root": (P,) + (0,) * 7}, "old root element"),
        ({"new_root": (0,) * 7}, "length of new root"),
        ({"deposits": flow(account=16)}, "account of a deposit (they ascend)"),
        ({"deposits": flow(3) + flow(3)}, "account of a deposit (they ascend)"),
        ({"withdrawals": flow(amount=0)}, "amount of a withdrawal"),
        ({"withdrawals": flow(amount=1 << 31)}, "amount of a withdrawal"),
        ({"deposits": flow(owner=bytes(32))}, "length of a deposit's owner"),
    ],
)
def test_claims_out_of_range_are_refused_by_name(change: dict, field: str):
    claim = claim_of(sample_batch(), HASH)
    check_claim(claim, SMALL)
    with pytest.raises(OutOfRange) as caught:
        check_claim(replace(claim, **change), SMALL)
    assert caught.value.field == field


def test_statement_id_depends_on_every_number_of_the_shape():
    shapes = [SMALL, StatementShape(5, 2, 8), StatementShape(4, 3, 8), StatementShape(4, 2, 9)]
    assert len({statement_id(shape) for shape in shapes}) == len(shapes)
    assert statement_id(SMALL) == statement_id(StatementShape(4, 2, 8))


@pytest.mark.parametrize(
    "numbers", [(0, 1, 16), (17, 1, 16), (9, 1, 8), (4, 65, 16), (4, -1, 16), (4, 1, 17), (4, 1, 7)]
)
def test_shapes_out_of_range_are_refused(numbers: tuple[int, int, int]):
    with pytest.raises(OutOfRange):
        StatementShape(*numbers)


def test_no_sum_can_wrap_at_the_greatest_height():
    """The bound in ``StatementShape.max_log_updates``: limb sums, carries and their shift stay below p."""
    for bits in range(8, 17):
        shape = StatementShape(4, 0, bits)
        rows, limb = 1 << shape.max_log_updates, shape.limb_size
        largest_sum = rows * 2 * (limb - 1)
        honest_carry = largest_sum // limb + 2
        assert honest_carry <= limb // 4
        assert largest_sum + limb // 4 + (limb // 4) * limb < P


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_parameters_reach_their_target_at_all_heights_in_use(profile: Profile):
    layout = layout_of(build_statement(venue_shape(DEFAULT_CONFIG)))
    names = [table.table.name for table in layout.tables]
    assert names == ["poseidon", "path", "update", "range"]
    for heights in ((3, 3, 3, 16), (8, 8, 5, 16), (11, 11, 8, 16), (12, 12, 9, 16), (16, 16, 12, 16), LARGEST_HEIGHTS):
        report = assess(layout, heights, profile.parameters, 2 << heights[2])
        assert report.proven_bits >= profile.parameters.target_bits >= 100


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_parameters_are_chosen_by_the_security_module(profile: Profile):
    layout, parameters = layout_of(build_statement(venue_shape(DEFAULT_CONFIG))), profile.parameters
    chosen = choose_parameters(
        layout,
        LARGEST_HEIGHTS,
        target_bits=parameters.target_bits,
        log_blowup=parameters.log_blowup,  # a matter of cost, like the work before the queries
        query_grinding=parameters.query_grinding,
        public_terms=2 << LARGEST_HEIGHTS[2],
    )
    assert replace(chosen, log_arity=parameters.log_arity) == parameters  # folds, too, are a matter of cost


def test_profiles_have_names_and_digests_of_their_own():
    assert list(PROFILES) == [profile.name for profile in PROFILES.values()] == ["quick", "frugal"]
    assert len({profile.digest for profile in PROFILES.values()}) == len(PROFILES)
    for profile in PROFILES.values():
        assert profile_named(profile.name) is profile
        assert profile.digest == parameter_digest(profile.parameters)
        assert profile.digest != parameter_digest(replace(profile.parameters, queries=profile.parameters.queries - 1))
        assert len(profile.digest) == 32
        assert f"{profile.parameters.queries} queries" in profile.terms
    assert DEFAULT_PROFILE in PROFILES.values()
    with pytest.raises(UnknownName, match="frugal, quick"):
        profile_named("thrifty")


def test_claim_of_takes_the_config_hash_of_the_venue():
    assert isinstance(claim_of(sample_batch(), config_hash(DEFAULT_CONFIG)), Claim)
    assert len(config_hash(DEFAULT_CONFIG)) == 32


def test_coverage_names_what_is_and_is_not_proved():
    text = " ".join(NOT_COVERED)
    for word in ("signed", "Matching", "margin", "liquidation", "funding", "fees"):
        assert word in text
    assert not set(COVERED) & set(NOT_COVERED)
