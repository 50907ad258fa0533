"""Typed errors of the engine: one class per cause, with the field and the limit that refused it.

Every *expected* failure derives from :class:`ProtocolError`; the interface maps the class to a sentence and shows
``field``, ``value`` and ``limit`` as they are.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError)
"""What decoding hostile bytes may raise: msgspec lets a text that is no UTF-8 out as the second."""


class ProtocolError(Exception):
    """An expected refusal.

    Parameters
    ----------
    message : what happened, in words a user can act on
    field : the input field that is at fault, or ``""`` when it is not one field
    value : the refused value
    limit : the bound it broke

    ``code`` names the cause in events, in a form that does not depend on this program: snake case, one per class.
    Every refusal that the venue can answer an input with has one of its own (``docs/refusals.md``).
    """

    code: ClassVar[str] = "protocol_error"

    def __init__(self, message: str, *, field: str = "", value: object = None, limit: object = None) -> None:
        self.message = message
        self.field = field
        self.value = value
        self.limit = limit
        super().__init__(message)


class OutOfRange(ProtocolError):
    """A number left its documented range."""

    code: ClassVar[str] = "out_of_range"

    def __init__(self, field: str, value: object, low: object, high: object) -> None:
        super().__init__(
            f"{field} is {value}; it must lie in [{low}, {high}]", field=field, value=value, limit=(low, high)
        )


class UnknownName(ProtocolError):
    """A name that does not exist; the valid ones are listed."""

    code: ClassVar[str] = "unknown_name"

    def __init__(self, kind: str, name: str, valid: list[str]) -> None:
        super().__init__(
            f"unknown {kind} {name!r}; valid: {', '.join(sorted(valid))}", field=kind, value=name, limit=sorted(valid)
        )


class CorruptData(ProtocolError):
    """A file, row or message that does not decode to what it claims to be."""

    code: ClassVar[str] = "corrupt_data"


def check_range(field: str, value: int, low: int, high: int) -> int:
    """Return ``value`` when ``low <= value <= high``, else raise :class:`OutOfRange`."""
    if not low <= value <= high:
        raise OutOfRange(field, value, low, high)
    return value
