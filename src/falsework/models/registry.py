"""The networks at hand: those that ship with falsework and those a user installed, each with its standing.

A model is `NAME.safetensors` with `NAME.json`, its card, and `NAME.samples.safetensors`, what it learned
from, in one folder. Nothing else is ever loaded: no pickle, no code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file, write_text
from falsework.models.card import Card, read_card

__all__ = [
    "CARD",
    "LEARNED",
    "NOTES",
    "WEIGHTS",
    "Model",
    "Standing",
    "copy_together",
    "find",
    "install",
    "models",
    "own_folder",
    "read_notes",
    "shapes_of",
    "write_notes",
]

SHIPPED = Path(__file__).parent / "weights"
FOLDER = "FALSEWORK_MODELS"  # in the environment: where a user's own models lie
WEIGHTS, CARD, LEARNED = ".safetensors", ".json", ".samples.safetensors"
NOTES = "models.json"  # in a stage's folder: the models it works with
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LARGEST = 4 * 1024**3  # bytes of a weights' file that is installed

Standing = Literal["on record", "unknown", "altered"]


@dataclass(frozen=True)
class Model:
    """One network's weights.

    weights   safetensors;  sha256  of that file as it is now
    card      None where there is none
    shipped   whether it came with falsework
    standing  "on record": its card holds and names the origin of all it learned from; "unknown": there is no
              card, or it leaves that open, so that nothing made with it is delivered before somebody has put
              its training on record; "altered": the weights are not those of its card
    faults    why it is not on record, in clauses
    """

    name: str
    weights: Path
    sha256: str
    card: Card | None
    shipped: bool
    standing: Standing
    faults: tuple[str, ...] = ()

    @property
    def place_of_card(self) -> Path:
        return self.weights.with_name(self.name + CARD)

    @property
    def learned(self) -> Path:
        """What it learned from, by hashes and points (`falsework.rights.fingerprints`)."""
        return self.weights.with_name(self.name + LEARNED)

    def note(self) -> dict[str, str]:
        """What a run that uses it writes down, for keys and for the record."""
        version = self.card.version if self.card is not None else ""
        return {"name": self.name, "version": version, "sha256": self.sha256, "standing": self.standing}


def write_notes(folder: Path, used: Iterable[Model]) -> None:
    """Note in a stage's folder which models it works with."""
    write_text(folder / NOTES, json.dumps([model.note() for model in used], indent=1) + "\n")


def read_notes(folder: Path) -> list[dict[str, str]]:
    """What `write_notes` wrote there; [] where it wrote nothing."""
    try:
        return [dict(one) for one in json.loads((folder / NOTES).read_bytes())]
    except FileNotFoundError:
        return []


def own_folder() -> Path:
    """Where a user's models lie: `$FALSEWORK_MODELS`, else in the platform's folder for data of programs."""
    given = os.environ.get(FOLDER, "").strip()
    if given:
        return Path(given).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "falsework" / "models"


def models() -> tuple[Model, ...]:
    """All models at hand, those that shipped first; altered ones too, which `find` refuses."""
    found: dict[str, Model] = {}
    for folder, shipped in ((SHIPPED, True), (own_folder(), False)):
        for path in _weights_in(folder):
            name = path.name.removesuffix(WEIGHTS)
            if name not in found:
                found[name] = _model(name, path, shipped)
    return tuple(found.values())


def find(name: str) -> Model:
    """The model of that name, one that shipped before a user's; FalseworkError where there is none, or where
    its weights are not those of its card."""
    model = _named(name)
    if model is None:
        card = SHIPPED / (name + CARD)
        if NAME.fullmatch(name) and card.is_file():
            raise FalseworkError(
                f'the weights of the model "{name}", which ships with falsework, are gone',
                where=card.with_name(name + WEIGHTS),
                todo="Install falsework again.",
            )
        known = ", ".join(one.name for one in models())
        raise FalseworkError(
            f'there is no model "{name}"',
            where=own_folder(),
            todo=f"There are: {known}." if known else "`falsework models install FILE` adds one.",
        )
    if model.standing == "altered":
        raise FalseworkError(
            f"is not the file that its card describes: {model.faults[0]}",
            where=model.weights,
            todo="Install falsework again."
            if model.shipped
            else "Install the model again, with its own card.",
        )
    return model


def _named(name: str) -> Model | None:
    if NAME.fullmatch(name):
        for folder, shipped in ((SHIPPED, True), (own_folder(), False)):
            path = folder / (name + WEIGHTS)
            if path.is_file():
                return _model(name, path, shipped)
    return None


def _weights_in(folder: Path) -> Iterator[Path]:
    """The weights in a folder; what else lies there is passed over."""
    if folder.is_dir():
        for path in sorted(folder.glob(f"*{WEIGHTS}")):
            if not path.name.endswith(LEARNED) and NAME.fullmatch(path.name.removesuffix(WEIGHTS)):
                yield path


