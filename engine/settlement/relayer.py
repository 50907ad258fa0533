"""Posts proved batches to the exchange contract, each exactly once however often it is asked to.

Nothing is remembered here: before posting, the contract itself is asked which batch it took last. A crash between a
posted block and the journal's knowledge of it therefore never posts a batch twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.proving.statement import FactParts, fact, outputs_bytes
from engine.sequencer.batch import Batch, root_bytes
from engine.settlement.blocks import Block, Receipt
from engine.settlement.client import Client, Deployment
from engine.settlement.errors import BatchOutOfOrder, NonceMismatch, Reverted, RootDivergence
from engine.settlement.transactions import address_of

MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ProvedBatch:
    """A batch whose proof the operator's verifier accepted. Roots, fact: 32 bytes; ``outputs``: 37 bytes an entry.

    ``proof_digest`` is the hex digest of the proof file that stands behind the fact.
    """

    number: int
    old_root: bytes
    new_root: bytes
    outputs: bytes
    fact: bytes
    proof_digest: str


@dataclass(frozen=True, slots=True)
class Posted:
    """Result of posting. ``block`` is None when the contract had the batch already; receipts are those of this call."""

    batch_number: int
    block: Block | None
    receipts: tuple[Receipt, ...]

    @property
    def gas_used(self) -> int:
        """Gas of all transactions of this call."""
        return sum(receipt.gas_used for receipt in self.receipts)


def proved_batch(client: Client, deployment: Deployment, batch: Batch, proof_digest: str) -> ProvedBatch:
    """What is posted for ``batch`` once a proof of it was accepted, with the fact for this chain and contract."""
    outputs = outputs_bytes(batch)
    parts = FactParts(
        statement_id=deployment.statement_id,
        parameter_digest=deployment.verifier_parameter_digest,
        config_hash=deployment.config_hash,
        chain_id=client.chain.chain_id,
        exchange=client.exchange,
        number=batch.number,
        old_root=batch.old_root,
        new_root=batch.new_root,
        outputs=outputs,
    )
    old_root, new_root = root_bytes(batch.old_root), root_bytes(batch.new_root)
    return ProvedBatch(batch.number, old_root, new_root, outputs, fact(parts), proof_digest)


class Relayer:
    """Sends attested facts and state updates from the operator's account."""

    def __init__(self, client: Client, operator_key: bytes) -> None:
        self._client = client
        self._key = operator_key
        self._address = address_of(operator_key)

    def transactions(self, batch: ProvedBatch) -> list[bytes]:
        """What is still to be sent for ``batch``: nothing, the update, or fact and update.

        Raises :class:`BatchOutOfOrder` for a batch beyond the contract's next one and :class:`RootDivergence` when the
        contract's root is not where the batch starts, or not where it led although the contract took it last.
        """
        last = self._client.last_batch()
        if batch.number > last + 1:
            raise BatchOutOfOrder(
                f"batch {batch.number} cannot be posted: the contract waits for batch {last + 1}",
                field="batch_number",
                value=batch.number,
                limit=last + 1,
            )
        if batch.number == last:
            self._check_root("new_root", batch.number, batch.new_root)
        if batch.number <= last:
            return []
        self._check_root("old_root", batch.number, batch.old_root)
        return self._fact_and_update(batch, self._client.chain.nonce(self._address))

    def transactions_of(self, batches: Sequence[ProvedBatch]) -> list[bytes]:
        """What is still to be sent for consecutive batches, in order, for one block.

        Raises as :meth:`transactions` for the first one, and :class:`BatchOutOfOrder` or :class:`RootDivergence` where
        a batch does not continue the one before it.
        """
        raws: list[bytes] = []
        nonce = self._client.chain.nonce(self._address)
        for place, batch in enumerate(batches):
            if place == 0 or not raws:
                raws += self.transactions(batch)
                continue
            before = batches[place - 1]
            if batch.number != before.number + 1:
                raise BatchOutOfOrder(
                    f"batch {batch.number} does not follow batch {before.number}",
                    field="batch_number",
                    value=batch.number,
                    limit=before.number + 1,
                )
            if batch.old_root != before.new_root:
                raise RootDivergence(
                    f"batch {batch.number} does not start where batch {before.number} leads",
                    field="old_root",
                    value=batch.old_root.hex(),
                    limit=before.new_root.hex(),
                )
            raws += self._fact_and_update(batch, nonce + len(raws))
        return raws

    def _fact_and_update(self, batch: ProvedBatch, nonce: int) -> list[bytes]:
        """The operator's transactions for one batch from ``nonce`` on: its fact if not registered yet, the update."""
        raws = []
        if not self._client.fact_registered(batch.fact):
            raws.append(self._client.register_fact(self._key, batch.fact, nonce))
        update = self._client.update_state(
            self._key, batch.number, batch.old_root, batch.new_root, batch.outputs, nonce + len(raws)
        )
        return [*raws, update]

    def post(self, batch: ProvedBatch, time: int) -> Posted:
        """Bring ``batch`` on chain at venue time ``time`` (ns), or find that it is there.

        A nonce taken by another transaction of the operator meanwhile is asked for again, at most three times. Raises
        :class:`Reverted` with the contract's reason when the update fails.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            raws = self.transactions(batch)
            if not raws:
                return Posted(batch.number, None, ())
            try:
                blocks = self._client.chain.include(raws, time)
                break
            except NonceMismatch:
                if attempt == MAX_ATTEMPTS:
                    raise
        receipts = tuple(receipt for block in blocks for receipt in block.receipts)
        for receipt in receipts:
            if not receipt.status:
                raise Reverted(f"update to batch {batch.number}", receipt.reason)
        return Posted(batch.number, blocks[-1], receipts)

    def _check_root(self, name: str, number: int, expected: bytes) -> None:
        found = self._client.state_root()
        if found != expected:
            raise RootDivergence(
                f"the contract's root is 0x{found.hex()}; batch {number} has 0x{expected.hex()} as its {name}",
                field=name,
                value=expected.hex(),
                limit=found.hex(),
            )
