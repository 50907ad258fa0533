"""Everything again from genesis, ignoring checkpoints. Proofs and L1 blocks are read, never made again."""

from __future__ import annotations

from typing import Any

import msgspec

from app.paths import Paths
from app.storage.folder_checks import check_blocks, check_journal
from app.storage.journal_file import read_chain, read_meta
from app.venue.market_setup import market_setup
from app.venue.session import new_venue
from engine.errors import UNDECODABLE, CorruptData
from engine.exchange.config import VenueConfig
from engine.sequencer.batch import root_bytes
from engine.sequencer.inputs import decode_input


def replay(paths: Paths) -> dict[str, Any]:
    """Apply every input of the journal to a new venue; what came out. Refuses a journal that opening refuses."""
    tip = check_journal(paths)
    venue = new_venue(market_setup(stored_config(paths)))
    count = 0
    for sequence, data in read_chain(paths.journal, "inputs", 0):
        venue.apply(sequence, decode_input(data))
        count += 1
    check_blocks(venue, tip.block)
    return {
        "inputs": count,
        "root": root_bytes(venue.state_root()).hex(),
        "live_root": root_bytes(venue.live_root()).hex(),
        "fills": venue.core.counters.next_fill_id - 1,
        "fills_digest": venue.fills_digest(),
        "batches": venue.core.batches.open.number - 1,
        "l1_block": venue.l1_block,
        "invariants": venue.invariants(),
    }


def stored_config(paths: Paths) -> VenueConfig:
    """The configuration that the journal was made with."""
    data = read_meta(paths.journal, "config")
    if data is None:
        raise CorruptData("the journal has no configuration", field="config")
    try:
        return msgspec.json.decode(data, type=VenueConfig)
    except UNDECODABLE as error:
        raise CorruptData(f"the journal's configuration does not decode: {error}", field="config") from error
