"""The settings file: ``settings.toml`` in the data folder, one ``key = value`` a line. Whole or not at all, 0600.

It is read with a bound and only if it is a regular file; each key and value is checked before any of it counts.
"""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from app.settings import SETTINGS, BadSetting, Setting, Value, keys, setting_named
from engine.errors import ProtocolError

MAX_BYTES = 64 << 10
HEAD = "# Proofline's settings. `main.py settings` lists them all; `settings set KEY VALUE` rewrites this file.\n"


class SettingsFileError(ProtocolError):
    """The settings file cannot be read or written as a whole; ``value`` is its path."""


def read(path: Path) -> dict[str, Value]:
    """The settings in the file, checked; {} when there is none. :class:`SettingsFileError` and :class:`BadSetting`."""
    return {key: _checked(path, key, value) for key, value in _read_table(path).items()}


def change(path: Path, key: str, value: Value | None) -> None:
    """Set one key, or take it out (None); a key that nothing knows can be taken out too.

    Everything else in the file must be good, else nothing is written. Raises what :func:`read` raises, and
    :class:`engine.errors.UnknownName` for a key that neither the program nor the file knows.
    """
    table = _read_table(path)
    if value is None and key in table:
        del table[key]
    else:
        setting_named(key)
        table.pop(key, None)
    kept = {name: _checked(path, name, found) for name, found in table.items()}
    if value is not None:
        kept[key] = value
    _write(path, kept)


def _checked(path: Path, key: str, value: object) -> Value:
    if key not in keys():
        raise BadSetting(
            f"{path}: there is no setting {key!r}; valid: {', '.join(sorted(keys()))}",
            field=key,
            value=value,
            limit=sorted(keys()),
        )
    return setting_named(key).checked(value, f"{path}: {key}")


def _read_table(path: Path) -> dict[str, object]:
    data = _read_bytes(path)
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # no TOML, no text, nested without end
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SettingsFileError(f"{path} is not TOML: {why}", field="settings", value=str(path)) from error


def _read_bytes(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not be waited for
    except (FileNotFoundError, NotADirectoryError):  # of the folder says more whoever needs one
        return b""
    except OSError as error:
        raise SettingsFileError(f"{path} cannot be read: {error.strerror}", value=str(path)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SettingsFileError(f"{path} is not a regular file", value=str(path), limit="a regular file")
    with open(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        limit = f"{MAX_BYTES >> 10} KiB"
        raise SettingsFileError(f"{path} is larger than {limit}", value=str(path), limit=limit)
    return data


def _write(path: Path, values: Mapping[str, Value]) -> None:
    lines = [HEAD]
    for setting in SETTINGS:  # in one order, whatever the order of changes
        if setting.key in values:
            lines.append(f"\n# {setting.title}: {setting.help}. {_limits(setting)}\n")
            lines.append(f"{setting.key} = {_literal(values[setting.key])}\n")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # readable by its owner only
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write("".join(lines))
                file.flush()
                os.fsync(descriptor)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsFileError(f"{path} cannot be written: {error.strerror}", value=str(path)) from error


def _limits(setting: Setting) -> str:
    return f"May be: {setting.limits}."


def _literal(value: Value) -> str:
    """TOML of a value: a float as it is, a text as a basic string."""
    if isinstance(value, float):
        return repr(value)
    escaped = "".join(_escaped(character) for character in value)
    return f'"{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character < " " or character == "\x7f":
        return f"\\u{ord(character):04x}"
    return character
