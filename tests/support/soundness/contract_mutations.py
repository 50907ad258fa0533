"""Every check of the verifier contracts deleted in turn: the tests have to notice.

    python -m tests.support.soundness.contract_mutations [pattern]        (``make mutate`` runs all)

A check is an ``assert`` or a call of ``_encoding`` in the sources; of a conjunction each part is deleted by itself, and
a fragment of the templates that is written out in two places has its checks deleted in one at a time. The pattern is
searched for in what is printed: source and line, function and fragments around the check, the check. The mutant is
compiled in a temporary folder and judged by the tests in ``JUDGES``. ``UNREACHED`` lists the checks that no
test can meet, because no input that fails them is known; the run fails when any other goes unnoticed, or one of them
does not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.settlement.contracts.compile_contracts import encode_artifact
from engine.settlement.verifier import artifacts, compile_verifier
from engine.settlement.verifier.expand import enclosing

ROOT = Path(__file__).parents[3]
SOURCES = artifacts.FOLDER
JUDGES = (
    "tests/soundness/contract/test_opening_checks.py",
    "tests/soundness/contract/test_query_checks.py",
    "tests/engine/settlement/verifier/test_verifier_flow.py",
    "tests/soundness/contract/test_contract_verdicts.py",
)
UNREACHED = {
    "z >> 51 != 0": "a point in the base field: chance 2^-124",
    "count == 10": "too few challenges below p in 128 draws: chance below 2^-700",
    "denominator != 0": "a public term with fingerprint zero: chance 2^-146",
}
RUN = (
    "import sys, pathlib, pytest; from engine.settlement.verifier import artifacts; "
    "artifacts.FOLDER = pathlib.Path(sys.argv[1]); sys.exit(pytest.main(sys.argv[2:]))"
)
STATEMENT = re.compile(r"^( *)(assert |self\._encoding(?=\())", re.MULTILINE)
REASON = re.compile(r',\s*"[^"]*"\s*$')


@dataclass(frozen=True)
class Mutant:
    """A contract's source without one part of one check. ``places``: function and fragments around it."""

    contract: str
    line: int
    places: tuple[str, ...]
    deleted: str
    source: str


def depths(text: str) -> list[int]:
    """How many brackets are open before each character."""
    out, depth = [], 0
    for character in text:
        out.append(depth)
        depth += (character in "([") - (character in ")]")
    return out


def conjuncts(condition: str) -> list[str]:
    """The parts of a condition, which may stand in brackets."""
    condition = condition.strip()
    while condition.startswith("(") and min(depths(condition)[1:]) > 0:
        condition = condition[1:-1].strip()
    flat = "".join(c if depth == 0 else "." for c, depth in zip(condition, depths(condition), strict=True))
    cuts = [match.span() for match in re.finditer(r"\sand\s", flat)]
    starts, stops = [0, *(stop for _, stop in cuts)], [*(start for start, _ in cuts), len(condition)]
    return [" ".join(condition[start:stop].split()) for start, stop in zip(starts, stops, strict=True)]


def mutants(contract: str) -> Iterator[Mutant]:
    """Each check's parts deleted, one at a time."""
    text = (SOURCES / "src" / f"{contract}.vy").read_text()
    places = enclosing(text)
    for match in STATEMENT.finditer(text):
        depth = depths(text[match.end() :])
        length = next(at for at, open_ in enumerate(depth) if open_ == 0 and text[match.end() + at] == "\n")
        stop = match.end() + length
        reason = REASON.search(text, match.end(), stop)
        parts = conjuncts(text[match.end() : reason.start() if reason else stop])
        if parts == ["good"]:
            continue  # the body of ``_encoding``; its calls are checks
        line = text.count("\n", 0, match.start()) + 1
        for part in parts:
            rest = [other for other in parts if other is not part]
            said = reason.group() if reason else ""
            kept = f"assert ({' and '.join(rest)}){said}" if rest else "pass"
            yield Mutant(
                contract, line, places[line - 1], part, text[: match.start()] + match.group(1) + kept + text[stop:]
            )


def noticed(mutant: Mutant) -> str | None:
    """The test that fails without the check, or None."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "verifier"
        shutil.copytree(SOURCES, folder)
        (folder / "src" / f"{mutant.contract}.vy").write_text(mutant.source)
        artifacts.FOLDER = compile_verifier.FOLDER = folder
        for name in artifacts.CONTRACTS if mutant.contract in artifacts.MODULES else (mutant.contract,):
            artifacts.artifact_path(name).write_bytes(encode_artifact(compile_verifier.compile_contract(name)))
        command = [sys.executable, "-c", RUN, str(folder), "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *JUDGES]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) \S+::(\w+)", done.stdout, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found.group(1)


def main() -> int:
    pattern = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    unexpected = 0
    for contract in ("opening", "queries", "constraints", "field"):
        for mutant in mutants(contract):
            label = f"{contract}.vy:{mutant.line}: {'/'.join(mutant.places)}: {mutant.deleted}"
            if not pattern.search(label):
                continue
            test = noticed(mutant)
            unexpected += (test is None) != (mutant.deleted in UNREACHED)
            print(
                f"{'noticed' if test else 'UNNOTICED'}  {label}  {test or UNREACHED.get(mutant.deleted, '')}",
                flush=True,
            )
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
