"""A realistic picture of the venue for tests and pictures, and a stand-in engine that serves it.

Everything is derived from one seed; ``SampleEngine.advance`` moves book, trades and clock as a live venue would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.snapshot.views import (
    AccountView,
    BatchView,
    CandleSeries,
    FillView,
    L1StepView,
    L1View,
    MarketView,
    OrderView,
    PositionView,
    SecurityTerm,
    SequencerView,
    Snapshot,
    ThreadView,
    TradePrint,
    WithdrawalView,
    WorkerView,
)
from engine.errors import ProtocolError
from engine.exchange.accounts import Account, Position
from engine.exchange.config import BTC, DEFAULT_CONFIG, ETH, MarketConfig, VenueConfig
from engine.sequencer.events import Event
from engine.sequencer.inputs import Input, PlaceOrder
from engine.sequencer.preview import Receipt
from engine.units import FIXED_ONE, HOUR, MINUTE, SECOND
from tests.support.receipts import sample_receipt

NOW = 1_723_111_405 * SECOND  # 2024-08-08 10:03:25 UTC
USER = DEFAULT_CONFIG.first_user_account
BTC_MID = 574_123  # ticks of 0.1
ETH_MID = 247_211  # ticks of 0.01
QUANTUM = 10**6
TERMS = tuple(
    SecurityTerm(*term)
    for term in (
        ("lookup", 124.4, 0), ("constraints", 137.6, 0), ("deep", 128.1, 0), ("batching", 104.4, 6),
        ("folding 1", 102.4, 0), ("folding 2", 103.5, 0), ("query", 102.5, 16), ("hash", 128.0, 0),
    )
)  # fmt: skip
STAGES = ("opened", "sequenced", "proved", "posted", "final")


def fixed(market: MarketConfig, ticks: float) -> int:
    """Ticks as a 32.32 price."""
    return round(ticks * market.tick_value * FIXED_ONE)


def book_side(rng: np.random.Generator, best: int, step: int, levels: int = 200) -> np.ndarray:
    """Levels (price, lots, orders) away from ``best``, thin near the touch, a few walls further out."""
    gaps = rng.choice([1, 1, 1, 1, 2, 3], size=levels)
    prices = best + step * np.concatenate([[0], np.cumsum(gaps)[:-1]])
    lots = rng.gamma(1.4, 320, size=levels) * (1 + np.arange(levels) / 60) + 1
    lots[rng.integers(4, levels, size=6)] *= 9
    orders = rng.integers(1, 14, size=levels)
    return np.column_stack([prices, lots, orders]).astype(np.int64)


def market_view(market: MarketConfig, mid: int, rng: np.random.Generator, *, changes: int = 48_211) -> MarketView:
    """One market around ``mid`` ticks."""
    spread = 1 if market is BTC else 3
    return MarketView(
        market_id=market.market_id,
        bids=book_side(rng, mid - spread, -1),
        asks=book_side(rng, mid, 1),
        last_price=mid,
        last_side="buy",
        mark_fixed=fixed(market, mid + 0.4),
        index_fixed=fixed(market, mid - 7.3),
        funding_index=fixed(market, 1.2),
        funding_rate=round(0.0000132 * FIXED_ONE),
        next_funding=(NOW // HOUR + 1) * HOUR,
        open_interest=1_284_310,
        high_24h=mid + 21_340,
        low_24h=mid - 9_870,
        open_24h=mid - 6_620,
        volume_24h=18_402_553,
        book_changes=changes,
    )


def trade_prints(rng: np.random.Generator, count: int = 200, first_id: int = 90_000) -> tuple[TradePrint, ...]:
    """Newest first, both markets, one liquidation."""
    prints, time = [], NOW
    for k in range(count):
        market, mid = (BTC, BTC_MID) if rng.random() < 0.8 else (ETH, ETH_MID)
        side = "buy" if rng.random() < 0.52 else "sell"
        price = mid - (0 if side == "buy" else 1) + int(rng.integers(-12, 13) * k / count)
        lots = int(rng.gamma(0.6, 260)) + 1
        prints.append(
            TradePrint(
                fill_id=first_id - k,
                time=time,
                market=market.market_id,
                price=price,
                lots=lots,
                side=side,
                liquidation=k == 23,
            )
        )
        time -= int(rng.exponential(0.3) * SECOND)
    return tuple(prints)


def sample_candles(market: int, interval: int, count: int = 500) -> CandleSeries:
    """A seeded random walk that ends at the market's price."""
    rng = np.random.default_rng(market * 7919 + interval // SECOND)
    mid = BTC_MID if market == BTC.market_id else ETH_MID
    sigma = mid * 0.00011 * (interval / SECOND) ** 0.5
    steps = rng.standard_t(4, size=count) * sigma / 1.5
    close = np.cumsum(steps)
    close = close - close[-1] + mid
    open_ = np.concatenate([[close[0] - steps[0]], close[:-1]])
    wick = np.abs(rng.normal(0, sigma * 0.6, size=(2, count)))
    high = np.maximum(open_, close) + wick[0]
    low = np.minimum(open_, close) - wick[1]
    volume = rng.gamma(1.1, 900, size=count) * (1 + 3 * np.abs(steps) / sigma) * (interval / SECOND) ** 0.5
    time = (NOW // interval - np.arange(count)[::-1]) * interval
    opened, high, low, close_, volume = (np.rint(row).astype(np.int64) for row in (open_, high, low, close, volume))
    mark = close + rng.normal(0, sigma * 0.08, count)
    index = close - 7 + np.cumsum(rng.normal(0, sigma * 0.03, count))
    return CandleSeries(
        interval=interval,
        time=time.astype(np.int64),
        open=opened,
        high=high,
        low=low,
        close=close_,
        volume=volume,
        mark=mark,
        index=index,
    )


def sample_orders(time: int = NOW) -> tuple[OrderView, ...]:
    """Five resting orders of the user."""
    rows = (
        (70_411, "desk-31", BTC, "buy", BTC_MID - 6, 250, 0, 1_840),
        (70_398, "desk-30", BTC, "sell", BTC_MID + 9, 400, 120, 655),
        (70_102, "desk-24", BTC, "buy", BTC_MID - 1_560, 1_000, 0, 0),
        (69_870, "desk-19", BTC, "sell", BTC_MID + 2_300, 750, 0, 12_330),
        (70_003, "desk-22", ETH, "buy", ETH_MID - 240, 12_000, 3_500, 9_120),
    )
    return tuple(
        OrderView(
            order_id=oid,
            client_id=cid,
            market=m.market_id,
            side=side,
            price=price,
            lots=lots,
            filled=filled,
            placed_at=time - (k + 1) * 37 * SECOND,
            lots_ahead=ahead,
        )
        for k, (oid, cid, m, side, price, lots, filled, ahead) in enumerate(rows)
    )


def sample_positions() -> tuple[PositionView, ...]:
    """A BTC long in profit and an ETH short at a loss."""
    btc_size, eth_size = 1_250, -8_000
    btc_notional = BTC_MID * btc_size * BTC.tick_value
    eth_notional = ETH_MID * -eth_size * ETH.tick_value
    return (
        PositionView(
            market=1,
            size=btc_size,
            entry_fixed=fixed(BTC, 569_870.5),
            mark_fixed=fixed(BTC, BTC_MID + 0.4),
            notional=btc_notional,
            unrealised=531_612_500,
            realised=88_410_000,
            funding_paid=-1_204_311,
            accrued_funding=-30_412,
            initial_margin=btc_notional // 20,
            maintenance_margin=btc_notional * 3 // 100,
            liquidation_price=512_204,
        ),
        PositionView(
            market=2,
            size=eth_size,
            entry_fixed=fixed(ETH, 246_105.0),
            mark_fixed=fixed(ETH, ETH_MID + 0.4),
            notional=eth_notional,
            unrealised=-88_480_000,
            realised=0,
            funding_paid=310_557,
            accrued_funding=12_004,
            initial_margin=eth_notional // 20,
            maintenance_margin=eth_notional * 3 // 100,
            liquidation_price=301_870,
        ),
    )


def sample_account(time: int = NOW) -> AccountView:
    """The demo account at 4.3x."""
    positions = sample_positions()
    equity = 21_044_318_551
    collateral = equity - positions[0].notional + positions[1].notional
    initial = sum(p.initial_margin for p in positions)
    maintenance = sum(p.maintenance_margin for p in positions)
    notional = sum(p.notional for p in positions)
    return AccountView(
        account_id=USER,
        account=Account(
            version=1,
            l1_address=bytes.fromhex("52908400098527886e0f7030069857d2e4169ee7"),
            collateral=collateral,
            positions=(Position(1, 1_250, fixed(BTC, 1.1)), Position(2, -8_000, fixed(ETH, 0.3))),
        ),
        equity=equity,
        initial_margin=initial,
        maintenance_margin=maintenance,
        free_collateral=equity - initial,
        withdrawable=equity - initial - 531_612_500,
        health_ppm=(equity - maintenance) * 1_000_000 // equity,
        leverage_ppm=notional * 1_000_000 // equity,
        l1_address=bytes.fromhex("52908400098527886e0f7030069857d2e4169ee7"),
        l1_token_balance=79_400 * QUANTUM,
        l1_pending_deposit=0,
        l1_claimable=1_250 * QUANTUM + 440_000,
        positions=positions,
        orders=sample_orders(time),
        demo_key=True,
    )


def sample_fills(count: int = 24, time: int = NOW) -> tuple[FillView, ...]:
    """The user's fills, newest first."""
    rng = np.random.default_rng(5)
    fills = []
    for k in range(count):
        market, mid = (BTC, BTC_MID) if k % 4 else (ETH, ETH_MID)
        lots = int(rng.integers(10, 900))
        price = mid + int(rng.integers(-900, 200))
        fee = -(-price * lots * market.tick_value * (200 if k % 3 == 0 else 500) // 1_000_000)
        side = "buy" if rng.random() < 0.6 else "sell"
        stamp = time - (k + 1) * 71 * SECOND
        fills.append(
            FillView(
                fill_id=88_000 - k,
                time=stamp,
                market=market.market_id,
                side=side,
                price=price,
                lots=lots,
                fee=fee,
                maker=k % 3 == 0,
                liquidation=k == 9,
                batch=41 - k // 4,
            )
        )
    return tuple(fills)


def batch_view(number: int, status: str, time: int, **more: Any) -> BatchView:
    """One batch; ``status`` decides which stages have a time."""
    reached = {"open": 1, "sequenced": 2, "proving": 2, "failed": 2, "proved": 3, "posted": 4, "final": 5}[status]
    seconds = (0, 10, 23, 27, 39)
    stages = {name: time + at * SECOND for name, at in list(zip(STAGES, seconds, strict=True))[:reached]}
    proved = reached >= 3
    view = BatchView(
        number=number, transactions=188 + number % 7 * 31, accounts=9 + number % 5 * 4, stages=stages, status=status,
        proving_stage="", progress=1.0 if proved else 0.0, prove_seconds=11.4 + number % 4 * 0.9 if proved else 0.0,
        verify_seconds=0.21 if proved else 0.0, proof_bytes=412_880 + number * 17 if proved else 0,
        proof_file=f"proof-{number}.bin" if proved else "", attempts=1 if reached >= 2 else 0, failure="",
        gas=214_300 + number % 5 * 8_100 if reached >= 4 else 0,
        l1_transaction=f"0x{number * 0x9E3779B97F4A7C15 % (1 << 256):064x}" if reached >= 4 else "",
        l1_block=1_000 + number * 3 if reached >= 4 else 0, old_root=f"{(number * 0x1F3D5B79) % (1 << 64):016x}" * 4,
        new_root=f"{((number + 1) * 0x1F3D5B79) % (1 << 64):016x}" * 4, bits_proven=102.4, bits_conjectured=128.0,
        stage_seconds=stage_seconds(11.4 + number % 4 * 0.9, number) if proved else {},
        security_terms=TERMS if proved else (), profile="quick" if proved else "",
        worker="in this process" if proved else "", l1_steps=l1_steps(number) if reached >= 4 else (),
    )  # fmt: skip
    return replace(view, **more)


def stage_seconds(total: float, seed: int) -> dict[str, float]:
    """The prover's stages, which add up to ``total``; the commitment or FRI is the slowest."""
    shares = {"witness": 5, "trace": 7, "extension": 14, "commitment": 24, "lookup": 9, "quotient": 14, "deep": 8,
              "fri": 12 + seed % 5 * 4, "openings": 2}  # fmt: skip
    return {name: total * share / sum(shares.values()) for name, share in shares.items()}


def l1_steps(number: int) -> tuple[L1StepView, ...]:
    """The L1 transactions of a batch."""
    costs = (("open", 4_600_000, 21_000), ("check", 5_200_000, 126_532), ("check", 5_100_000, 121_828),
             ("register", 48_000, 36), ("update", 96_000, 420))  # fmt: skip
    return tuple(
        L1StepView(kind=kind, transaction=f"{number * 1_000_003 + place:064x}", gas=gas, calldata=calldata)
        for place, (kind, gas, calldata) in enumerate(costs)
    )


def sample_workers() -> tuple[WorkerView, ...]:
    """One at work, one idle, one set aside, one lost."""
    return (
        WorkerView(
            name="in this process",
            kind="thread",
            state="proving",
            batch=45,
            stage="quotient",
            fraction=0.58,
            busy=0.83,
            proofs=212,
            failures=0,
            last_failure="",
        ),
        WorkerView(
            name="tcp://10.0.0.12:40123",
            kind="cluster",
            state="idle",
            batch=None,
            stage="",
            fraction=0.0,
            busy=0.41,
            proofs=97,
            failures=1,
            last_failure="lost contact for 5 s",
        ),
        WorkerView(
            name="child 2",
            kind="process",
            state="set aside",
            batch=None,
            stage="",
            fraction=0.0,
            busy=0.02,
            proofs=3,
            failures=3,
            last_failure="proof refused at fri: layer 2",
        ),
        WorkerView(
            name="child 3",
            kind="process",
            state="lost",
            batch=None,
            stage="",
            fraction=0.0,
            busy=0.0,
            proofs=18,
            failures=1,
            last_failure="killed by signal 9",
        ),
    )


def sample_batches(time: int = NOW) -> tuple[BatchView, ...]:
    """Newest first: open, sequenced, proving, a failed attempt, proved, posted, final."""
    live = [
        batch_view(47, "open", time - 4 * SECOND, transactions=73, accounts=11),
        batch_view(46, "sequenced", time - 14 * SECOND),
        batch_view(
            45,
            "proving",
            time - 24 * SECOND,
            proving_stage="quotient",
            progress=0.58,
            running_seconds=6.9,
            stage_seconds=dict(list(stage_seconds(11.4, 1).items())[:5]),
        ),
        batch_view(44, "failed", time - 34 * SECOND, attempts=2, failure="worker killed: out of memory budget (2 GiB)"),
        batch_view(43, "proved", time - 44 * SECOND),
        batch_view(42, "posted", time - 54 * SECOND),
    ]
    final = [batch_view(41 - k, "final", time - (64 + 10 * k) * SECOND) for k in range(30)]
    return tuple(live + final)


def sample_withdrawals(time: int = NOW) -> tuple[WithdrawalView, ...]:
    """One just requested, one claimable, one claimed."""
    names = ("requested", "in_batch", "proved", "on_l1", "claimable", "claimed")
    rows = ((3, 2_500 * QUANTUM, 46, 2, 9), (2, 1_250 * QUANTUM + 440_000, 41, 5, 70), (1, 800 * QUANTUM, 22, 6, 400))
    return tuple(
        WithdrawalView(
            withdrawal_id=number,
            path="normal",
            amount=amount,
            batch=batch,
            stages={name: time - (ago - k * 9) * SECOND for k, name in enumerate(names[:reached])},
        )
        for number, amount, batch, reached, ago in rows
    )


def sample_funding() -> tuple[tuple[int, int, int, int], ...]:
    """Six hourly settlements, both signs, newest first."""
    return tuple((NOW - k * HOUR - 205 * SECOND, 1 + k % 2, 1_250 - 400 * k, -30_412 + 9_111 * k) for k in range(6))


def sample_threads(error: str = "") -> tuple[ThreadView, ...]:
    """The supervised threads; ``error`` kills the prover."""
    names = ("sequencer", "journal", "publisher", "prover", "relayer", "L1")
    return tuple(
        ThreadView(
            name=name,
            alive=not (error and name == "prover"),
            heartbeat_age=0.02 + 0.05 * k,
            error=error if name == "prover" else "",
            restarts=0,
        )
        for k, name in enumerate(names)
    )


def sample_snapshot(version: int = 1, **more: Any) -> Snapshot:
    """The whole picture; keyword arguments replace fields."""
    rng = np.random.default_rng(11)
    root = f"{0x1F3D5B79 * 48:016x}" * 4
    picture = Snapshot(
        version=version, time=NOW, wall_time=0.0, speed=1.0, paused=False, mode="recorded flow", engine_lag_ms=3.4,
        markets={1: market_view(BTC, BTC_MID, rng), 2: market_view(ETH, ETH_MID, rng)},
        trades=trade_prints(rng), user=sample_account(), fills=sample_fills(),
        funding=sample_funding(),
        transfers=((NOW - 9 * SECOND, "withdrawal", 2_500 * QUANTUM, "in batch 46"),
                   (NOW - 70 * SECOND, "withdrawal", 1_250 * QUANTUM + 440_000, "claimable on L1"),
                   (NOW - 40 * MINUTE, "deposit", 20_000 * QUANTUM, "credited, L1 block 1,004")),
        batches=sample_batches(), withdrawals=sample_withdrawals(),
        sequencer=SequencerView(
            sequence=184_220, inputs_per_second=312.5, queue_depth=3, queue_limit=4_096, ack_p50_us=410.0,
            ack_p99_us=1_930.0, journal_lag=2, journal_bytes=48_220_160, open_batch=47, open_batch_transactions=73,
            open_batch_accounts=11, open_batch_age=4 * SECOND, root=root, halted="",
        ),
        l1=L1View(
            block=1_131, timestamp=NOW // SECOND - 5, exchange="0x5fbdb2315678afecb367f032d93f642f64180aa3",
            token="0xe7f1725e7734ce288f8367e1bb143e90bb3f0512", contract_root=root, last_batch=42,
            gate="only what the verifier contracts have checked moves the root", where="the embedded chain",
        ),
        threads=sample_threads(), prove_seconds=np.array([11.0 + (k * 7 % 13) * 0.4 for k in range(120)]),
        proof_failures=1, messages=(), workers=sample_workers(), proofs_waiting=2,
    )  # fmt: skip
    return replace(picture, **more)


class SampleEngine:
    """A stand-in for the engine: serves a snapshot, records what the window asked for."""

    def __init__(self, snapshot: Snapshot | None = None, config: VenueConfig = DEFAULT_CONFIG) -> None:
        self.config = config
        self.current: Snapshot | None = sample_snapshot() if snapshot is None else snapshot
        self.asked: list[tuple[str, Any]] = []
        self.events: list[Event] = []
        self.refusal: ProtocolError | None = None
        self.receipt: Receipt = sample_receipt()
        self.proof = b""
        self._rng = np.random.default_rng(3)

    def snapshot(self) -> Snapshot | None:
        """The current picture."""
        return self.current

    def candles(self, market: int, interval_ns: int) -> CandleSeries:
        """Seeded candles."""
        return sample_candles(market, interval_ns)

    def _ask(self, name: str, value: Any = None) -> None:
        self.asked.append((name, value))
        if self.refusal is not None:
            raise self.refusal

    def submit(self, command: Input) -> None:
        """Record a command, or refuse it with ``refusal``."""
        self._ask("submit", command)

    def events_since(self, cursor: int) -> tuple[int, list[Event]]:
        """The events a test put in ``events``."""
        return len(self.events), self.events[cursor:]

    def preview(self, order: PlaceOrder) -> Receipt:
        """The receipt a test put in ``receipt``."""
        return self.receipt

    def deposit(self, amount: int) -> None:
        """Record a deposit."""
        self._ask("deposit", amount)

    def claim(self) -> None:
        """Record a claim."""
        self._ask("claim")

    def set_speed(self, multiple: float) -> None:
        """Record and show a speed."""
        self._ask("set_speed", multiple)
        self.update(speed=multiple)

    def set_paused(self, paused: bool) -> None:
        """Record and show a pause."""
        self._ask("set_paused", paused)
        self.update(paused=paused)

    def proof_file(self, number: int) -> bytes:
        """The bytes a test put in ``proof``, or its refusal."""
        self._ask("proof_file", number)
        return self.proof

    def prove_again(self, number: int) -> None:
        """Record the wish."""
        self._ask("prove_again", number)

    def stop(self) -> None:
        """Record the stop."""
        self._ask("stop")

    def update(self, **more: Any) -> None:
        """Publish the next picture with these fields replaced."""
        assert self.current is not None
        self.current = replace(self.current, version=self.current.version + 1, **more)

    def advance(self, changes: int = 4) -> None:
        """Publish the next picture: ``changes`` levels of each book change, one trade prints, 16 ms pass."""
        assert self.current is not None
        markets = {}
        for number, view in self.current.markets.items():
            bids, asks = view.bids.copy(), view.asks.copy()
            for side in (bids, asks):
                rows = self._rng.integers(0, 30, size=changes)
                side[rows, 1] = self._rng.integers(1, 2_500, size=changes)
            markets[number] = replace(view, bids=bids, asks=asks, book_changes=view.book_changes + 2 * changes)
        last = self.current.trades[0]
        side = "buy" if self._rng.random() < 0.5 else "sell"
        lots = int(self._rng.integers(1, 900))
        now = self.current.time + 16_000_000
        newest = TradePrint(
            fill_id=last.fill_id + 1,
            time=now,
            market=1,
            price=BTC_MID - (side == "sell"),
            lots=lots,
            side=side,
            liquidation=False,
        )
        self.update(markets=markets, time=now, trades=(newest, *self.current.trades[:199]))


def widget_colors(widget: Any) -> set[str]:
    """Every colour a widget paints, as ``#rrggbb``."""
    from PySide6.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return {f"#{int(value) & 0xFFFFFF:06x}" for value in np.unique(pixels[:, : image.width()])}
