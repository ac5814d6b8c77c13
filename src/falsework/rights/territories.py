"""Territories by ISO 3166-1, and which law reaches them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

__all__ = ["EU_LAW", "EU_STATES", "US_COPYRIGHT", "Place"]

# The Union's 27 members as of 2026, by ISO 3166-1 (which writes GR where the Union writes EL).
EU_STATES = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip

# Where the Union's law holds: its members, their outermost regions that have a code of their own (TFEU,
# Article 349; the Azores, Madeira and the Canaries go by their state's), and Åland.
EU_LAW = EU_STATES | {"GF", "GP", "MF", "MQ", "RE", "YT", "AX"}
# Where the copyright law of the United States holds: with the territories that have a code of their own.
US_COPYRIGHT = frozenset({"US", "PR", "GU", "VI", "MP", "AS", "UM"})

# ISO 3166-1 alpha-2, officially assigned.
_ISO = frozenset({
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV",
    "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES",
    "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE",
    "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
    "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT",
    "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU",
    "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA",
    "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM",
    "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
})  # fmt: skip
# What people write instead: the Union's own codes, and the one that everybody takes for the United Kingdom's.
_CALLED = {"EL": "GR", "UK": "GB"}


def _called(value: object) -> object:
    return _CALLED.get(value, value) if isinstance(value, str) else value


def _place(value: str) -> str:
    if value not in _ISO and value not in ("EU", "worldwide"):
        raise ValueError('a country\'s code by ISO 3166-1 ("FR"), "EU" or "worldwide"')
    return value


# As a person writes it in production.toml; two letters that are nobody's would bring no law with them.
Place = Annotated[str, BeforeValidator(_called), AfterValidator(_place)]
