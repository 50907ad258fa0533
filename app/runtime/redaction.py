"""Taking secrets out of text that is kept: what stands in an address beside scheme, host and port.

The address of a node may hold a user's password or, in its path or query, the key of an account there. Libraries quote
addresses in their errors, whole or from the path on; so both are looked for, and the parts of the addresses in use by
their own words, wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus, urlsplit

HIDDEN = "..."
SHORTEST_SECRET = 6
"""Characters. Shorter parts of a path are words like "v3", which would be hidden everywhere else too."""
_ADDRESS = re.compile(r"\b(https?|wss?|tcp|tls)://([^\s/?#'\"<>]*)([^\s'\"<>]*)", re.IGNORECASE)
_QUOTED_PATH = re.compile(r"\b(url|path):\s*/[^\s'\"<>]+", re.IGNORECASE)


def secrets_of(address: str) -> set[str]:
    """The parts of an address that nobody else should read, as written and decoded."""
    parts = urlsplit(address)
    words = {parts.username or "", parts.password or "", parts.query, parts.fragment}
    words.update(parts.path.split("/"))
    words.update(re.split("[&=;]", parts.query))
    return {form for word in words for form in (word, unquote_plus(word)) if len(form) >= SHORTEST_SECRET}


class Redactor:
    """Hides the secrets of the given addresses, and what any address holds beside scheme, host and port."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        words = set[str]().union(*(secrets_of(address) for address in addresses))
        self._words = sorted(words, key=len, reverse=True)  # a part of another one comes after it

    def __call__(self, text: str) -> str:
        """The text without them."""
        for word in self._words:
            text = text.replace(word, HIDDEN)
        return _QUOTED_PATH.sub(rf"\1: /{HIDDEN}", _ADDRESS.sub(_without_secrets, text))


def _without_secrets(found: re.Match[str]) -> str:
    scheme, server, rest = found.groups()
    _, login, host = server.rpartition("@")
    return f"{scheme}://{host}" + (f"/{HIDDEN}" if login or rest.strip("/") else rest)
