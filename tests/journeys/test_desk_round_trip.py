"""The round trip through the window: trade, watch the machine, and get the money out to the last quantum."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.paths import ROOT
from engine.units import format_decimal, parse_decimal
from tests.support.desk_world import Desk
from ui.panels.inspector.panel import NOT_CHECKED
from ui.panels.prover.panel import AT_WORK
from ui.viewmodels.wording import NOTHING, price_text

BTC = 1
WITHDRAWAL = "1234.567891"  # odd on purpose: a lost quantum would show
WITHDRAWN = 1_234_567_891


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_round_trip_through_the_window(desk: Desk, tmp_path: Path) -> None:
    buy_with_leverage(desk)
    rest_and_cancel(desk)
    funding_passes(desk)
    last = close_half(desk)
    batches_reach_final(desk, last)
    prover_panel_follows(desk, last)
    a_stranger_verifies(desk, last, tmp_path / "stranger.proof")
    a_flipped_byte_is_refused(desk, last)
    withdraw_and_claim(desk)


def buy_with_leverage(desk: Desk) -> None:
    """3x, half of the equity: the position appears with its health, as large as the ticket said."""
    ticket = desk.ticket
    desk.click(ticket.fields.side.buttons["buy"])
    desk.click(ticket.fields.type.buttons["market"])
    desk.type_into(ticket.fields.sizing.box.line, "3")
    desk.click(ticket.fields.sizing.buttons[50])
    size = ticket.fields.size_edit.text()
    desk.wait(lambda: ticket.receipt.value and not ticket.receipt.refusal)
    assert ticket.button.words.startswith(f"Buy {size} BTC at market, about")
    desk.press(ticket.button)
    desk.wait(lambda: desk.user.positions)
    desk.wait(lambda: desk.rows("positions"))
    row = desk.rows("positions")[0]
    assert row["market"] == "BTC-USD"
    assert row["size"] == f"+{desk.user.positions[0].size / 1000:.3f} BTC"
    liquidation = desk.user.positions[0].liquidation_price
    assert liquidation is not None
    assert 0 < liquidation < desk.snapshot.markets[BTC].last_price
    assert "% to liquidation at" in row["health"]
    desk.wait(lambda: "% to liquidation at" in desk.account.health.text())
    assert sum(fill.lots for fill in desk.snapshot.fills) == desk.user.positions[0].size
    assert 1_400_000 < desk.user.leverage_ppm < 1_600_000
    assert desk.rows("fills")


def rest_and_cancel(desk: Desk) -> None:
    """A limit order away from the market rests with its place in the queue; the table's button cancels it."""
    market = desk.engine.config.market(BTC)
    far = price_text(market, int(desk.snapshot.markets[BTC].bids[0, 0]) * 98 // 100)
    desk.fill_ticket("buy", "limit", "0.010", far)
    desk.click(desk.ticket.fields.post_only)
    desk.press(desk.ticket.button)
    desk.wait(lambda: desk.user.orders)
    desk.wait(lambda: desk.rows("orders"))
    row = desk.rows("orders")[0]
    assert (row["side"], row["price"], row["size"], row["cancel"]) == ("buy", far, "0.010 BTC", "Cancel")
    assert row["ahead"] == "first" or row["ahead"].endswith("BTC")
    desk.click_cell("orders", 0, "cancel")
    desk.wait(lambda: not desk.user.orders)
    desk.wait(lambda: not desk.rows("orders"))


def funding_passes(desk: Desk) -> None:
    """The hour ends under a faster clock, and the position is settled."""
    desk.choose_speed(60.0)
    desk.wait(lambda: desk.rows("funding"))
    desk.choose_speed(10.0)
    row = desk.rows("funding")[0]
    assert row["market"] == "BTC-USD"
    assert parse_decimal(row["amount"], 6, field="amount") == desk.snapshot.funding[0][3] != 0


def close_half(desk: Desk) -> int:
    """Half by the table's button, reduce-only; returns the batch that holds the close."""
    before = desk.user.positions[0].size
    desk.click_cell("positions", 0, "half")
    desk.wait(lambda: desk.user.positions[0].size != before)
    assert desk.user.positions[0].size == before // 2
    desk.wait(lambda: desk.rows("positions")[0]["size"] == f"+{before // 2 / 1000:.3f} BTC")
    return desk.snapshot.fills[0].batch


def batches_reach_final(desk: Desk, last: int) -> None:
    """Every lane up to the close's shows all its steps done, and the fills say so too."""
    lanes = desk.batches.lanes

    def done() -> set[int]:
        return {lane.number for lane in lanes.shown if all(step.state == "done" for step in lane.steps)}

    desk.wait(lambda: last in done())
    assert set(range(1, last + 1)) <= done()
    desk.wait(lambda: desk.rows("fills")[0]["finality"] == f"on L1, batch {last}, final")
    assert desk.snapshot.l1.last_batch >= last
    assert desk.snapshot.proof_failures == 0


def prover_panel_follows(desk: Desk, last: int) -> None:
    """Every proved batch has its stages in the protocol's order, times have percentiles, somebody is at work."""
    desk.go_to("prover")
    panel = desk.prover
    desk.wait(lambda: any(bar.number == last and bar.kind == "proved" for bar in panel.bars.shown))
    bar = next(bar for bar in panel.bars.shown if bar.number == last)
    assert [segment.letter for segment in bar.segments] == list("WTECLQDFO")
    assert sum(segment.slowest for segment in bar.segments) == 1
    told = {fact.name.partition(" of last")[0]: fact.text for fact in panel.facts.facts}
    assert told["proven"].startswith("100.")
    assert NOTHING not in (told["p50"], told["gas per batch"], told["gas per tx"])
    panel.show_tab(AT_WORK)
    desk.wait(lambda: panel.tables[0].rows.rows)
    assert int(panel.tables[0].rows.cell(0, 4).text) >= last


def a_stranger_verifies(desk: Desk, last: int, target: Path) -> None:
    """A double click on a batch opens its proof; it verifies here, and its export where there is only the file."""
    desk.go_to("batches")
    lanes, inspector = desk.batches.lanes, desk.inspector
    desk.wait(lambda: any(lane.number == last for lane in lanes.shown))
    place = next(k for k, lane in enumerate(lanes.shown) if lane.number == last)
    lanes.verticalScrollBar().setValue(max(0, (place - 1) * lanes.row_height))
    place = next(k for k, lane in enumerate(lanes.shown) if lane.number == last)
    desk.qtbot.mouseDClick(lanes.viewport(), Qt.MouseButton.LeftButton, pos=lanes.row_rect(place).center())
    desk.wait(lambda: inspector.isVisible() and inspector.verdict.text() == NOT_CHECKED)
    assert inspector.number == last
    assert inspector.page.file.text().startswith("The file is the one that was stored")
    steps = [row.name.partition(" ")[2] for row in inspector.page.l1_gas.rows]
    assert (steps[0], steps[-2:]) == ("opens the proof", ["registers the fact", "moves the root"])
    assert inspector.batch is not None
    assert sum(step.gas for step in inspector.batch.l1_steps) == inspector.batch.gas
    desk.press(inspector.verify)
    desk.wait(lambda: inspector.verdict.text().startswith("Accepted by this machine's verifier"))
    inspector.start_export(target)  # the dialog that asks where is the system's
    desk.wait(lambda: str(target) in inspector.verdict.text() and not inspector.busy)
    command = [sys.executable, "main.py", "verify", str(target), "--details"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("accepted in ")
    assert f"new root             0x{inspector.batch.new_root}" in done.stdout


def a_flipped_byte_is_refused(desk: Desk, last: int) -> None:
    """The inspector finds a changed file, and the window lives on."""
    inspector = desk.inspector
    assert inspector.batch is not None
    path = Path(inspector.batch.proof_file)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    desk.press(inspector.verify)
    desk.wait(lambda: inspector.verdict.text().startswith("Refused at fri after"))
    path.unlink()
    desk.press(inspector.verify)
    desk.wait(lambda: "No such file" in inspector.verdict.text())
    path.write_bytes(whole)
    desk.press(inspector.done)
    desk.wait(desk.window.panels["chart"].isVisible)


def withdraw_and_claim(desk: Desk) -> None:
    """The account's form asks, the stepper follows, the user claims: the wallet is right to the last quantum."""
    wallet, equity = desk.user.l1_token_balance, desk.user.account.collateral
    desk.go_to("account")
    desk.press(desk.account.withdraw_button)
    desk.type_into(desk.account.form.amount.line, WITHDRAWAL)
    assert desk.account.form.button.words == "Withdraw 1,234.567891 pUSD"
    desk.press(desk.account.form.button)
    desk.wait(lambda: desk.snapshot.withdrawals)
    assert desk.user.account.collateral == equity - WITHDRAWN
    desk.go_to("withdrawals")
    desk.wait(lambda: desk.withdrawals.cards)
    card = desk.withdrawals.cards[0]
    desk.wait(lambda: [step.name for step in card.stepper.steps if step.state == "active"] == ["claimed"])
    assert desk.user.l1_claimable == WITHDRAWN
    assert desk.user.l1_token_balance == wallet
    desk.press(card.claim)
    desk.wait(lambda: all(step.state == "done" for step in card.stepper.steps))
    assert desk.user.l1_token_balance == wallet + WITHDRAWN
    assert desk.user.l1_claimable == 0
    assert desk.snapshot.l1.last_batch >= 3
    assert "1,234.567891 pUSD" in card.title.text()
    desk.go_to("account")
    desk.press(desk.account.deposit_button)
    most = format_decimal(wallet + WITHDRAWN, 6)
    desk.wait(lambda: desk.account.form.amount.words.text() == f"0.000001 to {most} pUSD")
