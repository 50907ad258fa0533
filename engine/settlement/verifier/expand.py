"""Expands the templates of the verifier's contracts into the Vyper sources that are compiled.

A call of an internal function costs Vyper a jump each way and a copy of every array, so what runs some thousand times a
proof has to stand in one function. To be read it has to be short functions. Hence templates: *fragments* that are read
like functions and written out where they are used.

    @inline
    def field_mul(target, a, b):
        \"\"\"What it is for. Reads: names, ... Sets: ... Gives: ...\"\"\"
        body

``{{ field_mul(power, power, gamma) }}`` alone on a line stands for the body as statements, elsewhere for the body as an
expression, with the arguments in the parameters' places. ``Reads``, ``Sets`` and ``Gives`` are lines of the docstring
and name the variables around a fragment that it reads, those that it changes and those that it declares for what comes
after it; ``interface.py`` holds a fragment to them.

Needed to develop the contracts only: the expanded sources are committed.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.settlement.verifier.artifacts import FOLDER, MODULES

TEMPLATES = FOLDER / "templates"
CALL = re.compile(r"\{\{ (\w+)\((.*?)\) \}\}", re.DOTALL)
HEAD = re.compile(r"^@inline\ndef (\w+)\(([^)]*)\):\n", re.MULTILINE)
DOCSTRING = re.compile(r'\s*"""(.*?)"""\n', re.DOTALL)
WIDTH = 120
"""Of a line of comment in the expanded sources."""
FIELD = re.compile(r"^(Reads|Sets|Gives): ", re.MULTILINE)


class TemplateError(Exception):
    """A template that cannot be expanded, or a fragment that does not keep to its interface."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A function that is written out where it is used; ``reads``, ``sets``, ``gives``: its interface beside parameters.

    ``notes``: the docstring without the interface.
    """

    name: str
    parameters: tuple[str, ...]
    body: str
    notes: str
    reads: frozenset[str]
    sets: frozenset[str]
    gives: frozenset[str]


Fragments = Mapping[str, Fragment]


def parse_fragments(text: str) -> dict[str, Fragment]:
    """The fragments of one file; what stands before the first is for its reader."""
    heads = list(HEAD.finditer(text))
    stops = [head.start() for head in heads[1:]] + [len(text)]
    found: dict[str, Fragment] = {}
    for head, stop in zip(heads, stops, strict=True):
        name, parameters = head.group(1), tuple(filter(None, head.group(2).replace(" ", "").split(",")))
        if name in found:
            raise TemplateError(f"fragment {name} is there twice")
        found[name] = _parse_body(name, parameters, text[head.end() : stop])
    return found


def _parse_body(name: str, parameters: tuple[str, ...], text: str) -> Fragment:
    docstring = DOCSTRING.match(text)
    if docstring is None:
        raise TemplateError(f"fragment {name} does not say what it is for")
    notes, *rest = FIELD.split(textwrap.dedent(docstring.group(1).strip("\n")))
    named = {key: frozenset(value.replace(",", " ").split()) for key, value in zip(rest[::2], rest[1::2], strict=True)}
    if len(named) != len(rest) // 2:
        raise TemplateError(f"fragment {name} has one part of its interface twice")
    reads, sets, gives = (named.get(key, frozenset()) for key in ("Reads", "Sets", "Gives"))
    body = textwrap.dedent(text[docstring.end() :]).strip("\n")
    return Fragment(name, parameters, body, notes.strip(), reads, sets, gives)


def split_arguments(text: str) -> tuple[str, ...]:
    """Arguments at their commas, those in brackets left alone."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(" ".join(part.split()) for part in parts) if text.strip() else ()


def _atom(expression: str) -> bool:
    """Whether an expression keeps together beside any operator."""
    try:
        parsed = ast.parse(f"({expression}\n)", mode="eval").body
    except SyntaxError:
        return False
    if isinstance(parsed, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant):
        return True
    depth = 0
    for place, character in enumerate(expression):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            return place == len(expression) - 1  # a bracket that closes where the expression ends
    return False


def _in_place(expression: str, before: str, after: str) -> str:
    """The expression, in brackets unless its neighbours or its own form make them superfluous."""
    argument = re.search(r"[(\[,=]\s*$", before) and re.match(r"\s*([)\],]|$)", after)
    whole = re.search(r"(=|return) *$", before) and re.match(r" *(\n|$)", after)
    return expression if argument or whole or _atom(expression) else f"({expression})"


