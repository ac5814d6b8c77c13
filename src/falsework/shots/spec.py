"""What a shot is: `shot.toml` as one validated model, every fault a sentence with where and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from falsework.building.settings import BuildingSettings, FractureSettings
from falsework.collapse.settings import CollapseSettings
from falsework.comp.settings import CompSettings
from falsework.dust.settings import DustSettings
from falsework.errors import FalseworkError
from falsework.faults import Fault, key_lines, refuse, toml_refusal, validation_faults
from falsework.plate.settings import (
    FacadeSettings,
    LightSettings,
    NeighbourSettings,
    OccluderSettings,
    PlateSettings,
)
from falsework.render.settings import RenderSettings
from falsework.render.traditional.settings import TraditionalSettings
from falsework.rights.literary import asks_for_writing
from falsework.settings import Pixel, Settings
from falsework.shots.brief_reader import BriefReaderSettings

__all__ = ["Shot", "load_shot", "read_shot"]

MOST_FRAMES = 5000
SLOWEST = 12.0  # frames a second: the collapse takes two steps a frame, and longer ones are no physics
SMALLEST_QUAD = 64.0  # square pixels; less is a slip of the mouse


class Shot(Settings):
    """The whole contract of a shot, room by room.

    name    enters the names of files: letters, digits, "_" and "-"
    frames  first and last frame, both included
    brief_read_by  the language model outside that read the brief; no stage looks at it
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    brief: str = ""
    brief_read_by: BriefReaderSettings | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    fps: Annotated[float, Field(ge=SLOWEST, le=240)] = 24.0
    frames: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = (1001, 1096)
    plate: PlateSettings
    facades: Annotated[list[FacadeSettings], Field(min_length=1, max_length=8)]
    neighbours: list[NeighbourSettings] = Field(default=[])
    occluders: list[OccluderSettings] = Field(default=[])
    light: LightSettings = LightSettings()
    building: BuildingSettings = BuildingSettings()
    fracture: FractureSettings = FractureSettings()
    collapse: CollapseSettings = CollapseSettings()
    dust: DustSettings = DustSettings()
    render: RenderSettings = RenderSettings()
    comp: CompSettings = CompSettings()
    traditional: TraditionalSettings = TraditionalSettings()

    @property
    def frame_count(self) -> int:
        return self.frames[1] - self.frames[0] + 1


def load_shot(path: Path | str) -> Shot:
    """Read and check `shot.toml`.

    Raises FalseworkError with all faults found, the first first.
    """
    path = Path(path)
    if path.is_dir():
        inside = path / "shot.toml"
        raise FalseworkError(
            "is a folder, not a shot",
            where=path,
            todo=f"Give the file in it: {inside}."
            if inside.is_file()
            else 'It holds no shot.toml; begin one: `falsework new DIR --plate PHOTO --brief "..."`.',
        )
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise FalseworkError(
            "there is no such file",
            where=path,
            todo='Give a shot.toml, or begin one: `falsework new DIR --plate PHOTO --brief "..."`.',
        ) from None
    except UnicodeDecodeError:
        raise FalseworkError("is no text in UTF-8", where=path, todo="Give a TOML file in UTF-8.") from None
    except OSError as error:
        raise FalseworkError(
            f"could not be read ({error.strerror or error})", where=path, todo="Give a TOML file in UTF-8."
        ) from None
    return read_shot(text, path)


