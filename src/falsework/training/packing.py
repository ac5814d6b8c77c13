"""From a finished training run and its data set to what ships: weights, card, fingerprints of all it learned
from. A model whose origin is not wholly on record is not packed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from falsework.datasets.assets import Asset as Picture
from falsework.datasets.assets import find_assets
from falsework.datasets.provenance import MAKER, records_of, training_samples
from falsework.datasets.shards import INDEX, SPLITS, read_index
from falsework.datasets.skies import read_sky
from falsework.datasets.work import open_plan, read_dataset
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file, write_bytes
from falsework.media.colour import to_8bit
from falsework.models.card import (
    Card,
    CardPicture,
    DataSource,
    Metric,
    ModelName,
    SourcePicture,
    TrainingRun,
    Words,
    record_note,
    write_card,
)
from falsework.models.origin import Row, faults_of, picture_name
from falsework.models.registry import CARD, LEARNED, WEIGHTS, Model, copy_together, shapes_of
from falsework.progress import Progress, silent
from falsework.rights.fingerprints import Printed, points_each, write_fingerprints
from falsework.rights.licences import licence_of
from falsework.rights.records import Activity, Asset, Grant, Obligations, Record, asset_id, record_id
from falsework.rights.samples import Fingerprint, Sample, read_sample
from falsework.settings import Settings
from falsework.training.memorisation import Generated, audit_memorisation, nearest_sheet

__all__ = ["About", "pack"]

RUN, CONFIG, TRAINED, METRICS = "run.json", "config.toml", "weights.safetensors", "metrics.json"
NEAREST, BESIDE = "nearest.jpg", "beside.jpg"
# What the sheets of pictures show that a run leaves, sample by sample, from left to right.
SHEETS = {
    "light": "falsework's own light, the network's, the path tracer's; samples",
    "dust": "the coarse dust, the network's, the simulated; volumes",
}
# Of a picture from outside more is kept: a surface in a frame may show a small part of it.
POINTS_OUTSIDE = 512


class About(Settings):
    """What people say of a model, in a TOML file: the card's words.

    licence  of the weights, and with it of what is drawn with them; `credit` the line it asks for, if it does
    """

    name: ModelName
    version: Words
    licence: Words = "CC0-1.0"
    credit: str = ""
    generative: bool = True
    intended_use: Words
    limits: tuple[Words, ...] = Field(min_length=1)


@dataclass(frozen=True)
class _Learned:
    """A data set as a model learned from it: rows of its index, and the pictures of all but the test's."""

    folder: Path
    about: dict[str, Any]
    rows: list[Row]
    pictures: list[tuple[Row, Sample]]
    counted: Literal["building", "simulation"]


def pack(
    run: Path,
    dataset: Path,
    about: Path,
    out: Path,
    *,
    base: Path | None = None,
    audited: int = 0,
    generated: Sequence[Generated] = (),
    today: date | None = None,
    progress: Progress = silent,
) -> Model:
    """Write NAME.safetensors, NAME.json and NAME.samples.safetensors into `out`.

    audited    pictures to generate from the test split's inputs for the memorisation audit
    generated  such pictures, where they are at hand already
    base       where the data set's recipe's paths start, if the set was moved

    FalseworkError where the run is not finished, the data set is not the one it was trained on, or anything
    it learned from has no origin on record; what lay in `out` stays as it was then.
    """
    with TemporaryDirectory(prefix="falsework-pack-") as made:
        model = _packed(run, dataset, about, Path(made), base, audited, generated, today, progress)
        # The card last: until it lies there, weights are of unknown origin, or refused beside an older card.
        files = sorted(Path(made).iterdir(), key=lambda path: path.name.endswith(CARD))
        copy_together([(path, out / path.name) for path in files])
    return replace(model, weights=out / model.weights.name)


