"""The address of a node, checked before anything is opened for it."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.settlement.errors import BadNodeUrl


def check_url(url: str) -> str:
    """The URL as given; raises :class:`BadNodeUrl` unless it is http(s) with a host."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise BadNodeUrl(
            f"{url!r} is not the address of a node; give one like http://127.0.0.1:8545",
            field="--l1",
            value=url,
            limit=("http", "https"),
        )
    return url
