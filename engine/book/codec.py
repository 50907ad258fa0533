"""Bytes of a book checkpoint.

Little-endian: magic "PLBOOK" and version (2 bytes), last order id and order count (8 bytes each), then the columns id,
account, side (0 buy, 1 sell), price, lots of all resting orders by ascending id (8 bytes each), then the SHA-256 of
everything before it. Ids grow with time, so the order of ids is time priority.
"""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from engine.book.layout import MAX_ACCOUNT, MAX_ID, MAX_LOTS, MAX_PRICE
from engine.errors import CorruptData

_HEAD = struct.Struct("<6sHqq")
_MAGIC = b"PLBOOK"
_VERSION = 1
_DIGEST = 32
_COLUMNS = (
    ("order_id", 1, MAX_ID),
    ("account", 0, MAX_ACCOUNT),
    ("side", 0, 1),
    ("price", 1, MAX_PRICE),
    ("lots", 1, MAX_LOTS),
)


def encode(last_id: int, columns: np.ndarray) -> bytes:
    """Bytes of int64 ``columns`` (5, n) in the order above."""
    body = _HEAD.pack(_MAGIC, _VERSION, last_id, columns.shape[1]) + columns.astype("<i8").tobytes()
    return body + hashlib.sha256(body).digest()


def _require(good: bool, field: str, message: str, value: object = None, limit: object = None) -> None:
    if not good:
        raise CorruptData(f"book dump: {message}", field=field, value=value, limit=limit)


def decode(data: bytes) -> tuple[int, np.ndarray]:
    """Last order id and int64 columns (5, n); :class:`CorruptData` names the first field that is wrong."""
    _require(len(data) >= _HEAD.size + _DIGEST, "length", "too short", len(data), _HEAD.size + _DIGEST)
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    magic, version, last_id, count = _HEAD.unpack_from(body)
    _require(magic == _MAGIC, "magic", "not a book dump", magic, _MAGIC)
    _require(version == _VERSION, "version", f"version {version} is not known", version, _VERSION)
    _require(hashlib.sha256(body).digest() == digest, "digest", "checksum does not match")
    size = len(body) - _HEAD.size
    _require(count >= 0 and size == 40 * count, "count", f"{count} orders do not fill {size} bytes", count, size // 40)
    columns = np.frombuffer(body, "<i8", offset=_HEAD.size).astype(np.int64).reshape(len(_COLUMNS), count)
    for (field, low, high), column in zip(_COLUMNS, columns, strict=True):
        good = count == 0 or (low <= int(column.min()) and int(column.max()) <= high)
        _require(good, field, f"a value of {field} leaves [{low}, {high}]", limit=(low, high))
    ids = columns[0]
    _require(bool(np.all(ids[1:] > ids[:-1])), "order_id", "ids do not ascend")
    newest = int(ids[-1]) if count else 0
    _require(newest <= last_id <= MAX_ID, "last_id", "last id is out of range", last_id, (newest, MAX_ID))
    return last_id, columns