def _packed(
    run: Path,
    dataset: Path,
    about: Path,
    out: Path,
    base: Path | None,
    audited: int,
    generated: Sequence[Generated],
    today: date | None,
    progress: Progress,
) -> Model:
    """All files of a model in the empty folder `out`."""
    said, notes = _about(about), _run(run)
    weights = run / TRAINED
    shapes = shapes_of(weights)
    digest, config = _digest(weights), _digest(run / CONFIG)
    for path, noted, found in ((weights, "weights", digest), (run / CONFIG, "config", config)):
        # Earlier runs did not note them.
        if notes.get(f"{noted}_sha256", found) != found:
            raise FalseworkError(
                f"is not the file that this run ended with, as its {RUN} has it",
                where=path,
                todo="`falsework train` goes on with the run to its end.",
            )
    learned = _learned(dataset, run, notes)
    place = out / (said.name + LEARNED)
    printed = [*_printed(learned, base, progress)]
    write_fingerprints(place, printed, rows=learned.rows)
    records = _records(learned, said, notes, asset_id(digest), config, _digest(place))
    memorised, pictures = None, [*_beside(run, notes, out / f"{said.name}.{BESIDE}")]
    if audited and not generated:
        from falsework.training.generating import generated_by

        generated = [*generated_by(run, notes, dataset, audited)]
    if generated:
        samples = [sample for _, sample in learned.pictures]
        memorised = audit_memorisation(generated, samples, progress=progress)
        sheet = nearest_sheet(memorised, generated, samples)
        write_bytes(out / f"{said.name}.{NEAREST}", sheet)
        words = "generated pictures, the training picture nearest to each, and the held-out truth"
        pictures.append(CardPicture(file=NEAREST, sha256=hashlib.sha256(sheet).hexdigest(), words=words))
    card = Card(
        name=said.name,
        version=said.version,
        task=str(notes["task"]),
        licence=said.licence,
        date=today or datetime.now(UTC).date(),
        sha256=digest,
        parameters=sum(int(np.prod(shape)) for shape in shapes.values()),
        architecture=dict(notes["about"].get("architecture", {})),
        generative=said.generative,
        intended_use=said.intended_use,
        limits=said.limits,
        sources=(_source(learned, records),),
        training=TrainingRun(
            steps=notes["steps"],
            seconds=notes["seconds"],
            machine=notes["machine"],
            seed=notes["seed"],
            config_sha256=config,
            falsework=notes["falsework"],
            code=str(notes.get("code") or "not noted"),
        ),
        metrics=_metrics(run),
        memorisation=memorised,
        pictures=tuple(pictures),
        learned=_digest(place),
        record=_training_of(asset_id(digest)),
        records=tuple(record_note(record) for record in records),
    )
    faults = faults_of(card, place)
    if faults:
        raise FalseworkError(
            f"cannot be packed: {'; '.join(faults)}",
            where=dataset,
            todo="Nothing ships whose origin is not wholly on record: mend the data set, and train again.",
        )
    with whole_file(out / (said.name + WEIGHTS)) as part:
        shutil.copyfile(weights, part)
    write_card(out / (said.name + CARD), card)
    return Model(said.name, out / (said.name + WEIGHTS), digest, card, False, "on record")


def _beside(run: Path, notes: dict[str, Any], to: Path) -> Iterator[CardPicture]:
    """The last sheet of pictures that the run left, as a JPEG; nothing where it left none."""
    task = str(notes["task"])
    # Without a validation split, a run draws what it learns from.
    held_out = notes["about"].get("samples", {}).get("validation_samples")
    of = "that were held out" if held_out else "that it was trained on"
    sheets = sorted((run / "pictures").glob("*.png"))
    if sheets and task in SHEETS:
        sheet = read_sample(sheets[-1])[..., ::-1]
        _, coded = cv2.imencode(".jpg", np.ascontiguousarray(sheet), [cv2.IMWRITE_JPEG_QUALITY, 90])
        content = coded.tobytes()
        write_bytes(to, content)
        yield CardPicture(
            file=BESIDE, sha256=hashlib.sha256(content).hexdigest(), words=f"{SHEETS[task]} {of}"
        )


def _about(path: Path) -> About:
    try:
        return About.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    raise FalseworkError(
        f"does not say what a card needs ({why})",
        where=path,
        todo="Give name, version, licence, intended_use and limits; docs/models.md shows one.",
    )


