"""Countries and regions: OpenRTB writes ISO 3166-1 alpha-3, everything else here alpha-2."""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["alpha_2", "region_code"]


def alpha_2(country: str) -> str:
    """From alpha-3, or alpha-2 as many send it; "" for what is neither."""
    code = country.strip().upper()
    return code if len(code) == 2 and code in _known() else _codes().get(code, "")


@lru_cache(maxsize=4_096)
def region_code(country: str, region: str | None) -> str:
    """ISO 3166-2 ("US-CA") from a region with or without its country."""
    code = (region or "").strip().upper()
    if not code or not country or len(code) > 6:
        return ""
    return code if code.startswith(f"{country}-") else f"{country}-{code}"


@cache
def _codes() -> dict[str, str]:
    text = (files("falsework.ads.openrtb") / "countries.csv").read_text(encoding="utf-8")
    return {row["alpha_3"]: row["alpha_2"] for row in csv.DictReader(text.splitlines())}


@cache
def _known() -> frozenset[str]:
    return frozenset(_codes().values())
