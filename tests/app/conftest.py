"""A played venue in a folder, made once; tests work on copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.sequencer.inputs import PlaceOrder, RequestWithdrawal
from engine.units import QUANTUM
from tests.support.app_world import opened, run


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed venue after some 40 s: trades, batches on L1, a withdrawal, two checkpoints and the user's order."""
    folder = tmp_path_factory.mktemp("played") / "venue"
    with opened(folder) as session:
        session.prover.start()
        account = session.chain.user_account
        run(session, 14, parts=28)
        session.loop.apply(
            [PlaceOrder(account=account, market=1, side="buy", type="market", lots=7, client_id="first")]
        )
        session.loop.apply([RequestWithdrawal(account=account, amount=3 * QUANTUM + 1, client_id="out")])
        session.loop.checkpoint()
        session.loop.apply(
            [PlaceOrder(account=account, market=1, side="buy", type="limit", lots=3, price=1000, client_id="resting")]
        )
        run(session, 24, parts=48)
    return folder


@pytest.fixture
def folder(played: Path, tmp_path: Path) -> Path:
    """A private copy of the played venue."""
    return Path(shutil.copytree(played, tmp_path / "venue"))