def _run(folder: Path) -> dict[str, Any]:
    """What a finished run noted of itself."""
    try:
        notes = json.loads((folder / RUN).read_bytes())
        keys = {"task", "steps", "seconds", "machine", "seed", "falsework", "about"}
        if not isinstance(notes, dict) or not keys <= notes.keys() or not isinstance(notes["about"], dict):
            raise ValueError("it lacks what a run notes")
        return notes
    except FileNotFoundError:
        raise FalseworkError(
            "is no finished training run",
            where=folder,
            todo="`falsework train` goes on with it where it was stopped.",
        ) from None
    except (OSError, ValueError) as error:
        raise FalseworkError(
            f"is not readable ({error})",
            where=folder / RUN,
            todo="Run `falsework train` again: it ends anew.",
        ) from error


def _learned(dataset: Path, run: Path, notes: dict[str, Any]) -> _Learned:
    """The data set as the run learned from it: all of it, or, where it has grown since, what the run's own
    copy of the index lists."""
    about = read_dataset(dataset)
    present = {row["sample"]: row for row in read_index(dataset)}
    known = notes["about"].get("samples", {}).get("index_sha256")
    rows = [*present.values()]
    if known != _digest(dataset / INDEX):
        copy = run / INDEX
        if not copy.is_file() or _digest(copy) != known:
            raise FalseworkError(
                "is not as it was when this run learned from it",
                where=dataset,
                todo="Give the set as it was: a copy, or train on this one.",
            )
        rows = read_index(run)
        other = [row["sample"] for row in rows if present.get(row["sample"]) != row]
        if other:
            raise FalseworkError(
                f"lacks {len(other)} samples that this run learned from, {other[0]} the first",
                where=dataset,
                todo="Give the set as it was.",
            )
    counted: Literal["building", "simulation"] = "building" if "building" in rows[0] else "simulation"
    listed = [_row(row, about["name"], counted) for row in rows]
    by_name = {(row["split"], row["sample"]): row for row in listed if row["split"] != "test"}
    pictures = []
    for sample in training_samples(dataset):
        row = next((by_name[key] for key in _keys(sample) if key in by_name), None)
        if row is not None:
            pictures.append((row, sample))
    return _Learned(dataset, about, listed, pictures, counted)


def _keys(sample: Sample) -> Iterator[tuple[str, str]]:
    """The splits and names of samples that a picture may be of: SPLIT/NAME.png, or SPLIT/NAME_WHAT.png."""
    stem = Path(sample.name).stem
    split = sample.picture.parent.name if isinstance(sample.picture, Path) else ""
    yield split, stem
    while "_" in stem:
        stem = stem.rpartition("_")[0]
        yield split, stem


def _row(row: dict[str, Any], name: str, counted: str) -> Row:
    return Row(
        sample=str(row["sample"]),
        split=str(row["split"]),
        group=str(row[counted]),
        data_set=name,
        file=str(row.get("shard") or row["file"]),
        sha256=str(row["sha256"]),
    )


def _printed(learned: _Learned, base: Path | None, progress: Progress) -> Iterator[Printed]:
    """Fingerprints of the pictures of all samples but the test's, and of what came from outside."""
    total = len(learned.pictures) + len(learned.about["assets"])
    most = points_each(len(learned.pictures))
    for number, (row, sample) in enumerate(learned.pictures):
        progress(number, total)
        assert isinstance(sample.picture, Path)
        name = picture_name(row) + sample.picture.stem.removeprefix(row["sample"])
        print_ = Fingerprint.of(read_sample(sample.picture), most)
        yield Printed(name, sample.asset_id.removeprefix("sha256:"), True, print_)
    if not learned.about["assets"]:
        return
    plan = open_plan(learned.folder, base)
    found = find_assets(plan.recipe, plan.base, only=plan.pictures)
    for one in found.records:
        path = (found.textures if one.kind == "texture" else found.skies)[one.file]
        print_ = Fingerprint.of(_outside(one, path), POINTS_OUTSIDE)
        yield Printed(one.file, one.sha256, False, print_)
    progress(total, total)


