# Written by compile_verifier.py from templates/field.vy.in, which is to be read and changed.
# pragma version 0.4.3
"""
@title KoalaBear's extension of degree 5, packed
@notice F_p[X] / (X^5 + X^2 - 1), p = 2^31 - 2^24 + 1. An element is one word: coordinate k in bits 51 k to 51 k + 50,
        canonical. With N = X^5 + X^2 - 1 at X = 2^51, the product of two packed words modulo N is the packed product in
        the ring, as long as no lane leaves its 51 bits: so one factor enters in pieces of 16 (or 11) bits, each product
        is lifted by a multiple of p that keeps the lanes positive, and the pieces join when the lanes are reduced.
"""

P: constant(uint256) = 2**31 - 2**24 + 1
N: constant(uint256) = 2**255 + 2**102 - 1
LANES: constant(uint256) = 1 + 2**51 + 2**102 + 2**153 + 2**204
# A multiple of p of about 2^50 in every lane.
LIFT: constant(uint256) = (2**31 - 2**24 + 1) * 2**19 * (1 + 2**51 + 2**102 + 2**153 + 2**204)
LOW16: constant(uint256) = 65535 * (1 + 2**51 + 2**102 + 2**153 + 2**204)
LOW11: constant(uint256) = 2047 * (1 + 2**51 + 2**102 + 2**153 + 2**204)
LOW10: constant(uint256) = 1023 * (1 + 2**51 + 2**102 + 2**153 + 2**204)
# p in every lane, to subtract without a borrow.
MODULUS: constant(uint256) = (2**31 - 2**24 + 1) * (1 + 2**51 + 2**102 + 2**153 + 2**204)
EVEN: constant(uint256) = (2**51 - 1) * (1 + 2**102)
LANE: constant(uint256) = 2**102 - 1
WORD32: constant(uint256) = 2**32 - 1
# A packed element with SPARE added has bit 32 of a lane set where its coordinate is not canonical.
SPARE: constant(uint256) = 2164260863 * (1 + 2**51 + 2**102 + 2**153 + 2**204)
NOT_CANONICAL: constant(uint256) = 2**32 * (1 + 2**51 + 2**102 + 2**153 + 2**204)
# Every second byte, every second pair of bytes.
BYTES: constant(uint256) = 450552876409790643671482431940419874915447411150352389258589821042463539455
PAIRS: constant(uint256) = 1766820105243087041267848467410591083712559083657179364930612997358944255


@internal
@pure
def mul(a: uint256, b: uint256) -> uint256:
    """
    @dev Lanes of a piece's product: at most 6 * 2^47 above and 4 * 2^47 below zero.
    """
    t: uint256 = uint256_addmod(uint256_mulmod(a & LOW16, b, N), LIFT, N)
    u: uint256 = uint256_addmod(uint256_mulmod((a >> 16) & LOW16, b, N), LIFT, N)
    # even_odd(t, u)
    e: uint256 = unsafe_add(t & EVEN, (u & EVEN) << 16)
    o: uint256 = unsafe_add((t >> 51) & EVEN, ((u >> 51) & EVEN) << 16)
    return (
        (e & LANE) % P
        | ((o & LANE) % P) << 51
        | ((e >> 102) % P) << 102
        | ((o >> 102) % P) << 153
        | (unsafe_add(t >> 204, (u >> 204) << 16) % P) << 204
    )


@internal
@pure
def muladd(a: uint256, b: uint256, c: uint256) -> uint256:
    """
    @dev a * b + c; lanes of `a` below 2^32, of `b` below p, of `c` below 2^33.
    """
    t: uint256 = unsafe_add(uint256_addmod(uint256_mulmod(a & LOW16, b, N), LIFT, N), c)
    u: uint256 = uint256_addmod(uint256_mulmod((a >> 16) & LOW16, b, N), LIFT, N)
    # even_odd(t, u)
    e: uint256 = unsafe_add(t & EVEN, (u & EVEN) << 16)
    o: uint256 = unsafe_add((t >> 51) & EVEN, ((u >> 51) & EVEN) << 16)
    return (
        (e & LANE) % P
        | ((o & LANE) % P) << 51
        | ((e >> 102) % P) << 102
        | ((o >> 102) % P) << 153
        | (unsafe_add(t >> 204, (u >> 204) << 16) % P) << 204
    )


@internal
@pure
def scale(a: uint256, k: uint256, c: uint256) -> uint256:
    """
    @dev k * a + c for k below p; lanes of `a` below p, of `c` below 2^33.
    """
    t: uint256 = unsafe_add(unsafe_mul(a, k & 65535), c)
    u: uint256 = unsafe_mul(a, k >> 16)
    # even_odd(t, u)
    e: uint256 = unsafe_add(t & EVEN, (u & EVEN) << 16)
    o: uint256 = unsafe_add((t >> 51) & EVEN, ((u >> 51) & EVEN) << 16)
    return (
        (e & LANE) % P
        | ((o & LANE) % P) << 51
        | ((e >> 102) % P) << 102
        | ((o >> 102) % P) << 153
        | (unsafe_add(t >> 204, (u >> 204) << 16) % P) << 204
    )


@internal
@pure
def times_x(a: uint256) -> uint256:
    """
    @dev X a = (a4, a0, a1 - a4, a2, a3).
    """
    top: uint256 = a >> 204
    x: uint256 = unsafe_add(unsafe_add((a << 51) & (2**255 - 1), unsafe_sub(P, top) << 102), top)
    return (x & ((2**51 - 1) * (1 + 2**51 + 2**153 + 2**204))) | (((x >> 102) & (2**51 - 1)) % P) << 102


