"""Where all that a model learned from came from: what its card and its list of samples must say, and be.

A sample has an origin if the file it lies in is one of a data set's, the set's making is on record, and
whatever that was made of, back to what came from outside, has a grant for training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, TypedDict

from falsework.errors import FalseworkError
from falsework.models.card import SPLITS, Card
from falsework.rights.fingerprints import Fingerprints, read_fingerprints
from falsework.rights.records import Activity, Asset, Decision, Finding, Grant, Party, Record, asset_id
from falsework.rights.state import State

__all__ = ["Row", "faults_of", "picture_name", "rows_of", "shared_groups", "state_of", "strays"]

# What a card may put on record: no person's word, and no licence to use what it was trained on.
SORTS = ("model", "dataset", "sample", "texture", "environment", "picture", "document")


class Row(TypedDict):
    """One sample of a data set, of any split.

    group    the building or the simulation it is of;  data_set  the set's name
    file     the set's file that it lies in;  sha256  of its arrays
    """

    sample: str
    split: str
    group: str
    data_set: str
    file: str
    sha256: str


def faults_of(card: Card, learned: Path) -> tuple[str, ...]:
    """Why the origin of all a model learned from is not on record, in clauses; () where it is."""
    try:
        with learned.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != card.learned:
            return ("the list of what it learned from is not the one that its card names",)
        listed = read_fingerprints(learned)
        rows = rows_of(listed)
    except OSError:
        return ("the list of what it learned from is missing",)
    except FalseworkError as error:
        return (f"the list of what it learned from {error.what}",)
    return (
        *_records(card),
        *strays(card, rows),
        *shared_groups(rows),
        *_counts(card, rows),
        *_absent(card, listed, rows),
    )


def rows_of(listed: Fingerprints) -> list[Row]:
    """The samples that a list of fingerprints names; FalseworkError where it is not a model's."""
    rows = listed.values.get("rows")
    keys = Row.__annotations__.keys()
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() == keys for row in rows):
        raise FalseworkError("names no samples", todo="Pack the model again.")
    return [Row(**{key: str(row[key]) for key in keys}) for row in rows]  # type: ignore[typeddict-item]


def state_of(records: Iterable[Record]) -> State:
    """The state after these records, without a ledger."""
    found: dict[type, dict[str, Any]] = {
        kind: {} for kind in (Party, Asset, Activity, Grant, Finding, Decision)
    }
    for record in records:
        found[type(record)][record.id] = record
    return State(found[Party], found[Asset], found[Activity], found[Grant])


def _records(card: Card) -> Iterator[str]:
    """What the card's records leave open, and what they may not say."""
    records = card.all_records()
    yield from _overreach(card, records)
    state = state_of(records)
    model = asset_id(card.sha256)
    training = state.activities.get(card.record)
    if model not in state.assets or training is None or model not in training.generated:
        yield "no record of its training is with it"
        return
    sets = {asset_id(source.sums) for source in card.sources}
    if not sets or not sets <= set(training.used):
        yield "the record of its training does not name its data sets"
    for one in state.ancestors(model):
        asset = state.assets.get(one)
        if asset is None:
            yield f"{one[:19]}, which it was made from, is not on record"
        elif asset.type == "dataset" and not state.made_by(one):
            yield f'how the data set "{asset.name}" came about is not on record'
        elif not any(step.used for step in state.made_by(one)) and not _granted(state, one):
            yield f'nobody has granted that "{asset.name}" is trained on'


def _granted(state: State, asset: str) -> bool:
    return any(
        {"train", "any"} & {*grant.uses} and grant.revoked is None and grant.ends is None
        for grant in state.grants_for(asset)
    )


def _overreach(card: Card, records: Sequence[Record]) -> Iterator[str]:
    """Records that a card has no business to bring: they would clear something else than training."""
    own = {record.id for record in records if isinstance(record, Asset)}
    for record in records:
        if not _about_training(card, record, own):
            yield f"its card brings a record that is not about its training ({record.id[:60]})"


def _about_training(card: Card, record: Record, own: AbstractSet[str]) -> bool:
    model = asset_id(card.sha256)
    match record:
        case Party():
            return record.type == "organisation"
        case Asset():
            return record.type in SORTS and (record.type == "model") == (record.id == model)
        case Grant():
            trains = set(record.assets) <= own and record.uses == ("train",)
            mine = record.type == "licence" and "tool" not in record.terms
            return mine and (trains or record.assets == (model,))
        case Activity():
            made = {model, *(asset_id(source.sums) for source in card.sources)}
            return bool(record.generated) and set(record.generated) <= made and not record.agent
    return False


def strays(card: Card, rows: Iterable[Row]) -> Iterator[str]:
    """Samples that lie in no file of a data set on record."""
    state = state_of(card.all_records())
    files: dict[str, Mapping[str, str]] = {}
    for source in card.sources:
        asset = state.assets.get(asset_id(source.sums))
        files[source.name] = asset.parts if asset is not None and asset.type == "dataset" else {}
    lost = [row for row in rows if row["file"] not in files.get(row["data_set"], {})]
    if lost:
        yield f'{len(lost)} samples have no origin on record ("{lost[0]["sample"]}")'


def shared_groups(rows: Iterable[Row]) -> Iterator[str]:
    """Buildings or simulations that more than one split has samples of."""
    splits: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        splits.setdefault((row["data_set"], row["group"]), set()).add(row["split"])
    both = [(group, sorted(found)) for (_, group), found in splits.items() if len(found) > 1]
    if both:
        group, found = both[0]
        yield f"{len(both)} groups of samples are in more than one split ({group} in {' and '.join(found)})"


def _counts(card: Card, rows: Sequence[Row]) -> Iterator[str]:
    for source in card.sources:
        mine = [row for row in rows if row["data_set"] == source.name]
        for split in SPLITS:
            count = sum(row["split"] == split for row in mine)
            groups = len({row["group"] for row in mine if row["split"] == split})
            said = source.samples.get(split, 0), source.groups.get(split, 0)  # type: ignore[call-overload]
            if (count, groups) != said:
                yield f'its card says {said[0]} samples of "{source.name}" ({split}), and {count} are listed'
    if {row["data_set"] for row in rows} != {source.name for source in card.sources}:
        yield "the samples listed are not of the data sets on its card"


def _absent(card: Card, listed: Fingerprints, rows: Sequence[Row]) -> Iterator[str]:
    """What it learned from that the copy audit could not compare anything with."""
    there, names = {one.sha256 for one in listed.pictures}, {one.name for one in listed.pictures}
    lost = [each.file for source in card.sources for each in source.pictures if each.sha256 not in there]
    lost += [row["sample"] for row in rows if row["split"] != "test" and picture_name(row) not in names]
    if lost:
        yield f'{len(lost)} of the pictures it learned from have no fingerprint ("{lost[0]}")'


def picture_name(row: Row) -> str:
    """What the picture of a sample is called in the list of fingerprints."""
    return f"{row['data_set']}/{row['split']}/{row['sample']}"
