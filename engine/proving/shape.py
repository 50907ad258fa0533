"""The numbers that a statement depends on, and its buses."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import check_range
from engine.exchange.config import VenueConfig
from engine.exchange.leaf import BLOCK, LIMB_BITS, leaf_blocks

BUS_POSEIDON = 1
BUS_RANGE = 2
BUS_PATH_START = 3
BUS_PATH_END = 4
BUS_EXTERNAL = 5
BUSES = {
    BUS_POSEIDON: "poseidon (half of the output, 16 inputs, 8 outputs)",
    BUS_RANGE: "range (one limb)",
    BUS_PATH_START: "path start (update, old leaf, new leaf)",
    BUS_PATH_END: "path end (update, account, old root, new root)",
    BUS_EXTERNAL: "external (kind, account, owner limbs, amount limbs)",
}
MIN_LIMB_BITS = 8
MAX_MARKETS = 64


@dataclass(frozen=True, slots=True)
class StatementShape:
    """What fixes the tables of the statement.

    ``tree_height`` levels above the leaves, 1 .. limb_bits (account ids and their differences fit one limb);
    ``max_positions`` slots per leaf, 0 .. 64; ``limb_bits`` is 16 on the venue. Smaller limbs make a small range table
    and 4 * limb_bits bit amounts: the same rules, for quick tests. Raises :class:`engine.errors.OutOfRange`.
    """

    tree_height: int
    max_positions: int
    limb_bits: int = LIMB_BITS

    def __post_init__(self) -> None:
        check_range("limb_bits", self.limb_bits, MIN_LIMB_BITS, LIMB_BITS)
        check_range("tree_height", self.tree_height, 1, self.limb_bits)
        check_range("max_positions", self.max_positions, 0, MAX_MARKETS)

    @property
    def blocks(self) -> int:
        """Sponge blocks per leaf."""
        return leaf_blocks(self.max_positions)

    @property
    def words(self) -> int:
        """Words per leaf, padding included."""
        return BLOCK * self.blocks

    @property
    def limb_size(self) -> int:
        """2^limb_bits: limbs lie in [0, limb_size)."""
        return 1 << self.limb_bits

    @property
    def max_log_updates(self) -> int:
        """Bound on the update table's height.

        Per limb, one row adds at most 2 * (limb_size - 1) to a running sum. With at most 2^(limb_bits - 4) rows the sum
        stays below 2^(2 * limb_bits - 3) and its carry below 2^(limb_bits - 3) + 1: no sum reaches p / 2, so equality
        mod p is equality of integers.
        """
        return self.limb_bits - 4


def venue_shape(config: VenueConfig) -> StatementShape:
    """The shape for a venue: its tree height and one position slot per market."""
    return StatementShape(config.tree_height, len(config.markets))