def read_shot(text: str, path: Path | str = "shot.toml") -> Shot:
    """`load_shot` for a text already in hand; `path` is only named in faults."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError
        raise toml_refusal(error, text, path) from None
    lines = key_lines(text)
    try:
        shot = Shot.model_validate(values)
    except ValidationError as error:
        refuse(validation_faults(error, values, Shot), lines, path)
        raise AssertionError("unreachable") from error
    refuse(list(_cross_faults(shot)), lines, path)
    return shot


def _cross_faults(shot: Shot) -> Iterator[Fault]:
    """What single fields cannot know."""
    first, last = shot.frames
    if last < first:
        yield Fault(
            "frames", f"the last frame ({last}) comes before the first ({first})", "Give [first, last]."
        )
        return
    if shot.frame_count > MOST_FRAMES:
        yield Fault(
            "frames",
            f"{shot.frame_count} frames are more than one shot may have ({MOST_FRAMES})",
            "Make several shots of it.",
        )
    # The report reads the brief again, at the end of a run.
    asked = asks_for_writing(shot.brief)
    if asked:
        yield Fault(
            "brief",
            f'"{asked}" asks for a script\'s words, and falsework does not write, rewrite or sum up scripts',
            "Say what is to be seen in the shot instead.",
        )
    yield from _plate_faults(shot)
    kinds: dict[str, Sequence[FacadeSettings | NeighbourSettings]] = {
        "facades": shot.facades,
        "neighbours": shot.neighbours,
    }
    for kind, walls in kinds.items():
        names: set[str] = set()
        for index, wall in enumerate(walls):
            yield from _quad_faults(f"{kind}.{index}.corners", wall.corners, f'"{wall.name}"')
            if wall.name in names:
                yield Fault(
                    f"{kind}.{index}.name", f'two {kind} are called "{wall.name}"', "Give each its own name."
                )
            names.add(wall.name)
    yield from _occluder_faults(shot)
    yield from _collapse_faults(shot)


def _plate_faults(shot: Shot) -> Iterator[Fault]:
    plate = shot.plate
    if not plate.file.strip():
        yield Fault("plate.file", "no picture is named", "Give the plate's path, relative to this file.")
    if plate.crop is not None:
        x, y, width, height = plate.crop
        if x < 0 or y < 0 or width < 2 or height < 2:
            yield Fault(
                "plate.crop",
                f"{list(plate.crop)} is not x, y, width, height with a positive width and height",
                "Give them in the file's pixels, from its top-left corner.",
            )
    if plate.size is not None:
        width, height = plate.size
        if width < 16 or height < 16:
            yield Fault(
                "plate.size", f"{width}x{height} is too small to work in", "Leave it out for the plate's own."
            )
        elif plate.crop is not None and (width > plate.crop[2] or height > plate.crop[3]):
            yield Fault(
                "plate.size",
                f"{width}x{height} is larger than the crop ({plate.crop[2]}x{plate.crop[3]}); "
                "nothing is ever scaled up",
                "Make it no larger than the crop.",
            )
    lens = plate.lens
    count = len(lens.coefficients)
    if lens.model in ("none", "auto") and count:
        yield Fault(
            "plate.lens.coefficients",
            f'{count} coefficients are given, but the model is "{lens.model}"',
            'Set model to "brown" or "fisheye".',
        )
    if lens.model == "brown" and not 1 <= count <= 5:
        yield Fault(
            "plate.lens.coefficients",
            f'"brown" takes 1 to 5 coefficients (k1, k2, p1, p2, k3), not {count}',
            'Give them as OpenCV counts them, or set model to "auto".',
        )
    if lens.model == "fisheye" and not 1 <= count <= 4:
        yield Fault(
            "plate.lens.coefficients",
            f'"fisheye" takes 1 to 4 coefficients (k1..k4), not {count}',
            'Give them as OpenCV counts them ([0.0] for a plain one), or set model to "auto".',
        )


def _quad_faults(key: str, corners: tuple[Pixel, Pixel, Pixel, Pixel], name: str) -> Iterator[Fault]:
    """A wall seen from its front is a convex quad, clockwise on screen from its top-left corner."""
    order = (
        "Give top-left, top-right, bottom-right, bottom-left, in pixels from the picture's top-left corner."
    )
    turns = []
    for index in range(4):
        (ax, ay), (bx, by), (cx, cy) = (corners[(index + step) % 4] for step in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    area = 0.5 * sum(
        corners[i][0] * corners[(i + 1) % 4][1] - corners[(i + 1) % 4][0] * corners[i][1] for i in range(4)
    )
    if all(turn > 0 for turn in turns):
        if area < SMALLEST_QUAD:
            yield Fault(key, f"the quad of {name} is smaller than {SMALLEST_QUAD:.0f} square pixels", order)
        elif corners[0][1] >= corners[3][1] or corners[1][1] >= corners[2][1]:
            yield Fault(key, f"the quad of {name} does not begin at its top-left corner", order)
    elif all(turn < 0 for turn in turns):
        yield Fault(key, f"the quad of {name} runs the wrong way round", order)
    elif _crosses(corners):
        yield Fault(key, f"the quad of {name} crosses itself", order)
    else:
        yield Fault(key, f"the quad of {name} is not convex", order)


def _crosses(corners: tuple[Pixel, Pixel, Pixel, Pixel]) -> bool:
    """Whether two opposite sides of the quad meet."""

    def side(p: Pixel, q: Pixel, r: Pixel) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    def meet(p: Pixel, q: Pixel, r: Pixel, s: Pixel) -> bool:
        return side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0

    a, b, c, d = corners
    return meet(a, b, c, d) or meet(b, c, d, a)


def _occluder_faults(shot: Shot) -> Iterator[Fault]:
    for index, occluder in enumerate(shot.occluders):
        key = f"occluders.{index}"
        given = [name for name in ("file", "box", "line") if getattr(occluder, name)]
        if not given:
            yield Fault(
                key,
                f'"{occluder.name}" has no matte file, box or line',
                "Give `file`, or `box` with strokes, or `line`.",
            )
        elif len(given) > 1:
            yield Fault(key, f'"{occluder.name}" has both {given[0]} and {given[1]}', "Keep one of them.")
        if occluder.box is not None and (occluder.box[2] <= 0 or occluder.box[3] <= 0):
            yield Fault(
                f"{key}.box",
                f'the box of "{occluder.name}" has no width or no height',
                "x, y, width, height.",
            )
        if len(occluder.line) == 1:
            yield Fault(
                f"{key}.line", f'the line of "{occluder.name}" has one point', "Give two points or more."
            )
        if occluder.box is None and (occluder.keep or occluder.drop):
            yield Fault(key, f'the strokes of "{occluder.name}" need a box around them', "Give `box`.")


def _collapse_faults(shot: Shot) -> Iterator[Fault]:
    first, last = shot.frames
    collapse = shot.collapse
    storeys = max(facade.storeys for facade in shot.facades)
    if collapse.from_storey >= storeys:
        yield Fault(
            "collapse.from_storey",
            f"is {collapse.from_storey}, but the building has {storeys} storeys: 0 is the ground floor, "
            f"{storeys - 1} the top one",
            f"Give 0 to {storeys - 1}, or correct `storeys` of the facades.",
        )
    if collapse.start < first:
        yield Fault(
            "collapse.start",
            f"the first support goes at frame {collapse.start}, before the first frame ({first})",
            f"Give a frame from {first} to {last}.",
        )
    if not collapse.timing:
        yield Fault(
            "collapse.timing", "is empty", "Give pairs such as [[0.0, 0.0], [1.0, 0.8]], or leave it out."
        )
        return
    fractions = [fraction for fraction, _ in collapse.timing]
    if any(after <= before for before, after in pairwise(fractions)):
        yield Fault(
            "collapse.timing",
            "the fractions do not ascend",
            "Give pairs (fraction across the building, seconds), the fractions rising from 0 to 1.",
        )
    trigger = collapse.start + min(seconds for _, seconds in collapse.timing) * shot.fps
    if trigger > last:
        late = f" plus {trigger - collapse.start:.0f} frames of timing" if trigger > collapse.start else ""
        yield Fault(
            "collapse.start",
            f"the first support goes at frame {collapse.start}{late}, after the last frame ({last})",
            f"Give a frame from {first} to {last}, or a later last frame.",
        )
