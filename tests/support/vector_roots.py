"""Roots of a vector, rebuilt from its JSON and the slow Poseidon alone, as a program in another language would.

Nothing here knows the venue, its structs or its tree: leaves are read from the JSON, encoded as ``docs/vectors.md``
says, and hashed with the reference over Python integers.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from typing import Any

from engine.hashing.poseidon import compress, sponge_hash

Plain = dict[str, Any]
Digest = tuple[int, ...]
LEAF = 0x6C656166  # "leaf"
MASK = (1 << 64) - 1


def limbs(number: int) -> list[int]:
    """Four 16-bit limbs of a number modulo 2^64, the least first."""
    return [(number & MASK) >> shift & 0xFFFF for shift in (0, 16, 32, 48)]


def leaf_words(leaf: Plain, markets: int) -> list[int]:
    """The words of a leaf, zeros up to a multiple of eight at the end."""
    room = -(-(28 + 9 * markets) // 8) * 8
    if leaf["version"] == "0":
        return [0] * room
    address = int(leaf["l1_address"], 16)
    words = [27 + 9 * len(leaf["positions"]), int(leaf["version"])]
    words += [int(element) for element in leaf["key_digest"]]
    words += [address >> 16 * i & 0xFFFF for i in range(10)]
    words += limbs(int(leaf["next_signature_index"])) + limbs(int(leaf["collateral"]))
    for position in leaf["positions"]:
        words += [int(position["market_id"]), *limbs(int(position["size"])), *limbs(int(position["funding_index"]))]
    return words + [0] * (room - len(words))


@lru_cache(maxsize=1 << 15)
def leaf_digest(words: tuple[int, ...]) -> Digest:
    return sponge_hash(words, LEAF)


@lru_cache(maxsize=1 << 15)
def node(left: Digest, right: Digest) -> Digest:
    return compress(left, right)


def root(leaves: dict[int, Plain], height: int, markets: int) -> str:
    """The root over these leaves, all others empty, as a vector writes it."""
    empty = leaf_digest(tuple(leaf_words({"version": "0"}, markets)))
    row = {index: leaf_digest(tuple(leaf_words(leaf, markets))) for index, leaf in leaves.items()}
    for _ in range(height):
        parents = sorted({index >> 1 for index in row})
        row = {index: node(row.get(2 * index, empty), row.get(2 * index + 1, empty)) for index in parents}
        empty = node(empty, empty)
    top = row.get(0, empty)
    return "0x" + "".join(f"{element:08x}" for element in top)


def fills_digest(vector: Plain) -> str:
    """The chain over all fills, from the events."""
    digest = bytes(32)
    names = ("sequence", "time", "fill_id", "market", "price", "lots", "maker_account", "taker_account", "maker_order",
             "taker_order", "maker_fee", "taker_fee")  # fmt: skip
    for step in vector["steps"]:
        for event in step["events"]:
            if event["kind"] == "Fill":
                flags = 2 * (event["side"] == "buy") + event["liquidation"]
                numbers = [*(int(event[name]) for name in names), flags]
                digest = hashlib.sha256(digest + struct.pack(">13q", *numbers)).digest()
    return "0x" + digest.hex()


def check(vector: Plain, *, live: bool = True) -> list[str]:
    """Where leaves and roots of a vector contradict each other; ``live``: also after each input, not only batches.

    Also: a batch's old leaves are those of the batch before, its old root is the root before, numbers follow each
    other, and leaves add up to the collateral at the end; the digest of fills is that of the events.
    """
    height, markets = int(vector["config"]["tree_height"]), len(vector["config"]["markets"])
    committed: dict[int, Plain] = {}
    now: dict[int, Plain] = {}
    found: list[str] = []
    last, number = root({}, height, markets), 0

    def same(where: str, said: object, rebuilt: object) -> None:
        if said != rebuilt:
            found.append(f"{where}: {said}, rebuilt {rebuilt}")

    same("genesis_root", vector["genesis_root"], last)
    for step in vector["steps"]:
        where = f"input {step['sequence']}"
        now.update({int(account): leaf for account, leaf in step["leaves"].items()})
        for batch in step["batches"]:
            number += 1
            same(f"{where}, batch number", batch["number"], str(number))
            same(f"{where}, batch {number}, old_root", batch["old_root"], last)
            for update in batch["updates"]:
                account = int(update["account"])
                if account in committed or update["old"]["version"] != "0":
                    same(f"{where}, batch {number}, old leaf {account}", update["old"], committed.get(account))
                committed[account] = update["new"]
            last = root(committed, height, markets)
            same(f"{where}, batch {number}, new_root", batch["new_root"], last)
        if live:
            same(f"{where}, live_root", step["live_root"], root(now, height, markets))
    same("end, state_root", vector["end"]["state_root"], last)
    same("end, live_root", vector["end"]["live_root"], root(now, height, markets))
    same("end, collateral", vector["end"]["collateral"], str(sum(int(leaf["collateral"]) for leaf in now.values())))
    same("end, fills_digest", vector["end"]["fills_digest"], fills_digest(vector))
    return found
