"""Mutations of proof bytes, for the tests here and for longer runs.

    python -m tests.support.soundness.stark_fuzz 100000 [seed]

mutates an honest proof so many times and stops at the first mutation that the verifier accepts or that makes it raise
anything but a refusal.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable

Mutation = Callable[[bytearray, random.Random], bytes]


def _flip_bit(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(8 * len(data))
    data[at // 8] ^= 1 << (at % 8)
    return bytes(data)


def _set_byte(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    data[at] = (data[at] + rng.randrange(1, 256)) % 256
    return bytes(data)


def _word_at(data: bytearray, rng: random.Random) -> int:
    return rng.randrange(0, len(data) - 4)


def _extreme_word(data: bytearray, rng: random.Random) -> bytes:
    at = _word_at(data, rng)
    data[at : at + 4] = rng.choice([0, 1, 0x7F000000, 0x7F000001, 0xFFFFFFFF]).to_bytes(4, "little")
    return bytes(data)


def _random_words(data: bytearray, rng: random.Random) -> bytes:
    at = _word_at(data, rng)
    size = min(4 * rng.randrange(1, 16), len(data) - at)
    data[at : at + size] = rng.randbytes(size)
    return bytes(data)


def _truncate(data: bytearray, rng: random.Random) -> bytes:
    return bytes(data[: rng.randrange(len(data))])


def _extend(data: bytearray, rng: random.Random) -> bytes:
    return bytes(data) + rng.randbytes(rng.randrange(1, 64))


def _cut_out(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return bytes(data[:at] + data[at + rng.randrange(1, 33) :])


def _swap_blocks(data: bytearray, rng: random.Random) -> bytes:
    size = rng.choice([4, 20, 32, 64])
    a, b = rng.randrange(len(data) - size), rng.randrange(len(data) - size)
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    return bytes(data)


def _copy_block(data: bytearray, rng: random.Random) -> bytes:
    size = rng.choice([4, 20, 32, 64])
    a, b = rng.randrange(len(data) - size), rng.randrange(len(data) - size)
    data[a : a + size] = data[b : b + size]
    return bytes(data)


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bit,
    _set_byte,
    _extreme_word,
    _random_words,
    _truncate,
    _extend,
    _cut_out,
    _swap_blocks,
    _copy_block,
)
WEIGHTS = (6, 4, 4, 6, 1, 1, 1, 3, 3)
"""Mostly mutations that keep the length, since the others end at the first check."""


def mutate(proof: bytes, rng: random.Random) -> bytes:
    """Other bytes than ``proof``, made by one to three mutations."""
    changed = proof
    while changed == proof:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if len(changed) > 64:
                (mutation,) = rng.choices(MUTATIONS, WEIGHTS)
                changed = mutation(bytearray(changed), rng)
    return changed


def fuzz(proof: bytes, accepts: Callable[[bytes], str], count: int, seed: int) -> Counter[str]:
    """Stages at which ``count`` mutations were refused. ``accepts`` verifies and gives the stage of a refusal.

    An accepted mutation shows as the stage ``accepted``; an unexpected exception is not caught.
    """
    rng = random.Random(seed)
    return Counter(accepts(mutate(proof, rng)) for _ in range(count))


def main() -> int:
    from tests.soundness.stark.test_stark_tampering import stage_of
    from tests.support.soundness.stark_adversaries import honest_cubes, proof_of

    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    witness = honest_cubes()
    stages = fuzz(proof_of(witness), lambda data: stage_of(witness, data), count, seed)
    sys.stdout.write(f"{dict(stages)}\n")
    return 1 if stages["accepted"] else 0


if __name__ == "__main__":
    sys.exit(main())
