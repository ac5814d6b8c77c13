"""The rate card: what an hour of a machine and of a person costs. Not measured; shown with its source."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from pydantic import Field, ValidationError

from falsework.errors import FalseworkError
from falsework.faults import key_lines, refuse, toml_refusal, validation_faults
from falsework.settings import Settings

__all__ = ["Rates", "load_rates"]


class Machine(Settings):
    """`name` says what is rented; `per_hour` in the card's currency; `source` where the price is from."""

    name: str
    per_hour: float = Field(ge=0)
    source: str


class Hours(Settings):
    """Hours of a person for one shot: assumptions."""

    set_up: float = Field(ge=0)
    simulation: float = Field(ge=0)
    lighting: float = Field(ge=0)

    @property
    def total(self) -> float:
        return self.set_up + self.simulation + self.lighting


class BothHours(Settings):
    """By pipeline."""

    traditional: Hours
    falsework: Hours


class Person(Settings):
    """A scenario: an hour's rate and the hours assumed."""

    per_hour: float = Field(ge=0)
    source: str
    hours: BothHours


class Rates(Settings):
    """A rate card."""

    currency: str
    machine: Machine
    person: Person


def load_rates(path: Path | None) -> Rates:
    """The card at `path`, or the one that comes along. Raises FalseworkError for a card with faults."""
    where = path or "rates.toml"
    try:
        text = (
            path.read_text("utf-8")
            if path is not None
            else (resources.files("falsework.bench") / "rates.toml").read_text("utf-8")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise FalseworkError(
            f"could not be read ({error})", where=where, todo="Give a rate card in TOML."
        ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise toml_refusal(error, text, where) from None
    try:
        return Rates.model_validate(values)
    except ValidationError as error:
        refuse(validation_faults(error, values, Rates, "bench/README.md"), key_lines(text), where)
        raise AssertionError("unreachable") from error
