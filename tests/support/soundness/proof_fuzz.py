"""Mutated proofs against decoder and native verifier: toy statement, account updates, whole proof files.

    python -m tests.support.soundness.proof_fuzz [count] [seed]        (``make fuzz``: 100,000)

stops at the first mutation that is accepted, or that raises anything but a refusal, and says how to make it again.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.proving.proof_file import LENGTH_BYTES, MAGIC, decode_file
from engine.proving.prover import prove_batch, verify_file
from engine.proving.statement import build_statement
from engine.stark.errors import VerificationError
from engine.stark.protocol.prover import prove
from engine.stark.protocol.verifier import verify
from tests.support.proving_batches import close_batch, trader
from tests.support.soundness.forgery import SMALL, honest
from tests.support.soundness.mutation import QUICK
from tests.support.soundness.stark_adversaries import honest_cubes, proof_of
from tests.support.soundness.stark_fuzz import mutate
from tests.support.stark_toys import FAST

Change = Callable[[bytes, random.Random], bytes]
EDGES = (0, 1, 2, 127, 128, 255, 256, (1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


@dataclass(frozen=True)
class Target:
    """Honest bytes, how they are mutated, and what verifies them (raising or returning)."""

    name: str
    proof: bytes
    check: Callable[[bytes], object]
    change: Change = mutate

    def stage(self, rng: random.Random) -> str:
        """Where one mutation is refused, or "accepted"."""
        changed = self.change(self.proof, rng)
        try:
            self.check(changed)
        except VerificationError as refusal:
            return refusal.stage
        return "accepted"


def toy() -> Target:
    """Three tables, every message of the protocol, grinding everywhere."""
    witness = honest_cubes()
    statement, _, publics, terms = witness
    return Target("toy", proof_of(witness), lambda data: verify(statement, publics, terms, data, FAST))


def updates() -> Target:
    """Account updates in small limbs, without grinding, so that mutations get past the nonces."""
    forgery, statement = honest(), build_statement(SMALL)
    proof = prove(statement, forgery.traces, forgery.publics, forgery.terms, QUICK).bytes
    return Target("account updates", proof, lambda data: verify(statement, forgery.publics, forgery.terms, data, QUICK))


def _venue_file() -> bytes:
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    opened = {16: trader(1, 900), 17: trader(2, 50)}
    return prove_batch(close_batch(tree, opened, deposits={16: 900, 17: 50}), DEFAULT_CONFIG).file


def _mutate_value(value: object, rng: random.Random) -> object:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, rng.choice(EDGES), rng.getrandbits(16)))
    if isinstance(value, bytes):
        return bytes(value[:-1]) if rng.random() < 0.3 else rng.randbytes(len(value))
    if isinstance(value, str):
        return value + rng.choice(("x", "\0", "\x1b[2J", "€"))
    if isinstance(value, list):
        at = rng.randrange(len(value) + 1)
        if at == len(value) or rng.random() < 0.3:
            return rng.choice((value[:-1], [*value, *value[:1]], value[::-1]))
        return [*value[:at], _mutate_value(value[at], rng), *value[at + 1 :]]
    if isinstance(value, dict):
        key = rng.choice(list(value))
        return {**value, key: _mutate_value(value[key], rng)}
    raise TypeError(type(value))


def mutate_header(file: bytes, rng: random.Random) -> bytes:
    """Another header in canonical form before the same proof: what decodes and must be refused by what it says."""
    header, proof = decode_file(file)
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(header))
    changed = plain
    while changed == plain:
        changed = _mutate_value(plain, rng)
    try:
        encoded = msgspec.msgpack.encode(changed, order="sorted")
    except OverflowError:  # an integer beyond 64 bits
        return mutate(file, rng)
    return MAGIC + len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded + proof


def files() -> tuple[Target, Target]:
    """The file that a stranger gets: any byte of it, and its header field by field."""
    file = _venue_file()
    return Target("proof file", file, verify_file), Target("file header", file, verify_file, mutate_header)


def run(target: Target, count: int, seed: int) -> Counter[str]:
    """Stages of ``count`` refusals. A mutation is made again from ``seed`` and its number alone."""
    stages: Counter[str] = Counter()
    for number in range(count):
        try:
            stage = target.stage(random.Random(f"{seed}/{number}"))
        except Exception as error:
            error.add_note(f"{target.name}: mutation {number} of seed {seed}")
            raise
        assert stage != "accepted", f"{target.name}: mutation {number} of seed {seed} was accepted"
        stages[stage] += 1
    return stages


SHARES = {"toy": 0.6, "account updates": 0.25, "proof file": 0.1, "file header": 0.05}


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    done, started = 0, time.perf_counter()
    for target in (toy(), updates(), *files()):
        share, began = round(count * SHARES[target.name]), time.perf_counter()
        stages = run(target, share, seed)
        done += share
        rate = share / (time.perf_counter() - began)
        print(f"{target.name:<16} {share:>7} refused, {rate:7.0f}/s, {dict(stages.most_common())}", flush=True)
    seconds = time.perf_counter() - started
    print(f"{done} mutations, none accepted, no other exception; {done / seconds:.0f}/s over {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
