"""Mutants of a statement: what a forgery passes when constraints, lookups or buses are deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from engine.proving.statement import build_statement
from engine.stark.air.table import Statement, Table
from engine.stark.errors import VerificationError
from engine.stark.parameters import Parameters
from engine.stark.protocol.prover import Prover
from engine.stark.protocol.verifier import verify
from tests.support.soundness.forgery import SMALL, Forgery

QUICK = Parameters(queries=12, query_grinding=0, target_bits=0)
"""Nothing in the proof is hard to find: what is tested is what the constraints say."""


@dataclass(frozen=True)
class Adversary:
    """Builds a forgery that breaks exactly ``breaks`` ("table: constraint"), and so passes once those are deleted."""

    make: Callable[[], Forgery]
    breaks: frozenset[str]


def constraint_names(statement: Statement) -> list[str]:
    """ "table: constraint" of every constraint written in the tables."""
    return [f"{table.name}: {item.name}" for table in statement.tables for item in table.constraints]


def _change(statement: Statement, change: Callable[[Table], Table]) -> Statement:
    return replace(statement, tables=tuple(change(table) for table in statement.tables))


def without(statement: Statement, names: Collection[str]) -> Statement:
    """The statement with these constraints deleted."""

    def keep(table: Table) -> Table:
        kept = tuple(item for item in table.constraints if f"{table.name}: {item.name}" not in names)
        return table if len(kept) == len(table.constraints) else replace(table, constraints=kept)

    return _change(statement, keep)


def without_lookups(statement: Statement, table_name: str, numbers: Sequence[int]) -> Statement:
    """The statement with some interactions of a table deleted."""

    def keep(table: Table) -> Table:
        if table.name != table_name:
            return table
        kept = tuple(item for number, item in enumerate(table.interactions) if number not in numbers)
        return replace(table, interactions=kept)

    return _change(statement, keep)


def without_bus(statement: Statement, bus: int) -> Statement:
    """The statement with every interaction on a bus deleted."""
    return _change(statement, lambda t: replace(t, interactions=tuple(i for i in t.interactions if i.bus != bus)))


def verdict(
    forgery: Forgery, statement: Statement | None = None, prover: type[Prover] = Prover, plain: bool = False
) -> str:
    """Finish the protocol and verify: the stage of the refusal and its reason, or "accepted"."""
    statement = statement or build_statement(forgery.shape)
    proof = prover(statement, forgery.traces, forgery.publics, forgery.terms, QUICK, plain=plain).run().bytes
    try:
        verify(statement, forgery.publics, forgery.terms, proof, QUICK)
    except VerificationError as refusal:
        return f"{refusal.stage}: {refusal.located}"
    return "accepted"


SMALL_STATEMENT = build_statement(SMALL)
