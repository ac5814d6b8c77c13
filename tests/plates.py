"""A plate made here, for tests that need a picture without a photograph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.lens import Lens
from falsework.plate.plate import Facade, Light, Plate, SetPlane
from scenes import street_camera

Array = npt.NDArray[np.float64]

# The tower of `scenes.brick_tower`: 4 x 3 x 6 cubes of 1.5 m.
TOWER_LOW = np.array([-3.0, 25.0, 0.0])
TOWER_HIGH = np.array([3.0, 29.5, 9.0])
GROUND_ALBEDO = np.array([0.20, 0.19, 0.18])
BRICK_ALBEDO = np.array([0.42, 0.24, 0.17])
SKY = np.array([0.32, 0.45, 0.75])


def afternoon_light() -> Light:
    """Sun from behind the camera's right shoulder, 40 degrees up."""
    azimuth, elevation = np.radians(130.0), np.radians(40.0)
    direction = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    return Light(
        sun_direction=direction,
        sun=np.array([3.0, 2.8, 2.5]),
        sky=np.array([0.70, 0.85, 1.10]),
        bounce=np.array([0.25, 0.24, 0.22]),
        shade=np.zeros(4),
    )


def _box(origin: Array, rays: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """How far along rays (..., 3) a box is met (infinite: never), and the axis of the face met."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - origin) / rays, (high - origin) / rays
    near, far = np.minimum(first, second), np.maximum(first, second)
    enter, leave = near.max(-1), far.min(-1)
    return np.where((enter < leave) & (leave > 1e-4), np.maximum(enter, 0.0), np.inf), near.argmax(-1)


def _trace(camera: Camera, pixels: Array, light: Light, tower: bool) -> tuple[Array, Array, Array]:
    """Colour (..., 3), depth (...) and whether the tower is hit (...), for pixel positions (..., 2)."""
    rays = camera.rays(pixels)
    with np.errstate(divide="ignore"):
        ground = np.where(rays[..., 2] < 0, -camera.position[2] / rays[..., 2], np.inf)
    wall, axis = _box(camera.position, rays, TOWER_LOW, TOWER_HIGH)
    hit = (wall < ground) & tower
    depth = np.where(hit, wall, ground)
    point = camera.position + rays * np.where(np.isfinite(depth), depth, 0.0)[..., None]
    normal = np.zeros_like(rays)
    normal[..., 2] = 1.0
    for number in range(3):
        face = np.zeros(3)
        face[number] = 1.0
        towards = -np.sign(rays[..., number])[..., None] * face
        normal = np.where((hit & (axis == number))[..., None], towards, normal)
    # Courses and joints, so that a texture that swims is seen.
    across = np.where(axis == 0, point[..., 1], point[..., 0])
    course = np.floor(point[..., 2] / 0.25)
    joint = (np.abs(point[..., 2] / 0.25 % 1 - 0.5) > 0.42) | (
        np.abs((across / 0.5 + 0.5 * (course % 2)) % 1 - 0.5) > 0.46
    )
    brick = np.where(joint[..., None], 1.25 * BRICK_ALBEDO, BRICK_ALBEDO)
    window = (np.abs(across / 1.5 % 1 - 0.5) < 0.2) & (np.abs(point[..., 2] / 1.5 % 1 - 0.5) < 0.3)
    brick = np.where(window[..., None], 0.06, brick)
    paving = (np.floor(point[..., 0]) + np.floor(point[..., 1])) % 2
    albedo = np.where(hit[..., None], brick, GROUND_ALBEDO * (0.9 + 0.2 * paving[..., None]))
    facing = np.maximum(normal @ light.sun_direction, 0.0)
    if tower:
        sunward = np.broadcast_to(light.sun_direction, rays.shape)
        shaded = _box(point + 1e-3 * normal, sunward, TOWER_LOW, TOWER_HIGH)[0]
        facing = np.where(np.isfinite(shaded) & ~hit, 0.0, facing)
    sky_share = 0.5 + 0.5 * normal[..., 2:]
    irradiance = facing[..., None] * light.sun + sky_share * light.sky + (1 - sky_share) * light.bounce
    colour = np.where(np.isfinite(depth)[..., None], albedo * irradiance / np.pi, SKY)
    return colour, depth, hit


def synthetic_plate(
    width: int = 480, height: int = 320, pad_top: int = 0, light: Light | None = None
) -> Plate:
    """A brick tower (`scenes.brick_tower`) on a paved ground under a plain sky, lit by Lambert's law.

    Edges are smooth (2 x 2 samples a pixel); the clean plate keeps the ground without the tower's shadow
    out of it (as a photograph would), so that only the tower's own pixels differ.
    """
    light = light or afternoon_light()
    camera = street_camera(width, height)
    rows, columns = np.mgrid[-pad_top:height, 0:width]
    with_tower = np.zeros((height + pad_top, width, 3))
    without = np.zeros((height + pad_top, width, 3))
    building = np.zeros((height + pad_top, width))
    for step in range(4):
        offset = np.array([step % 2 + 0.5, step // 2 + 0.5]) / 2
        pixels = np.stack([columns, rows], axis=-1) + offset
        colour, _, hit = _trace(camera, pixels, light, tower=True)
        with_tower += colour / 4
        without += np.where(hit[..., None], _trace(camera, pixels, light, tower=False)[0], colour) / 4
        building += hit / 4
    centres = np.stack([columns, rows], axis=-1)[pad_top:] + 0.5
    clean_depth = _trace(camera, centres, light, tower=False)[1]
    picture = with_tower[pad_top:].astype(np.float32)
    facade = Facade(
        name="front",
        origin=TOWER_LOW.copy(),
        right=np.array([1.0, 0.0, 0.0]),
        normal=np.array([0.0, -1.0, 0.0]),
        width=6.0,
        height=9.0,
        levels=np.array([0.0, 3.0, 6.0, 9.0]),
        windows=np.zeros((0, 4)),
    )
    return Plate(
        picture=picture,
        facade=with_tower.astype(np.float32),
        building=building.astype(np.float32),
        pad_top=pad_top,
        clean=without[pad_top:].astype(np.float32),
        occluder=np.zeros((height, width), np.float32),
        occluder_depth=np.full((height, width), np.inf, np.float32),
        clean_depth=clean_depth.astype(np.float32),
        camera=camera,
        facades=(facade,),
        set_planes=(
            SetPlane(
                name="neighbour",
                origin=np.array([14.0, 24.0, 0.0]),
                u=np.array([0.0, 12.0, 0.0]),
                v=np.array([0.0, 0.0, 8.0]),
                thickness=0.4,
            ),
        ),
        light=light,
        grain=np.full(3, 0.004),
        softness=0.6,
        lens=Lens("none", (), camera.focal, camera.centre, width, height),
        original=picture,
    )
