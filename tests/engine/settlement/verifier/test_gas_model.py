"""The model against what the contracts really cost."""

from __future__ import annotations

from engine.proving.parameters import LARGEST_HEIGHTS
from engine.settlement.chain.transactions import calldata_tokens
from engine.settlement.verifier.client import check_data, open_data, query_batches
from engine.settlement.verifier.gas_model import estimate
from engine.stark.parameters import Parameters
from engine.stark.pcs.schedule import Shape
from engine.stark.protocol import security
from engine.stark.protocol.proof import decode
from tests.support.verifier_bench import Bench, prove_sample


def shape_of(bench: Bench, proof: bytes) -> Shape:
    return decode(proof, bench.setup.layout, bench.setup.parameters)[1]


def test_the_estimate_is_close_to_the_chain(bench: Bench) -> None:
    """Gas is exact and repeatable, so this is no timing: the model may be off by a tenth."""
    proved = prove_sample(7, 3)
    used = sum(receipt.gas_used for receipt in bench.run(bench.split(proved)))
    heights = shape_of(bench, proved.proof).log_heights
    expected = estimate(bench.setup.layout, heights, bench.setup.parameters, terms=3).total
    assert abs(expected - used) < used / 10


def test_calldata_is_counted_from_the_shape(bench: Bench) -> None:
    proved = prove_sample(7, 3)
    proof = bench.split(proved)
    real = len(open_data(proof)) + sum(len(check_data(proof, piece)) for piece in query_batches(proof))
    model = estimate(bench.setup.layout, shape_of(bench, proved.proof).log_heights, bench.setup.parameters, terms=3)
    assert abs(model.calldata - real) < real / 20
    assert calldata_tokens(open_data(proof)) < 4 * len(open_data(proof))


def test_a_full_batch_meets_the_first_bar(bench: Bench) -> None:
    """16 M gas for 4,096 updates with 64 deposits and withdrawals; docs/verifier.md has the chain's own figure."""
    parameters = Parameters(queries=39, log_blowup=4, log_arity=4, query_grinding=24)
    assert security.assess(bench.setup.layout, LARGEST_HEIGHTS, parameters, 64).proven_bits >= 100
    full = estimate(bench.setup.layout, LARGEST_HEIGHTS, parameters, terms=64)
    assert full.total < 16_000_000
    assert full.transactions == 4
