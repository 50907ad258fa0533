"""One node over JSON-RPC: every question has a time limit, every failure a typed error.

Reads are repeated when the connection fails, because a read asked twice is the same read; nothing else is, and a node
that keeps silent is not asked again: no question takes longer than a limit that is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from engine.settlement.errors import NodeRefused, NodeUnreachable
from engine.settlement.node.address import check_url, public_url

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
READ_ATTEMPTS = 3
FIRST_PAUSE = 0.1
"""Seconds before a read is repeated; the next pause is three times as long."""
METHOD_NOT_FOUND = -32601
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
Answer = TypeVar("Answer")


class NodeConnection:
    """Questions to one node. For any thread; close it at the end.

    ``connect`` and ``answer``: seconds that a connection and the answer may take.
    """

    def __init__(self, url: str, *, connect: float = CONNECT_SECONDS, answer: float = ANSWER_SECONDS) -> None:
        self.url = public_url(check_url(url))
        self._answer = answer
        self._session = requests.Session()
        self._session.trust_env = urlsplit(url).hostname not in _LOOPBACK  # no proxy leads to this machine
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": (connect, answer)},
            session=self._session,
            exception_retry_configuration=None,
        )
        self._provider.global_ccip_read_enabled = False  # a node's answer does not send us to other addresses
        self._web3 = Web3(self._provider, middleware=[])  # its defaults ask for the chain id before every call

    def close(self) -> None:
        """Close the sockets."""
        self._session.close()

    def read(self, question: Callable[[Web3], Answer]) -> Answer:
        """The answer to a question that changes nothing, asked up to three times while the connection fails.

        Raises :class:`NodeUnreachable` and :class:`NodeRefused`.
        """
        pause = FIRST_PAUSE
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return self.ask(question)
            except NodeUnreachable as error:
                if isinstance(error.__cause__, requests.Timeout):
                    raise
                time.sleep(pause)
                pause *= 3
        return self.ask(question)

    def request(self, method: str, *parameters: Any) -> Any:
        """The result of a method that web3.py has no name for, asked once."""

        def question(_: Web3) -> Any:
            response = self._provider.make_request(RPCEndpoint(method), list(parameters))
            if "error" in response:
                raise self._refused(response["error"])
            return response["result"]

        return self.ask(question)

    def offered(self, method: str, *parameters: Any) -> bool:
        """Use a method that only some nodes have; False when this one does not know it."""
        try:
            self.request(method, *parameters)
        except NodeRefused as error:
            if error.limit == METHOD_NOT_FOUND:
                return False
            raise
        return True

    def ask(self, question: Callable[[Web3], Answer]) -> Answer:
        """The answer to a question, asked once; raises as :meth:`read` does."""
        try:
            return question(self._web3)
        except requests.Timeout as error:
            raise self._unreachable(f"does not answer within {self._answer:g} s") from error
        except requests.HTTPError as error:
            status = "" if error.response is None else error.response.status_code
            raise self._unreachable(f"is none, or not well: it answers with HTTP status {status}") from error
        except requests.RequestException as error:
            raise self._unreachable(f"cannot be reached: {_innermost(error)}") from error
        except Web3Exception as error:
            response = getattr(error, "rpc_response", None) or {}
            raise self._refused(response.get("error") or {"message": str(error)}) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # no JSON, or JSON of another kind
            raise self._refused({"message": f"what no node answers: {error}"}) from error

    def _unreachable(self, what: str) -> NodeUnreachable:
        return NodeUnreachable(f"the node at {self.url} {what}", field="--l1", value=self.url)

    def _refused(self, error: Any) -> NodeRefused:
        """The node's error: its message in ``value``, its code in ``limit``."""
        details = error if isinstance(error, dict) else {"message": str(error)}
        message = str(details.get("message", ""))
        return NodeRefused(
            f"the node at {self.url} answers: {message}", field="--l1", value=message, limit=details.get("code")
        )


def _innermost(error: BaseException) -> str:
    """The system's words under what the libraries wrapped around them."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror.lower()
        found = found.__cause__ or found.__context__
    return type(error).__name__
