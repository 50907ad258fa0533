"""The machine's invariants over contract and layer 2: true for a venue that ran, false for one that owes too much."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.paths import ROOT
from app.venue.invariants import all_invariants
from app.venue.session import Session
from tests.support.app_world import opened


@pytest.fixture(scope="module")
def session(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with opened(Path(shutil.copytree(played, tmp_path_factory.mktemp("invariants") / "venue"))) as found:
        yield found


def test_they_hold_for_a_venue_that_ran(session: Session) -> None:
    found = all_invariants(session)
    assert dict.fromkeys(found, True) == found
    assert found.keys() - session.loop.venue.invariants().keys() == {"token_balance", "l1_debts_held"}


def test_the_document_lists_all_of_them(session: Session) -> None:
    text = (ROOT / "docs" / "invariants.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == all_invariants(session).keys()
    tests = [Path(__file__).read_text(), (ROOT / "tests/engine/sequencer/test_invariants.py").read_text()]
    tests.append((ROOT / "tests/engine/settlement/contracts/test_exchange_queue.py").read_text())
    for name in re.findall(r"`(_\w+|test_\w+)`", text):
        assert any(f"def {name}(" in source for source in tests), name


def test_money_that_the_contract_lacks_is_noticed(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    client = session.chain.client
    held, owed = client.token_balance(client.exchange), client.total_pending() + client.total_withdrawable()
    monkeypatch.setattr(client, "token_balance", lambda owner: held - 1)
    assert all_invariants(session)["token_balance"] == (
        f"the exchange holds {held - 1} quanta of the token and owes {held}"
    )
    assert all_invariants(session)["l1_debts_held"] is True  # one quantum of the layer 2 is missing, no claim is
    monkeypatch.setattr(client, "token_balance", lambda owner: owed - 1)
    assert all_invariants(session)["l1_debts_held"] == (
        f"the exchange holds {owed - 1} quanta of the token and owes {owed} on L1"
    )


def test_withdrawals_from_a_negative_layer_two_balance_the_books_and_are_noticed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sum of both layers agreed while 12,688 were paid out of 6,200: what L1 owes alone did not."""
    client, counters = session.chain.client, session.loop.venue.core.counters
    more = counters.collateral + 1
    claimable = client.total_withdrawable() + more
    monkeypatch.setattr(client, "total_withdrawable", lambda: claimable)
    monkeypatch.setattr(counters, "collateral", counters.collateral - more)
    found = all_invariants(session)
    assert found["token_balance"] is True
    assert isinstance(found["l1_debts_held"], str)
    assert isinstance(found["collateral_not_negative"], str)
