"""Refusals of the proof system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import ProtocolError

Stage = Literal["encoding", "transcript", "trace opening", "constraint", "lookup", "fri", "grinding", "public input"]
"""Where a proof was refused. The verifier works through them in the order given in ``stark.protocol.verifier``."""


STAGE_MEANINGS: dict[Stage, str] = {
    "encoding": "the bytes are one whole, canonical proof file of this version",
    "transcript": "it was made for this statement and these parameters, which reach the security asked for",
    "public input": "the public inputs are in range and are the ones that the proof was made for",
    "lookup": "what the tables send to each other balances",
    "grinding": "the proof of work before each challenge was done",
    "constraint": "the constraints of every table hold at a random point",
    "trace opening": "the opened rows belong to the committed tables",
    "fri": "the committed columns are polynomials of low degree",
}
"""What each stage checks, for whoever reads a refusal."""

Tree = Literal["main", "auxiliary", "quotient"]
"""The phase whose Merkle tree an opening belongs to."""


class StatementError(ProtocolError):
    """A statement, trace or parameter set that the proof system cannot work with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The part of a proof that a refusal is about. Fields that say nothing of it are None or empty.

    ``query``: the first query refused, from 0, in the order in which the transcript draws them. ``tree``: whose
    opening it is. ``round``: FRI fold, from 1; layer ``round`` is what that fold takes. ``log_height``: log2 of the
    rows of the tables meant, or of the degree that a FRI layer is tested for. ``tables``: the tables meant; those of
    one height share their rows' digest and their DEEP polynomial, so that an opening can be at fault in any of them.
    """

    query: int | None = None
    tree: Tree | None = None
    round: int | None = None
    log_height: int | None = None
    tables: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [
            "" if self.query is None else f"query {self.query}",
            "" if self.tree is None else f"{self.tree} tree",
            "" if self.round is None else f"round {self.round}",
            ("table " if len(self.tables) == 1 else "tables ") + ", ".join(self.tables) if self.tables else "",
            "" if self.log_height is None else f"height 2^{self.log_height}",
        ]
        return ", ".join(part for part in parts if part)


NOWHERE = Where()
"""A refusal of the whole proof."""


class VerificationError(ProtocolError):
    """A proof that was refused: ``stage`` says by which check, ``reason`` in words why, ``where`` which part of it."""

    def __init__(
        self, stage: Stage, reason: str, *, where: Where = NOWHERE, value: object = None, limit: object = None
    ) -> None:
        self.stage: Stage = stage
        self.reason = reason
        self.where = where
        super().__init__(f"proof refused at {stage}: {self.located}", field=stage, value=value, limit=limit)

    @property
    def located(self) -> str:
        """The reason, and in brackets which part of the proof gave it."""
        return f"{self.reason} ({self.where})" if self.where != NOWHERE else self.reason


class ProvingCancelled(ProtocolError):
    """The caller's ``cancelled`` returned true; no proof was made."""
