"""The US Privacy string of CCPA: four characters (`1YNN`). IAB Tech Lab, "US Privacy String", version 1.0."""

from __future__ import annotations

import re

import msgspec

from falsework.errors import FalseworkError

__all__ = ["UsPrivacy", "decode", "encode"]

FORM = re.compile(r"1([YN-])([YN-])([YN-])", re.IGNORECASE)
MEANING = {"Y": True, "N": False, "-": None}
LETTER = {value: letter for letter, value in MEANING.items()}


class UsPrivacy(msgspec.Struct, frozen=True, kw_only=True, tag="usp"):
    """Was the person told and could object, did they object to the sale of data, is the agreement for limited
    service providers in force; None where that does not apply."""

    notice: bool | None
    opted_out: bool | None
    lspa: bool | None


def decode(text: str, *, where: str = "US Privacy string") -> UsPrivacy:
    found = FORM.fullmatch(text.strip())
    if found is None:
        raise FalseworkError("is not of the form 1YNN", where=where, todo="Send version 1's four characters.")
    notice, opted_out, lspa = (MEANING[letter.upper()] for letter in found.groups())
    return UsPrivacy(notice=notice, opted_out=opted_out, lspa=lspa)


def encode(privacy: UsPrivacy) -> str:
    return "1" + "".join(LETTER[value] for value in (privacy.notice, privacy.opted_out, privacy.lspa))
