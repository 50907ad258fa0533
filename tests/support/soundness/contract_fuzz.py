"""Mutated proofs against both verifiers, and mutated calldata against the contracts.

    python -m tests.support.soundness.contract_fuzz [count] [seed]        (``make fuzz`` runs 10,000)

Both verifiers get the same bytes and must refuse them: at the same stage where one element is wrong. Where several are,
the stages may differ, since the native verifier goes phase by phase and the contract query by query. Only what
transactions leave out (siblings that another path has) may go unseen by the contracts, and then their calldata is the
honest proof's. Calldata is mutated too: the client's decoder stands before the contracts in the first kind and need not
in an attack.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

from engine.settlement.verifier.client import check_data, in_order, open_data
from tests.support.soundness.contract_verdicts import ACCEPTED, contract_verdict, native_verdict, same_transactions
from tests.support.soundness.stark_fuzz import mutate
from tests.support.verifier_bench import Bench, Proved, make_bench, prove_sample

UNSEEN = "left out of the transactions"
NO_REASON = "reverted without a word"


@dataclass(frozen=True)
class Victim:
    """The contracts, an honest proof, and the calldata that carries it."""

    bench: Bench
    proved: Proved
    opening: bytes
    check: bytes

    @classmethod
    def make(cls, bench: Bench, proved: Proved) -> Victim:
        proof = bench.split(proved)
        return cls(bench, proved, open_data(proof), check_data(proof, in_order(proof)))


def one_element(honest: bytes, changed: bytes) -> bool:
    """Whether the two differ within one 4-byte word; the query records at the end are whole words."""
    if len(honest) != len(changed):
        return False
    places = [place for place, (a, b) in enumerate(zip(honest, changed, strict=False)) if a != b]
    return len({(len(honest) - 1 - place) // 4 for place in places}) == 1


def both_stages(victim: Victim, rng: random.Random) -> str:
    """The stage at which both verifiers refuse one mutation of the proof."""
    changed = replace(victim.proved, proof=mutate(victim.proved.proof, rng))
    native = native_verdict(victim.bench, changed)
    assert native != ACCEPTED, "the native verifier accepted"
    contract = contract_verdict(victim.bench, changed)
    if contract == ACCEPTED:
        assert same_transactions(victim.bench, changed, victim.proved), f"native: {native}; the contracts accepted"
        return UNSEEN
    if one_element(victim.proved.proof, changed.proof):
        assert contract == native, f"native: {native}; contracts: {contract}"
    return native


def calldata_stage(victim: Victim, rng: random.Random) -> str:
    """Where the contracts refuse one mutation of a call's arguments.

    A call may succeed where it finds what the honest one finds: a decoder does not read what lies outside of all
    fields. Queries may be checked for another context too, but that is one which no proof opened.
    """
    bench, honest = victim.bench, rng.choice((victim.opening, victim.check))
    to = bench.addresses.opening if honest is victim.opening else bench.addresses.queries
    changed = honest[:4] + mutate(honest[4:], rng)
    result = bench.chain.simulate(to, changed)
    if not result.success:
        return result.reason if result.reason in STAGES else NO_REASON
    if result.logs == bench.chain.simulate(to, honest).logs:
        return "the same facts"
    assert to == bench.addresses.queries, "another context was opened"
    contexts = {log.topics[1] for log in result.logs}
    assert bench.split(victim.proved).context not in contexts, "other queries of the context passed"
    return "queries of a context that nobody opened"


STAGES = ("encoding", "transcript", "public input", "grinding", "lookup", "constraint", "trace opening", "fri")
KINDS = {"proof bytes": both_stages, "calldata": calldata_stage}


def run(victim: Victim, kind: str, count: int, seed: int) -> Counter[str]:
    """Stages of ``count`` refusals. A mutation is made again from ``seed`` and its number alone."""
    stages: Counter[str] = Counter()
    for number in range(count):
        try:
            stages[KINDS[kind](victim, random.Random(f"{seed}/{number}"))] += 1
        except Exception as error:
            error.add_note(f"{kind}: mutation {number} of seed {seed}")
            raise
    return stages


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    victim = Victim.make(make_bench(), prove_sample(1, 3))
    for kind in KINDS:
        began = time.perf_counter()
        stages = run(victim, kind, count // 2, seed)
        rate = (count // 2) / (time.perf_counter() - began)
        print(f"{kind:<16} {count // 2:>7} refused, {rate:7.1f}/s, {dict(stages.most_common())}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
