"""Reads a vector and holds a venue, built from the file alone, to everything that the file says."""

from __future__ import annotations

from typing import Any

from engine.errors import CorruptData
from engine.exchange.config import VenueConfig
from engine.sequencer.inputs import AnyInput, ClockStep
from engine.sequencer.version import RULES_VERSION
from engine.units import MarketId
from engine.vectors.encoding import TOP_FIELDS, Plain, decode_struct, digest_json
from engine.vectors.record import Recorder

SHOWN = 120
"""Characters of a value that a difference shows."""


def differences(vector: Plain) -> list[str]:
    """Where this program does otherwise than the vector says: input, field, both values; empty when nowhere.

    It stops at the first input with a difference: what follows from it would only repeat it. Raises
    :class:`CorruptData` for a vector that is damaged.
    """
    try:
        return _differences(vector)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CorruptData(
            f"vector {vector.get('name')!r} lacks or mangles a field: {error!r}", field="vector"
        ) from error


def _differences(vector: Plain) -> list[str]:
    found = compare("", dict.fromkeys(TOP_FIELDS), dict.fromkeys(vector))
    found += compare("rules", str(RULES_VERSION), vector["rules"])
    config = decode_struct(vector["config"], VenueConfig, "config")
    recorder = Recorder(config, _prices(vector["genesis_index_prices"]), int(vector["genesis_time"]))
    found += compare("genesis_root", digest_json(recorder.venue.state_root()), vector["genesis_root"])
    if found:
        return found
    for number, step in enumerate(vector["steps"], 1):
        where = f"input {number}"
        value = decode_struct(step["input"], AnyInput, where)
        if isinstance(value, ClockStep):
            recorder.source.prices = _prices(step["index_prices"])
        found = compare(where, recorder.apply(value)[1], step)
        if found:
            return found
    return compare("end", recorder.end(), vector["end"])


def _prices(values: dict[str, str]) -> dict[MarketId, int]:
    return {MarketId(int(market)): int(price) for market, price in values.items()}


def compare(where: str, got: Any, said: Any) -> list[str]:
    """Every place where two JSON values differ, by its path; the order of an object's fields does not count."""
    if isinstance(got, dict) and isinstance(said, dict):
        found = []
        for name in [*got, *(name for name in said if name not in got)]:
            path = f"{where}, {name}" if where else name
            if name not in got or name not in said:
                found.append(f"{path}: only {'this program' if name in got else 'the vector'} has it")
            else:
                found += compare(path, got[name], said[name])
        return found
    if isinstance(got, list) and isinstance(said, list):
        pairs = zip(got, said, strict=False)  # the shared part; the lengths are compared below
        found = [line for index, (g, s) in enumerate(pairs) for line in compare(f"{where}[{index}]", g, s)]
        if len(got) != len(said):
            found.append(f"{where}: the vector has {len(said)}, this program {len(got)}")
        return found
    if got == said and type(got) is type(said):
        return []
    return [f"{where}: the vector says {_short(said)}, this program {_short(got)}"]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
