"""A short pointer made fit for a noisy channel: check bits, then a convolutional code read by soft decisions.

Six bytes of pointer and three of check go through the rate 1/3, constraint length 7 code with generators
133, 171, 165 (octal; J. G. Proakis, Digital Communications, table of maximum free distance codes). Reading
is A. J. Viterbi's algorithm (IEEE Trans. Inf. Theory 13, 1967) on real numbers: the surer a bit's evidence,
the more it counts.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODED_BITS", "POINTER_BYTES", "Decoded", "decode", "encode"]

POINTER_BYTES, CHECK_BYTES = 6, 3
MEMORY = 6
GENERATORS = (0o133, 0o171, 0o165)
STATES = 1 << MEMORY
STEPS = 8 * (POINTER_BYTES + CHECK_BYTES) + MEMORY  # the register is emptied at the end
CODED_BITS = len(GENERATORS) * STEPS


class Decoded(NamedTuple):
    """`pointer` where the check bits agree, else None; `agreement` from -1 to 1 of the evidence with it."""

    pointer: bytes | None
    agreement: float


def encode(pointer: bytes) -> NDArray[np.int8]:
    """(CODED_BITS,) of +1 and -1."""
    if len(pointer) != POINTER_BYTES:
        raise ValueError(f"a pointer has {POINTER_BYTES} bytes")
    bits = np.unpackbits(np.frombuffer(pointer + _check(pointer), dtype=np.uint8))
    return _run(bits)


def decode(evidence: NDArray[np.float64]) -> Decoded:
    """(CODED_BITS,) of real numbers, positive for +1, their size how sure they are."""
    _, signs = _trellis()
    steps = np.asarray(evidence, dtype=np.float64).reshape(STEPS, len(GENERATORS))
    score = np.full(STATES, -np.inf)
    score[0] = 0.0
    came = np.zeros((STEPS, STATES), dtype=np.uint8)
    # State s is the last six bits, newest highest; it is reached from the two states 2s and 2s + 1 (mod 64).
    upper = np.arange(STATES)
    before = np.stack([(upper << 1) & (STATES - 1), ((upper << 1) & (STATES - 1)) | 1])
    newest = upper >> (MEMORY - 1)
    for step, given in enumerate(steps):
        gain = signs @ given  # (state, bit)
        ways = score[before] + gain[before, newest]
        came[step] = ways.argmax(axis=0)
        score = ways.max(axis=0)
    state, bits = 0, np.zeros(STEPS, dtype=np.uint8)
    for step in range(STEPS - 1, -1, -1):
        bits[step] = state >> (MEMORY - 1)
        state = int(before[came[step, state], state])
    content = np.packbits(bits[:-MEMORY]).tobytes()
    pointer, check = content[:POINTER_BYTES], content[POINTER_BYTES:]
    total = float(np.abs(evidence).sum())
    agreement = float(_run(bits[:-MEMORY]) @ evidence) / total if total > 0 else 0.0
    return Decoded(pointer if check == _check(pointer) else None, agreement)


def _check(pointer: bytes) -> bytes:
    return hashlib.sha256(b"falsework pointer" + pointer).digest()[:CHECK_BYTES]


def _run(bits: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Bits through the encoder, and zeros after them."""
    moves, signs = _trellis()
    state, coded = 0, []
    for bit in [*bits.tolist(), *[0] * MEMORY]:
        coded.append(signs[state, bit])
        state = int(moves[state, bit])
    return np.concatenate(coded).astype(np.int8)


@cache
def _trellis() -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """(state, bit) → next state; (state, bit, generator) → ±1."""
    moves = np.zeros((STATES, 2), dtype=np.int64)
    signs = np.zeros((STATES, 2, len(GENERATORS)), dtype=np.int8)
    for state in range(STATES):
        for bit in (0, 1):
            register = (bit << MEMORY) | state
            moves[state, bit] = register >> 1
            for index, generator in enumerate(GENERATORS):
                signs[state, bit, index] = 1 if (register & generator).bit_count() % 2 else -1
    return moves, signs
