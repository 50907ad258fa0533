"""A prover that skips every check, against the verifier: every forgery is finished into a proof, and refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.proving.statement import build_statement
from engine.stark.errors import VerificationError
from engine.stark.parameters import Parameters
from engine.stark.protocol.prover import prove
from engine.stark.protocol.verifier import verify
from tests.support.soundness.attacks_leaves import LEAVES
from tests.support.soundness.attacks_money import MONEY
from tests.support.soundness.attacks_paths import PATHS, rebuilt_honestly
from tests.support.soundness.forgery import Forgery, honest

ATTACKS = {**MONEY, **LEAVES, **PATHS}
QUICK = Parameters(queries=12, query_grinding=0, target_bits=0)


def finish(forgery: Forgery) -> bytes:
    statement = build_statement(forgery.shape)
    return prove(statement, forgery.traces, forgery.publics, forgery.terms, QUICK).bytes


def check(forgery: Forgery, proof: bytes) -> None:
    verify(build_statement(forgery.shape), forgery.publics, forgery.terms, proof, QUICK)


@pytest.mark.parametrize("make", [honest, rebuilt_honestly], ids=lambda f: f.__name__)
def test_the_tools_make_acceptable_proofs_when_they_do_not_lie(make: Callable[[], Forgery]):
    forgery = make()
    assert forgery.broken() == set()
    check(forgery, finish(forgery))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda f: f.__name__)
def test_forgery_breaks_just_this_and_the_verifier_refuses_it(attack: Callable[[], Forgery]):
    forgery = attack()
    assert forgery.broken() == ATTACKS[attack]
    with pytest.raises(VerificationError) as caught:
        check(forgery, finish(forgery))
    buses = any(name.startswith("bus") for name in ATTACKS[attack])
    assert caught.value.stage == ("lookup" if buses else "constraint")
