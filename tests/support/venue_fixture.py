"""Small real venues in tests/fixtures/venues, one for each version of the rules: folders of other versions to be met.

``python -m tests.support.venue_fixture`` makes the one of this build: 26 s of recorded flow, a market order, a resting
one, a withdrawal and a deposit, real contracts, no proof (half a megabyte each).
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from app.runtime import jit_cache

jit_cache.prepare()  # before anything imports numba

import msgspec  # noqa: E402

from app.l1.layer_one import ChainRequest  # noqa: E402
from app.paths import ROOT, open_paths  # noqa: E402
from app.storage.version import build_version  # noqa: E402
from app.venue.session import open_session  # noqa: E402
from engine.sequencer.batch import root_bytes  # noqa: E402
from engine.sequencer.inputs import PlaceOrder, RequestWithdrawal  # noqa: E402
from engine.sequencer.version import RULES_VERSION  # noqa: E402
from engine.units import QUANTUM, SECOND  # noqa: E402

FIXTURES = ROOT / "tests" / "fixtures" / "venues"
NOT_KEPT = ("lock", "proofs", "layouts")


def names() -> list[str]:
    """All fixtures."""
    return sorted(path.stem for path in FIXTURES.glob("*.json"))


def expected(name: str) -> dict[str, Any]:
    """What was so when the fixture was made."""
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return found


def unpack(name: str, folder: Path) -> Path:
    """A private copy of a fixture's data folder."""
    with tarfile.open(FIXTURES / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def make(name: str) -> None:
    """Play, close, pack, and write down what a replay must give."""
    with tempfile.TemporaryDirectory(prefix="proofline-fixture-") as folder:
        session = open_session(open_paths(folder))
        try:
            loop, account = session.loop, session.chain.user_account
            loop.run_to(loop.venue.time + 13 * SECOND, step=SECOND)
            order = PlaceOrder(account=account, market=1, side="buy", type="market", lots=7, client_id="first")
            loop.apply([order])
            loop.apply([msgspec.structs.replace(order, type="limit", lots=3, price=1000, client_id="resting")])
            loop.apply([RequestWithdrawal(account=account, amount=3 * QUANTUM + 1, client_id="out")])
            loop.ingress.deliver(ChainRequest("deposit", 12345))
            loop.run_to(loop.venue.time + 13 * SECOND, step=SECOND)
            version = build_version()
            figures = {
                "rules": version.rules,
                "contracts": version.contracts,
                "statement": version.statement,
                "inputs": loop.sequence,
                "commands": 3,
                "fills": loop.venue.core.counters.next_fill_id - 1,
                "fills_digest": loop.venue.fills_digest(),
                "live_root": root_bytes(loop.venue.live_root()).hex(),
            }
        finally:
            session.close()
        with tarfile.open(FIXTURES / f"{name}.tar.xz", "w:xz") as archive:
            archive.add(folder, ".", filter=lambda member: None if Path(member.name).name in NOT_KEPT else member)
    (FIXTURES / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    make(f"rules-{RULES_VERSION}")
