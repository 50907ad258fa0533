"""Refusals of the proof system."""

from __future__ import annotations

from typing import Literal

from engine.errors import ProtocolError

Stage = Literal["encoding", "transcript", "trace opening", "constraint", "lookup", "fri", "grinding", "public input"]
"""Where a proof was refused. The verifier works through them in the order given in ``engine.stark.verifier``."""


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
