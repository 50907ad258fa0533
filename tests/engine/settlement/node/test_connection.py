"""A node that is not there, keeps silent, or is no node: one typed error each, within a known time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from engine.settlement.errors import BadNodeUrl, NodeRefused, NodeUnreachable, Reverted
from engine.settlement.node import connection as module
from engine.settlement.node.connection import METHOD_NOT_FOUND, NodeConnection
from engine.settlement.node.reads import NodeReads

URLS = [
    "",
    "anvil",
    "127.0.0.1:8545",
    "ws://127.0.0.1:8545",
    "file:///tmp/node",
    "http://",
    "http://[::1",
    "http://a:99999",
]


class Stub(HTTPServer):
    """Answers one request after another from a list: bytes as they are, dictionaries as results or errors of JSON-RPC.

    An empty answer closes the connection without a word.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers: list[bytes | dict[str, object] | int] = []
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(request["method"])
        answer = self.server.answers.pop(0)
        if answer == b"":
            self.close_connection = True
            return
        status, body = 200, answer
        if isinstance(answer, int):
            status, body = answer, b"no"
        elif isinstance(answer, dict):
            body = json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode()
        assert isinstance(body, bytes)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def node(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[NodeConnection]:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    with closing(NodeConnection(stub.url)) as connection:
        yield connection


@pytest.mark.parametrize("url", URLS)
def test_addresses_that_are_none_are_refused_by_name(url: str) -> None:
    with pytest.raises(BadNodeUrl, match="give one like http://127.0.0.1:8545") as refused:
        NodeConnection(url)
    assert (refused.value.field, refused.value.value) == ("--l1", url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("https://user:secret@node.example/v3/secret?key=secret", "https://node.example/..."),
        ("http://secret@[::1]:80", "http://[::1]:80/..."),
    ],
)
def test_what_may_be_secret_in_an_address_is_not_shown(url: str, shown: str) -> None:
    with closing(NodeConnection(url)) as node:
        assert node.url == shown


def test_a_refused_connection_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = pytest.raises(NodeUnreachable, match=f"127.0.0.1:{port} cannot be reached: connection refused")
    with closing(NodeConnection(f"http://127.0.0.1:{port}")) as node, refused:
        NodeReads(node).chain_id()


def test_a_silent_node_is_given_up_after_its_time_and_not_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections in and never reads
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(NodeConnection(url, answer=0.2)) as node:
            started = time.monotonic()
            with pytest.raises(NodeUnreachable, match="does not answer within 0.2 s"):
                NodeReads(node).chain_id()
            assert time.monotonic() - started < 20  # a generous guard: 0.2 s and no second attempt


def test_a_read_is_repeated_when_the_connection_breaks(stub: Stub, node: NodeConnection) -> None:
    stub.answers = [b"", b"", {"result": "0x7a69"}]
    assert NodeReads(node).chain_id() == 31337
    assert stub.asked == ["eth_chainId"] * 3


def test_a_read_is_given_up_after_three_attempts(stub: Stub, node: NodeConnection) -> None:
    stub.answers = [b""] * 9
    with pytest.raises(NodeUnreachable, match="cannot be reached"):
        NodeReads(node).chain_id()
    assert len(stub.asked) == 3


def test_what_changes_something_is_sent_once(stub: Stub, node: NodeConnection) -> None:
    stub.answers = [b""] * 9
    with pytest.raises(NodeUnreachable):
        node.request("evm_mine")
    with pytest.raises(NodeUnreachable):
        node.ask(lambda web3: web3.eth.send_raw_transaction(b"\x01"))
    assert stub.asked == ["evm_mine", "eth_sendRawTransaction"]


@pytest.mark.parametrize(
    "answer", [b"<html>hello</html>", b"[]", b'{"jsonrpc": "2.0", "id": 0}', {"result": "no number"}]
)
def test_something_else_that_answers_is_no_node(stub: Stub, node: NodeConnection, answer: bytes) -> None:
    stub.answers = [answer]
    with pytest.raises(NodeRefused) as refused:
        NodeReads(node).chain_id()
    assert refused.value.field == "--l1"


def test_an_http_error_is_named_with_its_status(stub: Stub, node: NodeConnection) -> None:
    stub.answers = [404] * 3
    with pytest.raises(NodeUnreachable, match="is none, or not well: it answers with HTTP status 404"):
        NodeReads(node).chain_id()


def test_a_nodes_own_error_keeps_its_words_and_its_code(stub: Stub, node: NodeConnection) -> None:
    stub.answers = [{"error": {"code": -32005, "message": "limit exceeded"}}] * 2
    with pytest.raises(NodeRefused, match="answers: limit exceeded") as refused:
        NodeReads(node).nonce(bytes(20))
    assert (refused.value.value, refused.value.limit) == ("limit exceeded", -32005)
    with pytest.raises(NodeRefused, match="limit exceeded"):
        node.request("evm_mine")


def test_a_method_that_a_node_lacks_is_not_offered(stub: Stub, node: NodeConnection) -> None:
    missing = {"code": METHOD_NOT_FOUND, "message": "the method does not exist"}
    stub.answers = [{"error": missing}, {"result": None}, {"error": {"code": -1, "message": "busy"}}]
    assert not node.offered("evm_setAutomine", False)
    assert node.offered("evm_setAutomine", False)
    with pytest.raises(NodeRefused, match="busy"):
        node.offered("evm_setAutomine", False)


def test_a_reverted_call_has_the_contracts_words(stub: Stub, node: NodeConnection) -> None:
    words = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (3).to_bytes(32, "big") + b"no!".ljust(32, b"\0")
    stub.answers = [{"error": {"code": 3, "message": "execution reverted", "data": "0x" + words.hex()}}]
    with pytest.raises(Reverted) as refused:
        NodeReads(node).call(bytes(20), b"", bytes(20))
    assert refused.value.reason == "no!"
    assert stub.asked == ["eth_call"]
