"""The verifier's contracts for one statement and one parameter set: creation code with constructor arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from engine.field.koalabear import P
from engine.settlement.chain.transactions import contract_address, sign_transaction
from engine.settlement.contracts.abi import encode_arguments
from engine.settlement.verifier.artifacts import load
from engine.settlement.verifier.codegen import ConstraintProgram, input_registers, split
from engine.settlement.verifier.context import FACT_WORD, MAX_GROUPS
from engine.settlement.verifier.encoding import ROW_WORDS
from engine.stark.air.constraints import KINDS
from engine.stark.air.layout import Layout, TableLayout
from engine.stark.air.lookup import check_counts
from engine.stark.air.table import PublicTerm
from engine.stark.errors import StatementError
from engine.stark.parameters import Parameters
from engine.stark.pcs.schedule import EXTENSION, Shape, make_shape, phase_widths
from engine.stark.protocol import security

PUBLIC_READ = 16
"""Public inputs that constraints may read: both roots."""
PROGRAM_WORDS = 560
TRACE_WORDS = 88
"""Words of opened trace rows that the query contract has room for."""
NEXT_WORDS = 24
"""Likewise of those with columns opened on the next row too."""
MAX_NEXT = 80
"""Main columns opened on the next row, of all tables, that the query contract has room for."""
MAX_LAYERS = 12
"""FRI layers that the contracts take."""
MAX_FINAL = 64
"""Coefficients of the last polynomial that the contracts have room for."""
MAX_CONTEXT = 96
"""Likewise words of a context."""
MAX_TERMS = 512
"""Deposits and withdrawals of one batch."""
DEPLOY_GAS = 9_000_000
OPENING_TYPES = (
    "bytes32", "bytes", "bytes32", "address", "address", "address[]", "uint256[3]",
    "uint256[]", "uint256[]", "uint256[]", "uint256[]", "uint256[]",
)  # fmt: skip
QUERIES_TYPES = ("uint256[4]", "uint256[]", "uint256[]", "uint256[]", "uint256[5]")


@dataclass(frozen=True, slots=True)
class VerifierSetup:
    """What the contracts are made for. ``greatest``: greatest log2 height of each table that they accept."""

    layout: Layout
    parameters: Parameters
    parameter_digest: bytes
    account_limit: int
    greatest: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerifierAddresses:
    """Where the contracts are, 20 bytes each."""

    opening: bytes
    queries: bytes
    evaluators: tuple[bytes, ...]


def _next_words(table: TableLayout) -> int:
    """Words of eight elements that hold a table's columns opened on the next row, wherever its row starts in a word."""
    most = max(len({(start + column) // 8 for column in table.next_columns}) for start in range(8))
    return most + (2 if table.groups else 0)


def check_sizes(setup: VerifierSetup) -> None:
    """Refuse a statement whose opened rows the query contract has no room for, and heights that no table may have."""
    elements = sum(table.width + 5 * table.auxiliary + 10 for table in setup.layout.tables)
    words = elements // 8 + MAX_GROUPS  # each group starts a word
    if words > TRACE_WORDS:
        reason = "the statement's rows are too long for the query contract"
        raise StatementError(reason, field="columns", value=words, limit=TRACE_WORDS)
    words = sum(_next_words(table) for table in setup.layout.tables)
    if words > NEXT_WORDS:
        reason = "the columns opened on the next row are too scattered for the query contract"
        raise StatementError(reason, field="next columns", value=words, limit=NEXT_WORDS)
    nexts = sum(len(table.next_columns) for table in setup.layout.tables)
    if nexts > MAX_NEXT:
        reason = "the statement reads too many columns on the next row for the query contract"
        raise StatementError(reason, field="next columns", value=nexts, limit=MAX_NEXT)
    for table, height in zip(setup.layout.tables, setup.greatest, strict=True):
        if not table.table.min_log_height <= height <= table.table.max_log_height:
            reason = f"table {table.table.name} cannot have 2^{height} rows"
            raise StatementError(reason, field="greatest", value=height, limit=table.table.max_log_height)
    for shape in _shapes(setup):
        _check_shape(setup.layout, shape)


def _shapes(setup: VerifierSetup) -> Iterator[Shape]:
    """Every form of proof that the contracts take: all heights from each table's least to its greatest, unless that
    makes too many groups or layers, which they refuse."""
    ranges = (
        range(table.table.min_log_height, height + 1)
        for table, height in zip(setup.layout.tables, setup.greatest, strict=True)
    )
    for heights in product(*ranges):
        shape = make_shape(setup.layout, heights, setup.parameters)
        if len(shape.groups) <= MAX_GROUPS and len(shape.schedule) <= MAX_LAYERS:
            yield shape


def _check_shape(layout: Layout, shape: Shape) -> None:
    """Refuse heights at which a proof is longer than the contracts have room for."""
    elements = [sum(widths) for widths in zip(*phase_widths(layout), strict=True)]
    row = sum(-(-sum(elements[index] for index in tables) // 8) for _, tables in shape.groups)
    row += sum(-(-(EXTENSION << log_arity) // 8) for log_arity in shape.schedule)
    final = 1 << shape.log_final
    for field, value, limit in (
        ("query record", row, ROW_WORDS),
        ("last polynomial", final, MAX_FINAL),
        ("context", FACT_WORD + 2 + 3 * len(shape.schedule) + final, MAX_CONTEXT),
    ):
        if value > limit:
            heights = ", ".join(map(str, shape.log_heights))
            reason = f"the {field} of tables with 2^({heights}) rows is too long for the contracts"
            raise StatementError(reason, field=field, value=value, limit=limit)


def check_buses(setup: VerifierSetup) -> None:
    """Refuse heights at which a bus could have p fractions, so that their sum could wrap around.

    Check 4 of ``engine.stark.protocol.verifier``. Their number grows with the heights, so the greatest ones decide and
    the contracts need not count. Raises :class:`StatementError`.
    """
    terms = [PublicTerm(bus, MAX_TERMS, ()) for bus in setup.layout.statement.buses]
    bus = check_counts(setup.layout, setup.greatest, terms)
    if bus is not None:
        reason = f"bus {bus} has p fractions or more at the greatest heights"
        raise StatementError(reason, field="greatest", value=bus, limit=P)


def check_security(setup: VerifierSetup) -> None:
    """Refuse parameters that miss their target at the greatest heights: the contract has no logarithms to check with.

    Every term of ``protocol.security`` falls with the heights or stays, so the greatest ones decide; a test samples
    the others. Raises :class:`StatementError`.
    """
    level = security.assess(setup.layout, setup.greatest, setup.parameters, MAX_TERMS).proven_bits
    target = setup.parameters.target_bits
    if level < target:
        reason = "the parameters do not reach their target at the greatest heights"
        raise StatementError(reason, field="greatest", value=level, limit=target)


def programs(setup: VerifierSetup) -> tuple[ConstraintProgram, ...]:
    """The constraint programs, one contract each."""
    return split(setup.layout, PUBLIC_READ, PROGRAM_WORDS)


def _bytecode(name: str) -> bytes:
    return bytes.fromhex(load(name).bytecode)


def _tables(setup: VerifierSetup) -> tuple[list[int], list[int], list[int]]:
    tables = setup.layout.tables
    return (
        [table.width for table in tables],
        [table.auxiliary for table in tables],
        [len(table.next_columns) for table in tables],
    )


def constraint_code(setup: VerifierSetup, program: ConstraintProgram) -> bytes:
    """Creation code of one constraint contract."""
    results = len(KINDS) * len(setup.layout.tables)
    return _bytecode("constraints") + encode_arguments(("uint256[]", "uint256"), list(program.words), results)


def queries_code(setup: VerifierSetup) -> bytes:
    """Creation code of the query contract."""
    p = setup.parameters
    numbers = [p.queries, p.log_blowup, p.log_arity, p.log_final]
    columns = [column for table in setup.layout.tables for column in table.next_columns]
    packed = [sum(c << (16 * i) for i, c in enumerate(columns[at : at + 16])) for at in range(0, MAX_NEXT, 16)]
    return _bytecode("queries") + encode_arguments(QUERIES_TYPES, numbers, *_tables(setup), packed)


def opening_code(setup: VerifierSetup, exchange: bytes, queries: bytes, evaluators: Sequence[bytes]) -> bytes:
    """Creation code of the opening contract for an exchange contract's address."""
    powers, publics, _, _ = input_registers(setup.layout, PUBLIC_READ)
    numbers = [setup.account_limit, powers - 2, publics - powers]
    least = [table.table.min_log_height for table in setup.layout.tables]
    arguments = encode_arguments(
        OPENING_TYPES, setup.layout.digest, setup.parameters.encode(), setup.parameter_digest, exchange, queries,
        list(evaluators), numbers, *_tables(setup), least, list(setup.greatest),
    )  # fmt: skip
    return _bytecode("opening") + arguments


def deployment_transactions(
    setup: VerifierSetup, exchange: bytes, *, chain_id: int, key: bytes, sender: bytes, nonce: int
) -> tuple[list[bytes], VerifierAddresses]:
    """Signed creations, in order, from the sender's next nonce on, and where the contracts will be."""
    check_sizes(setup)
    check_buses(setup)
    check_security(setup)
    codes = [constraint_code(setup, program) for program in programs(setup)] + [queries_code(setup)]
    places = [contract_address(sender, nonce + offset) for offset in range(len(codes) + 1)]
    addresses = VerifierAddresses(places[-1], places[-2], tuple(places[:-2]))
    codes.append(opening_code(setup, exchange, addresses.queries, addresses.evaluators))
    raws = [
        sign_transaction(key, chain_id=chain_id, nonce=nonce + offset, to=b"", data=code, gas_limit=DEPLOY_GAS)
        for offset, code in enumerate(codes)
    ]
    return raws, addresses
