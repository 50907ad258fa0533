"""One opened venue: journal, chain, prover and loop, put together and brought up to date. No threads of its own yet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.l1.block_store import JournalBlocks
from app.l1.layer_one import LayerOne
from app.l1.place import claim_ledger
from app.paths import Paths
from app.proving.queue import MakeProver, ProverQueue
from app.storage.checkpoints import stored_checkpoints
from app.storage.folder_checks import (
    OtherVenue,
    check_folder,
    check_l1,
    claim_config,
    claim_key,
    claim_version,
    clear_unused,
    open_journal,
)
from app.storage.folder_lock import FolderLock
from app.storage.journal import Journal
from app.storage.proof_files import read_stored
from app.venue.ingress import Ingress
from app.venue.loop import VenueLoop
from app.venue.market_setup import MarketSetup, market_setup
from engine.errors import CorruptData, OutOfRange
from engine.exchange.config import DEFAULT_CONFIG, VenueConfig
from engine.exchange.tree import AccountTree
from engine.proving.shape import venue_shape
from engine.proving.statement import statement_id
from engine.sequencer.batch import root_bytes
from engine.sequencer.inputs import decode_input
from engine.sequencer.venue import Venue
from engine.settlement.chain.chain import Chain, checkpoint_block
from engine.settlement.chain.ledger import Ledger
from engine.settlement.errors import RootDivergence, SettlementError
from engine.settlement.genesis import allocation, check_codes, genesis, venue_deployment
from engine.settlement.keys.keys import UserKey, role_key
from engine.settlement.node.anchor import Anchor
from engine.settlement.relay.relayer import Relayer
from engine.settlement.relay.verifiers import VenueVerifiers, venue_verifiers
from engine.units import QUANTUM

if TYPE_CHECKING:  # web3.py is loaded only where a node is asked for
    from app.l1.node import Node

Progress = Callable[[str, float], None]
MakeVerifiers = Callable[[VenueConfig], VenueVerifiers]
WHOLE_BLOCKS = 8
"""L1 blocks whose transactions are kept in memory."""
USER_DEPOSIT = 10_000 * QUANTUM
USER_WALLET = 40_000 * QUANTUM


@dataclass(slots=True, kw_only=True)
class Session:
    """The parts of an open venue. ``close`` ends them in order."""

    paths: Paths
    config: VenueConfig
    journal: Journal
    chain: LayerOne
    prover: ProverQueue
    loop: VenueLoop
    replayed: int
    lock: FolderLock

    def close(self) -> None:
        """Stop the prover, write a checkpoint, close the journal, let the folder go. A second call does nothing.

        Raises :class:`JournalError` when the journal had failed.
        """
        if not self.lock.held:
            return
        with ExitStack() as ending:  # each step is taken whatever happened in those before it
            ending.callback(self.lock.release)
            ending.callback(self.journal.close)
            ending.callback(self.loop.checkpoint)
            ending.callback(self.chain.close)
            self.prover.stop()


def open_session(
    paths: Paths,
    config: VenueConfig = DEFAULT_CONFIG,
    progress: Progress = lambda stage, fraction: None,
    *,
    make_prover: MakeProver = ProverQueue,
    make_verifiers: MakeVerifiers = venue_verifiers,
    l1: str | None = None,
    new: bool = False,
) -> Session:
    """Open or create the venue in a data folder: newest valid checkpoint, then the journal's tail.

    ``make_prover(config, proofs folder, deliver)`` lets tests put another prover in, ``make_verifiers(config)`` other
    contracts behind the exchange; ``l1`` is the URL of a node, None for the embedded chain. ``new``: the folder was
    made for this venue, so that a key in it is no trace of a lost one. Raises
    :class:`app.storage.folder_lock.FolderInUse`, :class:`OtherVenue`,
    :class:`app.storage.folder_question.FolderQuestion`, :class:`app.storage.journal_file.JournalError`,
    :class:`engine.settlement.errors.KeyFileError`, :class:`CorruptData`, and on a
    node :class:`engine.settlement.errors.OtherLedger`, :class:`app.l1.node.NeedsEther` and the NodeErrors.
    """
    node = _node(l1, progress)
    try:
        if node is not None:
            config = msgspec.structs.replace(config, chain_id=node.chain_id)
        progress("market data", 0.0)
        setup = market_setup(config, progress)
        lock = FolderLock(paths.lock)
        try:
            return _open_locked(paths, setup, lock, progress, make_prover, make_verifiers, node, new)
        except BaseException:
            lock.release()
            raise
    except BaseException:
        if node is not None:
            node.connection.close()
        raise


def _node(l1: str | None, progress: Progress) -> Node | None:
    if l1 is None:
        return None
    progress("layer 1", 0.0)
    from app.l1.node import connect

    return connect(l1)


def _open_locked(
    paths: Paths,
    setup: MarketSetup,
    lock: FolderLock,
    progress: Progress,
    make_prover: MakeProver,
    make_verifiers: MakeVerifiers,
    node: Node | None,
    new: bool,
) -> Session:
    config = setup.config
    progress("journal", 0.0)
    unused = check_folder(paths, new=new)
    if unused:
        clear_unused(paths)
    journal = open_journal(paths, lambda rows: progress(f"checking the journal: {rows:,} inputs", 0.0))
    try:
        if unused:
            claim_version(journal)
        anchor = claim_ledger(journal, node, config)
        claim_config(journal, config)
        user = claim_key(journal, paths.keys)
        progress("layer 1", 0.0)
        ingress = Ingress()
        if node is None or anchor is None:
            ledger: Ledger = _restore_chain(journal, setup)
        else:
            ledger = _node_chain(node, anchor, setup, journal)
        chain = open_chain(ledger, setup, user, make_verifiers(config), paths.proofs)
        venue, replayed = restore_venue(journal, setup, progress)
        check_l1(venue, chain.chain, chain.last_batch)
        if node is not None:
            chain.work_apart(ingress.deliver)
        prover = make_prover(config, paths.proofs, ingress.deliver)
        loop = VenueLoop(venue, journal, chain, prover, ingress)
        loop.resume()
    except BaseException:
        journal.close()
        raise
    return Session(
        paths=paths, config=config, journal=journal, chain=chain, prover=prover, loop=loop, replayed=replayed, lock=lock
    )


def open_chain(chain: Ledger, setup: MarketSetup, user: UserKey, verifiers: VenueVerifiers, proofs: Path) -> LayerOne:
    """The L1 of a venue; a new chain gets its contracts, participants and the user's first deposit."""
    config = setup.config
    empty = root_bytes(AccountTree(config.tree_height, len(config.markets)).root)
    deployment = venue_deployment(config, statement_id(venue_shape(config)), verifiers.digests, empty)
    try:
        owners = ((config.first_user_account, user.address),)
        client = genesis(chain, config, deployment, verifiers, setup.genesis_accounts, setup.genesis_time, owners)
        if not isinstance(chain, Chain):  # the embedded chain's code is what was executed here
            check_codes(client, config, deployment, verifiers)
    except RootDivergence as error:
        raise OtherVenue(
            f"the data folder's venue was made by another version of this program ({error.message}); "
            "choose another folder with --data",
            field=error.field,
        ) from error
    operator = role_key(config.seed, "operator")
    relayer = Relayer(client, deployment, verifiers, operator, lambda digest: read_stored(proofs, digest))
    layer_one = LayerOne(chain, client, deployment, relayer, config, user)
    if chain.nonce(user.address) < 2:  # the grant's approval and deposit are the user's first transactions
        layer_one.fund_user(USER_DEPOSIT, USER_WALLET)
        layer_one.mine(max(setup.genesis_time, chain.head.time), allow_empty=False)
        if layer_one.errors:
            raise SettlementError(f"the first deposit failed: {layer_one.errors[0]}", field="l1")
    return layer_one


