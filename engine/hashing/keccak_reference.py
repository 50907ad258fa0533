"""Keccak-256 written out in plain Python: FIPS 202, section 3, with Keccak's original padding (as Ethereum uses it)."""

from __future__ import annotations

RATE_BYTES = 136
_MASK = (1 << 64) - 1


def _round_constants() -> tuple[int, ...]:
    """The 24 iota constants, from the LFSR of FIPS 202, algorithm 5."""
    constants, lfsr = [], 1
    for _ in range(24):
        word = 0
        for j in range(7):
            if lfsr & 1:
                word |= 1 << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
        constants.append(word)
    return tuple(constants)


def _lane_path() -> tuple[tuple[int, int], ...]:
    """The 24 steps of rho and pi: (lane written, rotation), the lane index being x + 5 y; lane 1 is read first."""
    path, x, y = [], 1, 0
    for t in range(24):
        x, y = y, (2 * x + 3 * y) % 5
        path.append((x + 5 * y, (t + 1) * (t + 2) // 2 % 64))
    return tuple(path)


ROUND_CONSTANTS = _round_constants()
LANE_PATH = _lane_path()


def keccak256_reference(data: bytes) -> bytes:
    """32-byte Keccak-256 digest of any bytes."""
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % RATE_BYTES)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE_BYTES):
        for k in range(RATE_BYTES // 8):
            lanes[k] ^= int.from_bytes(padded[start + 8 * k : start + 8 * k + 8], "little")
        lanes = keccak_f1600(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def keccak_f1600(lanes: list[int]) -> list[int]:
    """The permutation Keccak-f[1600] of 25 lanes of 64 bits, lane (x, y) at x + 5 y."""
    a = list(lanes)
    for constant in ROUND_CONSTANTS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ d[i % 5] for i, lane in enumerate(a)]
        carried = a[1]
        for target, rotation in LANE_PATH:
            a[target], carried = _rotate(carried, rotation), a[target]
        a = [a[i] ^ (~a[i - i % 5 + (i + 1) % 5] & a[i - i % 5 + (i + 2) % 5] & _MASK) for i in range(25)]
        a[0] ^= constant
    return a


def _rotate(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK
