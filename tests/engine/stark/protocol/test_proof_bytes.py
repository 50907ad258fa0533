"""Proof bytes of fixed witnesses: transcript, encoding and arithmetic change only on purpose."""

from __future__ import annotations

import hashlib

import pytest

from engine.stark.protocol.prover import prove
from tests.support.stark_toys import FAST, cubes, cubes_witness, fibonacci, fibonacci_witness

CUBES = "234641f75d96abba5543f8bb51c45eb58b677dfc65b8328e079e3374e1116db5"
FIBONACCI = "30f6ce925b2dddb96c603e70d69abd1d2034bc75089734f35af2cc845a4f9765"


@pytest.mark.parametrize("plain", [False, True])
def test_a_proof_with_lookups_keeps_its_bytes(plain: bool) -> None:
    traces, publics, terms = cubes_witness(7, 5, 9)
    proof = prove(cubes(), traces, publics, terms, FAST, plain=plain).bytes
    assert hashlib.sha256(proof).hexdigest() == CUBES


def test_a_proof_without_lookups_keeps_its_bytes() -> None:
    traces, publics = fibonacci_witness(6)
    assert hashlib.sha256(prove(fibonacci(), traces, publics, (), FAST).bytes).hexdigest() == FIBONACCI
