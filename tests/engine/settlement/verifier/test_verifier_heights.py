"""Heights that the contracts accept: the parameters reach their target at all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verifier_bench import CHAIN_ID, EXCHANGE, KEY, make_setup

from engine.proving.shape import StatementShape
from engine.proving.statement import build_statement
from engine.settlement.transactions import address_of
from engine.settlement.verifier.deployment import MAX_TERMS, check_security, check_sizes, deployment_transactions
from engine.stark import security
from engine.stark.errors import StatementError
from engine.stark.layout import layout_of
from engine.stark.parameters import Parameters

REAL = Parameters(queries=41, log_blowup=4, log_arity=3, batching_grinding=2, query_grinding=20, target_bits=100)


def test_the_greatest_heights_decide() -> None:
    setup = make_setup(REAL)
    check_security(setup)
    lowest = security.assess(setup.layout, setup.greatest, REAL, MAX_TERMS).proven_bits
    numbers = np.random.default_rng(5)
    tables = setup.layout.tables
    for _ in range(40):
        heights = tuple(
            int(numbers.integers(table.table.min_log_height, top + 1))
            for table, top in zip(tables, setup.greatest, strict=True)
        )
        assert security.assess(setup.layout, heights, REAL, MAX_TERMS).proven_bits >= lowest


def test_contracts_are_not_made_for_parameters_that_miss_their_target() -> None:
    setup = make_setup(replace(REAL, queries=30))
    with pytest.raises(StatementError, match="do not reach"):
        deployment_transactions(setup, EXCHANGE, chain_id=CHAIN_ID, key=KEY, sender=address_of(KEY), nonce=0)


def test_statements_too_wide_for_the_contracts_are_refused() -> None:
    setup = replace(make_setup(REAL), layout=layout_of(build_statement(StatementShape(16, 5))))
    with pytest.raises(StatementError, match="too long"):
        check_sizes(setup)


def test_heights_that_a_table_cannot_have_are_refused() -> None:
    with pytest.raises(StatementError, match="cannot have"):
        check_sizes(replace(make_setup(REAL), greatest=(17, 17, 13, 16)))