def _node_chain(node: Node, anchor: Anchor, setup: MarketSetup, journal: Journal) -> Ledger:
    from app.l1.node import open_node_chain

    return open_node_chain(
        node,
        anchor,
        JournalBlocks(journal),
        seed=setup.config.seed,
        genesis_time=setup.genesis_time,
        funded_accounts=len(setup.genesis_accounts),
    )


def _restore_chain(journal: Journal, setup: MarketSetup) -> Chain:
    """The chain of the journal's blocks; those before the newest checkpoint that loads are not executed again."""

    def restored(checkpoint: bytes | None) -> Chain:
        config = setup.config
        return Chain(
            config.chain_id,
            allocation(config),
            setup.genesis_time,
            JournalBlocks(journal, 0 if checkpoint is None else checkpoint_block(checkpoint)),
            checkpoint,
            whole_blocks=WHOLE_BLOCKS,
        )

    for _, stored in stored_checkpoints(journal):
        try:
            return restored(stored.chain)
        except (CorruptData, OutOfRange):
            continue  # the checkpoint or a block is damaged: without a checkpoint a damaged block is named
    return restored(None)


def restore_venue(journal: Journal, setup: MarketSetup, progress: Progress) -> tuple[Venue, int]:
    """The venue after the journal's last input, and how many inputs were replayed to get there."""
    venue = _from_checkpoint(journal, setup) or new_venue(setup)
    total = max(1, journal.last_sequence - venue.sequence)
    count = 0
    for sequence, data in journal.read_inputs(after=venue.sequence):
        venue.apply(sequence, decode_input(data))
        count += 1
        if count % 500 == 0:
            progress("replaying the journal", count / total)
    venue.take_closed_batches()  # the loop asks for unproved and unposted ones by name
    return venue, count


def new_venue(setup: MarketSetup) -> Venue:
    """The venue before its first input."""
    return Venue(setup.config, setup.prices, setup.participants(), setup.genesis_time)


def _from_checkpoint(journal: Journal, setup: MarketSetup) -> Venue | None:
    """The newest checkpoint that loads; damaged ones are passed over, the journal has everything."""
    for sequence, stored in stored_checkpoints(journal):
        try:
            venue = Venue.load(stored.venue, setup.config, setup.prices, setup.participants())
        except CorruptData:
            continue
        if venue.sequence == sequence:
            return venue
    return None
