"""What people say of one fact, and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from falsework.rights.records import Decision, Fact

__all__ = ["Told", "agreed"]


@dataclass(frozen=True)
class Told:
    """What is said of one fact. `value` is None where nobody says it, or where people disagree."""

    name: str
    value: Fact | None = None
    evidence: tuple[str, ...] = ()
    disputed: bool = False
    by: str = ""

    @property
    def yes(self) -> bool:
        return self.value is True

    @property
    def no(self) -> bool:
        return self.value is False

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""


def agreed(name: str, said: Sequence[Decision]) -> Told:
    """One value from the declarations of one scope; people who contradict each other leave it open."""
    evidence = tuple(one.id for one in said)
    values = {repr(one.facts[name]) for one in said}
    if len(values) > 1:
        return Told(name, None, evidence, disputed=True)
    return Told(name, said[0].facts[name], evidence, by=said[0].by)
