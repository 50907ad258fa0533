"""The carried recordings, decoded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.exchange.config import BTC, ETH
from engine.market.feed import Feed, load_feed

RESOURCES = Path(__file__).parents[3] / "resources" / "market"


@pytest.fixture(scope="session")
def feed_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feeds")


@pytest.fixture(scope="session")
def btc_feed(feed_cache: Path) -> Feed:
    path = RESOURCES / f"{BTC.feed}.gz"
    return load_feed(path, price_decimals=BTC.price_decimals, size_decimals=BTC.size_decimals, cache=feed_cache)


@pytest.fixture(scope="session")
def eth_feed(feed_cache: Path) -> Feed:
    path = RESOURCES / f"{ETH.feed}.gz"
    return load_feed(path, price_decimals=ETH.price_decimals, size_decimals=ETH.size_decimals, cache=feed_cache)
