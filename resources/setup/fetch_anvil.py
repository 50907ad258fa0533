"""Fetch Anvil, the Ethereum node that tests start, through npm into the virtual environment.

Run by the Makefile before the tests. It always exits 0: where there is no npm, or npm fails, the tests that need a node
are skipped and give the reason that was left beside the place where Anvil would be. Once fetched, nothing is done.
The package ships the binary itself, so npm runs no script of it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PINNED = Path(__file__).resolve().parent / "anvil"
FOLDER = Path(sys.prefix) / "anvil"
REASON = FOLDER / "why-not.txt"
LIMIT_SECONDS = 300
OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000")


def binary() -> Path | None:
    """Anvil's executable for this machine, or None when it is not there."""
    for path in sorted(FOLDER.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*")):
        return path
    return None


def why_not() -> str:
    """Why there is no Anvil, in one line."""
    if REASON.exists():
        return REASON.read_text().strip()
    return "Anvil was not fetched yet; `make test` does it"


def fetch() -> str:
    """Fetch what package-lock.json pins; "" when it is there, else the reason why not."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm to fetch Anvil with"
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PINNED / name, FOLDER / name)
    try:
        done = subprocess.run(
            [npm, "ci", *OPTIONS], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"npm cannot fetch Anvil: {error}"
    if done.returncode:
        return f"npm cannot fetch Anvil: {' '.join((done.stderr or done.stdout).split())[:300]}"
    return "" if binary() else "npm has no Anvil for this kind of machine"


def main() -> int:
    pinned = (PINNED / "package-lock.json").read_bytes()
    present = FOLDER / "package-lock.json"
    if binary() and present.exists() and present.read_bytes() == pinned:
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    reason = fetch()
    if reason:
        REASON.write_text(reason + "\n")
        print(f"Tests of a real node will be skipped: {reason}")
    else:
        REASON.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
