"""The demo venue's market: recorded feeds, the participants that trade on them, and who is funded at genesis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from app.paths import RESOURCES, cache_folder
from engine.exchange.config import MarketConfig, VenueConfig
from engine.files import read_known
from engine.hashing.keccak import keccak256
from engine.market.feed import Feed, load_feed
from engine.market.participants import MarketMaker, TakerFlow
from engine.market.replay import RecordedMarket, RecordedPrices
from engine.sequencer.participant import Participant
from engine.settlement.genesis import GenesisAccount
from engine.settlement.keys.keys import Role, role_key
from engine.units import QUANTUM, SECOND, AccountId, MarketId

FIRST_MAKER, FIRST_TAKER = AccountId(8), AccountId(12)
TAKERS_PER_MARKET = 2
MAKER_DEPOSIT = 200_000_000 * QUANTUM
TAKER_DEPOSIT = 50_000_000 * QUANTUM
INSURANCE_DEPOSIT = 1_000_000 * QUANTUM

MAX_FEED_BYTES = 64 << 20

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class MarketSetup:
    """What a venue needs from the market. ``participants()`` makes new ones each time: they have memories."""

    config: VenueConfig
    prices: RecordedPrices
    markets: dict[MarketId, RecordedMarket]
    genesis_time: int
    genesis_accounts: tuple[GenesisAccount, ...]

    def participants(self) -> list[Participant]:
        """Two takers and one maker per market; all takers step first, so that they hit the quotes of the last step."""
        takers: list[Participant] = []
        makers: list[Participant] = []
        for place, market_id in enumerate(sorted(self.markets)):
            market, seed = self.markets[market_id], self.config.seed
            makers.append(MarketMaker(AccountId(FIRST_MAKER + place), market, seed=seed))
            for flow in range(TAKERS_PER_MARKET):
                account = FIRST_TAKER + TAKERS_PER_MARKET * place + flow
                takers.append(TakerFlow(AccountId(account), market, seed=seed, flow=flow, flows=TAKERS_PER_MARKET))
        return takers + makers


def market_setup(config: VenueConfig, progress: Progress = lambda stage, fraction: None) -> MarketSetup:
    """Read the feeds that the configuration names and put the market together; the feeds' digest enters the config."""
    feeds = {}
    for place, market in enumerate(config.markets):
        progress(f"market data {market.symbol}", place / len(config.markets))
        feeds[market.market_id] = _feed(market)
    start = max(feed.start for feed in feeds.values())
    genesis_time = start - start % SECOND
    digest = keccak256("".join(feeds[m].digest for m in sorted(feeds)).encode()).hex()
    config = msgspec.structs.replace(config, market_data_digest=digest)
    markets = {m.market_id: RecordedMarket(feeds[m.market_id], m, genesis_time) for m in config.markets}
    return MarketSetup(
        config=config,
        prices=RecordedPrices(markets),
        markets=markets,
        genesis_time=genesis_time,
        genesis_accounts=_genesis_accounts(config),
    )


def _feed(market: MarketConfig) -> Feed:
    return _load(market.feed, market.price_decimals, market.size_decimals)


@lru_cache(maxsize=8)
def _load(name: str, price_decimals: int, size_decimals: int) -> Feed:
    path = RESOURCES / "market" / f"{name}.gz"
    read_known(path, MAX_FEED_BYTES)  # a changed recording would make another market without a word
    return load_feed(path, price_decimals=price_decimals, size_decimals=size_decimals, cache=cache_folder() / "feeds")


def _genesis_accounts(config: VenueConfig) -> tuple[GenesisAccount, ...]:
    accounts = [_funded(config, config.insurance_account, "insurance", INSURANCE_DEPOSIT)]
    for place in range(len(config.markets)):
        accounts.append(_funded(config, AccountId(FIRST_MAKER + place), "maker", MAKER_DEPOSIT))
    for place in range(TAKERS_PER_MARKET * len(config.markets)):
        accounts.append(_funded(config, AccountId(FIRST_TAKER + place), "taker", TAKER_DEPOSIT))
    return tuple(accounts)


def _funded(config: VenueConfig, account: AccountId, role: Role, deposit: int) -> GenesisAccount:
    """Each account has an owner of its own, with a test key that follows from the seed."""
    return GenesisAccount(account, role_key(account_seed(config, account), role), deposit)


def account_seed(config: VenueConfig, account: AccountId) -> int:
    """Seed of an account's test key."""
    return config.seed * 65536 + account
