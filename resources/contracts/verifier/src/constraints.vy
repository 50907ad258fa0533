# Written by compile_verifier.py from templates/constraints.vy.in, which is to be read and changed.
# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Constraints at the out-of-domain point
@notice Runs a program generated from the statement's symbolic constraints (engine/settlement/verifier/codegen.py, where
        the format is described). The program is part of the code; several instances hold the parts of a statement.
@dev Register indices come from the program, which is fixed at deployment, not from callers.
"""

import field

MAX_WORDS: constant(uint256) = 560
MAX_REGISTERS: constant(uint256) = 1408
MAX_RESULTS: constant(uint256) = 32

PROGRAM: immutable(DynArray[uint256, MAX_WORDS])
RESULTS: immutable(uint256)


@deploy
def __init__(program: DynArray[uint256, MAX_WORDS], results: uint256):
    assert results <= MAX_RESULTS
    PROGRAM = program
    RESULTS = results


@external
@view
def evaluate(inputs: uint256[MAX_REGISTERS], count: uint256) -> DynArray[uint256, MAX_RESULTS]:
    """
    @notice The last `RESULTS` registers after the program has run on the first `count` of `inputs`, packed canonical
            elements; the others are free.
    """
    next: uint256 = count
    sum0: uint256 = field.LIFT
    sum1: uint256 = 0
    sum2: uint256 = 0
    dot0: uint256 = 0
    dot1: uint256 = 0
    dot2: uint256 = 0
    program: DynArray[uint256, MAX_WORDS] = PROGRAM
    registers: uint256[MAX_REGISTERS] = inputs
    for word: uint256 in program:
        rest: uint256 = word >> 8
        operation: uint256 = word & 3
        if operation == 0:
            # -- products: Up to ten products of two registers, each to a new one.
            for _: uint256 in range((word >> 4) & 15, bound=10):
                a: uint256 = registers[rest & 4095]
                b: uint256 = registers[(rest >> 12) & 4095]
                # field_mul(registers[next], a, b)
                t: uint256 = uint256_addmod(uint256_mulmod(a & field.LOW16, b, field.N), field.LIFT, field.N)
                u: uint256 = uint256_addmod(uint256_mulmod((a >> 16) & field.LOW16, b, field.N), field.LIFT, field.N)
                # even_odd(t, u)
                e: uint256 = unsafe_add(t & field.EVEN, (u & field.EVEN) << 16)
                o: uint256 = unsafe_add((t >> 51) & field.EVEN, ((u >> 51) & field.EVEN) << 16)
                registers[next] = (
                    (e & field.LANE) % field.P
                    | ((o & field.LANE) % field.P) << 51
                    | ((e >> 102) % field.P) << 102
                    | ((o >> 102) % field.P) << 153
                    | (unsafe_add(t >> 204, (u >> 204) << 16) % field.P) << 204
                )
                next = unsafe_add(next, 1)
                rest = rest >> 24
            # -- products ends
            continue
        if operation == 2:
            # -- small_terms: Terms of a sum with small factors. Words of ten, seven and two are common: a sum in one
            #    expression stays on the stack. Lanes of all terms of a sum stay below 2^51: the generator sees to it.
            if (word >> 4) & 15 == 10:
                # -- ten_terms: A full word of terms with small factors.
                sum0 = unsafe_add(
                    sum0,
                    unsafe_add(
                        unsafe_add(
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 20) & 4095, 2048), registers[(word >> 8) & 4095]),
                                unsafe_mul(unsafe_sub((word >> 44) & 4095, 2048), registers[(word >> 32) & 4095]),
                            ),
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 68) & 4095, 2048), registers[(word >> 56) & 4095]),
                                unsafe_add(
                                    unsafe_mul(unsafe_sub((word >> 92) & 4095, 2048), registers[(word >> 80) & 4095]),
                                    unsafe_mul(unsafe_sub((word >> 116) & 4095, 2048), registers[(word >> 104) & 4095]),
                                ),
                            ),
                        ),
                        unsafe_add(
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 140) & 4095, 2048), registers[(word >> 128) & 4095]),
                                unsafe_mul(unsafe_sub((word >> 164) & 4095, 2048), registers[(word >> 152) & 4095]),
                            ),
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 188) & 4095, 2048), registers[(word >> 176) & 4095]),
                                unsafe_add(
                                    unsafe_mul(unsafe_sub((word >> 212) & 4095, 2048), registers[(word >> 200) & 4095]),
                                    unsafe_mul(unsafe_sub((word >> 236) & 4095, 2048), registers[(word >> 224) & 4095]),
                                ),
                            ),
                        ),
                    ),
                )
                # -- ten_terms ends
            elif (word >> 4) & 15 == 2:
                sum0 = unsafe_add(
                    sum0,
                    unsafe_add(
                        unsafe_mul(unsafe_sub((word >> 20) & 4095, 2048), registers[(word >> 8) & 4095]),
                        unsafe_mul(unsafe_sub((word >> 44) & 4095, 2048), registers[(word >> 32) & 4095]),
                    ),
                )
            elif (word >> 4) & 15 == 7:
                # -- seven_terms: Seven terms with small factors.
                sum0 = unsafe_add(
                    sum0,
                    unsafe_add(
                        unsafe_add(
                            unsafe_mul(unsafe_sub((word >> 20) & 4095, 2048), registers[(word >> 8) & 4095]),
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 44) & 4095, 2048), registers[(word >> 32) & 4095]),
                                unsafe_mul(unsafe_sub((word >> 68) & 4095, 2048), registers[(word >> 56) & 4095]),
                            ),
                        ),
                        unsafe_add(
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 92) & 4095, 2048), registers[(word >> 80) & 4095]),
                                unsafe_mul(unsafe_sub((word >> 116) & 4095, 2048), registers[(word >> 104) & 4095]),
                            ),
                            unsafe_add(
                                unsafe_mul(unsafe_sub((word >> 140) & 4095, 2048), registers[(word >> 128) & 4095]),
                                unsafe_mul(unsafe_sub((word >> 164) & 4095, 2048), registers[(word >> 152) & 4095]),
                            ),
                        ),
                    ),
                )
                # -- seven_terms ends
            else:
                for _: uint256 in range((word >> 4) & 15, bound=10):
                    sum0 = unsafe_add(
                        sum0, unsafe_mul(unsafe_sub((rest >> 12) & 4095, 2048), registers[rest & 4095])
                    )
                    rest = rest >> 24
            # -- small_terms ends
        elif operation == 3:
            # -- large_terms: Terms of a sum with factors up to p, in pieces of 11, 10 and 10 bits: one, or five of
            #    which unused ones are zero.
            v0: uint256 = registers[(word >> 8) & 4095]
            if word & 240 == 16:
                sum0 = unsafe_add(sum0, unsafe_mul((word >> 20) & 2047, v0))
                sum1 = unsafe_add(sum1, unsafe_mul((word >> 31) & 1023, v0))
                sum2 = unsafe_add(sum2, unsafe_mul((word >> 41) & 1023, v0))
            else:
                v1: uint256 = registers[(word >> 51) & 4095]
                v2: uint256 = registers[(word >> 94) & 4095]
                v3: uint256 = registers[(word >> 137) & 4095]
                v4: uint256 = registers[(word >> 180) & 4095]
                # add_five(sum0, 2047, 20, 63, 106, 149, 192)
                sum0 = unsafe_add(
                    sum0,
                    unsafe_add(
                        unsafe_add(unsafe_mul((word >> 20) & 2047, v0), unsafe_mul((word >> 63) & 2047, v1)),
                        unsafe_add(
                            unsafe_mul((word >> 106) & 2047, v2),
                            unsafe_add(unsafe_mul((word >> 149) & 2047, v3), unsafe_mul((word >> 192) & 2047, v4)),
                        ),
                    ),
                )
                # add_five(sum1, 1023, 31, 74, 117, 160, 203)
                sum1 = unsafe_add(
                    sum1,
                    unsafe_add(
                        unsafe_add(unsafe_mul((word >> 31) & 1023, v0), unsafe_mul((word >> 74) & 1023, v1)),
                        unsafe_add(
                            unsafe_mul((word >> 117) & 1023, v2),
                            unsafe_add(unsafe_mul((word >> 160) & 1023, v3), unsafe_mul((word >> 203) & 1023, v4)),
                        ),
                    ),
                )
                # add_five(sum2, 1023, 41, 84, 127, 170, 213)
                sum2 = unsafe_add(
                    sum2,
                    unsafe_add(
                        unsafe_add(unsafe_mul((word >> 41) & 1023, v0), unsafe_mul((word >> 84) & 1023, v1)),
                        unsafe_add(
                            unsafe_mul((word >> 127) & 1023, v2),
                            unsafe_add(unsafe_mul((word >> 170) & 1023, v3), unsafe_mul((word >> 213) & 1023, v4)),
                        ),
                    ),
                )
            # -- large_terms ends
        else:
            # -- dot_products: Terms of a sum of products of two registers, reduced at its end only: pairs of terms, and
            #    an odd one.
            for _: uint256 in range((word >> 5) & 7, bound=5):
                a: uint256 = registers[rest & 4095]
                b: uint256 = registers[(rest >> 12) & 4095]
                c: uint256 = registers[(rest >> 24) & 4095]
                d: uint256 = registers[(rest >> 36) & 4095]
                # accumulate(dot0, dot1, dot2, a, b)
                dot0 = uint256_addmod(dot0, uint256_mulmod(a & field.LOW11, b, field.N), field.N)
                dot1 = uint256_addmod(dot1, uint256_mulmod((a >> 11) & field.LOW10, b, field.N), field.N)
                dot2 = uint256_addmod(dot2, uint256_mulmod((a >> 21) & field.LOW10, b, field.N), field.N)
                # accumulate(dot0, dot1, dot2, c, d)
                dot0 = uint256_addmod(dot0, uint256_mulmod(c & field.LOW11, d, field.N), field.N)
                dot1 = uint256_addmod(dot1, uint256_mulmod((c >> 11) & field.LOW10, d, field.N), field.N)
                dot2 = uint256_addmod(dot2, uint256_mulmod((c >> 21) & field.LOW10, d, field.N), field.N)
                rest = rest >> 48
            if word & 16 != 0:
                a: uint256 = registers[rest & 4095]
                b: uint256 = registers[(rest >> 12) & 4095]
                # accumulate(dot0, dot1, dot2, a, b)
                dot0 = uint256_addmod(dot0, uint256_mulmod(a & field.LOW11, b, field.N), field.N)
                dot1 = uint256_addmod(dot1, uint256_mulmod((a >> 11) & field.LOW10, b, field.N), field.N)
                dot2 = uint256_addmod(dot2, uint256_mulmod((a >> 21) & field.LOW10, b, field.N), field.N)
            # -- dot_products ends
        if word & 4 != 0:
            # -- end_of_sum: The sum goes to a new register and starts again.
            x0: uint256 = sum0
            x1: uint256 = sum1
            x2: uint256 = sum2
            if operation == 1:
                x0 = uint256_addmod(dot0, field.LIFT, field.N)
                x1 = uint256_addmod(dot1, field.LIFT, field.N)
                x2 = uint256_addmod(dot2, field.LIFT, field.N)
                dot0 = 0
                dot1 = 0
                dot2 = 0
            else:
                sum0 = field.LIFT
                sum1 = 0
                sum2 = 0
            # join_pieces(x0, x1, x2)
            e: uint256 = unsafe_add(unsafe_add(x0 & field.EVEN, (x1 & field.EVEN) << 11), (x2 & field.EVEN) << 21)
            o: uint256 = unsafe_add(
                unsafe_add((x0 >> 51) & field.EVEN, ((x1 >> 51) & field.EVEN) << 11), ((x2 >> 51) & field.EVEN) << 21
            )
            registers[next] = (
                (e & field.LANE) % field.P
                | ((o & field.LANE) % field.P) << 51
                | ((e >> 102) % field.P) << 102
                | ((o >> 102) % field.P) << 153
                | (unsafe_add(unsafe_add(x0 >> 204, (x1 >> 204) << 11), (x2 >> 204) << 21) % field.P) << 204
            )
            next = unsafe_add(next, 1)
            # -- end_of_sum ends
    results: DynArray[uint256, MAX_RESULTS] = []
    for index: uint256 in range(RESULTS, bound=MAX_RESULTS):
        results.append(registers[next - RESULTS + index])
    return results
