"""Run transactions on the embedded chain and on Anvil, and compare gas, status and logs of every one.

    npm install @foundry-rs/anvil        (anywhere; the binary is in its linux-amd64 package)
    python -m resources.contracts.compare_with_anvil PATH/TO/anvil

Anvil is started under Osaka with a base fee of 0. The transactions are all actions of the gas report, then calls with
random contents, values and gas limits from a fixed seed, many of which fail.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from engine.exchange.config import DEFAULT_CONFIG
from engine.settlement.abi import selector, word
from engine.settlement.blocks import Receipt
from engine.settlement.chain import Chain
from engine.settlement.gas_report import REPORT_TIME, measured_chain
from engine.settlement.genesis import allocation, venue_client
from engine.settlement.keys import role_key
from engine.settlement.transactions import address_of, sign_transaction
from engine.settlement.world import BLOCK_GAS_LIMIT

RANDOM_TRANSACTIONS = 150
STORE = bytes.fromhex("666020355f3555005f5260076019f3")  # a contract: sstore(calldataload(0), calldataload(32))
VANISH = bytes.fromhex("6133ff5f526002601ef3")  # a contract: selfdestruct(caller())
ENTRIES = ("deposit(uint64,uint64)", "withdraw(address)", "update_state(uint64,bytes32,bytes32,bytes)", "nothing()")


def add_random_transactions(chain: Chain) -> None:
    """One block each: stores, hostile calldata, transfers, creations, precompiles, a vanishing contract."""
    draw, key = random.Random(5), role_key(DEFAULT_CONFIG.seed, "maker")
    exchange = venue_client(chain, DEFAULT_CONFIG).exchange

    def add(to: bytes, data: bytes, gas: int = 200_000, value: int = 0) -> bytes:
        nonce = chain.nonce(address_of(key))
        raw = sign_transaction(key, chain_id=chain.chain_id, nonce=nonce, to=to, data=data, gas_limit=gas, value=value)
        return chain.build_block([raw], REPORT_TIME).receipts[0].created

    store, vanish = add(b"", STORE), add(b"", VANISH)
    add(b"", bytes.fromhex("33ff"))
    for turn in range(RANDOM_TRANSACTIONS):
        kind = turn % 10
        if kind < 4:
            value = draw.choice([0, 0, 5, 2**255])
            add(store, word(draw.randrange(3)) + word(value), draw.choice([30_000, 100_000, 1_000_000]))
        elif kind == 4:
            add(exchange, selector(draw.choice(ENTRIES)) + draw.randbytes(draw.randrange(200)))
        elif kind == 5:
            add(draw.randbytes(20), draw.randbytes(draw.randrange(2000)), value=draw.randrange(100))
        elif kind == 6:
            add(b"", draw.randbytes(draw.randrange(100)))
        elif kind == 7:
            deposit = selector(ENTRIES[0]) + word(draw.randrange(40)) + word(draw.randrange(100))
            add(exchange, deposit, draw.choice([40_000, 200_000]))
        elif kind == 8:
            add(draw.randrange(1, 10).to_bytes(20, "big"), draw.randbytes(draw.randrange(300)))
        else:
            add(vanish, b"", value=draw.randrange(5))


class Anvil:
    """An Anvil process with the venue's genesis allocation."""

    def __init__(self, binary: str, folder: Path) -> None:
        alloc = {"0x" + a.hex(): {"balance": hex(wei)} for a, wei in allocation(DEFAULT_CONFIG).items()}
        genesis = {"config": {"chainId": DEFAULT_CONFIG.chain_id}, "alloc": alloc}
        genesis |= {"difficulty": "0x0", "gasLimit": hex(BLOCK_GAS_LIMIT)}
        (folder / "genesis.json").write_text(json.dumps(genesis))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        options = ["--port", self._port, "--chain-id", DEFAULT_CONFIG.chain_id, "--init", folder / "genesis.json"]
        options += ["--hardfork", "osaka", "--block-base-fee-per-gas", 0, "--gas-limit", BLOCK_GAS_LIMIT, "--silent"]
        self.process = subprocess.Popen([binary, *map(str, options)])

    def ask(self, method: str, *parameters: str) -> Any:
        """One JSON-RPC call, repeated until the server is up and, for receipts, the block is there."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}", body, {"Content-Type": "application/json"})
        for _ in range(200):
            try:
                with urllib.request.urlopen(request, timeout=20) as response:
                    answer = json.load(response)
            except urllib.error.URLError:
                answer = {"result": None}
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            if answer["result"] is not None:
                return answer["result"]
            time.sleep(0.05)
        raise RuntimeError(f"{method}: no answer")

    def outcome(self, raw: bytes) -> tuple[Any, ...]:
        """Gas, status and logs of a transaction sent now."""
        receipt = self.ask("eth_getTransactionReceipt", self.ask("eth_sendRawTransaction", "0x" + raw.hex()))
        logs = [(log["address"], log["topics"], log["data"]) for log in receipt["logs"]]
        return int(receipt["gasUsed"], 16), int(receipt["status"], 16), logs


def outcome(receipt: Receipt) -> tuple[Any, ...]:
    """The same of a receipt of the embedded chain."""
    logs = [
        ("0x" + log.address.hex(), ["0x" + topic.hex() for topic in log.topics], "0x" + log.data.hex())
        for log in receipt.logs
    ]
    return receipt.gas_used, receipt.status, logs


def main(binary: str) -> int:
    """Compare; the exit status is 0 when nothing differs."""
    chain, _ = measured_chain()
    add_random_transactions(chain)
    different = total = failing = 0
    with tempfile.TemporaryDirectory() as folder:
        anvil = Anvil(binary, Path(folder))
        try:
            for block in chain.blocks_since(0):
                for raw, receipt in zip(block.transactions, block.receipts):
                    theirs, ours = anvil.outcome(raw), outcome(receipt)
                    total, failing = total + 1, failing + 1 - receipt.status
                    if theirs != ours:
                        different += 1
                        sys.stdout.write(f"block {block.number}: Anvil {theirs}, here {ours}\n")
        finally:
            anvil.process.terminate()
            anvil.process.wait()
    sys.stdout.write(f"{total} transactions, {failing} of them failing: {different} differ from Anvil\n")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
