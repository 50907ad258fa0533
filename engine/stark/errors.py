"""Refusals of the proof system."""

from __future__ import annotations

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


class StatementError(ProtocolError):
    """A statement, trace or parameter set that the proof system cannot work with."""


class VerificationError(ProtocolError):
    """A proof that was refused: ``stage`` says by which check, ``reason`` in words why."""

    def __init__(self, stage: Stage, reason: str, *, value: object = None, limit: object = None) -> None:
        self.stage: Stage = stage
        self.reason = reason
        super().__init__(f"proof refused at {stage}: {reason}", field=stage, value=value, limit=limit)


class ProvingCancelled(ProtocolError):
    """The caller's ``cancelled`` returned true; no proof was made."""
