"""The committed sources are what their templates expand to, and the templates are what an auditor is told they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from engine.settlement.verifier.artifacts import CONTRACTS, MODULES, source_path
from engine.settlement.verifier.expand import TEMPLATES, enclosing, expanded_source, load_fragments, template_text
from engine.settlement.verifier.interface import check_all
from engine.stark.protocol import verifier

SOURCES = (*MODULES, *CONTRACTS)
LONGEST = 40
"""Lines of a fragment, calls of others counted as one."""
AT_DEPLOYMENT = {4: "lookup"}
"""Checks of the native verifier that the contracts need not make: ``check_buses`` in deployment.py does."""
NOT_OF_PROOFS = {"__init__", "register", "_encoding"}
"""Functions that refuse no proof; the calls of the last one are what refuses."""


def native_checks() -> dict[int, str]:
    """Numbers and stages from the native verifier's own list."""
    listed = re.findall(r"^(\d)\. ``([a-z ]+)``", verifier.__doc__ or "", re.MULTILINE)
    return {int(number): stage for number, stage in listed}


def notes_of(name: str) -> dict[str, str]:
    """What is said over each function of a source and each fragment."""
    documented = re.findall(r'^def (\w+)\(.*?:\n    """\n(.*?)"""', template_text(name), re.MULTILINE | re.DOTALL)
    return {key: fragment.notes for key, fragment in load_fragments().items()} | dict(documented)


def refusals(name: str) -> Iterator[tuple[str, str]]:
    """Each refusal's reason in an expanded source, and what is said over the function and fragments around it."""
    source, notes = source_path(name).read_text(), notes_of(name)
    for line, places in zip(source.split("\n"), enclosing(source), strict=True):
        said = re.search(r'^ +(?:assert .*|\)), "([a-z ]+)"$', line)
        reason = said.group(1) if said else "encoding" if "self._encoding(" in line else None
        if reason and not NOT_OF_PROOFS & set(places):
            yield reason, "\n".join(notes.get(place, "") for place in places)


def checks(source: str) -> int:
    """How many statements of a source refuse proofs."""
    lines = zip(source.split("\n"), enclosing(source), strict=True)
    return sum(
        bool(re.match(r" +(assert |self\._encoding\()", line)) and not NOT_OF_PROOFS & set(places)
        for line, places in lines
    )


@pytest.mark.parametrize("name", SOURCES)
def test_expanding_gives_the_committed_source(name: str) -> None:
    assert expanded_source(name) == source_path(name).read_text()


def test_every_fragment_keeps_to_its_interface() -> None:
    check_all({name: template_text(name) for name in SOURCES}, load_fragments())


def test_every_template_is_of_a_source() -> None:
    assert {path.name for path in TEMPLATES.glob("*.vy.in")} == {f"{name}.vy.in" for name in SOURCES}


def test_fragments_and_functions_are_short() -> None:
    lengths = {name: fragment.body.count("\n") + 1 for name, fragment in load_fragments().items()}
    for name in SOURCES:
        pieces = re.split(r"^def ", template_text(name), flags=re.MULTILINE)[1:]
        for piece in pieces:
            body = re.sub(r'"""\n.*?"""\n', "", piece.split("\n\n\n")[0], flags=re.DOTALL)
            lengths[f"{name}.{piece.partition('(')[0]}"] = body.strip().count("\n")
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_what_notes_name_is_there() -> None:
    """Fragments, functions, variables and constants in backticks."""
    fragments = load_fragments()
    texts = [template_text(name) for name in SOURCES] + [fragment.body for fragment in fragments.values()]
    there = set(re.findall(r"\w+", re.sub(r'"""[\s\S]*?"""|#.*', "", "\n".join(texts)))) | set(fragments)
    for name, fragment in fragments.items():
        named = set(re.findall(r"`(?:field\.)?(\w+)`", fragment.notes))
        assert named <= there, name


def test_every_refusal_stands_under_the_check_that_it_names() -> None:
    """Numbers and names as in the native verifier; together they are all of its checks but those at deployment."""
    native, found = native_checks(), set()
    assert list(native) == list(range(1, 10))
    for name in SOURCES:
        named_refusals = list(refusals(name))
        assert len(named_refusals) == checks(source_path(name).read_text())
        for reason, notes in named_refusals:
            named = {(int(number), stage) for number, stage in re.findall(r"Check (\d), ([a-z ]+?)(?= \(|:|,)", notes)}
            assert named <= set(native.items()), (name, named)
            under = {check for check in named if check[1] == reason}
            assert under, (name, reason, notes)
            found |= under
    assert found == set(native.items()) - set(AT_DEPLOYMENT.items())
