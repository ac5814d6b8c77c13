"""A trained network's card: what it is, what it learned from, how well it does, what it must not be used for.

Fields after Mitchell et al. 2019, "Model Cards for Model Reporting", with what a production has to know of a
model's rights. Kept as JSON beside the weights; docs/models.md describes every field.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.rights.records import KINDS, Record
from falsework.settings import Finite, Settings

__all__ = [
    "SPLITS",
    "Card",
    "CardPicture",
    "DataSource",
    "Memorisation",
    "Metric",
    "Near",
    "SourcePicture",
    "TrainingRun",
    "read_card",
    "record_note",
    "write_card",
]

SPLITS = ("train", "validation", "test")
LARGEST = 64 * 1024**2  # bytes of a card that is read

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
FileName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,60}\.(jpg|png)$")]
Split = Literal["train", "validation", "test"]
Count = Annotated[int, Field(ge=0)]


class SourcePicture(Settings):
    """A picture from outside that the samples were made with."""

    kind: Words  # "texture", "sky"
    file: Words
    sha256: Sha256
    licence: Words  # SPDX identifier
    source: str = ""
    evidence: str = ""


class DataSource(Settings):
    """A data set it was trained on.

    sums     SHA-256 of the set's SHA256SUMS, which stands for all its bytes
    counted  what a split must not share: samples of one building (one simulation) are all in one split
    groups   how many of those each split has;  samples  how many samples
    """

    name: Words
    sums: Sha256
    licence: Words
    counted: Literal["building", "simulation"]
    samples: dict[Split, Count]
    groups: dict[Split, Count]
    pictures: tuple[SourcePicture, ...] = ()


class TrainingRun(Settings):
    """How it was trained. `machine` in words; `code` the hash of the source that trained it."""

    steps: Count
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    machine: Words
    seed: int
    config_sha256: Sha256
    falsework: Words
    code: Words


class Metric(Settings):
    """One measure on the test split, beside what it has to beat."""

    name: Words
    words: Words
    value: Finite
    better: Literal["lower", "higher"] = "lower"
    baselines: dict[str, Finite] = Field(default_factory=dict)
    samples: Count


class Near(Settings):
    """A generated picture beside the training sample that came nearest to it.

    distance, points   as the copy audit measures them: PDQ, 0 to 256 bits; points that agree in one geometry
    held_out_distance, held_out_points   what the held-out truth of the same input has to the training sample
                       nearest to it: what comes of one world, without any learning by heart
    """

    generated: Words
    sample: Words
    distance: Annotated[int, Field(ge=0, le=256)]
    symmetry: str
    points: Count | None = None
    held_out_distance: Annotated[int, Field(ge=0, le=256)] | None = None
    held_out_points: Count | None = None


class Memorisation(Settings):
    """What the audit for memorisation found; `outcome` "caught" where samples come back."""

    outcome: Literal["clear", "caught", "inconclusive"]
    words: Words
    generated: Count
    compared: Count
    caught: Count
    median_distance: Finite
    held_out_median_distance: Finite | None = None
    nearest: tuple[Near, ...] = ()


class CardPicture(Settings):
    """A picture that lies beside the card as NAME.FILE, to be looked at."""

    file: FileName
    sha256: Sha256
    words: Words


class Card(Settings):
    """Everything there is to say of one set of weights.

    sha256     of the weights' file: a card is of exactly these bytes
    task       what it does in a shot: "light", "dust"
    generative whether what it makes is new picture content, as buyers have it declared
    learned    SHA-256 of NAME.samples.safetensors: the samples it learned from, by hash and by their distinct
               points (`falsework.rights.fingerprints`)
    record     id of the record of its training among `records`, which is what a run puts into the ledger
    """

    format: Literal[1] = 1
    name: ModelName
    version: Words
    task: Words
    licence: Words
    date: date
    sha256: Sha256
    parameters: Count
    architecture: dict[str, Any]
    generative: bool
    intended_use: Words
    limits: tuple[Words, ...]
    sources: tuple[DataSource, ...]
    training: TrainingRun
    metrics: tuple[Metric, ...] = ()
    memorisation: Memorisation | None = None
    pictures: tuple[CardPicture, ...] = ()
    learned: Sha256
    record: Words
    records: tuple[dict[str, Any], ...]

    def all_records(self) -> tuple[Record, ...]:
        """The records that a run puts into the ledger, in the order in which they came about."""
        return tuple(
            KINDS[str(note["kind"])].model_validate({key: one for key, one in note.items() if key != "kind"})
            for note in self.records
        )


def record_note(record: Record) -> dict[str, Any]:
    """A record as a card keeps it."""
    kind = next(name for name, of in KINDS.items() if isinstance(record, of))
    return {"kind": kind, **record.model_dump(mode="json", exclude_defaults=True)}


def read_card(path: Path) -> Card:
    """A card from its JSON; FalseworkError with what is wrong where it is none."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 1024**2} MB")
        card = Card.model_validate(json.loads(path.read_bytes()))
        card.all_records()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _unreadable(path, f"{place}: {first['msg']}") from None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, RecursionError) as error:
        raise _unreadable(path, str(error) or type(error).__name__) from error
    return card


def _unreadable(path: Path, why: str) -> FalseworkError:
    return FalseworkError(
        f"is no model card ({why})",
        where=path,
        todo="Get the card that came with the weights; docs/models.md says what one holds.",
    )


def write_card(path: Path, card: Card) -> None:
    text = json.dumps(card.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")
