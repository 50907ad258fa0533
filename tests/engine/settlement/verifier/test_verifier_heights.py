"""Heights that the contracts accept: the parameters reach their target at all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.proving.parameters import LARGEST_HEIGHTS, PROFILES, Profile
from engine.proving.shape import StatementShape
from engine.proving.statement import build_statement
from engine.proving.traces import LEAST_UPDATES, update_rows
from engine.proving.witness import padded_height
from engine.settlement.chain.transactions import address_of
from engine.settlement.verifier import deployment
from engine.settlement.verifier.context import MAX_GROUPS
from engine.settlement.verifier.deployment import (
    MAX_TERMS,
    check_buses,
    check_security,
    check_sizes,
    deployment_transactions,
)
from engine.settlement.verifier.encoding import ROW_WORDS
from engine.stark.air import lookup
from engine.stark.air.layout import layout_of
from engine.stark.air.lookup import check_counts
from engine.stark.air.table import PublicTerm
from engine.stark.errors import StatementError
from engine.stark.parameters import Parameters
from engine.stark.pcs.schedule import make_shape, phase_trees
from engine.stark.protocol import security
from tests.support.verifier_bench import CHAIN_ID, EXCHANGE, KEY, SHAPE, make_setup

REAL = Parameters(queries=41, log_blowup=4, log_arity=3, batching_grinding=2, query_grinding=20, target_bits=100)
SENDER = address_of(KEY)


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
        deployment_transactions(setup, EXCHANGE, chain_id=CHAIN_ID, key=KEY, sender=SENDER, nonce=0)


def test_statements_too_wide_for_the_contracts_are_refused() -> None:
    setup = replace(make_setup(REAL), layout=layout_of(build_statement(StatementShape(16, 5))))
    with pytest.raises(StatementError, match="too long"):
        check_sizes(setup)


def test_no_heights_make_a_proof_longer_than_the_contracts_have_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the honest prover's heights nor a stranger's: what does not fit is refused at deployment."""
    for parameters in (REAL, *(profile.parameters for profile in PROFILES.values())):
        check_sizes(make_setup(parameters))
    check_sizes(replace(make_setup(REAL), layout=layout_of(build_statement(StatementShape(4, 2)))))
    for wrong, field in ({"log_final": 7}, "last polynomial"), ({"log_final": 6, "log_arity": 1}, "context"):
        with pytest.raises(StatementError, match=f"{field} of tables .* too long"):
            check_sizes(make_setup(replace(REAL, **wrong)))
    monkeypatch.setattr(deployment, "ROW_WORDS", 100)
    with pytest.raises(StatementError, match="query record of tables .* too long"):
        deployment_transactions(make_setup(REAL), EXCHANGE, chain_id=CHAIN_ID, key=KEY, sender=SENDER, nonce=0)


def test_heights_that_a_table_cannot_have_are_refused() -> None:
    with pytest.raises(StatementError, match="cannot have"):
        check_sizes(replace(make_setup(REAL), greatest=(17, 17, 13, 16)))


def test_contracts_are_not_made_for_heights_at_which_a_sum_of_fractions_could_wrap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refused just where the native verifier would refuse the greatest heights with the most public terms."""
    setup, refused = make_setup(REAL), []
    terms = [PublicTerm(bus, -1, ()) for bus in setup.layout.statement.buses for _ in range(MAX_TERMS)]
    for top in range(17, 32):
        greatest = (top, 17, 12, 16)
        refused.append(check_counts(setup.layout, greatest, terms) is not None)
        if refused[-1]:
            with pytest.raises(StatementError, match="p fractions or more"):
                check_buses(replace(setup, greatest=greatest))
        else:
            check_buses(replace(setup, greatest=greatest))
    assert refused == sorted(refused)
    assert set(refused) == {True, False}
    monkeypatch.setattr(lookup, "P", MAX_TERMS)
    with pytest.raises(StatementError, match="p fractions or more"):
        deployment_transactions(setup, EXCHANGE, chain_id=CHAIN_ID, key=KEY, sender=SENDER, nonce=0)


def record_words(log_heights: tuple[int, ...], parameters: Parameters) -> tuple[int, int]:
    """Words of a query's record, rows group by group and then FRI's leaves, and how many groups there are."""
    layout = make_setup(parameters).layout
    shape = make_shape(layout, log_heights, parameters)
    widths: dict[int, int] = {}
    for tree in phase_trees(layout, shape):
        for log_rows, width in tree.matrices:
            widths[log_rows] = widths.get(log_rows, 0) + width
    words = sum(-(-width // 8) for width in widths.values())
    return words + sum(-(-20 * (1 << log_arity) // 32) for log_arity in shape.schedule), len(shape.groups)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_batch_that_can_be_proved_fits_the_contracts(profile: Profile) -> None:
    """From no update at all to the largest batch: path and Poseidon tables of each height, updates beside them."""
    seen = set()
    for updates in range(1 << SHAPE.max_log_updates):
        rows = padded_height(max(updates, LEAST_UPDATES) * SHAPE.tree_height)
        for hash_rows in (rows, 2 * rows):  # leaves hash in several blocks: there may be more permutations than steps
            seen.add((hash_rows, update_rows(updates, hash_rows, SHAPE)))
    heights = {tuple(rows.bit_length() - 1 for rows in pair) for pair in seen}
    for hash_height, update_height in heights:
        if hash_height <= LARGEST_HEIGHTS[0]:
            words, groups = record_words((hash_height, hash_height, update_height, 16), profile.parameters)
            assert words <= ROW_WORDS
            assert groups <= MAX_GROUPS
