"""Poseidon reference: public vector, constants from their generator, witness rows and the modes of use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange, ProtocolError
from engine.field.koalabear import P
from engine.hashing import poseidon
from engine.hashing.poseidon_constants import HALF_FULL_ROUNDS, PARTIAL_ROUNDS, ROUND_CONSTANTS, ROUNDS, WIDTH

FORMS = poseidon.partial_round_forms()
words16 = st.lists(st.one_of(st.integers(0, P - 1), st.sampled_from([0, P - 1])), min_size=16, max_size=16)


def grain(partial_rounds: int) -> Iterator[int]:
    """Field elements of the Grain generator (eprint 2019/458, appendix F): GF(p), x^alpha, 31 bits, width 16."""
    fields = [
        (1, 2),
        (0, 4),
        (31, 12),
        (WIDTH, 12),
        (2 * HALF_FULL_ROUNDS, 10),
        (partial_rounds, 10),
        ((1 << 30) - 1, 30),
    ]
    bits = [int(b) for value, size in fields for b in format(value, f"0{size}b")]

    def step() -> int:
        bit = bits[62] ^ bits[51] ^ bits[38] ^ bits[23] ^ bits[13] ^ bits[0]
        bits.append(bit)
        bits.pop(0)
        return bit

    for _ in range(160):
        step()
    while True:
        word = 0
        for _ in range(31):
            while step() == 0:
                step()
            word = 2 * word + step()
        if word < P:
            yield word


def test_public_vector() -> None:
    # leanSpec tests/spec/crypto/test_poseidon.py and Plonky3 koala-bear/src/poseidon1.rs
    assert poseidon.permute(range(16)) == (
        *(610090613, 935319874, 1893335292, 796792199, 356405232, 552237741, 55134556, 1215104204),
        *(1823723405, 1133298033, 1780633798, 1453946561, 710069176, 1128629550, 1917333254, 1175481618),
    )


def test_constants_come_from_the_generator_for_20_partial_rounds() -> None:
    assert (PARTIAL_ROUNDS, ROUNDS) == (20, 28)
    words = grain(20)
    assert tuple(tuple(next(words) for _ in range(WIDTH)) for _ in range(ROUNDS)) == ROUND_CONSTANTS
    assert next(grain(13)) != ROUND_CONSTANTS[0][0]  # BabyBear's round number seeds other constants


@settings(max_examples=25, deadline=None)
@given(words16)
def test_witness_row_satisfies_every_relation(state: list[int]) -> None:
    row = poseidon.witness_row(state)
    assert len(row) == poseidon.WITNESS_COLUMNS == 164
    assert list(row[:16]) == state
    assert row[148:] == poseidon.permute(state)
    for index in range(4):
        check_full_round(row[16 * index :][:16], row[16 * index + 16 :][:16], ROUND_CONSTANTS[index])
    cubed, after = FORMS
    variables = (*row[64:100], 1)
    for form, cube in zip(cubed, row[80:100], strict=True):
        assert pow(sum(c * v for c, v in zip(form, variables, strict=True)), 3, P) == cube
    entering = [sum(c * v for c, v in zip(form, variables, strict=True)) % P for form in after]
    for index in range(4):
        leaving = row[100 + 16 * index :][:16]
        check_full_round(entering, leaving, ROUND_CONSTANTS[24 + index])
        entering = list(leaving)


def check_full_round(before: list[int] | tuple[int, ...], after: tuple[int, ...], constants: tuple[int, ...]) -> None:
    assert list(after) == poseidon.apply_matrix([pow(x + c, 3, P) for x, c in zip(before, constants, strict=True)])


def test_forms_are_causal() -> None:
    cubed, _ = FORMS
    for index, form in enumerate(cubed):
        assert not any(form[WIDTH + index : WIDTH + PARTIAL_ROUNDS])


def test_compress_is_permute_with_feed_forward() -> None:
    state = [P - 1 - i for i in range(16)]
    out = poseidon.permute(state)
    assert poseidon.compress(state[:8], state[8:]) == tuple((out[i] + state[i]) % P for i in range(8))


def test_sponge_absorbs_block_by_block() -> None:
    words = list(range(1, 12))
    first = poseidon.permute([*words[:8], 7, 11, 0, 0, 0, 0, 0, 0])
    second = poseidon.permute([*words[8:], 0, 0, 0, 0, 0, *first[8:]])
    assert poseidon.sponge_hash(words, 7) == second[:8]


def test_sponge_separates_length_and_domain() -> None:
    seen = [poseidon.sponge_hash([0] * count, domain) for count in (0, 1, 7, 8, 9) for domain in (0, 1, P - 1)]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("count", [0, 15, 17])
def test_permute_refuses_other_widths(count: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        poseidon.permute([0] * count)
    assert (refused.value.field, refused.value.limit) == ("state", 16)


def test_words_must_be_canonical() -> None:
    with pytest.raises(OutOfRange, match=r"state\[3\]"):
        poseidon.permute([0, 0, 0, P] + [0] * 12)
    with pytest.raises(OutOfRange, match=r"words\[0\]"):
        poseidon.sponge_hash([-1], 0)
    with pytest.raises(OutOfRange, match="domain"):
        poseidon.sponge_hash([], P)
