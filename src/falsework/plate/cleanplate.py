"""The place without the building: sky, party walls, ground and what lies behind, in the plate's light."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.depths import nearest_depth
from falsework.plate.facades import Neighbour
from falsework.plate.party_wall import ground_texture, party_texture
from falsework.plate.plate import Facade, Image, Light, SetPlane
from falsework.plate.rear import draw_rear, rear_walls
from falsework.plate.set_walls import (
    HAZE,
    NEAREST,
    UP,
    Layer,
    Wall,
    centred,
    fit,
    plane_matrix,
    show,
    sunlit,
)
from falsework.plate.sky import fill_sky, find_sky
from falsework.plate.street_walls import show_street_walls
from falsework.seeds import generator

__all__ = ["make_clean"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BEFORE = 1.2  # metres that a party wall is drawn before the street line; the matte cuts it off
THREADS = 2  # at work on the set's pieces
MARGIN = 3  # pixels that the new picture may reach beyond the building's matte
SOFTNESS = 0.6  # pixels, of a lens and demosaicing, at 1920


def make_clean(
    picture: Image,
    building: Image,
    occluder: Image,
    camera: Camera,
    facades: tuple[Facade, ...],
    neighbours: Sequence[Neighbour],
    light: Light,
    *,
    user_clean: Image | None = None,
) -> tuple[Image, Image, tuple[SetPlane, ...]]:
    """What is seen when the building (matte (H, W)) is gone: clean (H, W, 3), depth (H, W), set planes.

    `clean` is `picture` itself further than 3 pixels from the building; inside, a set built from the solved
    planes (or the user's own clean plate (H, W, 3)). Depth in metres along the optical axis, infinite for
    sky, is the set's everywhere. Set planes: neighbours' street walls, party walls, rear walls.
    """
    _height, _width = picture.shape[:2]
    near = (
        cv2.dilate((building > 0.0).astype(np.uint8), np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)) > 0
    )
    share = cv2.GaussianBlur(cv2.dilate(building, np.ones((5, 5), np.uint8)), (0, 0), 0.6)
    share = np.where(near, np.clip(share * 1.04, 0.0, 1.0), 0.0).astype(np.float32)
    share = np.where(building > 0.0, 1.0, share)
    # what stands before the margin is not taken apart there, so it must not be painted over
    share = np.where((building == 0.0) & (occluder > 0.0), 0.0, share).astype(np.float32)
    walls = tuple(_street_wall(neighbour) for neighbour in neighbours)
    sky = find_sky(picture, camera, (building > 0.0) | (occluder > 0.02))
    stage = [
        _party_wall(neighbour, _rise(neighbour, camera, sky, building), number, camera)
        for number, neighbour in enumerate(neighbours)
        if neighbour.party_wall != "none"
    ]
    rear = rear_walls(camera, facades, neighbours)
    new = user_clean
    if new is None:
        new = _paint(picture, near, sky, camera, facades, neighbours, stage, rear, light)
        show_street_walls(new, picture, near, occluder, camera, neighbours)
    clean = picture + share[..., None] * (new - picture)
    clean = np.where((share >= 1.0)[..., None], new, np.where(near[..., None], clean, picture)).astype(
        np.float32
    )
    planes = (*walls, *(wall.plane for wall in stage), *(wall.plane for wall in rear))
    depth = _depth(camera, planes, stage, sky & ~near)
    return clean, depth, planes


def _street_wall(neighbour: Neighbour) -> SetPlane:
    return SetPlane(
        name=neighbour.name,
        origin=neighbour.origin,
        u=neighbour.right * neighbour.width,
        v=UP * neighbour.height,
        thickness=neighbour.depth,
    )


def _party_wall(neighbour: Neighbour, rise: float, number: int, camera: Camera) -> Wall:
    """The neighbour's wall at the shared end. Its u runs so that u x v faces the gap."""
    inward = -neighbour.normal
    depth = neighbour.depth
    if neighbour.party_wall == "right":
        foot = neighbour.origin + neighbour.right * neighbour.width
        origin, along = foot, inward
    else:
        foot = neighbour.origin
        origin, along = foot + inward * depth, -inward
    high = neighbour.height
    # the mansard's front edge is the neighbour's own, seen in the picture: the outline starts before it
    front = -BEFORE
    # and goes on at the same height in the picture, or it would stand out as a spike
    far, near = (
        float((foot + back * inward - camera.position) @ camera.rotation[2]) for back in (0.9, front)
    )
    eye = float(camera.position[2])
    front_top = eye + (high + rise - eye) * max(near, 0.0) / max(far, 1e-3) if far > near else high + rise
    profile = np.array(
        [
            [front, 0.0],
            [depth, 0.0],
            [depth, high],
            [depth - 0.9, high + rise],
            [depth / 2, high + rise + 0.9],
            [0.9, high + rise],
            [front, front_top],
        ]
    )
    if neighbour.party_wall != "right":
        profile[:, 0] = depth - profile[:, 0]
    plane = SetPlane(
        name=f"{neighbour.name} party wall",
        origin=np.asarray(origin, dtype=np.float64),
        u=np.asarray(along * depth, dtype=np.float64),
        v=UP * high,
        thickness=neighbour.width,
    )
    return Wall(plane, profile, ("party wall", number))


def _house(neighbour: Neighbour) -> list[Wall]:
    """The four walls of a house that stays, as what casts shadows."""
    deep = np.asarray(-neighbour.normal * neighbour.depth, dtype=np.float64)
    wide = np.asarray(neighbour.right * neighbour.width, dtype=np.float64)
    walls = []
    for number, (foot, u) in enumerate(
        (
            (neighbour.origin, wide),
            (neighbour.origin + wide, deep),
            (neighbour.origin + deep, wide),
            (neighbour.origin, deep),
        )
    ):
        length, high = float(np.linalg.norm(u)), neighbour.height + 1.5
        plane = SetPlane(name=neighbour.name, origin=foot, u=u, v=UP * high, thickness=0.3)
        outline = np.array([[0.0, 0.0], [length, 0.0], [length, high], [0.0, high]])
        walls.append(Wall(plane, outline, ("house", number)))
    return walls


def _rise(neighbour: Neighbour, camera: Camera, sky: Mask, building: Image) -> float:
    """Metres by which a neighbour's roof rises above its street wall at the shared end: up to where the
    picture shows sky just beside the falling building."""
    side = 1.0 if neighbour.party_wall == "right" else -1.0
    foot = (
        neighbour.origin + neighbour.right * (neighbour.width if side > 0 else 0.0) - 0.7 * neighbour.normal
    )
    rises = np.arange(0.0, 6.0, 0.05)
    pixels, depth = camera.project(foot + (neighbour.height + rises)[:, None] * UP)
    height, width = sky.shape
    for rise, (x, y), z in zip(rises, pixels, depth, strict=True):
        column, row = int(x), int(y)
        if z <= 0 or not (0 <= column < width) or row < 0 or row >= height:
            continue
        # step sideways off the falling building, then ask for sky
        while 0 <= column < width and building[row, column] > 0.0:
            column -= int(side)
        beside = column - int(side * 0.004 * width)
        if 0 <= beside < width and sky[row, beside]:
            return float(np.clip(rise, 0.3, 4.5))
    return 1.5


def _paint(
    picture: Image,
    near: Mask,
    sky: Mask,
    camera: Camera,
    facades: tuple[Facade, ...],
    neighbours: Sequence[Neighbour],
    stage: Sequence[Wall],
    rear: Sequence[Wall],
    light: Light,
) -> Image:
    """The whole set, painted from the back to the front (H, W, 3)."""
    height, width = picture.shape[:2]
    box = cv2.boundingRect(near.astype(np.uint8))
    # the sky about the building tells how it goes on behind it; what is further away need not be looked at
    margin = width // 5
    around = np.s_[
        max(box[1] - margin, 0) : box[1] + box[3] + margin, max(box[0] - margin, 0) : box[0] + box[2] + margin
    ]
    canvas = picture.copy()
    canvas[around] = fill_sky(picture[around], sky[around], near[around])
    beside = _beside(picture, near, sky)
    canvas[beside[0]] = beside[1]
    haze = np.asarray(canvas[near].mean(axis=0))
    haze = 0.35 * haze + 0.35 * haze.mean()
    view = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    soft = max(0.45, SOFTNESS * width / 1920)
    levels = max(facades, key=lambda facade: facade.height).levels if facades else np.array([0.0, 3.2])
    new = np.zeros_like(picture)
    solid = np.zeros((height, width), np.float32)
    casters = [wall for neighbour in neighbours for wall in _house(neighbour)]

    def ground() -> list[Layer]:
        return [_ground(camera, facades, view, light, haze, casters)]

    def rear_layers() -> list[Layer]:
        return draw_rear(rear, camera, view, light, haze, 24.0 * width / 1920, casters)

    def party_wall(wall: Wall) -> list[Layer]:
        random = generator(0, "plate", *wall.seed)
        top = float(wall.outline[:, 1].max())
        density = min(64.0 * width / 1920, 1600.0 / top)
        depth = float(np.linalg.norm(wall.plane.u))
        albedo = party_texture(depth, float(np.linalg.norm(wall.plane.v)), top, levels, density, random)
        if wall.outline[0, 0] > 0.0:  # its street end lies at the end of u
            albedo = albedo[:, ::-1]
        return show(wall, albedo, density, camera, view, light, haze, casters)

    pieces = [ground, rear_layers, *(partial(party_wall, wall) for wall in stage)]
    with ThreadPoolExecutor(THREADS) as pool:  # each by itself, to the same bits in any order
        order = [layer for drawn in pool.map(lambda piece: piece(), pieces) for layer in drawn]
    for layer in order:
        x0, y0, x1, y1 = layer.view
        part = np.s_[y0:y1, x0:x1]
        cover = layer.cover[..., None]
        new[part] += (layer.colour - new[part]) * cover
        solid[part] += (1.0 - solid[part]) * layer.cover
    part = np.s_[view[1] : view[3], view[0] : view[2]]
    white = float(np.percentile(picture[::4, ::4].max(axis=2), 98))
    blurred = np.asarray(cv2.GaussianBlur(new[part], (0, 0), soft), np.float32)
    drawn = _shoulder(blurred, 0.45 * white, 0.95 * white)
    cover = np.asarray(cv2.GaussianBlur(solid[part], (0, 0), soft), np.float32)[..., None]
    drawn = _add_grain(drawn, picture, near)
    canvas[part] = canvas[part] * (1.0 - cover) + drawn
    return canvas


def _shoulder(values: Image, start: float, limit: float) -> Image:
    """Bends what is brighter than `start` so that it stays below `limit`: as bright as the plate at most."""
    span = max(limit - start, 1e-6)
    bent = start + span * (1.0 - np.exp(-np.maximum(values - start, 0.0) / span))
    return np.asarray(np.where(values > start, bent, values), np.float32)


def _beside(picture: Image, near: Mask, sky: Mask) -> tuple[Mask, Image]:
    """Inside the matte next to a neighbour, before its party wall begins, its street wall goes on."""
    outside = cv2.dilate(near.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    distance, labels = cv2.distanceTransformWithLabels(
        (~outside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(outside)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels[rows, columns]] = np.arange(rows.size)
    take = near & (distance < 14.0)
    source = nearest[labels[take]]
    solid = ~cv2.dilate(sky.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)[
        rows[source], columns[source]
    ]
    where = take.copy()
    where[take] = solid
    return where, picture[rows[source[solid]], columns[source[solid]]]


def _ground(
    camera: Camera,
    facades: tuple[Facade, ...],
    view: tuple[int, int, int, int],
    light: Light,
    haze: Array,
    casters: Sequence[Wall],
) -> Layer:
    """The footprint and the courtyard as far as the eye reaches."""
    x0, y0, x1, y1 = view
    centre = (
        np.mean([facade.point(facade.width / 2, 0.0) for facade in facades], axis=0)
        if facades
        else np.array([0.0, 25.0, 0.0])
    )
    density = 14.0
    half = 45.0
    albedo = ground_texture(2 * half, 2 * half, density, generator(0, "plate", "ground"))
    step = 4
    size_m = np.arange(0, albedo.shape[0], step) / density
    points = np.zeros((size_m.size, size_m.size, 3))
    points[..., 0] = centre[0] - half + size_m[None, :]
    points[..., 1] = centre[1] + half - size_m[:, None]
    lit = sunlit(points, light, casters)[..., None] * max(float(light.sun_direction[2]), 0.0)
    energy = cv2.resize((0.7 * light.sky + lit * light.sun).astype(np.float32), albedo.shape[1::-1])
    radiance = (albedo * energy / np.float32(np.pi)).astype(np.float32)
    corners = np.array(
        [[0.0, 0.0], [albedo.shape[1], 0.0], [albedo.shape[1], albedo.shape[0]], [0.0, albedo.shape[0]]]
    )
    start = np.array([centre[0] - half, centre[1] + half, 0.0])
    local = np.stack([corners[:, 0] / density, -corners[:, 1] / density], axis=1)
    east, north = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    matrix = plane_matrix(start, east, north, camera, x0, y0) @ fit(corners, local)
    size = (x1 - x0, y1 - y0)
    colour = cv2.warpPerspective(
        cv2.GaussianBlur(radiance, (0, 0), 1.0),
        centred(matrix),
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    grid = np.stack(np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5), axis=-1)
    slope = camera.rays(grid)[..., 2]
    cover = (slope < -1e-3).astype(np.float32)
    far = (1.0 - np.exp(-camera.position[2] / np.maximum(-slope, 1e-3) / HAZE))[..., None]
    return Layer(view, np.asarray(colour * (1 - far) + haze * far, np.float32), cover)


def _add_grain(new: Image, picture: Image, near: Mask) -> Image:
    """The plate's grain on painted surfaces: its deviation is measured in the plate's flattest places."""
    step = max(1, picture.shape[0] // 900)  # strips are enough to measure by
    strips = [picture[top : top + 64] for top in range(0, picture.shape[0], 64 * step)]
    sample, away = (
        np.concatenate(strips),
        ~np.concatenate([near[top : top + 64] for top in range(0, picture.shape[0], 64 * step)]),
    )
    middle = cv2.GaussianBlur(sample, (0, 0), 1.6)
    rest = sample - middle
    level = np.maximum(middle, 1e-4)
    slope = cv2.GaussianBlur(np.abs(cv2.Laplacian(middle.mean(axis=2), cv2.CV_32F)), (0, 0), 2.0)
    flat = away & (slope < np.percentile(slope[away] if away.any() else slope, 25))
    if not flat.any():
        return new
    sigma = 1.4826 * np.median(np.abs(rest[flat]) / np.sqrt(level[flat]), axis=0)
    random = generator(0, "plate", "clean grain")
    noise = random.standard_normal(new.shape, dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.55) * 1.6
    return np.asarray(np.maximum(new + noise * sigma * np.sqrt(np.maximum(new, 0.0)), 0.0), np.float32)


def _depth(camera: Camera, planes: Sequence[SetPlane], stage: Sequence[Wall], sky: Mask) -> Image:
    """Depth (H, W) of the set's surfaces, infinite for sky."""
    tops = {wall.plane.name: float(wall.outline[:, 1].max()) for wall in stage}
    lengths = [float(np.linalg.norm(plane.u)) for plane in planes]
    alongs = [plane.u / length for plane, length in zip(planes, lengths, strict=True)]
    spans = [
        (length, -0.1, tops.get(plane.name, float(plane.v[2])))
        for plane, length in zip(planes, lengths, strict=True)
    ]
    depth = nearest_depth(
        camera,
        np.array([plane.origin for plane in planes]).reshape(-1, 3),
        np.array(alongs).reshape(-1, 3),
        np.array(spans).reshape(-1, 3),
        least=NEAREST,
        ground=True,
    )
    depth[sky] = np.inf
    return np.asarray(depth, np.float32)
