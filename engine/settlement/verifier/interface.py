"""Holds the templates' fragments to their interfaces: what one says that it reads, sets and gives is what it does.

A fragment is written out amid the variables of whatever contains it, so that a compiler accepts much that a reader of
its docstring would not expect. Refused here: a variable read or changed that is not named, one named that is not read
or changed, and use of a fragment's variable that it does not give. Order and types are left to the compiler.

Names with a capital letter are constants, immutables and types, and need no mention.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from engine.settlement.verifier.expand import (
    CALL,
    Fragment,
    Fragments,
    TemplateError,
    expand,
    split_arguments,
    used_fragments,
)

KNOWN = re.compile(
    r"u?int\d+(_addmod|_mulmod)?|bytes\d*|bool|address|constant|empty|convert|concat|slice|extract32|len|min|max_value|"
    r"keccak256|abi_(de|en)code|unsafe_(add|sub|mul)|range|append|self|chain|field|staticcall|log|"
    r"if|elif|else|for|in|and|or|not|assert|return|break|continue|pass"
)
"""The language's words that the templates use, and what every function can reach."""
FUNCTION = re.compile(r"^def (\w+)\((.*?)\)(?: -> .*?)?:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Uses:
    """Variables of a piece of source: declared anywhere in it, declared in its outermost block, used, changed."""

    declared: frozenset[str]
    outermost: frozenset[str]
    used: frozenset[str]
    changed: frozenset[str]


def _lines(text: str) -> Iterator[list[tokenize.TokenInfo]]:
    """Tokens of each logical line, without comments and line breaks."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    line: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
        if token.type == tokenize.NEWLINE:
            yield line
            line = []
        elif token.type not in skipped:
            line.append(token)


def _variable(line: list[tokenize.TokenInfo], place: int) -> bool:
    """Whether a token is a variable's name: no word of the language, attribute, keyword argument or constant."""
    token = line[place]
    if token.type != tokenize.NAME or KNOWN.fullmatch(token.string) or token.string[0].isupper():
        return False
    before = line[place - 1].string if place else ""
    after = line[place + 1].string if place + 1 < len(line) else ""
    depth = sum((other.string in ("(", "[")) - (other.string in (")", "]")) for other in line[:place])
    return before != "." and not (depth > 0 and before in ("(", ",") and after == "=")


def _targets(line: list[tokenize.TokenInfo]) -> set[str]:
    """Variables that a statement changes: those left of its assignment, not those within their subscripts."""
    depth = 0
    names: set[str] = set()
    for place, token in enumerate(line):
        if depth == 0 and re.fullmatch(r"(\||&|\+|-|\*|<<|>>)?=", token.string):
            return names
        if depth == 0 and _variable(line, place):
            names.add(token.string)
        depth += (token.string in ("(", "[")) - (token.string in (")", "]"))
    method = len(line) > 2 and line[1].string == "." and line[2].string == "append"
    return {line[0].string} if method else set()


def uses(text: str) -> Uses:
    """The variables of some statements, or of an expression."""
    declared, outermost, used, changed = set(), set(), set(), set()
    for line in _lines(text):
        start = 1 if line[0].string == "for" else 0
        if len(line) > start + 1 and line[start + 1].string == ":" and _variable(line, start):
            declared.add(line[start].string)
            if start == 0 and line[0].start[1] == 0:
                outermost.add(line[start].string)
        else:
            changed |= _targets(line)
        used |= {token.string for place, token in enumerate(line) if _variable(line, place)}
    return Uses(frozenset(declared), frozenset(outermost), frozenset(used), frozenset(changed))


def _own(text: str, fragments: Fragments) -> tuple[Uses, list[Fragment]]:
    """Variables of a text itself, the arguments of its calls among them, and the fragments that it calls."""
    called = [fragments[match.group(1)] for match in CALL.finditer(text)]
    return uses(CALL.sub(lambda match: "(" + ", ".join(split_arguments(match.group(2))) + ")", text)), called


def _refuse(name: str, problem: str, names: frozenset[str] | set[str]) -> None:
    if names:
        raise TemplateError(f"{name}: {problem}: {', '.join(sorted(names))}")


def _check_calls(name: str, text: str, fragments: Fragments, given: frozenset[str]) -> None:
    """What a text and its fragments use is there: its own, around it (``given``) or given by one of the fragments."""
    own, called = _own(text, fragments)
    there = own.declared | given
    for fragment in called:
        there |= fragment.gives
    _refuse(name, "of no fragment here or around", own.used - there)
    for fragment in called:
        _refuse(name, f"not there for {fragment.name}", (fragment.reads | fragment.sets) - there)
        others = own.used.union(*(other.reads | other.sets for other in called if other is not fragment), given)
        _refuse(name, f"given by {fragment.name} for nothing", fragment.gives - others)


def check_fragment(fragment: Fragment, fragments: Fragments) -> None:
    """Refuse a fragment whose interface is not what it does."""
    whole = uses(expand(fragment.body, fragments, (fragment.name,)))
    free = whole.used - whole.declared - set(fragment.parameters)
    name = f"fragment {fragment.name}"
    _refuse(name, "used but not named", free - fragment.reads - fragment.sets)
    _refuse(name, "named but not used", (fragment.reads | fragment.sets) - free)
    _refuse(name, "changed but only named as read", (whole.changed & free) - fragment.sets)
    _refuse(name, "named as set but not changed", fragment.sets - whole.changed)
    _refuse(name, "named twice", fragment.reads & fragment.sets)
    _refuse(name, "given but not declared in its outermost block", fragment.gives - whole.outermost)
    surroundings = fragment.reads | fragment.sets | fragment.gives | set(fragment.parameters)
    _check_calls(name, fragment.body, fragments, frozenset(surroundings))


def check_template(name: str, text: str, fragments: Fragments) -> None:
    """Refuse a template whose functions use variables of fragments that do not give them."""
    for match in FUNCTION.finditer(text):
        parameters = re.findall(r"(\w+): ", match.group(2))
        body = re.sub(r'\A\s*""".*?"""\n', "", match.group(3), flags=re.DOTALL)
        if CALL.search(body):
            _check_calls(f"{name}.{match.group(1)}", "if True:\n" + body, fragments, frozenset(parameters))


def check_all(templates: dict[str, str], fragments: Fragments) -> None:
    """Check every fragment and template; a fragment that none contains is refused too."""
    for fragment in fragments.values():
        check_fragment(fragment, fragments)
    for name, text in templates.items():
        check_template(name, text, fragments)
    used = set().union(*(used_fragments(text, fragments) for text in templates.values()))
    _refuse("templates", "fragments that nothing contains", set(fragments) - used)
