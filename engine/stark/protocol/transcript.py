"""Fiat-Shamir by a Keccak-256 chain that an EVM contract can follow word by word.

- ``absorb``: state = keccak(state || 0x01 || kind || length (4 bytes LE) || data). Kind and length make every message
  self-delimiting, so two different message lists never feed the hash the same bytes.
- challenges: block_i = keccak(state || 0x02 || i (4 bytes LE)), read as eight 32-bit LE words. A field element is the
  low 31 bits of the next word below p (rejection: no bias); an extension element is five of them. Absorbing anything
  drops what is left of a block.
- grinding: the nonce satisfies keccak(state || nonce (8 bytes LE)) with its low bits zero, and is then absorbed.

Binding: the prover can choose no message after seeing a challenge that depends on it, and every challenge depends on
everything absorbed before. BCS, eprint 2016/116; on what must be absorbed, eprint 2023/691.
"""

from __future__ import annotations

from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256

KINDS = (
    "start", "main root", "nonce", "auxiliary root", "sums", "quotient root", "openings", "fri root", "final",
)  # fmt: skip


class Transcript:
    """One run of the chain; prover and verifier make the same calls in the same order."""

    def __init__(self) -> None:
        self.state = keccak256(b"proofline-transcript-1")
        self._words: list[int] = []
        self._blocks = 0

    def absorb(self, kind: str, data: bytes) -> None:
        """Mix in a message of one of the ``KINDS``."""
        head = bytes([1, KINDS.index(kind)]) + len(data).to_bytes(4, "little")
        self.state = keccak256(self.state + head + data)
        self._words, self._blocks = [], 0

    def _word(self) -> int:
        if not self._words:
            block = keccak256(self.state + b"\x02" + self._blocks.to_bytes(4, "little"))
            self._blocks += 1
            self._words = [int.from_bytes(block[i : i + 4], "little") for i in range(28, -1, -4)]
        return self._words.pop()

    def element(self) -> int:
        """A uniform base-field element."""
        while True:
            word = self._word() & 0x7FFFFFFF
            if word < P:
                return word

    def challenge(self) -> Extension:
        """A uniform extension element."""
        return tuple(self.element() for _ in range(DEGREE))

    def point(self) -> Extension:
        """An extension element outside the base field, so outside every evaluation domain."""
        while True:
            point = self.challenge()
            if any(point[1:]):
                return point

    def indices(self, count: int, bits: int) -> list[int]:
        """``count`` uniform integers below 2**bits, bits <= 32; repetitions are allowed."""
        return [self._word() & ((1 << bits) - 1) for _ in range(count)]

    def nonce_accepted(self, nonce: int, bits: int) -> bool:
        """Whether ``nonce`` is a proof of work of ``bits`` bits for this state; for 0 bits only 0 is."""
        if bits == 0:
            return nonce == 0
        digest = keccak256(self.state + nonce.to_bytes(8, "little"))
        return int.from_bytes(digest[:8], "little") & ((1 << bits) - 1) == 0

    def absorb_nonce(self, nonce: int) -> None:
        """Mix a nonce in, after it was accepted."""
        self.absorb("nonce", nonce.to_bytes(8, "little"))
