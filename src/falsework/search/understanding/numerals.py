"""Numbers as people say them: in digits, in words, "a couple of", "two and a half"."""

from __future__ import annotations

from typing import Final

__all__ = ["NUMBER", "UNITS", "number"]

UNITS: Final = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
    "hundred": 100,
}  # fmt: skip
_NUMBERS: Final = {
    "a": 1,
    "an": 1,
    "couple": 2,
    "couple of": 2,
    "a couple of": 2,
    "a hundred": 100,
    **UNITS,
    **_TENS,
}
NUMBER: Final = (
    r"(?:\d{1,3}(?:[.,]\d)?|(?:a )?couple of|a hundred(?: and)?(?: (?:ten|twenty|thirty))?|"
    + "|".join(sorted((word for word in _NUMBERS if " " not in word), key=len, reverse=True))
    + r")(?: (?:one|two|three|four|five|six|seven|eight|nine)\b)?"
)


def number(text: str) -> float:
    """The number that digits or words say; 0 where they say none."""
    plain = text.strip().replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        words = plain.removeprefix("a hundred and ").removeprefix("a hundred ").split()
        start = 100.0 if plain.startswith("a hundred") and words else 0.0
        return start + sum(_NUMBERS.get(word, 0) for word in words) if words else _NUMBERS.get(plain, 0)
