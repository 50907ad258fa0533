"""The history of a data folder in files that need no program of ours: of any version, as far as it can be decoded.

============== =====================================================================================================
inputs.jsonl   every input, one JSON object a line: ``sequence``, and either its fields or ``undecoded`` (hex)
commands.csv   inputs of users: orders, cancels, withdrawals and claims, with the venue time at which they came
history.json   fills, funding and transfers of each user account, as the newest checkpoint has them
about.json     version, configuration, counts, and the first row that does not continue the digest chain (or null)
============== =====================================================================================================

Nothing here depends on the rules: inputs are decoded as MessagePack, whatever their kinds and fields. Byte strings
become hex; amounts are quanta, prices ticks, times nanoseconds, as in :mod:`engine.sequencer.inputs`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.storage.journal_file import chain_digest, read_meta, read_rows
from app.storage.version import stored_version
from engine.errors import UNDECODABLE, ProtocolError

COLUMNS = (
    "sequence", "time", "kind", "account", "market", "side", "type", "lots", "price", "tif", "post_only",
    "reduce_only", "order_id", "amount", "client_id",
)  # fmt: skip
MORE = "more"
"""The column of fields that have none of their own."""
VENUE_HEAD = 40
"""Bytes before the MessagePack of a venue's checkpoint: magic and digest (:mod:`engine.sequencer.checkpoint`)."""


class ExportError(ProtocolError):
    """The folder for the export cannot be used."""


def export(journal: Path, target: Path) -> dict[str, Any]:
    """Write all files into ``target``, a new or empty folder; what ``about.json`` says. Raises :class:`ExportError`."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise ExportError(f"{target} is not empty", field="FOLDER", value=str(target))
        inputs, commands, undecoded, broken = _write_inputs(journal, target)
        history = _history(journal)
        (target / "history.json").write_bytes(_json(history))
        config = read_meta(journal, "config")
        about = {
            "version": msgspec.to_builtins(stored_version(journal)),
            "config": None if config is None else _decoded(config, msgspec.json.decode),
            "inputs": inputs,
            "commands": commands,
            "undecoded": undecoded,
            "first_broken_row": broken,
            "history_after_input": history["after_input"],
        }
        (target / "about.json").write_bytes(_json(about))
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {error.strerror}", field="FOLDER", value=str(target)) from error
    return about


def _write_inputs(journal: Path, target: Path) -> tuple[int, int, int, int | None]:
    """Numbers of inputs, of commands, of inputs that do not decode; the first row that breaks the chain."""
    count = commands = undecoded = time = 0
    broken: int | None = None
    previous, position = b"", 0
    with (target / "inputs.jsonl").open("wb") as lines, (target / "commands.csv").open("w", newline="") as sheet:
        table = csv.DictWriter(sheet, [*COLUMNS, MORE])
        table.writeheader()
        for sequence, data, digest in read_rows(journal, "inputs", "sequence"):
            if broken is None and (sequence != position + 1 or chain_digest(previous, sequence, data) != digest):
                broken = sequence
            previous, position = digest, sequence
            value = _decoded(data, msgspec.msgpack.decode)
            count += 1
            if not isinstance(value, dict):
                undecoded += 1
                value = {"undecoded": data.hex()}
            lines.write(msgspec.json.encode({"sequence": sequence, **value}) + b"\n")
            time = value.get("time", time) if value.get("kind") == "ClockStep" else time
            if "account" in value:
                commands += 1
                table.writerow(_row({"sequence": sequence, "time": time, **value}))
    return count, commands, undecoded, broken


def _row(value: dict[str, Any]) -> dict[str, Any]:
    known = {name: value[name] for name in COLUMNS if name in value}
    more = {name: value[name] for name in value if name not in COLUMNS}
    return {**known, MORE: msgspec.json.encode(more).decode() if more else ""}


def _history(journal: Path) -> dict[str, Any]:
    """What users look back at, from the newest checkpoint that decodes; ``after_input`` 0 when there is none."""
    for sequence, data, _ in reversed(list(read_rows(journal, "checkpoints", "sequence"))):
        stored = _unpacked(data)
        venue = stored.get("venue")
        if not isinstance(venue, bytes) or hashlib.sha256(venue[VENUE_HEAD:]).digest() != venue[8:VENUE_HEAD]:
            continue
        history = _plain(_unpacked(venue[VENUE_HEAD:]).get("history"))
        if isinstance(history, dict) and isinstance(history.get("accounts"), dict):
            return {"after_input": sequence, "accounts": history["accounts"]}
    return {"after_input": 0, "accounts": {}}


def _unpacked(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.msgpack.decode(data)
    except (*UNDECODABLE, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _decoded(data: bytes, decode: Any) -> Any:
    """The value without byte strings, or None when it does not decode."""
    try:
        return _plain(decode(data))
    except (*UNDECODABLE, RecursionError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {_plain(key) if isinstance(key, bytes) else str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def lines_of(about: dict[str, Any]) -> Iterator[str]:
    """``about`` for people."""
    yield f"{about['inputs']:,} inputs, {about['commands']:,} of them commands of users"
    if about["undecoded"]:
        yield f"{about['undecoded']:,} inputs do not decode: their bytes are in inputs.jsonl as they are"
    if about["first_broken_row"] is not None:
        yield f"input {about['first_broken_row']} does not continue the digest chain: it or its neighbours are damaged"
    yield f"history of accounts as of input {about['history_after_input']:,}"
