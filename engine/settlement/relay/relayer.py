"""Posts proved batches: the proof to its verifier contracts, call by call, then the state update to the exchange.

Nothing is remembered here: before anything is sent, the contracts are asked what they have of a batch already. So a
crash between two transactions, or between a posted block and the journal's knowledge of it, never sends one twice, and
what is left of a batch that one block had no room for is sent with the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.errors import ProtocolError
from engine.proving.proof_file import open_file
from engine.proving.statement import FactParts, fact, outputs_bytes
from engine.sequencer.batch import Batch, root_bytes
from engine.settlement.chain.blocks import Block, Receipt
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, address_of, sign_transaction
from engine.settlement.chain.world import BLOCK_GAS_LIMIT
from engine.settlement.errors import (
    BatchOutOfOrder,
    NonceMismatch,
    NotPostable,
    Reverted,
    RootDivergence,
    SettlementError,
)
from engine.settlement.relay.client import CALL_GAS, ENTRY_BYTES, Client, Deployment, StateUpdate
from engine.settlement.relay.verifiers import VenueVerifiers
from engine.settlement.verifier.client import L1Proof, VerifierClient, split_proof
from engine.units import SECOND

MAX_ATTEMPTS = 3
POSTING_MARGIN = 300
"""Seconds: nothing is posted nearer than this to the time from which one of its deposits is its depositor's again."""
ReadProof = Callable[[str], bytes]
"""Bytes of the proof file with this hex digest; a :class:`engine.errors.ProtocolError` when there is none."""


@dataclass(frozen=True, slots=True)
class ProvedBatch:
    """A batch whose proof was accepted natively. Roots and facts: 32 bytes; ``outputs``: 37 bytes an entry.

    ``facts``: profile by profile, what its verifier would have to register. ``proof_digest``: of the proof file, hex.
    ``queue_count``: entries of the contract's queue that it takes; one of them is zero only from ``not_before`` (s) on.
    """

    number: int
    old_root: bytes
    new_root: bytes
    outputs: bytes
    facts: tuple[bytes, ...]
    proof_digest: str
    queue_count: int = 0
    not_before: int = 0

    @property
    def deposited(self) -> int:
        """Quanta of all deposits in the outputs."""
        entries = (self.outputs[at : at + ENTRY_BYTES] for at in range(0, len(self.outputs), ENTRY_BYTES))
        return sum(int.from_bytes(entry[-8:], "big") for entry in entries if entry[0] == 0)


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to be signed. ``kind``: open, check, register, update. ``gas``: what it will use, of ``limit``."""

    kind: str
    to: bytes
    data: bytes
    gas: int
    limit: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent next, in order. ``refusal``: why the batch that would follow cannot be brought to L1."""

    calls: tuple[Call, ...]
    refusal: NotPostable | None = None


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
    """What is posted for ``batch`` once a proof of it was accepted, with the facts for this chain and contract."""
    outputs = outputs_bytes(batch)
    facts = tuple(
        fact(
            FactParts(
                statement_id=deployment.statement_id,
                parameter_digest=digest,
                config_hash=deployment.config_hash,
                chain_id=client.chain.chain_id,
                exchange=client.exchange,
                number=batch.number,
                old_root=batch.old_root,
                new_root=batch.new_root,
                outputs=outputs,
            )
        )
        for digest in deployment.parameter_digests
    )
    return ProvedBatch(
        number=batch.number,
        old_root=root_bytes(batch.old_root),
        new_root=root_bytes(batch.new_root),
        outputs=outputs,
        facts=facts,
        proof_digest=proof_digest,
        queue_count=batch.queue_count,
        not_before=batch.not_before,
    )