def _substituted(fragment: Fragment, arguments: Sequence[str]) -> str:
    if len(arguments) != len(fragment.parameters):
        count = len(fragment.parameters)
        raise TemplateError(f"fragment {fragment.name} takes {count} arguments, not {len(arguments)}")
    values, body = dict(zip(fragment.parameters, arguments, strict=True)), fragment.body

    def put(match: re.Match[str]) -> str:
        value = values.get(match.group(1) or "")
        return match.group() if value is None else _in_place(value, body[: match.start()], body[match.end() :])

    return re.sub(r'"[^"]*"|#.*|(?<![\w.])([a-z_]\w*)', put, body)


def _comments(fragment: Fragment, arguments: Sequence[str], width: int) -> tuple[list[str], list[str]]:
    """What stands before and after a fragment's statements: notes, or for small ones (with parameters) the call."""
    if fragment.parameters:
        return [f"# {fragment.name}({', '.join(arguments)})"], []
    paragraphs = [part for part in f"{fragment.name}: {fragment.notes}".split("\n\n") if part]
    lines = [line for part in paragraphs for line in (*textwrap.wrap(part, width - 5), "")]
    return [f"# -- {lines[0]}", *(f"#    {line}".rstrip() for line in lines[1:-1])], [f"# -- {fragment.name} ends"]


def expand(
    text: str, fragments: Fragments, within: tuple[str, ...] = (), *, expression: bool = False, width: int = WIDTH
) -> str:
    """The text with every call of a fragment written out.

    ``within``: the fragments that it comes from. ``expression``: whether it stands within a statement. ``width``:
    that of its comments.
    """

    def put(match: re.Match[str]) -> str:
        name, arguments = match.group(1), split_arguments(match.group(2))
        if name not in fragments or name in within:
            raise TemplateError(f"there is no fragment {name}, or it contains itself")
        fragment, after = fragments[name], text[match.end() :]
        line = text[: match.start()].rpartition("\n")[2]
        indent = line[: len(line) - len(line.lstrip())]
        inside = expression or bool(line.strip()) or not re.match(r"\n|$", after)
        room, inner = width - len(indent), _substituted(fragment, arguments)
        body = expand(inner, fragments, (*within, name), expression=inside, width=room)
        if inside:
            return _in_place(body, text[: match.start()], after).replace("\n", "\n" + indent)
        first, last = _comments(fragment, arguments, room)
        return textwrap.indent("\n".join([*first, body, *last]), indent).removeprefix(indent)

    source = CALL.sub(put, text)
    if "{{" in source or "}}" in source:
        raise TemplateError(
            "a call is not written as one, or stands within another: " + source[source.find("{{") :][:60]
        )
    return source


def used_fragments(text: str, fragments: Fragments) -> set[str]:
    """Names of the fragments that a text contains, those within others too."""
    names = {match.group(1) for match in CALL.finditer(text)}
    return names.union(*(used_fragments(fragments[name].body, fragments) for name in names))


def load_fragments(folder: Path = TEMPLATES) -> dict[str, Fragment]:
    """Every fragment there is, by name."""
    found: dict[str, Fragment] = {}
    for path in sorted((folder / "inline").glob("*.vy.in")):
        new = parse_fragments(path.read_text())
        if twice := found.keys() & new.keys():
            raise TemplateError(f"fragment {min(twice)} is in two files")
        found |= new
    return found


def template_text(name: str, folder: Path = TEMPLATES) -> str:
    """The template of a contract or module."""
    return (folder / f"{name}.vy.in").read_text()


def expanded_source(name: str, folder: Path = TEMPLATES) -> str:
    """The Vyper source that a template stands for. A module's own names stand without the module's name there."""
    source = expand(template_text(name, folder), load_fragments(folder))
    if name in MODULES:
        source = re.sub(rf"\b{name}\.", "", source)
    return f"# Written by compile_verifier.py from templates/{name}.vy.in, which is to be read and changed.\n{source}"


def enclosing(source: str) -> list[tuple[str, ...]]:
    """For each line of an expanded source: the function that it is in, then the fragments, outermost first."""
    inside: tuple[str, ...] = ()
    out = []
    for line in source.split("\n"):
        if match := re.match(r"def (\w+)\(", line):
            inside = (match.group(1),)
        elif match := re.match(r"\s*# -- (\w+): ", line):
            inside = (*inside, match.group(1))
        out.append(inside)
        if re.match(r"\s*# -- \w+ ends$", line):
            inside = inside[:-1]
    return out
