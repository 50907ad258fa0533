"""Secrets of addresses do not reach what is kept, however a library quotes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.redaction import Redactor

TOKEN = "0123456789abcdef0123456789abcdef"
NODE = f"https://operator:hunter2@node.example:8545/v3/{TOKEN}?key=sesame%21&chain=11155111"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"no answer from {NODE} within 15 s", "no answer from https://node.example:8545/... within 15 s"),
        ("connect to http://127.0.0.1:8545 failed", "connect to http://127.0.0.1:8545 failed"),
        ("see 'https://user:pw@[::1]:1/' and go", "see 'https://[::1]:1/...' and go"),
        ("ws://a/b wss://c?key=1", "ws://a/... wss://c/..."),
        ("HTTP://U:P@HOST/x", "HTTP://HOST/..."),
        ("Max retries exceeded with url: /v3/abc (Caused by", "Max retries exceeded with url: /... (Caused by"),
        ("tcp://10.0.0.2:8786 has no workers left", "tcp://10.0.0.2:8786 has no workers left"),
        ("proofs/12.proof is damaged at 3/4", "proofs/12.proof is damaged at 3/4"),
    ],
)
def test_any_address_keeps_scheme_host_and_port(text: str, kept: str) -> None:
    assert Redactor()(text) == kept


@pytest.mark.parametrize("word", [TOKEN, "hunter2", "operator", "sesame%21", "sesame!", "11155111"])
def test_the_secrets_of_the_node_in_use_are_hidden_wherever_they_stand(word: str) -> None:
    said = Redactor([NODE])(f'GET /v3/{word} HTTP/1.1" 401; header Authorization: {word}')
    assert word not in said
    assert said.startswith("GET /v3/..."), "short words of the path are left: they would be hidden everywhere"


def test_an_embedded_l1_has_no_secrets() -> None:
    assert Redactor([""])("the chain is embedded") == "the chain is embedded"


SECRET = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=12, max_size=40)


@given(SECRET, SECRET, st.sampled_from(["Max retries exceeded with url: {}", "at {}", "<{}>", "url={}&x", "{}{}"]))
def test_no_secret_comes_through(password: str, token: str, words: str) -> None:
    address = f"http://me:{password}@node.example/{token}"
    said = Redactor([address])(words.replace("{}", f"/{token} {address} {password}"))
    assert password not in said
    assert token not in said
