"""What a user may set, each thing declared once: its key, title, help, range, unit and default.

The same declaration makes the command line's flag (``--log-level``), the environment's variable
(``PROOFLINE_LOG_LEVEL``), the key in the settings file (``log-level``) and the line of ``main.py settings``. The
command line comes before the environment, the environment before the file, the file before the default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from app.proving.choice import PROVERS, check_address
from app.venue.speed import MAX_SPEED, MIN_SPEED
from engine.errors import ProtocolError, UnknownName
from engine.settlement.node.address import check_url, public_url

Value = str | float
Origin = Literal["command line", "environment", "file", "default"]

PROFILES = ("quick", "frugal")
"""The names in ``engine.proving.parameters``, which parsing does not import; the first one is the default."""
THEMES = ("remembered", "dark", "light")
"""The first one: as the window was left. The others are the files in ``resources/themes``."""
LOG_LEVELS = ("debug", "info", "warning", "error")
MAX_TEXT = 2048
"""Characters of a text setting."""


class BadSetting(ProtocolError):
    """A value that a setting cannot have. ``field`` is its key, ``limit`` what it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that a user may set.

    Parameters
    ----------
    key : its name in the file; the flag is ``--key``
    title, help : a few words, and one sentence, for people
    default : the value where nobody sets one; its type is the setting's type, str or float
    choices : the texts that it may be, () for any
    low, high, unit : bounds of a number, both allowed, and what it counts
    check : of a text other than the default: raises :class:`ProtocolError` when it cannot be
    metavar : what the help calls the value
    public : how a value is shown where others may look; None when it holds no secrets
    """

    key: str
    title: str
    help: str
    default: Value
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    check: Callable[[str], object] | None = None
    metavar: str | None = None
    public: Callable[[str], str] | None = None

    @property
    def flag(self) -> str:
        """On the command line."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """In the environment."""
        return f"PROOFLINE_{self.key.upper().replace('-', '_')}"

    @property
    def is_number(self) -> bool:
        """Whether the value is a float; otherwise it is a text."""
        return isinstance(self.default, float)

    @property
    def limits(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.is_number:
            return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()
        return self.metavar or "text"

    @property
    def holds_secrets(self) -> bool:
        """Whether the value may not be shown or logged as it is."""
        return self.public is not None

    def parsed(self, text: str, where: str) -> Value:
        """A value from text, checked; ``where`` it stands is what a refusal begins with."""
        if not self.is_number:
            return self.checked(text, where)
        try:
            return self.checked(float(text), where)
        except ValueError:
            raise self._refusal(text, where, f"a number, {self.limits}") from None

    def checked(self, value: object, where: str) -> Value:
        """The value, when it is of the right type and within the limits; :class:`BadSetting`."""
        if self.is_number:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self._refusal(value, where, f"a number, {self.limits}")
            if not self.low <= value <= self.high:  # also refuses what is no number
                raise self._refusal(value, where, self.limits)
            return float(value)
        if not isinstance(value, str):
            raise self._refusal(value, where, f"text in quotes: {self.limits}")
        if self.choices and value not in self.choices:
            raise self._refusal(value, where, f"one of: {self.limits}")
        if len(value) > MAX_TEXT:
            raise self._refusal(f"{value[:40]}...", where, f"at most {MAX_TEXT} characters")
        if not value.isprintable():  # nor may it break a line of the file or of the log
            raise self._refusal(value, where, "text that can be printed")
        if self.check is not None and value != self.default:
            self._check(value, where)
        return value

    def shown(self, value: Value) -> str:
        """For people: without secrets, numbers short, nothing as a dash."""
        if isinstance(value, str):
            return (self.public(value) if self.public and value else value) or "-"
        return f"{value:g}"

    def _check(self, value: str, where: str) -> None:
        assert self.check is not None
        try:
            self.check(value)
        except ProtocolError as error:
            if where == self.flag:
                raise
            raise BadSetting(f"{where}: {error.message}", field=self.key, value=value, limit=error.limit) from error

    def _refusal(self, value: object, where: str, limit: str) -> BadSetting:
        said = f"{value:g}" if isinstance(value, float) else repr(value)
        return BadSetting(f"{where} is {said}; it must be {limit}", field=self.key, value=value, limit=limit)


SETTINGS = (
    Setting(
        key="profile",
        title="Proof parameters",
        help="parameters of the proofs: made fast (quick), or cheap on L1 (frugal)",
        default=PROFILES[0],
        choices=PROFILES,
    ),
    Setting(
        key="prover",
        title="Prover",
        help="what proves on this machine: a thread of the desk, or a child process",
        default=PROVERS[0],
        choices=PROVERS,
    ),
    Setting(
        key="cluster",
        title="Proving cluster",
        help="a Dask scheduler whose workers prove, like tcp://10.0.0.2:8786",
        default="",
        check=check_address,
        metavar="URL",
    ),
    Setting(
        key="l1",
        title="L1 node",
        help="a node as the L1, like http://127.0.0.1:8545; without one the L1 is embedded",
        default="",
        check=check_url,
        metavar="URL",
        public=public_url,
    ),
    Setting(
        key="speed",
        title="Clock speed at start",
        help="venue clock speed to start with",
        default=1.0,
        low=MIN_SPEED,
        high=MAX_SPEED,
        unit="venue seconds per second",
    ),
    Setting(
        key="theme",
        title="Theme",
        help="colours that the window opens in",
        default=THEMES[0],
        choices=THEMES,
    ),
    Setting(
        key="log-level",
        title="Log level",
        help="the least serious messages that go to the log file",
        default="info",
        choices=LOG_LEVELS,
    ),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}


def keys() -> list[str]:
    """Every key, in the order of declaration."""
    return list(_BY_KEY)


def setting_named(key: str) -> Setting:
    """The declaration; :class:`engine.errors.UnknownName` lists the valid keys."""
    if key not in _BY_KEY:
        raise UnknownName("setting", key, keys())
    return _BY_KEY[key]


@dataclass(frozen=True, slots=True)
class Found:
    """The value that holds, and where it comes from: ``place`` names the flag, the variable or the file."""

    setting: Setting
    value: Value
    origin: Origin
    place: str = ""


def resolve(
    wanted: tuple[str, ...],
    flags: Mapping[str, Value | None],
    environment: Mapping[str, str],
    file: Mapping[str, Value],
    file_name: str = "",
) -> dict[str, Found]:
    """What each wanted setting is, by key.

    ``flags``: of the command line, None where it says nothing. An empty variable says nothing either. ``file``:
    checked already. Raises :class:`BadSetting`.
    """
    return {key: _found(setting_named(key), flags, environment, file, file_name) for key in wanted}


def _found(
    setting: Setting,
    flags: Mapping[str, Value | None],
    environment: Mapping[str, str],
    file: Mapping[str, Value],
    file_name: str,
) -> Found:
    given = flags.get(setting.key)
    if given is not None:
        return Found(setting, setting.checked(given, setting.flag), "command line", setting.flag)
    if text := environment.get(setting.variable):
        return Found(setting, setting.parsed(text, setting.variable), "environment", setting.variable)
    if setting.key in file:
        return Found(setting, file[setting.key], "file", file_name)
    return Found(setting, setting.default, "default")


def unread_variables(environment: Mapping[str, str], others: tuple[str, ...]) -> Iterator[str]:
    """Variables that begin like ours and that nothing reads: most likely misspelt. ``others``: read elsewhere."""
    known = {setting.variable for setting in SETTINGS} | set(others)
    return (name for name in sorted(environment) if name.startswith("PROOFLINE_") and name not in known)
