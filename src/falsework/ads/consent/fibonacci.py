"""Fibonacci coded numbers and the ranges made of them, as in the header of a GPP string.

IAB Tech Lab, "Global Privacy Platform String", section "Encoding mechanism"; Fraenkel and Klein 1985 for the
code: a number from 1 on is the sum of Fibonacci numbers no two of which are neighbours (Zeckendorf), smallest
first, and a 1 behind them ends it.
"""

from __future__ import annotations

from falsework.ads.bits import BitReader, BitWriter

__all__ = ["read_fibonacci", "read_fibonacci_ranges", "write_fibonacci", "write_fibonacci_ranges"]

MOST_DIGITS = 24  # of a number below 100,000; ids are far smaller


def _fibonacci() -> tuple[int, ...]:
    numbers = [1, 2]
    while len(numbers) < MOST_DIGITS:
        numbers.append(numbers[-1] + numbers[-2])
    return tuple(numbers)


FIBONACCI = _fibonacci()


def read_fibonacci(reader: BitReader) -> int:
    total, before = 0, False
    for number in FIBONACCI:
        bit = reader.flag()
        if bit and before:
            return total
        total += number if bit else 0
        before = bit
    if before and reader.flag():
        return total
    raise ValueError("a Fibonacci coded number does not end")


def write_fibonacci(writer: BitWriter, number: int) -> None:
    if not 1 <= number < FIBONACCI[-1]:
        raise ValueError(f"{number} cannot be Fibonacci coded here")
    highest = max(at for at, one in enumerate(FIBONACCI) if one <= number)
    digits = []
    for at in range(highest, -1, -1):
        taken = FIBONACCI[at] <= number
        digits.append(taken)
        number -= FIBONACCI[at] if taken else 0
    for taken in reversed(digits):
        writer.flag(taken)
    writer.flag(True)


def read_fibonacci_ranges(reader: BitReader) -> tuple[tuple[int, int], ...]:
    """Ranges as (first, last), each told by its distance from the one before."""
    found: list[tuple[int, int]] = []
    before = 0
    for _ in range(reader.unsigned(12)):
        is_range = reader.flag()
        first = before + read_fibonacci(reader)
        last = first + read_fibonacci(reader) if is_range else first
        found.append((first, last))
        before = last
    return tuple(found)


def write_fibonacci_ranges(writer: BitWriter, ranges: tuple[tuple[int, int], ...]) -> None:
    writer.unsigned(len(ranges), 12)
    before = 0
    for first, last in ranges:
        writer.flag(last > first)
        write_fibonacci(writer, first - before)
        if last > first:
            write_fibonacci(writer, last - first)
        before = last
