"""What the expander writes for a fragment, and which templates it and the interface check refuse."""

from __future__ import annotations

import pytest

from engine.settlement.verifier.expand import TemplateError, enclosing, expand, parse_fragments, split_arguments
from engine.settlement.verifier.interface import check_all, check_fragment, check_template, uses

LIBRARY = '''What this file is for.

@inline
def double(a):
    """
    Twice a.
    """
    unsafe_add(a, a)

@inline
def both(low, high):
    """
    Two halves.
    """
    low | high << 128

@inline
def step(target, by):
    """
    A macro of statements.
    """
    target = target * by
    target = {{ double(target) }}

@inline
def total():
    """
    The sum of all values.

    Without it nothing would be summed.

    Reads: values
    Sets: count
    Gives: sum
    """
    sum: uint256 = 0
    for value: uint256 in values:
        sum += value
        count = unsafe_add(count, 1)
'''
FRAGMENTS = parse_fragments(LIBRARY)


def test_a_fragment_is_read_with_its_interface() -> None:
    total = FRAGMENTS["total"]
    assert (total.reads, total.sets, total.gives) == ({"values"}, {"count"}, {"sum"})
    assert total.notes == "The sum of all values.\n\nWithout it nothing would be summed."
    assert list(FRAGMENTS) == ["double", "both", "step", "total"]
    assert FRAGMENTS["both"].parameters == ("low", "high")


def test_statements_are_indented_as_their_call_and_say_where_they_are_from() -> None:
    source = expand("def f():\n    {{ total() }}\n    return sum\n", FRAGMENTS)
    assert source.split("\n") == [
        "def f():",
        "    # -- total: The sum of all values.",
        "    #",
        "    #    Without it nothing would be summed.",
        "    sum: uint256 = 0",
        "    for value: uint256 in values:",
        "        sum += value",
        "        count = unsafe_add(count, 1)",
        "    # -- total ends",
        "    return sum",
        "",
    ]
    assert enclosing(source) == [("f",), *[("f", "total")] * 8, ("f",), ("f",)]


def test_small_statements_are_told_by_their_call() -> None:
    assert expand("{{ step(x, 3) }}", FRAGMENTS) == "# step(x, 3)\nx = x * 3\nx = unsafe_add(x, x)"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("y = {{ double(x >> 1) }}", "y = unsafe_add(x >> 1, x >> 1)"),
        ("y = {{ double(x) }} * 2", "y = unsafe_add(x, x) * 2"),
        ("y = {{ both(x, z[0]) }}", "y = x | z[0] << 128"),
        ("y = {{ both(x & 1, f(z, 2)) }} & w", "y = ((x & 1) | f(z, 2) << 128) & w"),
        ("y = f({{ both(x, a - b) }}, 1)", "y = f(x | (a - b) << 128, 1)"),
    ],
)
def test_expressions_keep_together(text: str, expanded: str) -> None:
    """Brackets where an operator would tear an argument or a body apart, and only there."""
    assert expand(text, FRAGMENTS) == expanded


def test_attributes_comments_and_strings_are_no_parameters() -> None:
    fragment = parse_fragments(
        '@inline\ndef f(a):\n    """\n    Notes.\n    """\n    x.a = a  # a\n    assert a, "a"\n'
    )
    assert expand("{{ f(b) }}", fragment) == '# f(b)\nx.a = b  # a\nassert b, "a"'


def test_arguments_are_split_at_their_own_commas() -> None:
    assert split_arguments("a, f(b, c[1, 2]),\n   d") == ("a", "f(b, c[1, 2])", "d")
    assert split_arguments(" ") == ()


@pytest.mark.parametrize(
    "call",
    [
        "{{ nothing() }}",
        "{{ double() }}",
        "{{ double(a, b) }}",
        "{{ itself() }}",
        "{{ both(x, {{ double(z) }}) }}",
        "{{double(x)}}",
    ],
)
def test_calls_that_stand_for_nothing_are_refused(call: str) -> None:
    loop = parse_fragments('@inline\ndef itself():\n    """\n    Notes.\n    """\n    {{ itself() }}\n')
    with pytest.raises(TemplateError):
        expand(call, {**FRAGMENTS, **loop})


@pytest.mark.parametrize(
    "text",
    [
        "@inline\ndef f():\n    x = 1\n",
        '@inline\ndef f():\n    """\n    Notes.\n    """\n    x = 1\n' * 2,
        '@inline\ndef f():\n    """\n    Notes.\n\n    Sets: x\n    Sets: y\n    """\n    x = 1\n',
    ],
    ids=["without notes", "twice", "interface twice"],
)
def test_fragments_that_say_too_little_or_too_much_are_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        parse_fragments(text)


def test_variables_are_told_from_words_attributes_keywords_and_constants() -> None:
    found = uses(
        "x: uint256 = field.mul(y, LIMB)\n"
        "if z == 1:\n"
        "    w: bool = True\n"
        "    pair[i], v = self.g(claim.root, bound=z)\n"
        "    words.append(x)\n"
        "for k: uint256 in range(n, bound=MAX):\n"
        "    s |= k  # not used\n"
    )
    assert found.declared == {"x", "w", "k"}
    assert found.outermost == {"x"}
    assert found.changed == {"pair", "v", "words", "s"}
    assert found.used == {"x", "y", "z", "w", "pair", "i", "v", "claim", "words", "k", "n", "s"}


def test_the_library_keeps_to_its_interface() -> None:
    first = "def f(values: uint256[3]) -> uint256:\n    count: uint256 = 0\n    {{ total() }}\n"
    second = "    return {{ both(sum, count) }}\ndef g(x: uint256):\n    {{ step(x, 2) }}\n"
    check_all({"host": first + second}, FRAGMENTS)


@pytest.mark.parametrize(
    ("honest", "forged", "reason"),
    [
        ("Reads: values", "Reads: other", "used but not named: values"),
        ("Reads: values", "Reads: values, more", "named but not used: more"),
        ("Reads: values\n    Sets: count", "Reads: values, count", "changed but only named as read: count"),
        ("Sets: count", "Sets: count, values", "named as set but not changed: values"),
        ("Reads: values", "Reads: values, count", "named twice: count"),
        ("Gives: sum", "Gives: sum, value", "given but not declared in its outermost block: value"),
        ("sum += value", "sum += value + hidden", "used but not named: hidden"),
    ],
)
def test_a_fragment_that_does_not_keep_to_its_interface_is_refused(honest: str, forged: str, reason: str) -> None:
    assert LIBRARY.count(honest) == 1
    fragments = parse_fragments(LIBRARY.replace(honest, forged))
    with pytest.raises(TemplateError, match=reason):
        check_fragment(fragments["total"], fragments)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ total() }}\n    return sum", "not there for total: count"),
        ("count: uint256 = 0\n    {{ total() }}\n    return value", "of no fragment here or around: value"),
        ("count: uint256 = 0\n    {{ total() }}\n    return count", "given by total for nothing: sum"),
    ],
)
def test_a_function_may_use_what_fragments_give_and_nothing_else_of_them(body: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        check_template("host", f"def f(values: uint256[3]) -> uint256:\n    {body}\n", FRAGMENTS)


def test_a_fragment_that_nothing_contains_is_refused() -> None:
    with pytest.raises(TemplateError, match="nothing contains: both, double, step, total"):
        check_all({"host": "def f():\n    pass\n"}, FRAGMENTS)
