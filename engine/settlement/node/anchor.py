"""Where a venue's part of a node's chain begins."""

from __future__ import annotations

import msgspec


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The node's newest block when the venue was made: everything before it is none of the venue's business."""

    chain_id: int
    number: int
    hash: bytes