@internal
@pure
def join(x0: uint256, x1: uint256, x2: uint256) -> uint256:
    """
    @dev x0 + 2^11 x1 + 2^21 x2, every lane reduced.
    """
    # join_pieces(x0, x1, x2)
    e: uint256 = unsafe_add(unsafe_add(x0 & EVEN, (x1 & EVEN) << 11), (x2 & EVEN) << 21)
    o: uint256 = unsafe_add(
        unsafe_add((x0 >> 51) & EVEN, ((x1 >> 51) & EVEN) << 11), ((x2 >> 51) & EVEN) << 21
    )
    return (
        (e & LANE) % P
        | ((o & LANE) % P) << 51
        | ((e >> 102) % P) << 102
        | ((o >> 102) % P) << 153
        | (unsafe_add(unsafe_add(x0 >> 204, (x1 >> 204) << 11), (x2 >> 204) << 21) % P) << 204
    )


@internal
@pure
def reduced(x: uint256) -> uint256:
    """
    @dev Every lane modulo p.
    """
    return (
        ((x & (2**51 - 1)) % P)
        | (((x >> 51) & (2**51 - 1)) % P) << 51
        | (((x >> 102) & (2**51 - 1)) % P) << 102
        | (((x >> 153) & (2**51 - 1)) % P) << 153
        | ((x >> 204) % P) << 204
    )


@internal
@pure
def swapped(word: uint256) -> uint256:
    """
    @dev Little-endian 32-bit words made big-endian, eight at a time.
    """
    x: uint256 = (word >> 8) & BYTES | (word & BYTES) << 8
    return (x >> 16) & PAIRS | (x & PAIRS) << 16


@internal
@pure
def element(word: uint256) -> uint256:
    """
    @dev Check 1, encoding: the extension element in the first 20 bytes of `word`, five little-endian words, each below
         p. Without it one proof could be told in many ways, and sums in lanes could overflow.
    """
    x: uint256 = self.swapped(word)
    packed: uint256 = (
        (x >> 224)
        | ((x >> 192) & (2**32 - 1)) << 51
        | ((x >> 160) & (2**32 - 1)) << 102
        | ((x >> 128) & (2**32 - 1)) << 153
        | ((x >> 96) & (2**32 - 1)) << 204
    )
    assert unsafe_add(packed, SPARE) & NOT_CANONICAL == 0, "encoding"
    return packed


@internal
@pure
def unpacked(v: uint256, w: uint256, x: uint256, y: uint256, z: uint256) -> uint256[8]:
    """
    @dev The eight extension elements in five words of little-endian coordinates. Whether they are canonical is not
         checked here.
    """
    a: uint256 = (v >> 8) & BYTES | (v & BYTES) << 8
    b: uint256 = (w >> 8) & BYTES | (w & BYTES) << 8
    c: uint256 = (x >> 8) & BYTES | (x & BYTES) << 8
    d: uint256 = (y >> 8) & BYTES | (y & BYTES) << 8
    e: uint256 = (z >> 8) & BYTES | (z & BYTES) << 8
    a = (a >> 16) & PAIRS | (a & PAIRS) << 16
    b = (b >> 16) & PAIRS | (b & PAIRS) << 16
    c = (c >> 16) & PAIRS | (c & PAIRS) << 16
    d = (d >> 16) & PAIRS | (d & PAIRS) << 16
    e = (e >> 16) & PAIRS | (e & PAIRS) << 16
    return [
        (
            (a >> 224)
            | ((a >> 192) & WORD32) << 51
            | ((a >> 160) & WORD32) << 102
            | ((a >> 128) & WORD32) << 153
            | ((a >> 96) & WORD32) << 204
        ),
        (
            ((a >> 64) & WORD32)
            | ((a >> 32) & WORD32) << 51
            | (a & WORD32) << 102
            | (b >> 224) << 153
            | ((b >> 192) & WORD32) << 204
        ),
        (
            ((b >> 160) & WORD32)
            | ((b >> 128) & WORD32) << 51
            | ((b >> 96) & WORD32) << 102
            | ((b >> 64) & WORD32) << 153
            | ((b >> 32) & WORD32) << 204
        ),
        (
            (b & WORD32)
            | (c >> 224) << 51
            | ((c >> 192) & WORD32) << 102
            | ((c >> 160) & WORD32) << 153
            | ((c >> 128) & WORD32) << 204
        ),
        (
            ((c >> 96) & WORD32)
            | ((c >> 64) & WORD32) << 51
            | ((c >> 32) & WORD32) << 102
            | (c & WORD32) << 153
            | (d >> 224) << 204
        ),
        (
            ((d >> 192) & WORD32)
            | ((d >> 160) & WORD32) << 51
            | ((d >> 128) & WORD32) << 102
            | ((d >> 96) & WORD32) << 153
            | ((d >> 64) & WORD32) << 204
        ),
        (
            ((d >> 32) & WORD32)
            | (d & WORD32) << 51
            | (e >> 224) << 102
            | ((e >> 192) & WORD32) << 153
            | ((e >> 160) & WORD32) << 204
        ),
        (
            ((e >> 128) & WORD32)
            | ((e >> 96) & WORD32) << 51
            | ((e >> 64) & WORD32) << 102
            | ((e >> 32) & WORD32) << 153
            | (e & WORD32) << 204
        ),
    ]
