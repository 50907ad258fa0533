"""The committed vectors: what the stories tell; they replay from JSON alone, and roots follow from leaves."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from engine.errors import CorruptData
from engine.exchange.config import MarketConfig, VenueConfig
from engine.exchange.guards import HaltReason
from engine.sequencer import events as event_module
from engine.sequencer.events import AnyEvent, CloseReason, DeferralReason, DeleveragingReason
from engine.sequencer.inputs import AnyInput
from engine.vectors import encoding
from engine.vectors.catalogue import SCENARIOS
from engine.vectors.encoding import read_vector
from engine.vectors.fill import vector_texts
from engine.vectors.replay import compare, differences
from tests.support import vector_roots
from tests.support.refusal_table import documented

FOLDER = Path(__file__).resolve().parents[2] / "vectors"
NAMES = [scenario.name for scenario in SCENARIOS]
REGENERATE = "the rules or the stories have changed: main.py fill tests/vectors (docs/vectors.md)"
NOT_COVERED = {
    "account_outside_tree": "such a deposit is an l1_contradiction, everything else meets unknown_account first",
    "bad_number": "text that people type; inputs hold integers",
    "book_full": "needs 1,048,576 resting orders in one book",
    "conflicting_order": "the book's own check, behind the venue's bad_order",
    "corrupt_data": "bytes that do not decode never become an input",
    "stale_order_id": "the book's own check; the venue gives ascending ids",
    "withdrawal_uncovered": "a last check, which the rules of margin never let come true",
    "unknown_name": "the inputs' decoder lets no other name through",
}
REASONS_NOT_COVERED = {
    ("OrderClosed", "batch_limit"): "needs thousands of makers, or of resting orders, before one order",
}
Plain = dict[str, Any]


def committed(name: str) -> Plain:
    return read_vector(FOLDER / f"{name}.json")


def all_events() -> list[Plain]:
    return [event for name in NAMES for step in committed(name)["steps"] for event in step["events"]]


def test_the_committed_files_are_what_the_stories_tell() -> None:
    told = vector_texts()
    assert {path.name for path in FOLDER.iterdir()} == set(told), REGENERATE
    changed = [name for name, text in told.items() if (FOLDER / name).read_bytes() != text.encode()]
    assert changed == [], REGENERATE
    assert sum(map(len, told.values())) < 2_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_replays_from_its_file_alone(name: str) -> None:
    assert differences(committed(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_roots_follow_from_the_leaves(name: str) -> None:
    # after each input in the named stories; a random flow has hundreds, so there after each batch and at the end
    assert vector_roots.check(committed(name), live=not name.startswith("random_flow")) == []


def test_every_refusal_is_covered_or_cannot_be() -> None:
    codes = {name for name in documented(0) if name not in vars(event_module)}
    covered = {event["code"] for event in all_events() if event["kind"] == "Rejected"}
    assert covered | set(NOT_COVERED) == codes
    assert not covered & set(NOT_COVERED)


def test_every_input_event_and_reason_is_covered() -> None:
    told = all_events()
    inputs = {step["input"]["kind"] for name in NAMES for step in committed(name)["steps"]}
    assert inputs == {kind.__struct_config__.tag for kind in get_args(AnyInput)}
    assert {event["kind"] for event in told} == {kind.__struct_config__.tag for kind in get_args(AnyEvent)}
    reasons = {(event["kind"], event["reason"]) for event in told if "reason" in event}
    assert not reasons & set(REASONS_NOT_COVERED)
    assert reasons | set(REASONS_NOT_COVERED) == {
        *(("OrderClosed", reason) for reason in get_args(CloseReason)),
        *(("LiquidationDeferred", reason) for reason in get_args(DeferralReason)),
        *(("Deleveraged", reason) for reason in get_args(DeleveragingReason)),
        *((kind, r) for kind in ("TradingHalted", "TradingResumed") for r in get_args(HaltReason) if r),
    }


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        inside = {name for item in value.values() for name in names_in(item)}
        return inside | {key for key in value if not key.isdigit()}
    return {name for item in value for name in names_in(item)} if isinstance(value, list) else set()


def test_the_document_names_every_field_and_kind() -> None:
    text = (FOLDER.parents[1] / "docs" / "vectors.md").read_text()
    vectors = [committed(name) for name in NAMES]
    kinds = {event["kind"] for event in all_events()} | {s["input"]["kind"] for v in vectors for s in v["steps"]}
    used = {name for vector in vectors for name in names_in(vector)} | kinds
    assert len(used) > 100
    assert sorted(name for name in used if f"`{name}`" not in text) == []


def test_a_refused_input_changes_nothing_but_orders_that_margin_does_not_carry() -> None:
    refused = 0
    for name in NAMES:
        for step in committed(name)["steps"]:
            kinds = [event["kind"] for event in step["events"]]
            if "Rejected" in kinds and step["input"]["kind"] != "L1Block":
                refused += 1
                assert kinds[-1] == "Rejected"
                assert all((e["kind"], e["reason"]) == ("OrderClosed", "margin") for e in step["events"][:-1])
                assert (step["leaves"], step["batches"]) == ({}, [])
    assert refused > 50


def set_at(vector: Plain, path: list[Any], value: str) -> None:
    for part in path[:-1]:
        vector = vector[part]
    assert isinstance(vector[path[-1]], str)
    vector[path[-1]] = value


def flipped(text: str) -> str:
    """The same text with its last digit another one."""
    return text[:-1] + ("1" if text[-1] != "1" else "2")


def find(vector: Plain, kind: str, what: str = "events") -> list[Any]:
    """Path to the first event, or the input, of a kind."""
    for number, step in enumerate(vector["steps"]):
        if what == "input" and step["input"]["kind"] == kind:
            return ["steps", number, "input"]
        for index, event in enumerate(step["events"]):
            if what == "events" and event["kind"] == kind:
                return ["steps", number, "events", index]
    raise AssertionError(f"no {kind}")


def at(vector: Plain, path: list[Any]) -> Any:
    for part in path:
        vector = vector[part]
    return vector


@pytest.mark.parametrize(
    ("kind", "field"),
    [("Fill", "price"), ("Fill", "maker_fee"), ("FundingPaid", "amount"), ("FundingApplied", "index")],
)
def test_a_flipped_digit_in_an_event_is_named(kind: str, field: str) -> None:
    vector = committed("funding_over_hours")
    path = [*find(vector, kind), field]
    set_at(vector, path, flipped(at(vector, path)))
    (line,) = differences(vector)
    assert line.startswith(f"input {path[1] + 1}, events[{path[3]}], {field}: the vector says ")


def test_a_flipped_digit_in_a_leaf_or_a_root_is_named() -> None:
    original = committed("limit_orders")
    last = len(original["steps"])
    account = next(iter(original["steps"][-1]["leaves"]))
    batch = committed("batch_by_age")
    closing = next(number for number, step in enumerate(batch["steps"]) if step["batches"])
    cases = [
        (original, ["genesis_root"], "genesis_root: "),
        (original, ["steps", -1, "leaves", account, "collateral"], f"input {last}, leaves, {account}, collateral: "),
        (original, ["steps", -1, "live_root"], f"input {last}, live_root: "),
        (original, ["steps", 4, "sequence"], "input 5, sequence: "),
        (original, ["end", "live_root"], "end, live_root: "),
        (original, ["end", "fills_digest"], "end, fills_digest: "),
        (batch, ["steps", closing, "batches", 0, "new_root"], f"input {closing + 1}, batches[0], new_root: "),
        (batch, ["steps", closing, "mark_prices", "1"], f"input {closing + 1}, mark_prices, 1: "),
        (batch, ["rules"], "rules: "),
    ]
    for vector, path, start in cases:
        changed = deepcopy(vector)
        set_at(changed, path, flipped(at(changed, path)))
        (line,) = differences(changed)
        assert line.startswith(start), line


def test_a_flipped_digit_in_an_input_shows_in_what_follows_from_it() -> None:
    original = committed("deposits")
    changed = deepcopy(original)
    first = changed["steps"][0]["input"]["deposits"][0]
    first["amount"] = flipped(first["amount"])
    found = differences(changed)
    assert any(line.startswith("input 1, events[0], amount: ") for line in found)
    assert any(line.startswith("input 1, leaves, ") and ", collateral: " in line for line in found)
    assert any(line.startswith("input 1, live_root: ") for line in found)
    assert all(line.startswith("input 1, ") for line in found), "it stops there"

    changed = deepcopy(committed("partial_fills"))
    path = [*find(changed, "PlaceOrder", "input"), "price"]
    set_at(changed, path, flipped(at(changed, path)))
    assert any(f"input {path[1] + 1}, events[" in line and ", price: " in line for line in differences(changed))


def test_a_flipped_digit_of_an_index_price_is_named() -> None:
    changed = committed("funding_cap")
    path = [*find(changed, "ClockStep", "input")[:2], "index_prices", "1"]
    set_at(changed, path, flipped(at(changed, path)))
    assert any(f"input {path[1] + 1}, mark_prices, 1: " in line for line in differences(changed))


def test_missing_and_added_fields_are_named() -> None:
    changed = committed("limit_orders")
    del changed["steps"][1]["leaves"]
    changed["steps"][1]["more"] = "1"
    assert differences(changed) == [
        "input 2, leaves: only this program has it",
        "input 2, more: only the vector has it",
    ]
    changed = committed("limit_orders")
    changed["steps"][5]["events"].pop()
    (line,) = differences(changed)
    assert line.startswith("input 6, events: the vector has ")


@pytest.mark.parametrize("name", ["withdrawal_and_claim", "batch_by_accounts"])
def test_the_root_checker_sees_a_flipped_digit(name: str) -> None:
    original = committed(name)
    assert vector_roots.check(original) == []
    touched = next(number for number, step in enumerate(original["steps"]) if step["batches"])
    where = f"input {touched + 1}, "
    for path, told in (
        (["batches", 0, "new_root"], "new_root"),
        (["batches", 0, "updates", 0, "new", "collateral"], "new_root"),
        (["batches", 0, "old_root"], "old_root"),
        (["live_root"], "live_root"),
    ):
        changed = deepcopy(original)
        full = ["steps", touched, *path]
        set_at(changed, full, flipped(at(changed, full)))
        found = vector_roots.check(changed)
        assert found, path
        assert found[0].startswith(where), found
        assert told in found[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda vector: vector["steps"][1].pop("input"), "lacks or mangles a field"),
        (lambda vector: vector.update(genesis_time="soon"), "lacks or mangles a field"),
        (lambda vector: vector["steps"][0]["input"].update(kind="Wish"), "input 1: Invalid value 'Wish'"),
        (lambda vector: vector["steps"][1]["input"].update(time="x"), "input 2: Expected `int`"),
        (lambda vector: vector["steps"][0]["input"].update(block_hash="00"), "block_hash is '00', not 0x-hex"),
        (lambda vector: vector["config"].pop("seed"), "config: Object missing required field `seed`"),
    ],
)
def test_a_damaged_vector_is_a_typed_error(change: Any, said: str) -> None:
    vector = committed("limit_orders")
    change(vector)
    with pytest.raises(CorruptData) as caught:
        differences(vector)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "is no JSON"), (b"[1]", "is in format 'list'"), (b'{"format":"other-1"}', "is in format 'other-1'")],
)
def test_a_file_that_is_no_vector_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(CorruptData, match="x.json") as caught:
        read_vector(path)
    assert said in caught.value.message


def leaves_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [found for item in value.values() for found in leaves_of(item)]
    if isinstance(value, list):
        return [found for item in value for found in leaves_of(item)]
    return [value]


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_text_and_every_step_a_line(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="ascii")
    vector = json.loads(text)
    assert {type(leaf) for leaf in leaves_of(vector)} <= {str, bool, type(None)}
    lines = text.splitlines()
    first = lines.index('"steps":[') + 1
    steps = [json.loads(line.removesuffix(",")) for line in lines[first : first + len(vector["steps"])]]
    assert steps == vector["steps"]


def test_names_of_byte_fields_mean_bytes_everywhere() -> None:
    parts = [*encoding._INPUT_PARTS, VenueConfig, MarketConfig]
    kinds = {(f.name, f.type) for part in parts for f in msgspec.structs.fields(part) if f.name in encoding.BYTE_FIELDS}
    assert {kind for _, kind in kinds} == {bytes}
    assert {"owner", "depositor", "key_digest", "transaction", "new_root", "block_hash"} == encoding.BYTE_FIELDS


def test_the_order_of_fields_does_not_count_and_types_do() -> None:
    assert compare("x", {"a": "1", "b": True}, {"b": True, "a": "1"}) == []
    assert compare("x", {"a": True}, {"a": "true"}) == ["x, a: the vector says 'true', this program True"]
