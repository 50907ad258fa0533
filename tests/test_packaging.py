"""The package: every import declared, pins in step with it, and a wheel that works where it is unpacked."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.commands.doctor import PINNED
from app.paths import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
ROOMS = ("app", "engine", "ui")
OPTIONAL = {"distributed": "cluster", "vyper": "dev"}
"""Imported where the extra is there, by the commands that need it."""


def declared(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(found.name): found for found in map(Requirement, lines)}


def pins(name: str) -> dict[str, str]:
    """Package to version of a requirements file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+) \\$", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


def imported() -> dict[str, set[str]]:
    """Top-level modules that the rooms import from outside, and where."""
    found: dict[str, set[str]] = {}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [str(node.module)]
            else:
                continue
            for name in names:
                found.setdefault(name.split(".")[0], set()).add(str(path.relative_to(ROOT)))
    return {name: where for name, where in found.items() if name not in (*sys.stdlib_module_names, *ROOMS)}


def test_every_direct_import_is_declared_and_nothing_else() -> None:
    distributions = {**importlib.metadata.packages_distributions(), "PySide6QtAds": ["PySide6-QtAds"]}
    needed, core, extras = set(), declared(PROJECT["dependencies"]), declared([*EXTRAS["cluster"], *EXTRAS["dev"]])
    for module, where in imported().items():
        candidates = {canonicalize_name(name) for name in distributions[module]}
        allowed = extras if module in OPTIONAL else core
        assert candidates & set(allowed), f"{module} is imported in {sorted(where)[:3]} and not declared"
        needed |= candidates & set(core)
    assert set(core) == needed, "declared, and imported nowhere"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-cluster.txt"])
def test_every_pin_has_its_hashes_and_no_file_names_a_server(name: str) -> None:
    text = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.split("#\n", 1)[1].split("#\n")[-1])
    assert len(blocks) == len(pins(name)) > 0
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"^--|https?://|@ ", text, re.MULTILINE)


def test_the_pins_are_what_is_declared() -> None:
    core, dev, cluster = (pins(f"requirements{name}.txt") for name in ("", "-dev", "-cluster"))
    for requirements, pinned in (
        (PROJECT["dependencies"], core),
        ([*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["cluster"]], dev),
        (EXTRAS["cluster"], cluster),
    ):
        for name, requirement in declared(requirements).items():
            assert requirement.specifier.contains(pinned[name], prereleases=True), name
    assert core.items() <= dev.items(), "what runs is what is tested"
    assert cluster.items() <= dev.items()
    assert (ROOT / "requirements-cluster.in").read_text().split() == EXTRAS["cluster"]
    assert declared(PYPROJECT["build-system"]["requires"])["hatchling"] == declared(EXTRAS["dev"])["hatchling"]
    for name, version in PINNED.items():
        assert core[canonicalize_name(name)].startswith(version), "what doctor looks for"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the installed backend: no network, no isolation."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (path,) = folder.glob("*.whl")
    return path


def tracked(*folders: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def test_the_wheel_holds_the_rooms_and_the_resources_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        information = {name.split(".dist-info/")[1]: archive.read(name).decode() for name in archive.namelist()
                       if ".dist-info/" in name}  # fmt: skip
    wanted = {name for name in tracked(*ROOMS, "resources", "main.py") if not name.startswith("resources/setup/")}
    assert {name for name in wanted if (ROOT / name).exists()} <= names
    assert {name.split("/")[0] for name in names} == {*ROOMS, "resources", "main.py"}
    assert not any(name.endswith((".pyc", ".nbi", ".nbc")) for name in names)
    assert "proofline = main:main" in information["entry_points.txt"]
    assert "Apache License" in information["licenses/LICENSE"]
    assert "SIL Open Font License" in information["licenses/resources/LICENCES.md"]
    requires = re.findall(r"^Requires-Dist: ([^;\n]+)$", information["METADATA"], re.MULTILINE)
    assert declared(requires) == declared(PROJECT["dependencies"])
    assert "Requires-Python: <3.13,>=3.11" in information["METADATA"]


def test_an_unpacked_wheel_runs_from_anywhere_with_an_empty_home(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PROOFLINE_", "XDG_"))}
    environment |= {"PYTHONPATH": str(site), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    code = (
        "import sys; sys.argv = ['proofline', *sys.argv[1:]]; import main; from app.paths import RESOURCES\n"
        "assert (RESOURCES / 'themes' / 'dark.json').exists(), RESOURCES\n"
        "sys.exit(main.main())"
    )

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    doctor = call("doctor")
    assert (doctor.returncode, doctor.stderr) == (0, "")
    assert "BAD" not in doctor.stdout
    assert (tmp_path / "home" / ".cache" / "proofline").is_dir(), "the kernels' cache has its place"
    assert call("--help").stdout.startswith("usage: proofline")
    listed = json.loads(call("settings", "--json").stdout)
    assert listed["file"] == str(tmp_path / "home" / ".local" / "share" / "proofline" / "settings.toml")