def _model(name: str, path: Path, shipped: bool) -> Model:
    digest = _digest(path)
    place = path.with_name(name + CARD)
    if not place.is_file():
        return Model(name, path, digest, None, shipped, "unknown", ("it has no card",))
    try:
        card = read_card(place)
    except FalseworkError as error:
        return Model(name, path, digest, None, shipped, "unknown", (f"its card {error.what}",))
    if card.sha256 != digest:
        clause = f"SHA-256 {digest[:12]}, its card says {card.sha256[:12]}"
        return Model(name, path, digest, card, shipped, "altered", (clause,))
    from falsework.models.origin import faults_of

    faults = faults_of(card, path.with_name(name + LEARNED))
    return Model(name, path, digest, card, shipped, "unknown" if faults else "on record", faults)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FalseworkError(
            f"cannot be read ({error.strerror or error})", where=path, todo="Check the file's permissions."
        ) from error


def install(weights: Path, card: Path | None = None, *, name: str = "") -> Model:
    """Copy a model into the user's folder, whole: its weights, its card (`card`, else the one that lies
    beside it), what it learned from and its pictures, where they lie there. Replaces one of the same name.

    FalseworkError for what is no safetensors file, for a card of other weights, and for a name that a shipped
    model has.
    """
    name = name or weights.name.removesuffix(WEIGHTS)
    _check_weights(weights, name)
    beside = weights.with_name(weights.name.removesuffix(WEIGHTS) + CARD)
    card = card if card is not None else beside if beside.is_file() else None
    folder = own_folder()
    copies = [(weights, folder / (name + WEIGHTS))]
    if card is not None:
        said = read_card(card)
        if said.sha256 != (digest := _digest(weights)):
            raise FalseworkError(
                f"is of other weights: SHA-256 {said.sha256[:12]}, and {weights.name} has {digest[:12]}",
                where=card,
                todo="Give the card that came with these weights.",
            )
        learned = card.with_name(card.name.removesuffix(CARD) + LEARNED)
        copies += [(learned, folder / (name + LEARNED))] if learned.is_file() else []
        stem = card.name.removesuffix(CARD)
        copies += [
            (one, folder / f"{name}.{each.file}")
            for each in said.pictures
            if (one := card.with_name(f"{stem}.{each.file}")).is_file() and _digest(one) == each.sha256
        ]
        copies.append((card, folder / (name + CARD)))
    targets = {target for _, target in copies}
    stale = [path for suffix in (CARD, LEARNED) if (path := folder / (name + suffix)) not in targets]
    copy_together(copies, stale)
    return find(name)


def copy_together(copies: Sequence[tuple[Path, Path]], stale: Iterable[Path] = ()) -> None:
    """Copy each file (from, to), or none of them: nothing is replaced, and nothing `stale` removed, before
    all of them lie beside their places. A file that is to be copied onto itself is left alone."""
    with ExitStack() as parts:
        # What is entered last is replaced first.
        for source, target in reversed(copies):
            if not (target.exists() and target.samefile(source)):
                shutil.copyfile(source, parts.enter_context(whole_file(target)))
        for path in stale:  # of another model that had this name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise FalseworkError(
                    f"cannot be replaced ({error.strerror or error})",
                    where=path,
                    todo="Delete it, and try again.",
                ) from error


def _check_weights(path: Path, name: str) -> None:
    if not path.is_file():
        raise FalseworkError("there is no such file", where=path, todo="Give the weights' file.")
    if not path.name.endswith(WEIGHTS) or path.name.endswith(LEARNED):
        raise FalseworkError(
            "is no safetensors file, and no other kind of weights is loaded",
            where=path,
            todo="Convert it to safetensors: a pickle can run any code.",
        )
    if not NAME.fullmatch(name):
        raise FalseworkError(
            f'"{name}" is no name of a model',
            where=path,
            todo="Small letters, digits, - and _: `falsework models install FILE --name NAME`.",
        )
    if (SHIPPED / (name + WEIGHTS)).is_file():
        raise FalseworkError(
            f'a model that came with falsework is called "{name}"',
            where=path,
            todo="Give it another name: `falsework models install FILE --name NAME`.",
        )
    size = path.stat().st_size
    if size > LARGEST:
        raise FalseworkError(f"is larger than {LARGEST // 1024**3} GB", where=path)
    shapes_of(path)


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """The tensors of a weights' file by name, from its header; FalseworkError where it is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names: list[Any] = list(file.keys())
            return {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError, ValueError) as error:
        raise FalseworkError(
            f"is no safetensors file ({error})", where=path, todo="Get the weights' file anew."
        ) from error
