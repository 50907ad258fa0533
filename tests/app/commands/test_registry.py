"""Commands, benches and scenarios register themselves, each next to what it names, and parsing them loads nothing."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import app.benches
import app.commands
import main
import ui.benches
from app.commands.registry import Command, Names, Options, Registry
from app.paths import ROOT
from app.scenarios import SCENARIOS, Scenario
from app.settings import keys
from engine.errors import UnknownName

HEAVY = ("numba", "numpy", "PySide6", "pyqtgraph", "pyrevm", "web3", "eth_abi", "distributed")


def nothing(options: Options) -> int:
    return 0


def modules_with(function: str, package: Path) -> set[str]:
    """Modules of a package that define this function at their top, found without importing them."""
    found = set()
    for path in package.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body):
            found.add(path.stem)
    return found


def test_every_module_of_the_commands_declares_one() -> None:
    modules = {module.name for module in pkgutil.iter_modules(app.commands.__path__)} - {"registry"}
    assert set(Registry().commands.names()) == modules


@pytest.mark.parametrize("room", [app.benches, ui.benches], ids=["app", "ui"])
def test_every_bench_has_its_record_and_every_record_its_bench(room) -> None:
    recorded = {bench.module.rpartition(".")[2] for bench in room.BENCHES}
    assert recorded == modules_with("measure", Path(room.__file__).parent)
    for bench in room.BENCHES:
        assert bench.module == f"{room.__name__}.{bench.name.replace('-', '_')}"
        assert len(bench.help.split()) > 3


def test_every_scenario_has_its_record() -> None:
    assert {scenario.module.rpartition(".")[2] for scenario in SCENARIOS} == modules_with(
        "play", ROOT / "app" / "scenarios"
    ) - {"play"}


def test_commands_take_settings_that_exist() -> None:
    registry = main.whole_registry()
    for command in registry.commands:
        assert set(command.taken()) <= set(keys()), command.name
    assert [command.name for command in registry.commands if command.default] == ["desk"]


def test_names_are_unique_sorted_and_a_wrong_one_lists_them() -> None:
    names = Names("scenario", (Scenario("walk", "", "m"), Scenario("run", "", "m")))
    assert names.names() == [scenario.name for scenario in names] == ["run", "walk"]
    with pytest.raises(ValueError, match="two of the scenario 'run'"):
        names.add(Scenario("run", "", "m"))
    with pytest.raises(UnknownName, match="unknown scenario 'ran'; valid: run, walk"):
        names["ran"]


def test_rooms_above_add_theirs_and_the_command_line_offers_it(capsys: pytest.CaptureFixture[str]) -> None:
    from app import cli

    registry = Registry()
    seen: list[Options] = []

    def remember(options: Options) -> int:
        seen.append(options)
        return 7

    command = Command(name="greet", help="say hello", run=remember)
    registry.commands.add(command)
    assert cli.run(["greet"], registry) == 7
    assert seen[0].registry is registry
    assert cli.run(["bench", "--list"]) == 0, "another registry does not have it"
    with pytest.raises(SystemExit):
        cli.run(["greet"])
    assert "valid: bench, doctor" in capsys.readouterr().err
    with pytest.raises(ValueError, match="two of the command"):
        registry.commands.add(replace(command, run=nothing))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["doctor", "--data", "DATA"], ["verify", "nowhere.proof"], ["settings"], ["run", "--help"]],
)
def test_what_needs_neither_kernels_nor_qt_loads_neither(arguments: list[str], tmp_path: Path) -> None:
    words = [str(tmp_path) if word == "DATA" else word for word in arguments]
    loaded = [name for name in HEAVY if arguments[0] != "verify" or name != "numpy"]  # it hashes and compares with it
    code = (
        "import sys, json, main\n"
        "try: main.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print(json.dumps([name for name in {loaded} if name in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(done.stderr.splitlines()[-1]) == []
