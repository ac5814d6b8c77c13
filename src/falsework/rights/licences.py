"""What licences allow and ask (by SPDX identifier), and which may be passed on as which.

From the licences' own texts. Only what a compositor's work comes across is here; for any other licence a
grant must itself say what it allows and asks. Not legal advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Licence", "carried", "is_known", "licence_of"]


@dataclass(frozen=True)
class Licence:
    """`id` as SPDX writes it. `family` "" where it is not share-alike, else what adaptations must stay in."""

    id: str
    attribution: bool = False
    non_commercial: bool = False
    no_derivatives: bool = False
    family: str = ""
    version: tuple[int, int] = (0, 0)

    @property
    def share_alike(self) -> str:
        return self.id if self.family else ""

    @property
    def uses(self) -> tuple[str, ...]:
        """What it allows, in the words of `Grant.uses`."""
        return (
            "use",
            *(() if self.no_derivatives else ("adapt",)),
            *(() if self.non_commercial else ("commercial",)),
        )


_CREATIVE = re.compile(r"CC-BY(-NC)?(-SA|-ND)?-([1-4])\.([05])")
_FREE = {
    name.lower(): Licence(name)
    for name in ("CC0-1.0", "CC-PDDC", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0", "LicenseRef-public-domain")
}
_NAMED = {
    name.lower(): Licence(name, attribution=True)
    for name in (
        "etalab-2.0", "OGL-UK-3.0", "ODC-By-1.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC",
        "CDLA-Permissive-2.0",
    )
}  # fmt: skip
_ALIKE = {
    licence.id.lower(): licence
    for licence in (
        Licence("LAL-1.3", attribution=True, family="LAL", version=(1, 3)),
        Licence("GPL-3.0-only", attribution=True, family="GPL", version=(3, 0)),
        Licence("GPL-3.0-or-later", attribution=True, family="GPL", version=(3, 0)),
        Licence("ODbL-1.0", attribution=True, family="ODbL", version=(1, 0)),
        Licence("GFDL-1.3-only", attribution=True, family="GFDL", version=(1, 3)),
    )
}

_COMPATIBLE = {
    ("CC-BY-SA-4.0", "GPL-3.0-only"),
    ("CC-BY-SA-4.0", "LAL-1.3"),
    ("LAL-1.3", "CC-BY-SA-4.0"),
}


def licence_of(name: str) -> Licence | None:
    """The licence of an SPDX identifier, or None where it is not one we know (expressions are not)."""
    word = name.strip()
    if word.upper().startswith(("CC ", "CC-", "CC0 ")):  # "CC BY-SA 4.0" is how Creative Commons writes it
        word = word.replace(" ", "-")
    known = {**_FREE, **_NAMED, **_ALIKE}.get(word.lower())
    if known is not None:
        return known
    match = _CREATIVE.fullmatch(word.upper())
    if match is None:
        return None
    non_commercial, kind, major, minor = match.groups()
    version = (int(major), int(minor))
    alike = f"CC-BY{non_commercial or ''}-SA" if kind == "-SA" else ""
    return Licence(
        match[0],
        attribution=True,
        non_commercial=bool(non_commercial),
        no_derivatives=kind == "-ND",
        family=alike,
        version=version,
    )


def is_known(name: str) -> bool:
    return licence_of(name) is not None


def carried(names: Iterable[str]) -> str | None:
    """The one licence that satisfies several share-alikes at once; None where none does.

    Creative Commons' share-alikes let an adaptation take a later version of the same licence (from 2.0 on),
    and BY-SA 4.0 may go into GPL 3, not back, and into no later GPL: only version 3 has been declared
    compatible (creativecommons.org, list of compatible licences). "GPL 3 or later" may become "3 only".
    """
    wanted = sorted({name for name in names if name})
    if not wanted:
        return ""
    if len(wanted) == 1:
        return wanted[0]
    licences = [licence_of(name) for name in wanted]
    if any(licence is None or not licence.family for licence in licences):
        return None
    known = [licence for licence in licences if licence is not None]
    goals = {*known, *(_ALIKE["gpl-3.0-only"] for licence in known if licence.family == "GPL")}
    for goal in sorted(goals, key=lambda licence: (licence.version, licence.id), reverse=True):
        if all(_may_become(licence, goal) for licence in known):
            return goal.id
    return None


def _may_become(licence: Licence, goal: Licence) -> bool:
    """Whether an adaptation of `licence` may be passed on under `goal`."""
    if licence.id == goal.id:
        return True
    if (licence.id, goal.id) in _COMPATIBLE:
        return True
    if licence.family == "GPL" and goal.family == "GPL":
        return licence.id == "GPL-3.0-or-later" and goal.version >= licence.version
    return (
        licence.family == goal.family
        and licence.family.startswith("CC-")
        and (2, 0) <= licence.version < goal.version
    )
