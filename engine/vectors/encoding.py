"""JSON of a vector: every integer as decimal text, every byte string as 0x-hex, names as in the structs.

Derived from the structs by :mod:`msgspec`, so a new input, event or field needs no line here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import msgspec

from engine.errors import CorruptData
from engine.exchange.accounts import Account
from engine.exchange.config import VenueConfig
from engine.files import read_bounded
from engine.sequencer.batch import Batch, Digest, ExternalFlow, root_bytes
from engine.sequencer.events import Event
from engine.sequencer.inputs import AnyInput, Input, L1Deposit, L1StateUpdate, L1Step, L1Withdrawal

FORMAT = "proofline-vector-1"
MAX_FILE_BYTES = 4 << 20
Plain = dict[str, Any]

_INPUT_PARTS = (*get_args(AnyInput), L1Deposit, L1StateUpdate, L1Step, L1Withdrawal)
TOP_FIELDS = (
    "format", "rules", "name", "given", "when", "then", "config", "genesis_time", "genesis_index_prices",
    "genesis_root", "steps", "end",
)  # fmt: skip
WORDS = frozenset({"message", "detail"})
"""Fields of events that hold English, which may change at any time: a refusal's message, a batch stage's detail."""
BYTE_FIELDS = frozenset(
    field.name for struct in _INPUT_PARTS for field in msgspec.structs.fields(struct) if field.type is bytes
)
"""Names of the inputs' fields that hold bytes; none of them holds text elsewhere (a test compares)."""


def plain(value: Any) -> Any:
    """A value as JSON may hold it: integers to decimal text, bytes to 0x-hex, tuples to lists."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in a vector")


def struct_json(value: Input | Event | VenueConfig) -> Plain:
    """A struct with all its fields, its kind among them."""
    found: Plain = plain(msgspec.to_builtins(value, builtin_types=(bytes,)))
    return found


def event_json(event: Event) -> Plain:
    """An event without the fields that only tell people what the others say."""
    found = struct_json(event)
    for name in WORDS & found.keys():
        del found[name]
    return found


def digest_json(digest: Digest) -> str:
    """A root: 32 bytes, eight elements of four bytes, big-endian, element 0 first."""
    return "0x" + root_bytes(digest).hex()


def leaf_json(account: Account) -> Plain:
    """A leaf's content."""
    found: Plain = plain(asdict(account))
    return found


def flow_json(flow: ExternalFlow) -> Plain:
    """A deposit or withdrawal of a batch."""
    found: Plain = plain(asdict(flow))
    return found


def batch_json(batch: Batch) -> Plain:
    """A closed batch: roots, leaves before and after, flows. Sibling paths follow from the leaves and are left out."""
    return {
        "number": str(batch.number),
        "old_root": digest_json(batch.old_root),
        "new_root": digest_json(batch.new_root),
        "updates": [
            {"account": str(update.account), "old": leaf_json(update.old), "new": leaf_json(update.new)}
            for update in batch.updates
        ],
        "deposits": [flow_json(flow) for flow in batch.deposits],
        "withdrawals": [flow_json(flow) for flow in batch.withdrawals],
        "queue_count": str(batch.queue_count),
        "not_before": str(batch.not_before),
        "transactions": str(batch.transactions),
        "first_sequence": str(batch.first_sequence),
        "last_sequence": str(batch.last_sequence),
        "opened_at": str(batch.opened_at),
        "closed_at": str(batch.closed_at),
    }


def vector_text(vector: Plain) -> str:
    """A vector as text: each field and each step on a line of its own, so that a changed rule changes lines."""
    lines = [f"{_line(name)}:{_line(value)}" for name, value in vector.items() if name not in ("steps", "end")]
    steps = ",\n".join(map(_line, vector["steps"]))
    lines += [f'"steps":[\n{steps}\n]', f'"end":{_line(vector["end"])}']
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def read_vector(path: Path) -> Plain:
    """A vector file's content; :class:`CorruptData` names the file and what is wrong with it, or FileRefused."""
    try:
        vector = json.loads(read_bounded(path, MAX_FILE_BYTES))
    except (ValueError, RecursionError) as error:
        raise CorruptData(f"{path.name} is no JSON: {error}", field=path.name) from error
    if not isinstance(vector, dict) or vector.get("format") != FORMAT:
        found = vector.get("format") if isinstance(vector, dict) else type(vector).__name__
        raise CorruptData(
            f"{path.name} is in format {found!r}, this program reads {FORMAT}", field="format", limit=FORMAT
        )
    return vector


def decode_struct(value: Any, kind: Any, where: str) -> Any:
    """The struct that :func:`struct_json` wrote so; :class:`CorruptData` says where in the file and which field."""
    try:
        return msgspec.convert(_with_bytes(value), kind, strict=False, builtin_types=(bytes,))
    except (msgspec.ValidationError, ValueError) as error:
        raise CorruptData(f"{where}: {error}", field=where) from error


def _with_bytes(value: Any) -> Any:
    """The text of byte fields as bytes; ValueError for text that is none."""
    if isinstance(value, list):
        return [_with_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _hex(key, item) if key in BYTE_FIELDS else _with_bytes(item) for key, item in value.items()}


def _hex(name: str, text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"{name} is {text!r}, not 0x-hex")
    return bytes.fromhex(text[2:])
