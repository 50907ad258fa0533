"""What the window sees: one frozen snapshot of the venue, polled, never pushed.

Arrays are private copies; nobody writes to a snapshot after it is published. Money in quanta, prices in ticks unless
the name says ``fixed`` (32.32), sizes in lots, times in venue nanoseconds unless the name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.exchange.accounts import Account
from engine.exchange.guards import HaltReason
from engine.sequencer.inputs import Side
from engine.units import AccountId, MarketId, OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """One market. ``bids``/``asks``: int64 arrays (levels, 3) of price, lots, orders; best first, 200 at most."""

    market_id: MarketId
    bids: np.ndarray
    asks: np.ndarray
    last_price: int
    last_side: Side
    mark_fixed: int
    index_fixed: int
    funding_index: int
    funding_rate: int  # predicted for the running interval, 0.32
    next_funding: int
    open_interest: int
    high_24h: int
    low_24h: int
    open_24h: int
    volume_24h: int  # lots
    book_changes: int  # counter since start
    deleveraging: bool = False  # a bankrupt position waits to be closed: reducing orders only
    unconfirmed_fixed: int = 0  # an index reading that waits for a second one, 32.32; 0 for none
    halted: HaltReason = ""  # why reducing orders only are taken
    band: tuple[int, int] = (0, 0)  # no sell below the first price in ticks, no buy above the second


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePrint:
    """A line of the tape."""

    fill_id: int
    time: int
    market: MarketId
    price: int
    lots: int
    side: Side
    liquidation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSeries:
    """Arrays of one length, oldest first: time (ns, start), open, high, low, close (ticks), volume (lots),
    mark and index (ticks as float64, at the candle's end)."""

    interval: int
    time: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    mark: np.ndarray
    index: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """A resting order of the user, with its exact place in the queue (lots before it at its price).

    Of ``lots``, ``filled`` have traded and the others rest. ``cut``: what was taken off a reduce-only order besides.
    """

    order_id: OrderId
    client_id: str
    market: MarketId
    side: Side
    price: int
    lots: int
    filled: int
    placed_at: int
    lots_ahead: int
    reduce_only: bool = False
    cut: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FillView:
    """A fill of the user's. ``deleveraged``: at a bankruptcy price, not in the book; ``price`` is rounded down then."""

    fill_id: int
    time: int
    market: MarketId
    side: Side
    price: int
    lots: int
    fee: int
    maker: bool
    liquidation: bool
    batch: int
    deleveraged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A position of the user's. ``entry_fixed``: average entry price, 32.32. ``liquidation_price``: ticks or None."""

    market: MarketId
    size: int
    entry_fixed: int
    mark_fixed: int
    notional: int
    unrealised: int
    realised: int
    funding_paid: int
    accrued_funding: int
    initial_margin: int
    maintenance_margin: int
    liquidation_price: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """The user's account. ``health_ppm``: (equity - maintenance) / equity in millionths, None without positions.
    ``leverage_ppm``: notional / equity in millionths. ``kept_back``: quanta that cannot be withdrawn while some
    account is in deleveraging; ``in_deleveraging``: this one is."""

    account_id: AccountId
    account: Account
    equity: int
    initial_margin: int
    maintenance_margin: int
    free_collateral: int
    withdrawable: int
    health_ppm: int | None
    leverage_ppm: int
    l1_address: bytes
    l1_token_balance: int
    l1_pending_deposit: int
    l1_claimable: int
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    demo_key: bool
    kept_back: int = 0
    in_deleveraging: bool = False


@dataclass(frozen=True, slots=True)
class SecurityTerm:
    """One step's security in ``bits``, of which ``grinding`` are work done by the prover."""

    name: str
    bits: float
    grinding: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What this machine's verifier says of a proof file. ``stage`` and ``reason`` of a refusal, empty when accepted.
    ``seconds``: wall time. Bits of an accepted proof.
    """

    accepted: bool
    seconds: float
    stage: str = ""
    reason: str = ""
    bits_proven: float = 0.0
    bits_conjectured: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class L1StepView:
    """An L1 transaction that helped to bring a batch to L1: open, check, register or update. ``calldata`` in bytes."""

    kind: str
    transaction: str
    gas: int
    calldata: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch's life. ``stages``: stage name (opened, sequenced, proved, posted, final) to venue time.
    ``proving_stage`` (the stage that ended last), ``progress`` (0..1), ``running_seconds`` and ``stage_seconds`` (of
    the stages that ended) are live while a prover works on it. ``security_terms``: of the proven level, () if unknown.
    ``profile`` and ``worker``: the parameter set of its proof and who made it, "" if unknown. ``gas`` is that of all
    ``l1_steps``; ``l1_transaction`` is the last of them, which moved the root.
    """

    number: int
    transactions: int
    accounts: int
    stages: dict[str, int]
    status: str  # open, sequenced, proving, proved, posted, final, failed
    proving_stage: str
    progress: float
    prove_seconds: float
    verify_seconds: float
    proof_bytes: int
    proof_file: str
    attempts: int
    failure: str
    gas: int
    l1_transaction: str
    l1_block: int
    old_root: str
    new_root: str
    bits_proven: float
    bits_conjectured: float
    stage_seconds: dict[str, float]
    security_terms: tuple[SecurityTerm, ...] = ()
    running_seconds: float = 0.0
    profile: str = ""
    worker: str = ""
    l1_steps: tuple[L1StepView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalView:
    """A withdrawal of the user's. ``stages``: requested, in_batch, proved, on_l1, claimable, claimed to venue time."""

    withdrawal_id: int
    path: str
    amount: int
    batch: int
    stages: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerView:
    """The sequencer's health. Acknowledgement times in microseconds of wall time."""

    sequence: int
    inputs_per_second: float
    queue_depth: int
    queue_limit: int
    ack_p50_us: float
    ack_p99_us: float
    journal_lag: int
    journal_bytes: int
    open_batch: int
    open_batch_transactions: int
    open_batch_accounts: int
    open_batch_age: int
    root: str
    halted: str  # "" or the reason why no inputs are taken


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadView:
    """A supervised thread: age of its last heartbeat in wall seconds, and its last error."""

    name: str
    alive: bool
    heartbeat_age: float
    error: str
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """Somebody who proves. ``fraction`` in 0..1; ``busy``: share of the last minute spent proving, in 0..1."""

    name: str
    kind: str  # thread, process, cluster
    state: str  # idle, proving, starting, set aside, lost
    batch: int | None  # the one that is being proved
    stage: str
    fraction: float
    busy: float
    proofs: int  # made since the start
    failures: int
    last_failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class L1View:
    """The chain: head block, its timestamp (seconds), base facts of the contracts, what gates state updates,
    and which chain it is, in words."""

    block: int
    timestamp: int
    exchange: str
    token: str
    contract_root: str
    last_batch: int
    gate: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at one version. ``version`` grows with every published snapshot."""

    version: int
    time: int
    wall_time: float
    speed: float
    paused: bool
    mode: str  # "recorded flow" or "quotes only: the clock is faster than the recording plays"
    engine_lag_ms: float
    markets: dict[MarketId, MarketView]
    trades: tuple[TradePrint, ...]  # newest first, 200 at most
    user: AccountView | None
    fills: tuple[FillView, ...]  # the user's, newest first, 500 at most
    funding: tuple[tuple[int, int, int, int], ...]  # the user's: time, market, size, amount; newest first
    transfers: tuple[tuple[int, str, int, str], ...]  # time, kind, amount, where; newest first
    batches: tuple[BatchView, ...]  # newest first, 100 at most
    withdrawals: tuple[WithdrawalView, ...]
    sequencer: SequencerView
    l1: L1View
    threads: tuple[ThreadView, ...]
    prove_seconds: np.ndarray  # float64, history, oldest first
    proof_failures: int
    messages: tuple[str, ...] = field(default=())
    workers: tuple[WorkerView, ...] = ()
    proofs_waiting: int = 0  # batches that wait for a worker
