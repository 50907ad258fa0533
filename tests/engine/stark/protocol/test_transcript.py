"""The Fiat-Shamir chain: a vector by hand, dependence on every message, unbiased sampling, grinding."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange
from engine.field.koalabear import P
from engine.hashing.keccak import grind, keccak256
from engine.stark.parameters import Parameters
from engine.stark.protocol.transcript import KINDS, Transcript


def test_the_chain_is_the_documented_one() -> None:
    transcript = Transcript()
    state = keccak256(b"proofline-transcript-1")
    transcript.absorb("main root", b"abc")
    state = keccak256(state + b"\x01" + bytes([KINDS.index("main root")]) + (3).to_bytes(4, "little") + b"abc")
    assert transcript.state == state
    block = keccak256(state + b"\x02" + bytes(4))
    words = [int.from_bytes(block[i : i + 4], "little") & 0x7FFFFFFF for i in range(0, 32, 4)]
    assert all(word < P for word in words)
    assert transcript.challenge() == tuple(words[:5])
    second = keccak256(state + b"\x02" + (1).to_bytes(4, "little"))
    assert transcript.element() == words[5]
    assert [transcript.element() for _ in range(3)][2] == int.from_bytes(second[:4], "little") & 0x7FFFFFFF


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=40)), min_size=1, max_size=4), st.data())
def test_challenges_depend_on_every_message(messages: list[tuple[str, bytes]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(messages) - 1))
    other = list(messages)
    other[at] = data.draw(
        st.tuples(st.sampled_from(KINDS), st.binary(max_size=40)).filter(lambda item: item != messages[at])
    )
    drawn = []
    for version in (messages, other):
        transcript = Transcript()
        for kind, body in version:
            transcript.absorb(kind, body)
        drawn.append(transcript.challenge())
    assert drawn[0] != drawn[1]


def test_splitting_a_message_differently_changes_the_challenge() -> None:
    states = []
    for parts in ((b"ab", b"c"), (b"a", b"bc"), (b"abc",)):
        transcript = Transcript()
        for part in parts:
            transcript.absorb("openings", part)
        states.append(transcript.state)
    assert len(set(states)) == 3


def test_words_at_or_above_p_are_skipped() -> None:
    transcript = Transcript()
    transcript._words = [7, P - 1, P, 0x7FFFFFFF, 0x80000000 + 5]  # taken from the end
    assert [transcript.element() for _ in range(3)] == [5, P - 1, 7]


def test_points_lie_outside_the_base_field() -> None:
    transcript = Transcript()
    transcript._words = [4, 3, 2, 1, 9, 0, 0, 0, 0, 8]
    assert transcript.point() == (9, 1, 2, 3, 4)


def test_indices_fill_their_range() -> None:
    indices = Transcript().indices(4000, 3)
    counts = [indices.count(value) for value in range(8)]
    assert sum(counts) == 4000
    assert all(400 < count < 600 for count in counts)


def test_grinding_accepts_what_the_kernel_finds_and_little_else() -> None:
    transcript = Transcript()
    transcript.absorb("start", b"x")
    nonce = grind(transcript.state, 8)
    assert transcript.nonce_accepted(nonce, 8)
    accepted = sum(transcript.nonce_accepted(other, 8) for other in range(2048))
    assert 0 < accepted < 32
    assert transcript.nonce_accepted(0, 0)
    assert not transcript.nonce_accepted(1, 0)
    before = transcript.state
    transcript.absorb_nonce(nonce)
    assert transcript.state != before


def test_an_unknown_kind_is_a_programming_error() -> None:
    with pytest.raises(ValueError):
        Transcript().absorb("gossip", b"")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queries", 0),
        ("log_blowup", 0),
        ("log_arity", 5),
        ("log_final", 11),
        ("query_grinding", 41),
        ("target_bits", -1),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(OutOfRange):
        Parameters(**{"queries": 10, name: value})


def test_every_parameter_is_encoded() -> None:
    base = Parameters(queries=10, log_blowup=3)
    names = [field.name for field in dataclasses.fields(Parameters)]
    changed = {dataclasses.replace(base, **{name: getattr(base, name) + 1}).encode() for name in names}
    assert len(changed | {base.encode()}) == 1 + len(names)
