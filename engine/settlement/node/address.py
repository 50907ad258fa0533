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


def public_url(url: str) -> str:
    """The URL for messages, reports and the data folder: user names, passwords and keys in the path left out."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    more = parts.path.strip("/") or parts.query or parts.username
    return f"{parts.scheme}://{host}{port}" + ("/..." if more else "")