def _outside(one: Picture, path: Path) -> npt.NDArray[np.uint8]:
    """A picture from outside as displayed; a sky in such light that half of it is a middle grey."""
    if one.kind == "texture":
        return read_sample(path)
    sky = read_sky(path).radiance
    return np.ascontiguousarray(
        to_8bit(np.asarray(sky * (0.18 / max(float(np.median(sky)), 1e-6)), np.float32))
    )


def _records(
    learned: _Learned, said: About, notes: dict[str, Any], model: str, config: str, fingerprints: str
) -> list[Record]:
    """What a run that uses the model puts on record: the set, what it was made of, and the training. Of what
    came from outside only that it may be trained on: a card is no licence for anything else."""
    records: list[Record] = []
    sets: list[str] = []
    for record in records_of(learned.folder):
        if isinstance(record, Asset) and record.type == "dataset":
            sets.append(record.id)
        records += _for_training(record) if isinstance(record, Grant) else [record]
    licence = licence_of(said.licence)
    if licence is None or (licence.attribution and not said.credit):
        why = "is none that is known here" if licence is None else "asks for a credit line, and none is given"
        raise FalseworkError(
            f'the licence "{said.licence}" {why}',
            where=said.name,
            todo='Give an SPDX identifier, and credit = "..." beside it where it asks for one.',
        )
    facts: dict[str, str | bool | int | float] = {
        "version": said.version,
        "task": str(notes["task"]),
        "generative": said.generative,
        "general_purpose": False,
        "talent": False,
        "fingerprints": fingerprints,
        "samples": sum(row["split"] == "train" for row in learned.rows),
    }
    return [
        *records,
        Asset(id=model, type="model", name=said.name, creator=MAKER.id, facts=facts),
        Grant(
            id=record_id("grant", "model", model, said.licence),
            type="licence",
            given_by=MAKER.id,
            assets=(model,),
            uses=licence.uses,
            licence=said.licence,
            basis="owner",
            obligations=Obligations(attribution=said.credit, share_alike=licence.share_alike),
        ),
        Activity(
            id=_training_of(model),
            type="training",
            used=tuple(sets),
            generated=(model,),
            version=str(notes["falsework"]),
            parameters={
                "steps": notes["steps"],
                "seconds": notes["seconds"],
                "machine": notes["machine"],
                "config_sha256": config,
                "models": [],
            },
            seed=int(notes["seed"]),
            offline=True,
        ),
    ]


def _for_training(grant: Grant) -> Iterator[Grant]:
    """A grant that came with a data set, as a card may bring it: for training, each asset by itself."""
    for asset in grant.assets:
        identity = record_id("grant", "train", asset, grant.licence)
        yield grant.model_copy(update={"id": identity, "assets": (asset,), "uses": ("train",)})


def _training_of(model: str) -> str:
    return record_id("activity", "training", model)


def _source(learned: _Learned, records: Sequence[Record]) -> DataSource:
    (made,) = (one for one in records if isinstance(one, Asset) and one.type == "dataset")
    (licence,) = (one.licence for one in records if isinstance(one, Grant) and one.assets == (made.id,))
    rows = {split: [row for row in learned.rows if row["split"] == split] for split in SPLITS}
    return DataSource.model_validate(
        {
            "name": made.name,
            "sums": made.id.removeprefix("sha256:"),
            "licence": licence,
            "counted": learned.counted,
            "samples": {split: len(of) for split, of in rows.items()},
            "groups": {split: len({row["group"] for row in of}) for split, of in rows.items()},
            "pictures": [SourcePicture(**asset).model_dump() for asset in learned.about["assets"]],
        }
    )


def _metrics(run: Path) -> tuple[Metric, ...]:
    """What the run's measuring on the test split noted; none where nobody measured."""
    path = run / METRICS
    if not path.is_file():
        return ()
    try:
        return tuple(Metric.model_validate(one) for one in json.loads(path.read_bytes()))
    except (ValidationError, ValueError, TypeError) as error:
        raise FalseworkError(
            f"holds no measures ({str(error).splitlines()[0]})",
            where=path,
            todo="Measure again; docs/models.md says what such a file holds.",
        ) from error


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FalseworkError(
            f"cannot be read ({error.strerror or error})", where=path, todo="Finish the run first."
        ) from error
