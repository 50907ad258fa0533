"""How wide the kernels' vectors are: decided here and nowhere else, once a process, before anything is compiled.

The width is the widest register that LLVM uses for the processor numba compiles for: 512 bits with AVX-512, 256 with
AVX2, 128 elsewhere (SSE2, ARM's NEON). Wider vectors would be correct everywhere, but LLVM then keeps every value in
two or four registers, runs out of them and spends its time on moves to the stack and back.

It is asked of the code generator itself rather than of a list of processors: a vector of 512 bits is added for the
processor in question, and the registers that the assembly names tell. That holds for a processor chosen by
``NUMBA_CPU_NAME`` as well; ``NUMBA_CPU_FEATURES`` must then be set too (to nothing, for the features of that processor
by its name), because numba otherwise adds those of the machine it runs on.

``PROOFLINE_LANES`` (2, 4 or 8: how many 64-bit words) overrides the choice, for tests and measurements. Everything here
must be importable before numba, whose cache folder is named by it (``cache_label``).
"""

from __future__ import annotations

import os
from functools import lru_cache

import llvmlite.binding as llvm

OVERRIDE = "PROOFLINE_LANES"
WIDTHS = (2, 4, 8)
"""64-bit words in a vector: 128, 256 and 512 bits."""
_PROBE = """
define <8 x i64> @probe(<8 x i64> %a, <8 x i64> %b) {
  %sum = add <8 x i64> %a, %b
  ret <8 x i64> %sum
}
"""


def processor() -> tuple[str, str]:
    """Name and features of the processor that numba compiles for, as its own settings say."""
    name = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if name.lower() == "generic" else llvm.get_host_cpu_features().flatten()
    return name, features


def words_of(name: str, features: str) -> int:
    """64-bit words in the widest vector register of a processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(cpu=name, features=features)
    assembly = target.emit_assembly(llvm.parse_assembly(_PROBE))
    return 8 if "%zmm" in assembly else 4 if "%ymm" in assembly else 2


@lru_cache(maxsize=1)
def words() -> int:
    """64-bit words in a vector, as overridden or as the processor has it."""
    given = os.environ.get(OVERRIDE)
    if given is None:
        return words_of(*processor())
    if given not in map(str, WIDTHS):
        raise ValueError(f"{OVERRIDE} is {given!r}, not one of {', '.join(map(str, WIDTHS))}")
    return int(given)


def cache_label() -> str:
    """What tells apart kernels of the same sources: the width and the processor."""
    return f"{64 * words()}-{processor()[0]}"