class Relayer:
    """Brings proofs and updates to L1 from the operator's account, which pays the gas and alone may post updates."""

    def __init__(
        self, client: Client, deployment: Deployment, verifiers: VenueVerifiers, operator_key: bytes, read: ReadProof
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._verifiers = verifiers
        self._key = operator_key
        self._address = address_of(operator_key)
        self._read = read
        self._last: tuple[str, int, L1Proof] | None = None

    def plan(self, batches: Sequence[ProvedBatch], room: int = BLOCK_GAS_LIMIT) -> Plan:
        """What is still to be sent for consecutive batches, as far as ``room`` (gas of one block) goes.

        Raises :class:`BatchOutOfOrder` for a batch beyond the contract's next one or after a gap and
        :class:`RootDivergence` when the contract's root is not where the first batch starts, or not where a batch led
        that the contract took last, or a batch does not start where the one before leads.
        """
        calls: list[Call] = []
        spent, first = 0, self._client.queue_consumed()
        try:
            for batch in self._due(batches):
                self._check_queue(batch, first)
                first += batch.queue_count
                for call in self._calls(batch):
                    if spent + call.limit > room:
                        return Plan(tuple(calls))
                    calls.append(call)
                    spent += call.gas
        except NotPostable as refusal:
            return Plan(tuple(calls), refusal)
        return Plan(tuple(calls))

    def sign(self, calls: Sequence[Call]) -> list[bytes]:
        """Raw transactions from the operator's next nonce on."""
        chain = self._client.chain
        nonce = chain.nonce(self._address)
        return [
            sign_transaction(
                self._key,
                chain_id=chain.chain_id,
                nonce=nonce + place,
                to=call.to,
                data=call.data,
                gas_limit=call.limit,
                gas_price=chain.gas_price,
            )
            for place, call in enumerate(calls)
        ]

    def post(self, batch: ProvedBatch, time: int) -> Posted:
        """Bring ``batch`` on chain at venue time ``time`` (ns), in as many blocks as needed, or find that it is there.

        A nonce taken by another transaction of the operator meanwhile is asked for again, at most three times. Raises
        :class:`Reverted` with the contract's reason when a transaction fails, and :class:`NotPostable`.
        """
        block: Block | None = None
        receipts: list[Receipt] = []
        attempt = 0
        while calls := self._must_plan(batch):
            try:
                blocks = self._client.chain.include(self.sign(calls), time)
            except NonceMismatch:
                attempt += 1
                if attempt == MAX_ATTEMPTS:
                    raise
                continue
            receipts += [receipt for included in blocks for receipt in included.receipts]
            block = blocks[-1]
            for receipt in receipts:
                if not receipt.status:
                    raise Reverted(f"posting batch {batch.number}", receipt.reason)
        return Posted(batch.number, block, tuple(receipts))

    def _must_plan(self, batch: ProvedBatch) -> tuple[Call, ...]:
        plan = self.plan([batch])
        if plan.refusal is not None:
            raise plan.refusal
        return plan.calls

    def _due(self, batches: Sequence[ProvedBatch]) -> Iterator[ProvedBatch]:
        """Those that the contract has not taken, which must continue it and one another."""
        last = self._client.last_batch()
        root: bytes | None = None
        for batch in batches:
            if batch.number < last:
                continue
            if batch.number == last:
                self._compare_root("new_root", batch.number, batch.new_root, self._client.state_root())
                continue
            if batch.number != last + 1:
                raise BatchOutOfOrder(
                    f"batch {batch.number} cannot be posted: the contract waits for batch {last + 1}",
                    field="batch_number",
                    value=batch.number,
                    limit=last + 1,
                )
            self._compare_root("old_root", batch.number, batch.old_root, root or self._client.state_root())
            if batch.not_before > self._client.chain.head.time // SECOND:
                return  # an entry that it counts as zero is not zero on L1 yet
            yield batch
            last, root = batch.number, batch.new_root

    def _calls(self, batch: ProvedBatch) -> Iterator[Call]:
        """What the contracts do not have of a batch yet."""
        profile = self._registered(batch)
        if profile is None:
            profile, proof = self._proof(batch)
            verifier = VerifierClient(self._client.chain, self._client.verifiers[profile])
            for kind, to, data in verifier.remaining(proof):
                if kind == "register":  # nothing to estimate before the queries are in
                    yield Call(kind, to, data, CALL_GAS, CALL_GAS)
                else:
                    yield self._estimated(batch, kind, to, data)
        update = StateUpdate(profile, batch.number, batch.old_root, batch.new_root, batch.outputs, batch.queue_count)
        yield Call("update", self._client.exchange, update.data(), update.gas(), update.gas())

    def _check_queue(self, batch: ProvedBatch, first: int) -> None:
        """Refuse a batch with an entry that its depositor has asked back and has, or may have before it is posted.

        ``first``: number of the batch's first entry of the queue.
        """
        if not batch.queue_count:
            return
        held, credited = self._client.queue_sum(first, batch.queue_count), batch.deposited
        if held != credited:
            raise NotPostable(
                f"batch {batch.number} credits {credited} quanta and the queue holds {held}: a depositor took his back",
                field="queue",
                value=credited,
                limit=held,
            )
        now = self._client.chain.head.time // SECOND
        reclaim_at = self._client.earliest_reclaim(first, batch.queue_count)
        if reclaim_at and reclaim_at - now < POSTING_MARGIN:
            raise NotPostable(
                f"batch {batch.number} credits a deposit that its depositor gets back in {reclaim_at - now} s",
                field="reclaim_at",
                value=reclaim_at - now,
                limit=POSTING_MARGIN,
            )

    def _registered(self, batch: ProvedBatch) -> int | None:
        """The profile whose verifier has registered the batch's fact, if any."""
        for profile, verifier in enumerate(self._deployment.verifiers):
            if self._client.is_valid(verifier, batch.facts[profile]):
                return profile
        return None

    def _estimated(self, batch: ProvedBatch, kind: str, to: bytes, data: bytes) -> Call:
        try:
            gas = self._client.chain.estimate(to, data, self._address)
        except Reverted as error:
            raise NotPostable(
                f"the verifier contract refuses the proof of batch {batch.number} at {kind}: {error.reason}",
                field=kind,
                value=error.reason,
            ) from error
        return Call(kind, to, data, gas, min(MAX_GAS_LIMIT, gas + gas // 8 + 50_000))

    def _proof(self, batch: ProvedBatch) -> tuple[int, L1Proof]:
        """Profile and proof of a batch, read and cut up; the last one is kept."""
        if self._last is None or self._last[0] != batch.proof_digest:
            try:
                self._last = (batch.proof_digest, *self._split(batch))
            except SettlementError:
                raise
            except ProtocolError as error:
                raise NotPostable(
                    f"the proof file of batch {batch.number} cannot be used: {error.message}", field="proof"
                ) from error
        return self._last[1:]

    def _split(self, batch: ProvedBatch) -> tuple[int, L1Proof]:
        client = self._client
        file = open_file(self._read(batch.proof_digest))
        profile = self._deployment.parameter_digests.index(file.profile.digest)
        setup, chain_id = self._verifiers.setups[profile], client.chain.chain_id
        proof = split_proof(setup, file.shape, file.claim, file.proof, chain_id=chain_id, exchange=client.exchange)
        if proof.fact != batch.facts[profile]:
            raise NotPostable(f"the proof file of batch {batch.number} is about something else", field="proof")
        return profile, proof

    def _compare_root(self, name: str, number: int, expected: bytes, found: bytes) -> None:
        if found != expected:
            raise RootDivergence(
                f"the root before it is 0x{found.hex()}; batch {number} has 0x{expected.hex()} as its {name}",
                field=name,
                value=expected.hex(),
                limit=found.hex(),
            )
