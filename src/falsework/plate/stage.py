"""The solve: from a picture and what the shot says of it to a `Plate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.images import read_exif, read_matte, read_picture
from falsework.plate.camera import Camera
from falsework.plate.cleanplate import make_clean
from falsework.plate.completion import complete_facade
from falsework.plate.facades import Walls, build_facades, check_quad, neighbour_planes
from falsework.plate.framing import Framing, framing
from falsework.plate.grain import measure_grain, measure_softness
from falsework.plate.light import estimate_light
from falsework.plate.occluders import make_occluders
from falsework.plate.plate import Facade, Image, Plate
from falsework.plate.rims import behind_rims, settle_rims
from falsework.plate.settings import (
    FacadeSettings,
    LightSettings,
    NeighbourSettings,
    OccluderSettings,
    PlateSettings,
)
from falsework.plate.solve import Solve, solve_camera
from falsework.plate.windows import find_windows, marked_windows
from falsework.progress import Progress, silent

__all__ = ["make_plate"]

Array = npt.NDArray[np.float64]

STEPS = 7
SOLVE_WIDTH = 2600  # pixels: edges are looked for in a picture no wider
ROOF = 5.0  # metres above the cornice that the facade's picture reaches, as far as the plate ends below them
MOST_PAD = 0.8  # of the picture's height, rows above it


def make_plate(
    plate: PlateSettings,
    facades: Sequence[FacadeSettings],
    neighbours: Sequence[NeighbourSettings],
    occluders: Sequence[OccluderSettings],
    light: LightSettings,
    *,
    base: Path,
    progress: Progress = silent,
) -> Plate:
    """Camera, walls, light, occluders and clean plate of one picture.

    `base` is the folder that file names in the settings are relative to. Raises FalseworkError for pictures
    that cannot be read, corners that cannot be walls, and edges that do not settle the camera.
    """
    if not facades:
        raise FalseworkError(
            "there is no facade",
            where="[[facades]]",
            todo="Give the corners of at least one wall of the building.",
        )
    file = read_picture(base / plate.file, plate.colour_space)
    frame = framing(file, plate, read_exif(base / plate.file), where="[plate]")
    original = frame.delivered(file)
    picture = frame.working(file) if frame.lens.bends else original
    progress(1, STEPS)
    quads = [_corners(wall, frame, f"[[facades]] {n + 1} ({wall.name})") for n, wall in enumerate(facades)]
    house_quads = [
        _corners(house, frame, f"[[neighbours]] {n + 1} ({house.name})", mostly_seen=False)
        for n, house in enumerate(neighbours)
    ]
    solved = _solved(picture, quads, frame)
    walls = build_facades(quads, facades, solved.camera, where="[[facades]]")
    houses = neighbour_planes(house_quads, neighbours, walls, where="[[neighbours]]")
    progress(2, STEPS)

    def matte_of(file: str, where: str) -> Image:
        return _of_file(read_matte(base / file), frame, where)

    opacity, depth = make_occluders(
        picture, list(occluders), frame.to_working, walls.camera, walls.facades, matte_of
    )
    progress(3, STEPS)
    fronts = tuple(
        _windows(picture, opacity, wall, setting, walls.camera, frame)
        for wall, setting in zip(walls.facades, facades, strict=True)
    )
    lit = estimate_light(picture, fronts, walls.camera, light, to_working=frame.to_working)
    progress(4, STEPS)
    pad = _rows_above(walls.camera, fronts)
    matte = matte_of(plate.building_matte, "[plate] building_matte") if plate.building_matte else None
    facade, building = complete_facade(picture, opacity, fronts, walls.camera, matte, pad_top=pad)
    if not building[pad:].any():
        raise FalseworkError(
            "the matte leaves nothing of the building",
            where="[plate] building_matte",
            todo="Paint white what falls: the facades, and the roof above them.",
        )
    opacity, facade[pad:] = settle_rims(
        picture, opacity, behind_rims(picture, opacity, facade[pad:], building[pad:])
    )
    depth = np.where(opacity > 0.0, depth, np.float32(np.inf))
    progress(5, STEPS)
    own_clean = (
        _of_file(read_picture(base / plate.clean, plate.colour_space), frame, "[plate] clean")
        if plate.clean
        else None
    )
    clean, clean_depth, planes = make_clean(
        picture, building[pad:], opacity, walls.camera, fronts, houses, lit, user_clean=own_clean
    )
    progress(6, STEPS)
    result = Plate(
        picture=picture,
        facade=facade,
        building=building,
        pad_top=pad,
        clean=clean,
        occluder=opacity,
        occluder_depth=depth,
        clean_depth=clean_depth,
        camera=walls.camera,
        facades=fronts,
        set_planes=tuple(planes),
        light=lit,
        grain=measure_grain(original),
        softness=measure_softness(original),
        lens=frame.lens,
        original=original,
        measures=_measures(solved, walls, frame),
    )
    progress(STEPS, STEPS)
    return result


def _windows(
    picture: Image, opacity: Image, wall: Facade, setting: FacadeSettings, camera: Camera, frame: Framing
) -> Facade:
    """A wall with the openings its settings mark, or else with those that are found."""
    if not setting.openings:
        return find_windows(picture, wall, camera, setting.bays, opacity)
    boxes = np.array(setting.openings, dtype=np.float64)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
    return marked_windows(frame.to_working(corners).reshape(-1, 4, 2), wall, camera)


def _corners(
    wall: FacadeSettings | NeighbourSettings, frame: Framing, where: str, *, mostly_seen: bool = True
) -> Array:
    """A quad (4, 2) in working pixels, checked against the delivered part of the file."""
    origin = np.asarray(frame.corner)
    size = np.array([frame.lens.width, frame.lens.height]) / np.asarray(frame.scale)
    quad = np.asarray(wall.corners, dtype=np.float64)
    check_quad(
        [(float(x), float(y)) for x, y in quad - origin],
        (round(size[0]), round(size[1])),
        where=f"{where} corners",
        mostly_seen=mostly_seen,
    )
    working = frame.to_working(quad)
    side = np.roll(working, -1, axis=0) - working
    after = np.roll(side, -1, axis=0)
    turn = side[:, 0] * after[:, 1] - side[:, 1] * after[:, 0]
    if not (turn > 0).all():  # not finite, or no longer convex
        raise FalseworkError(
            "the coefficients fold the picture over itself",
            where="[plate.lens] coefficients",
            todo="Check their signs and order (brown: k1, k2, p1, p2, k3; fisheye: k1 to k4).",
        )
    return working


def _solved(picture: Image, quads: list[Array], frame: Framing) -> Solve:
    """The camera of the working picture, found on a smaller copy where it is large."""
    height, width = picture.shape[:2]
    shrink = min(1.0, SOLVE_WIDTH / width)
    small = picture
    if shrink < 1:
        size = (round(width * shrink), round(height * shrink))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    exact = small.shape[1] / width
    solved = solve_camera(
        small,
        quads=[quad * exact for quad in quads],
        centre=(frame.centre[0] * exact, frame.centre[1] * exact),
        focal=None if frame.focal is None else frame.focal * exact,
        expected_focal=None if frame.expected_focal is None else frame.expected_focal * exact,
        where="[plate]",
    )
    camera = replace(
        solved.camera, width=width, height=height, focal=solved.camera.focal / exact, centre=frame.centre
    )
    return replace(solved, camera=camera)


def _rows_above(camera: Camera, facades: tuple[Facade, ...]) -> int:
    """How many rows above the frame the building reaches, roof included."""
    tops = [
        facade.point(across, facade.height + ROOF) for facade in facades for across in (0.0, facade.width)
    ]
    pixels, depth = camera.project(np.array(tops))
    highest = float(pixels[depth > 0, 1].min(initial=0.0))
    return int(np.clip(np.ceil(-highest), 0, MOST_PAD * camera.height))


def _of_file(image: Image, frame: Framing, where: str) -> Image:
    """A matte or clean plate that must have the plate's own size, in the working frame."""
    if (image.shape[1], image.shape[0]) != frame.file_size:
        raise FalseworkError(
            "is {}x{} pixels, the plate {}x{}".format(image.shape[1], image.shape[0], *frame.file_size),
            where=where,
            todo="Give a picture of the plate's own size.",
        )
    return frame.working(image)


def _measures(solved: Solve, walls: Walls, frame: Framing) -> dict[str, float]:
    camera = walls.camera
    per_file_pixel = camera.focal / frame.scale[0]
    if frame.lens.bends:
        per_file_pixel *= frame.lens.focal / frame.lens.working_focal
    return {
        "focal_35mm": 36 * per_file_pixel / frame.file_size[0],
        "focal_spread": solved.focal_spread,
        "pitch_up": float(np.degrees(solved.pitch)),
        "roll": float(np.degrees(solved.roll)),
        "camera_height": float(camera.position[2]),
        "reprojection_error": walls.reprojection_error,
        "upright_edges": float(solved.uprights),
        "level_edges": float(solved.levels),
    }
