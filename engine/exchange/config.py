"""What a venue is set up with: markets, margin fractions, fees, special accounts, batch limits.

The configuration is part of every proof's public input through :func:`config_hash`, and of the journal's genesis row.
"""

from __future__ import annotations

import hashlib

import msgspec

from engine.units import FIXED_ONE, HOUR, MINUTE, QUANTUM, SECOND, AccountId, MarketId


def fraction(numerator: int, denominator: int) -> int:
    """0.32 fixed point, rounded half up: ``fraction(5, 100)`` is 5 %."""
    return (2 * numerator * FIXED_ONE + denominator) // (2 * denominator)


class MarketConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One perpetual market. Fractions are 0.32; ``tick_value`` is collateral quanta per (tick x lot).

    Prices (docs/prices.md): ``impact_notional`` quanta must rest on both sides for the book's middle to count.
    ``mark_bound``: how far mark and index may be apart. ``price_band``: how far above the mark a buy may pay, and below
    it a sell may go. An index reading may differ from the last by ``index_jump`` and ``index_jump_per_second``,
    by ``index_jump_most`` at most; beyond, it needs a second one. The market is halted ``index_patience`` ns after the
    last good reading, and when its book has been off the index for ``book_patience`` ns.
    """

    market_id: MarketId
    symbol: str
    base: str
    feed: str
    price_decimals: int
    size_decimals: int
    tick_value: int
    initial_margin: int
    maintenance_margin: int
    max_order_lots: int
    impact_notional: int
    mark_bound: int = fraction(5, 1000)
    price_band: int = fraction(5, 100)
    index_jump: int = fraction(1, 100)
    index_jump_per_second: int = fraction(1, 1000)
    index_jump_most: int = fraction(10, 100)
    index_patience: int = 60 * SECOND
    book_patience: int = 5 * MINUTE

    @property
    def max_leverage(self) -> int:
        """Whole multiples of equity that the initial margin fraction allows.

        The fraction was rounded half up, so the true one is at least half a unit below: 5 % allows 20x, not 19x.
        """
        return 2 * FIXED_ONE // (2 * self.initial_margin - 1)


class VenueConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The venue. Times in nanoseconds, fees in parts per million of notional (rounded up), amounts in quanta.

    ``bankruptcy_adjustment_ppm`` and ``fillable_spread_ppm`` place the fillable price
    (:mod:`engine.exchange.liquidation`); the defaults are dYdX v4's.
    """

    name: str
    chain_id: int
    collateral_symbol: str
    tree_height: int
    markets: tuple[MarketConfig, ...]
    maker_fee_ppm: int
    taker_fee_ppm: int
    liquidation_fee_ppm: int
    bankruptcy_adjustment_ppm: int = 1_000_000
    fillable_spread_ppm: int = 1_500_000
    funding_account: AccountId
    insurance_account: AccountId
    fee_account: AccountId
    first_user_account: AccountId
    funding_interval: int
    funding_sample_interval: int
    funding_cap: int
    funding_interest: int
    batch_max_transactions: int
    batch_max_accounts: int
    batch_max_age: int
    max_open_orders: int
    min_withdrawal: int
    min_opening_deposit: int
    reclaim_delay: int
    reclaim_margin: int
    market_data_digest: str
    seed: int

    def market(self, market_id: MarketId) -> MarketConfig:
        """The market with this id; ``KeyError`` when there is none."""
        for market in self.markets:
            if market.market_id == market_id:
                return market
        raise KeyError(market_id)


def config_hash(config: VenueConfig) -> bytes:
    """32 bytes: Keccak-256 over the canonical (ordered) encoding. Bound into every state-update fact."""
    from engine.hashing.keccak import keccak256

    return keccak256(b"proofline-config-1" + msgspec.msgpack.encode(config, order="sorted"))


def config_digest(config: VenueConfig) -> str:
    """Hex SHA-256 of the configuration, for file names and the journal's genesis row."""
    return hashlib.sha256(msgspec.msgpack.encode(config, order="sorted")).hexdigest()


BTC = MarketConfig(
    market_id=MarketId(1),
    symbol="BTC-USD",
    base="BTC",
    feed="usdm_btcusdt_20240808",
    price_decimals=1,
    size_decimals=3,
    tick_value=100,  # 0.1 USD x 0.001 BTC = 0.0001 USD = 100 quanta
    initial_margin=fraction(5, 100),
    maintenance_margin=fraction(3, 100),
    max_order_lots=1_000_000,
    impact_notional=10_000 * 10**6,
)
ETH = MarketConfig(
    market_id=MarketId(2),
    symbol="ETH-USD",
    base="ETH",
    feed="usdm_ethusdt_20240808",
    price_decimals=2,
    size_decimals=3,
    tick_value=10,  # 0.01 USD x 0.001 ETH = 0.00001 USD = 10 quanta
    initial_margin=fraction(5, 100),
    maintenance_margin=fraction(3, 100),
    max_order_lots=10_000_000,
    impact_notional=10_000 * 10**6,
)

DEFAULT_CONFIG = VenueConfig(
    name="Proofline demo venue",
    chain_id=31337,
    collateral_symbol="pUSD",
    tree_height=16,
    markets=(BTC, ETH),
    maker_fee_ppm=200,
    taker_fee_ppm=500,
    liquidation_fee_ppm=10_000,
    funding_account=AccountId(1),
    insurance_account=AccountId(2),
    fee_account=AccountId(3),
    first_user_account=AccountId(16),
    funding_interval=HOUR,
    funding_sample_interval=MINUTE,
    funding_cap=fraction(75, 80_000),  # 0.75 % per 8 h, per hour
    funding_interest=fraction(125, 10_000_000),  # 0.00125 % per hour
    batch_max_transactions=512,
    batch_max_accounts=64,
    batch_max_age=10 * SECOND,
    max_open_orders=200,
    min_withdrawal=1,
    min_opening_deposit=10 * QUANTUM,
    reclaim_delay=24 * HOUR,
    reclaim_margin=HOUR,
    market_data_digest="",
    seed=1,
)
