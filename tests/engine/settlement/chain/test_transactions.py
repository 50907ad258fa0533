"""Signing, decoding and Ethereum's intake rules; public vectors, and eth-account as the reference."""

from __future__ import annotations

import pytest
import rlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.settlement.chain.transactions import (
    BASE_GAS,
    MAX_GAS_LIMIT,
    MAX_INITCODE_BYTES,
    MAX_TRANSACTION_BYTES,
    SECP256K1_ORDER,
    address_of,
    contract_address,
    decode_transaction,
    floor_gas,
    intrinsic_gas,
    sign_transaction,
)
from engine.settlement.errors import InvalidTransaction

KEY = b"\x46" * 32
TO = b"\x35" * 20
# The example of EIP-155.
EIP155_RAW = bytes.fromhex(
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe53"
    "7567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
)


def signed(chain_id: int = 31337, **changes: object) -> bytes:
    values: dict = {"nonce": 0, "to": TO, "gas_limit": 100_000, "data": b""} | changes
    return sign_transaction(KEY, chain_id=chain_id, **values)


def resigned(**changes: int | bytes) -> bytes:
    """A valid transaction with some RLP items replaced after signing."""
    names = ("nonce", "gas_price", "gas_limit", "to", "value", "data", "v", "r", "s")
    items = dict(zip(names, rlp.decode(signed()), strict=True))
    return rlp.encode([changes.get(name, items[name]) for name in names])


def test_eip155_example_is_signed_and_recovered() -> None:
    raw = sign_transaction(KEY, chain_id=1, nonce=9, to=TO, gas_limit=21_000, value=10**18, gas_price=20 * 10**9)
    assert raw == EIP155_RAW
    transaction = decode_transaction(EIP155_RAW, 1)
    assert transaction.sender == address_of(KEY) == bytes.fromhex("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")
    assert (transaction.nonce, transaction.value, transaction.gas_price) == (9, 10**18, 20 * 10**9)


def test_contract_addresses_of_the_well_known_vector() -> None:
    sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    assert contract_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert contract_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"


@settings(max_examples=15, deadline=None)
@given(
    key=st.integers(1, SECP256K1_ORDER - 1),
    nonce=st.integers(0, 2**32),
    data=st.binary(max_size=200),
    to=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    value=st.integers(0, 2**70),
)
def test_signatures_agree_with_eth_account(key: int, nonce: int, data: bytes, to: bytes, value: int) -> None:
    secret = key.to_bytes(32, "big")
    raw = sign_transaction(
        secret, chain_id=31337, nonce=nonce, to=to, data=data, gas_limit=MAX_GAS_LIMIT, value=value, gas_price=7
    )
    fields = {"chainId": 31337, "nonce": nonce, "gasPrice": 7, "gas": MAX_GAS_LIMIT, "value": value, "data": data}
    fields["to"] = to
    assert raw == bytes(Account.sign_transaction(fields, secret).raw_transaction)
    assert decode_transaction(raw, 31337).sender.hex() == Account.recover_transaction(raw)[2:].lower()


def test_intrinsic_gas_and_floor() -> None:
    data = b"\x00" * 3 + b"\x01" * 5
    assert intrinsic_gas(data, creates=False) == 21_000 + 3 * 4 + 5 * 16
    assert intrinsic_gas(data * 5, creates=True) == 21_000 + 5 * (3 * 4 + 5 * 16) + 32_000 + 2 * 2
    assert floor_gas(data) == 21_000 + 3 * 10 + 5 * 40
    assert floor_gas(b"\xff" * 100_000) == 4_021_000


