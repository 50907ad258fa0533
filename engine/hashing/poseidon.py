"""Poseidon over KoalaBear, width 16: the readable reference over Python integers.

The original permutation (Grassi et al., eprint 2019/458) with 8 full and 20 partial rounds, exponent 3, no matrix
before the first round: each round adds 16 constants, cubes (all words, or word 0 in a partial round), multiplies by the
circulant matrix. Words are canonical integers in [0, p).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ProtocolError, check_range
from engine.field.koalabear import P
from engine.hashing.poseidon_constants import (
    HALF_FULL_ROUNDS,
    MDS_FIRST_ROW,
    PARTIAL_ROUNDS,
    ROUND_CONSTANTS,
    ROUNDS,
    WIDTH,
)

RATE = 8
DIGEST_WORDS = 8
WITNESS_COLUMNS = WIDTH * (1 + 2 * HALF_FULL_ROUNDS) + PARTIAL_ROUNDS
"""164: the input, the state after each full round, the cube of each partial round."""
CUBES_COLUMN = WIDTH * (1 + HALF_FULL_ROUNDS)
"""First of the 20 cube columns; the 4 * 16 columns of the last full rounds follow them."""

MDS: tuple[tuple[int, ...], ...] = tuple(
    tuple(MDS_FIRST_ROW[(j - i) % WIDTH] for j in range(WIDTH)) for i in range(WIDTH)
)


def permute(state: Sequence[int]) -> tuple[int, ...]:
    """The permutation of 16 canonical words; raises a ProtocolError on another count or a word >= p."""
    return witness_row(state)[WITNESS_COLUMNS - WIDTH :]


def witness_row(state: Sequence[int]) -> tuple[int, ...]:
    """One row of the Poseidon table, 164 canonical words.

    Columns 0..15 the input; 16..79 the state after full rounds 0..3; 80..99 the cubes of the 20 partial rounds;
    100..163 the state after the last four full rounds, so that columns 148..163 are the output. Every other word of the
    partial rounds is an affine form of columns 64..99, see :func:`partial_round_forms`.
    """
    words = _checked(state, WIDTH, "state")
    row = list(words)
    for index in range(ROUNDS):
        words = [(x + c) % P for x, c in zip(words, ROUND_CONSTANTS[index], strict=True)]
        if HALF_FULL_ROUNDS <= index < HALF_FULL_ROUNDS + PARTIAL_ROUNDS:
            words[0] = pow(words[0], 3, P)
            row.append(words[0])
            words = apply_matrix(words)
        else:
            words = apply_matrix([pow(x, 3, P) for x in words])
            row.extend(words)
    return tuple(row)


def apply_matrix(words: Sequence[int]) -> list[int]:
    """The circulant matrix times 16 words."""
    return [sum(m * x for m, x in zip(line, words, strict=True)) % P for line in MDS]


def partial_round_forms() -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """The partial rounds as affine forms of 36 variables.

    The variables are the 16 words entering the first partial round (columns 64..79 of a witness row), then the 20 cubes
    (columns 80..99). A form is 37 canonical words: 36 coefficients and the constant. Returns the 20 forms whose values
    are the words that get cubed (form r has no cube beyond r - 1) and the 16 forms of the state after the last partial
    round.
    """
    size = WIDTH + PARTIAL_ROUNDS + 1
    state = [tuple(int(k == i) for k in range(size)) for i in range(WIDTH)]
    cubed = []
    for index in range(PARTIAL_ROUNDS):
        constants = ROUND_CONSTANTS[HALF_FULL_ROUNDS + index]
        state = [form[:-1] + ((form[-1] + c) % P,) for form, c in zip(state, constants, strict=True)]
        cubed.append(state[0])
        state[0] = tuple(int(k == WIDTH + index) for k in range(size))
        state = [
            tuple(sum(m * form[k] for m, form in zip(line, state, strict=True)) % P for k in range(size))
            for line in MDS
        ]
    return cubed, state


def compress(left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    """Two digests of 8 words to one: the first half of permute(x) + x for x = left || right (feed-forward)."""
    words = _checked(left, DIGEST_WORDS, "left") + _checked(right, DIGEST_WORDS, "right")
    return tuple((y + x) % P for y, x in zip(permute(words)[:DIGEST_WORDS], words[:DIGEST_WORDS], strict=True))


def sponge_hash(words: Sequence[int], domain: int) -> tuple[int, ...]:
    """Digest of 8 words over any number of canonical words.

    Overwrite-mode sponge: state[0:8] is the rate, state[8:16] starts as (domain, len(words), 0, ..., 0). Blocks of 8
    words, the last padded with zeros, replace the rate before each permutation; no words still cost one block. The
    length in the capacity makes the padding injective.
    """
    check_range("domain", domain, 0, P - 1)
    checked = _checked(words, len(words), "words")
    checked += [0] * (-len(checked) % RATE if checked else RATE)
    capacity = (domain, check_range("len(words)", len(words), 0, P - 1), *([0] * 6))
    state: tuple[int, ...] = (0,) * RATE + capacity
    for start in range(0, len(checked), RATE):
        state = permute((*checked[start : start + RATE], *state[RATE:]))
    return state[:DIGEST_WORDS]


def _checked(words: Sequence[int], count: int, name: str) -> list[int]:
    """The words as ints, refused unless there are ``count`` of them, all canonical."""
    if len(words) != count:
        raise ProtocolError(f"{name} has {len(words)} words", field=name, value=len(words), limit=count)
    return [check_range(f"{name}[{i}]", int(word), 0, P - 1) for i, word in enumerate(words)]
