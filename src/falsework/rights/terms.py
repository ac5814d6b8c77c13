"""The terms a cut is approved under: what decides which rules are asked, where it goes, how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from falsework.rights.production import Production
from falsework.rights.records import Activity, record_id
from falsework.rights.state import State

__all__ = ["TERMS", "changes", "productions_known", "terms_of", "terms_record"]

TERMS = "terms"  # the step that puts them on record


def terms_of(production: Production) -> dict[str, str]:
    """The settings of production.toml that an approval is bound to, by key, as text."""
    return {
        "packs": _list(production.packs),
        "guilds": _list(production.guilds),
        "territories": _list(production.territories),
        "commercial": str(production.commercial).lower(),
        "releases": _list(day.isoformat() for day in production.releases),
        "until": production.until.isoformat() if production.until is not None else "",
        "licence": production.licence,
        "protected": _list(one for one in (production.protected.folder, *production.protected.names) if one),
    }


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What is other now than it was, as a clause; "" where nothing is."""
    return "; ".join(
        f"{key} from {before.get(key) or 'nothing'} to {now.get(key) or 'nothing'}"
        for key in dict.fromkeys((*before, *now))
        if before.get(key, "") != now.get(key, "")
    )


def terms_record(production: Production) -> Activity:
    """What production.toml set, for the ledger: that it set it stays known when the file is gone."""
    return Activity(
        id=record_id(f"activity:{production.name}", TERMS),
        type=TERMS,
        parameters={"production": production.name, "terms": terms_of(production)},
        offline=True,
    )


def productions_known(state: State) -> tuple[str, ...]:
    """The productions whose production.toml a ledger has heard of: ids of such records name them."""
    ids = (*state.activities, *state.grants, *state.decisions)
    return tuple(dict.fromkeys(parts[1] for one in ids if len(parts := one.split(":")) > 2))