@pytest.mark.parametrize(
    ("changes", "field", "limit"),
    [
        ({"gas_limit": MAX_GAS_LIMIT + 1}, "gas_limit", MAX_GAS_LIMIT),
        ({"gas_limit": BASE_GAS - 1}, "gas_limit", BASE_GAS),
        ({"data": b"\x01" * 100, "gas_limit": BASE_GAS + 100 * 16 - 1}, "gas_limit", BASE_GAS + 100 * 16),
        ({"data": b"\x01" * 100, "gas_limit": BASE_GAS + 100 * 40 - 1}, "gas_limit", BASE_GAS + 100 * 40),
        ({"to": b"", "gas_limit": BASE_GAS + 32_000 - 1}, "gas_limit", BASE_GAS + 32_000),
        (
            {"to": b"", "data": bytes(MAX_INITCODE_BYTES + 1), "gas_limit": MAX_GAS_LIMIT},
            "data",
            MAX_INITCODE_BYTES,
        ),
        ({"data": bytes(MAX_TRANSACTION_BYTES), "gas_limit": MAX_GAS_LIMIT}, "size", MAX_TRANSACTION_BYTES),
        ({"to": b"\x01" * 19}, "to", "0 or 20 bytes"),
    ],
)
def test_rules_name_the_field_and_the_limit(changes: dict, field: str, limit: object) -> None:
    with pytest.raises(InvalidTransaction) as refused:
        decode_transaction(signed(**changes), 31337)
    assert (refused.value.field, refused.value.limit) == (field, limit)


@pytest.mark.parametrize(
    ("changes"),
    [
        {"gas_limit": MAX_GAS_LIMIT},
        {"gas_limit": BASE_GAS},
        {"data": b"\x01" * 100, "gas_limit": BASE_GAS + 100 * 40},
        {"to": b"", "gas_limit": BASE_GAS + 32_000},
        {"to": b"", "data": bytes(MAX_INITCODE_BYTES), "gas_limit": MAX_GAS_LIMIT},
    ],
)
def test_rules_let_the_limit_itself_pass(changes: dict) -> None:
    assert decode_transaction(signed(**changes), 31337).sender == address_of(KEY)


def test_size_limit_is_on_the_whole_transaction() -> None:
    overhead = len(signed(data=bytes(130_000), gas_limit=MAX_GAS_LIMIT)) - 130_000
    exact = signed(data=bytes(MAX_TRANSACTION_BYTES - overhead), gas_limit=MAX_GAS_LIMIT)
    assert len(exact) == MAX_TRANSACTION_BYTES
    assert decode_transaction(exact, 31337).sender == address_of(KEY)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "type"),
        (b"\x02\xf8", "type"),
        (b"\xf8", "encoding"),
        (signed()[:-1], "encoding"),
        (signed() + b"\x00", "encoding"),
        (rlp.encode([b"\x01"] * 8), "encoding"),
        (rlp.encode([b"\x01"] * 8 + [[b"\x01"]]), "encoding"),
        (resigned(nonce=b"\x00"), "nonce"),
        (resigned(gas_limit=b"\x00\xff\xff\xff"), "gas_limit"),
        (resigned(value=b"\x01" * 33), "value"),
        (signed(chain_id=1), "v"),
        (resigned(v=27), "v"),
        (resigned(r=0), "signature"),
        (resigned(r=SECP256K1_ORDER), "signature"),
        (resigned(s=0), "signature"),
        (resigned(s=SECP256K1_ORDER // 2 + 1), "signature"),
    ],
)
def test_malformed_transactions_are_refused(raw: bytes, field: str) -> None:
    with pytest.raises(InvalidTransaction) as refused:
        decode_transaction(raw, 31337)
    assert refused.value.field == field


def test_the_malleable_twin_of_a_signature_is_refused() -> None:
    items = rlp.decode(signed())
    v, s = int.from_bytes(items[6], "big"), int.from_bytes(items[8], "big")
    twin = 2 * 31337 + 35 + (1 - (v - 35 - 2 * 31337))
    with pytest.raises(InvalidTransaction, match="signature"):
        decode_transaction(resigned(v=twin, s=SECP256K1_ORDER - s), 31337)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_protocol_errors(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_transaction(data, 31337)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_flipped_bit_never_keeps_the_sender(data: st.DataObject) -> None:
    raw = bytearray(signed(data=b"hello", value=3))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        transaction = decode_transaction(bytes(raw), 31337)
    except InvalidTransaction:
        return
    assert transaction.sender != address_of(KEY)
