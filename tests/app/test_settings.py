"""Settings: declared once, refused by name and limit, one place before the other, and each of them has an effect."""

from __future__ import annotations

import pytest

from app import cli
from app.proving.choice import PROVERS, choice_of
from app.settings import SETTINGS, THEMES, BadSetting, Found, keys, resolve, setting_named, unread_variables
from app.venue.speed import MAX_SPEED, MIN_SPEED
from engine.errors import UnknownName
from engine.proving.parameters import DEFAULT_PROFILE, PROFILES
from engine.settlement.errors import BadNodeUrl
from ui.theme.tokens import theme_names


def test_every_setting_is_declared_whole_and_its_default_is_allowed() -> None:
    assert len(set(keys())) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.title, setting.key
        assert setting.help, setting.key
        assert setting.checked(setting.default, "here") == setting.default
        assert setting.is_number == (setting.unit != "")


def test_the_choices_are_those_of_the_parts_that_they_choose() -> None:
    assert setting_named("profile").choices == tuple(PROFILES)
    assert setting_named("profile").default == DEFAULT_PROFILE.name
    assert setting_named("prover").choices == PROVERS
    assert sorted(THEMES[1:]) == sorted(theme_names())
    speed = setting_named("speed")
    assert (speed.low, speed.high) == (MIN_SPEED, MAX_SPEED)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("speed", 700.0, "here is 700; it must be 0.1 to 600 venue seconds per second"),
        ("speed", 0.0999, "here is 0.0999; it must be 0.1 to 600"),
        ("speed", float("nan"), "here is nan"),
        ("speed", "fast", "here is 'fast'; it must be a number, 0.1 to 600 venue seconds per second"),
        ("speed", True, "here is True; it must be a number"),
        ("profile", "slow", "here is 'slow'; it must be one of: quick, frugal"),
        ("profile", 3, "here is 3; it must be text in quotes: quick, frugal"),
        ("l1", "x" * 3000, "it must be at most 2048 characters"),
        ("l1", "http://a/\nl1", "text that can be printed"),
        ("l1", "http://a/\udc80", "text that can be printed"),
        ("l1", "ftp://a", "here: 'ftp://a' is not the address of a node"),
        ("cluster", "localhost", "here: 'localhost' is no scheduler's address"),
    ],
)
def test_what_a_setting_cannot_be_is_refused_by_name_and_limit(key: str, value: object, words: str) -> None:
    with pytest.raises(BadSetting) as refused:
        setting_named(key).checked(value, "here")
    assert words in refused.value.message
    assert refused.value.field == key
    assert refused.value.limit is not None


def test_bounds_are_allowed_and_text_becomes_a_number() -> None:
    speed = setting_named("speed")
    for text, value in (("0.1", MIN_SPEED), ("600", MAX_SPEED), ("2", 2.0), ("1e1", 10.0)):
        assert speed.parsed(text, "here") == value
    assert speed.checked(3, "here") == 3.0
    with pytest.raises(BadSetting, match="here is '2x'; it must be a number"):
        speed.parsed("2x", "here")


def test_an_unknown_key_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownName, match="unknown setting 'sped'; valid: cluster, l1, log-level"):
        setting_named("sped")


def test_command_line_before_environment_before_file_before_default() -> None:
    flags, environment, file = {"speed": 4.0}, {"PROOFLINE_SPEED": "3"}, {"speed": 2.0}

    def speed(*sources: object) -> Found:
        return resolve(("speed",), *sources, "FILE")["speed"]  # type: ignore[arg-type]

    found = [speed(flags, environment, file), speed({"speed": None}, environment, file), speed({}, {}, file)]
    assert [(one.value, one.origin, one.place) for one in found] == [
        (4.0, "command line", "--speed"),
        (3.0, "environment", "PROOFLINE_SPEED"),
        (2.0, "file", "FILE"),
    ]
    assert speed({}, {"PROOFLINE_SPEED": ""}, {}).origin == "default"
    assert resolve(("log-level",), {}, {"PROOFLINE_LOG_LEVEL": "debug"}, {})["log-level"].value == "debug"
    with pytest.raises(BadSetting, match="PROOFLINE_SPEED is '9x'"):
        speed({}, {"PROOFLINE_SPEED": "9x"}, {})
    with pytest.raises(BadSetting, match="--speed is 9000; it must be 0.1 to 600"):
        speed({"speed": 9000.0}, {}, {})
    with pytest.raises(BadNodeUrl):  # of a flag: in the words of the check, which name the flag already
        resolve(("l1",), {"l1": "nowhere"}, {}, {})


def test_a_node_is_shown_without_its_secrets() -> None:
    shown = setting_named("l1").shown("https://user:hunter2@node.example:8545/v3/0123456789abcdef")
    assert shown == "https://node.example:8545/..."
    assert setting_named("l1").shown("") == "-"
    assert setting_named("speed").shown(1.0) == "1"


def test_misspelt_variables_are_found() -> None:
    environment = {"PROOFLINE_SPEED": "1", "PROOFLINE_SPED": "1", "PROOFLINE_CACHE": "x", "HOME": "/"}
    assert list(unread_variables(environment, ("PROOFLINE_CACHE",))) == ["PROOFLINE_SPED"]


@pytest.mark.parametrize("place", ["command line", "environment", "file"])
def test_the_choice_of_proving_follows_the_settings_wherever_they_stand(
    place: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.commands.registry import Command, Registry

    wanted = {"profile": "frugal", "prover": "process", "cluster": "tcp://127.0.0.1:8786"}
    arguments = ["look", "--data", str(tmp_path)]
    for key, value in wanted.items():
        if place == "command line":
            arguments += [f"--{key}", value]
        elif place == "environment":
            monkeypatch.setenv(f"PROOFLINE_{key.upper()}", value)
        else:
            assert cli.run(["settings", "set", key, value, "--data", str(tmp_path)]) == 0
    seen = []

    def look(options) -> int:
        seen.append(choice_of(options))
        return 0

    registry = Registry()
    registry.commands.add(Command(name="look", help="", run=look, settings=tuple(wanted)))
    assert cli.run(arguments, registry) == 0
    assert (seen[0].profile, seen[0].prover, seen[0].cluster) == ("frugal", "process", "tcp://127.0.0.1:8786")
