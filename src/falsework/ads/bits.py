"""Reading and writing fields of so many bits, most significant first, as SCTE 35, TCF and GPP have them."""

from __future__ import annotations

__all__ = ["BitReader", "BitWriter", "TruncatedError"]


class TruncatedError(ValueError):
    """More bits are asked for than there are."""


class BitReader:
    """Bits of `data` in order; `position` is the next one's number."""

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self._number = int.from_bytes(data, "big")
        self._held = 8 * len(data)
        self.position = position
        self.end = self._held if end is None else end

    @property
    def left(self) -> int:
        return self.end - self.position

    def unsigned(self, bits: int) -> int:
        if bits > self.left:
            raise TruncatedError(f"{bits} bits are wanted at bit {self.position}, {self.left} are left")
        self.position += bits
        return (self._number >> (self._held - self.position)) & ((1 << bits) - 1)

    def flag(self) -> bool:
        return self.unsigned(1) == 1

    def octets(self, count: int) -> bytes:
        return self.unsigned(8 * count).to_bytes(count, "big")


class BitWriter:
    """Bits one after another."""

    def __init__(self) -> None:
        self._chunks: list[tuple[int, int]] = []
        self.length = 0

    def unsigned(self, value: int, bits: int) -> None:
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{value} does not fit into {bits} bits")
        self._chunks.append((value, bits))
        self.length += bits

    def flag(self, value: bool) -> None:
        self.unsigned(int(value), 1)

    def octets(self, data: bytes) -> None:
        self.unsigned(int.from_bytes(data, "big"), 8 * len(data))

    def data(self) -> bytes:
        """All bits, zeros after the last up to a whole byte."""
        number = 0
        for value, bits in self._chunks:
            number = number << bits | value
        missing = -self.length % 8
        return (number << missing).to_bytes((self.length + missing) // 8, "big")
