"""``settings [list | get KEY | set KEY VALUE | reset KEY]``: what may be set, what it is, where that comes from."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from app.commands.registry import Command, Options, Parser, add_data
from app.paths import Paths, locate
from app.settings import Found, Setting, Value, keys, resolve, setting_named
from app.storage import settings_file


def add_arguments(parser: Parser, *_: object) -> None:
    """What to do, with which setting."""
    parser.add_argument("--json", action="store_true", help="list: one JSON object")
    acts = parser.add_subparsers(dest="act", metavar="ACT", title="acts")
    listing = acts.add_parser("list", help="all settings (the default)")
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object")
    get = acts.add_parser("get", help="print one value, secrets and all")
    setting = acts.add_parser("set", help="write one value to the settings file")
    reset = acts.add_parser("reset", help="take one value out of the settings file")
    for act in (listing, get, setting, reset):
        add_data(act)
    for act in (get, setting, reset):
        act.add_argument("key", metavar="KEY", help=", ".join(keys()))
    setting.add_argument("value", metavar="VALUE", help="checked before anything is written")


def run(options: Options) -> int:
    """0 when done; wrong keys, values and files are refused in one line."""
    paths = locate(options.data)
    if options.act == "get":
        found = _resolved(paths)[setting_named(options.key).key]
        print(f"{found.value:g}" if isinstance(found.value, float) else found.value)
    elif options.act == "set":
        _set(paths, setting_named(options.key), options.value)
    elif options.act == "reset":
        settings_file.change(paths.settings, options.key, None)
        print(f"{options.key} is no longer in {paths.settings}")
    else:
        _list(paths, as_json=options.json)
    return 0


def _resolved(paths: Paths) -> dict[str, Found]:
    """Each setting as a command without flags would find it."""
    return resolve(tuple(keys()), {}, os.environ, settings_file.read(paths.settings), str(paths.settings))


def _set(paths: Paths, setting: Setting, text: str) -> None:
    settings_file.change(paths.settings, setting.key, setting.parsed(text, setting.key))
    now = _resolved(paths)[setting.key]
    print(f"{setting.key} = {setting.shown(setting.parsed(text, setting.key))} in {paths.settings}")
    if now.origin == "environment":
        print(f"but {now.place} in the environment says {setting.shown(now.value)}, which comes first")


def _list(paths: Paths, *, as_json: bool) -> None:
    found = _resolved(paths)
    if as_json:
        print(json.dumps({"file": str(paths.settings), "settings": [_record(one) for one in found.values()]}))
        return
    width = max(len(one.setting.title) for one in found.values())
    for key, one in found.items():
        where = f"{one.origin} {one.place}".strip() if one.origin == "environment" else one.origin
        setting, value = one.setting, one.setting.shown(one.value)
        print(f"{key:10} {setting.title:{width}}  {value:12} {where:8} [{setting.limits}]")
    print(f"file: {paths.settings}{'' if paths.settings.exists() else ' (not there yet)'}")


def _record(found: Found) -> dict[str, Any]:
    setting = found.setting
    value: Value = setting.shown(found.value) if setting.holds_secrets and found.value else found.value
    record: dict[str, Any] = {
        "key": setting.key,
        "title": setting.title,
        "help": setting.help,
        "value": value,
        "default": setting.default,
        "origin": found.origin,
        "place": found.place,
        "flag": setting.flag,
        "variable": setting.variable,
    }
    if setting.choices:
        record["choices"] = list(setting.choices)
    if setting.is_number:
        record |= {"low": setting.low, "high": setting.high, "unit": setting.unit}
    return record


COMMAND = Command(
    name="settings",
    help="list, get, set and reset what is remembered between runs",
    add_arguments=add_arguments,
    run=run,
)
