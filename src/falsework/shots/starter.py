"""`falsework new`: a commented shot.toml to begin with, from a photo and a brief."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.shots.brief import Finding, Interpretation
from falsework.shots.brief_reader import BriefReaderSettings
from falsework.shots.spec import read_shot
from falsework.shots.store import disk_faults

__all__ = ["start_shot", "starter_text"]

STOREYS = 4
# Where a facade is guessed when nothing better is known: the picture's middle, as shares of its size.
GUESS = ((0.3, 0.15), (0.7, 0.15), (0.7, 0.85), (0.3, 0.85))
COLLAPSE_SECONDS = 3.5

# What a section holds and what its keys mean, in the order they are written: key, default, words.
SECTIONS: tuple[tuple[str, str, tuple[tuple[str, Any, str], ...]], ...] = (
    (
        "building",
        "What the plate does not say of the building.",
        (
            ("material", "masonry", '"masonry", "concrete" or "glass"'),
            ("depth", 11.0, "metres, from the facade to the back wall"),
            ("roof", "flat", '"flat", "mansard" or "gable"; `roof_height` in metres above the cornice'),
        ),
    ),
    (
        "fracture",
        "How finely it breaks.",
        (("fragments", 2000, "50 to 20000"), ("size_exponent", 2.2, "high: many small pieces")),
    ),
    (
        "collapse",
        "How it fails.",
        (
            ("kind", "progressive", '"progressive", "implosion", "topple" or "pancake"'),
            ("from_storey", 0, "0 is the ground floor"),
            (
                "side",
                "centre",
                '"left", "right", "centre", "corner", "front" or "back", seen from the camera',
            ),
            ("start", 1012, "frame at which the first support goes"),
            (
                "timing",
                [[0.0, 0.0], [1.0, 0.8]],
                "pairs: fraction across the building from `side`, seconds after start",
            ),
            ("strength", 1.0, "multiplies every bond's strength"),
            (
                "direction",
                180.0,
                'for "topple": degrees clockwise from the view, 180 falls towards the camera',
            ),
        ),
    ),
    (
        "dust",
        "How much dust, and where it goes.",
        (
            ("amount", 1.0, "multiplies the dust's mass"),
            ("reach", "street", '"local", "street" or "camera"'),
            ("wind_speed", 0.5, "metres a second"),
            ("wind_direction", 90.0, "degrees clockwise from the view, where it blows to"),
            ("debris", 30000, "number of flying chips"),
        ),
    ),
    (
        "light",
        'Sun and sky; "auto" is found in the plate.',
        (
            ("azimuth", "auto", "degrees clockwise from the view to the sun"),
            ("elevation", "auto", "degrees above the horizon"),
            ("sun_sky_ratio", "auto", "sunlight over skylight"),
        ),
    ),
    (
        "render",
        "The look of what is drawn.",
        (
            ("shutter", 180.0, "degrees of 360 the shutter is open"),
            ("dust_colour", "auto", 'linear red, green, blue, or "auto": the facade\'s own'),
            ("dust_density", 1.0, "multiplies the dust's opacity"),
        ),
    ),
    (
        "comp",
        "The finish.",
        (("grain", 1.0, "of the plate's own"), ("slate", False, "a card before the movie")),
    ),
)


def start_shot(folder: Path, plate: Path, understood: Interpretation) -> Path:
    """Write `folder/shot.toml` and copy the plate beside it; returns the shot's path.

    Nothing that is there already is overwritten. Raises FalseworkError where the plate cannot be read.
    """
    from falsework.media.images import read_picture

    path = folder / "shot.toml"
    if path.exists():
        raise FalseworkError("is there already", where=path, todo="Give another folder, or remove it first.")
    if not plate.exists():
        raise FalseworkError(
            "there is no such picture",
            where=plate,
            todo="Give --plate the photograph's path, from the folder you are in. Nothing was written.",
        )
    height, width = read_picture(plate, "sRGB").shape[:2]
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / plate.name
        if not copy.exists():
            shutil.copyfile(plate, copy)
        elif copy.read_bytes() != plate.read_bytes():
            raise FalseworkError(
                "is another picture of the same name", where=copy, todo="Give another folder."
            )
    text = starter_text(_name(folder), plate.name, (width, height), understood)
    read_shot(text, path)  # a starter that would be refused is a fault of ours
    write_text(path, text)
    return path


def starter_text(name: str, plate: str, size: tuple[int, int], understood: Interpretation) -> str:
    """The commented document: each setting of the brief with the words it came from."""
    return "\n".join(_lines(name, plate, size, understood)) + "\n"


def _lines(name: str, plate: str, size: tuple[int, int], understood: Interpretation) -> Iterator[str]:
    said = dict(understood.settings)
    storeys = _value(said, "facades.storeys", STOREYS)
    frames, late = _frames(said)
    from_storey = _value(said, "collapse.from_storey", 0)
    yield f"# A starter shot. Brief read by: {understood.source}. Keys: docs/shot.md. “Quoted”: the brief."
    if understood.not_understood:
        yield "#"
        yield "# NOT UNDERSTOOD in the brief, and nothing was made of it:"
        yield from (f"#   {_comment(words)}" for words in understood.not_understood)
    if understood.notes:
        yield "#"
        yield "# To be looked at:"
        yield from (f"#   {_comment(note)}" for note in understood.notes)
    yield f"name = {_toml(name)}"
    yield f"brief = {_toml(understood.brief)}"
    yield f"seed = {_toml(_value(said, 'seed', 1))}{_words(said, 'seed')}"
    yield f"fps = {_toml(_value(said, 'fps', 24))}{_words(said, 'fps')}"
    yield f"frames = {_toml(frames)}{late or _words(said, 'frames')}"
    yield ""
    yield from _reader(understood.read_by)
    yield "[plate]"
    yield f"file = {_toml(plate)}"
    yield 'colour_space = "auto"  # or an OpenColorIO name: "sRGB", "ACEScg", "ARRI LogC4", ...'
    yield ""
    yield "# EDIT THIS: the corners below are a guess at the middle of the picture, not found in it."
    yield "# Open the photo in a viewer that shows pixel coordinates (GIMP: Windows > Pointer); read the four"
    yield "# corners of the wall that falls: top-left, top-right, bottom-right, bottom-left; the top at the"
    yield "# cornice, the bottom on the pavement. A corner may lie outside the picture. A second wall of the"
    yield "# same building, round the corner, is a second [[facades]] that shares the corner's two points."
    yield "[[facades]]"
    yield 'name = "front"'
    yield f"corners = {_toml(_guess(size))}"
    if from_storey >= storeys:
        storeys = from_storey + 1
        yield f"storeys = {storeys}  # CHECK: at least this many, or the brief's floor would not be there"
    else:
        counted = _words(said, "facades.storeys")
        yield f"storeys = {storeys}" + (counted or "  # CHECK: count them, the ground floor too")
    yield "storey_height = 3.2  # metres; it sets the scale of everything"
    yield 'bays = "auto"  # columns of windows'
    for section, words, keys in SECTIONS:
        yield ""
        yield f"[{section}]  # {words}"
        for key, default, meaning in keys:
            dotted = f"{section}.{key}"
            if dotted in said:
                yield f"{key} = {_toml(said[dotted].value)}{_words(said, dotted)}"
            else:
                yield f"# {key} = {_toml(default)}  # {meaning}"


def _reader(reader: BriefReaderSettings | None) -> Iterator[str]:
    if reader is None:
        return
    yield "[brief_read_by]  # A language model was sent the brief. Leave it in: the ledger goes by it."
    for key, value in reader.model_dump(mode="json").items():
        written = value if key == "at" else _toml(value)  # TOML's own kind of time
        yield f"{key} = {written}"
    yield ""


def _frames(said: dict[str, Finding]) -> tuple[list[int], str]:
    """The frame range, made long enough for a late start, and why where it was."""
    first, last = _value(said, "frames", [1001, 1096])
    start = _value(said, "collapse.start", 1012)
    needed = start + round(COLLAPSE_SECONDS * _value(said, "fps", 24))
    if "frames" not in said and needed > last:
        return [first, needed], "  # long enough for the late start"
    if start > last:
        return [first, needed], f"  # the brief's {last - first + 1} frames would end before the start"
    return [first, last], ""


def _value(said: dict[str, Finding], key: str, default: Any) -> Any:
    return said[key].value if key in said else default


def _words(said: dict[str, Finding], key: str) -> str:
    return f"  # “{_comment(said[key].words)}”" if key in said else ""


def _comment(text: str) -> str:
    """Words for a comment: one line, no control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _toml(value: Any) -> str:
    # JSON's strings, numbers, lists and booleans are TOML's too, for what stands in a shot.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _guess(size: tuple[int, int]) -> list[list[int]]:
    width, height = size
    return [[round(x * width), round(y * height)] for x, y in GUESS]


def _name(folder: Path) -> str:
    """The folder's name, as far as it may name files."""
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_"
        for letter in folder.resolve().name
    )
    return kept.strip("_-")[:64] or "shot"
