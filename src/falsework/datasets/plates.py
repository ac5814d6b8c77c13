"""Plates without a photograph: a street, a house and a sky drawn from a recipe, as a solved plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from falsework.building.fragments import SURFACE_PLATE, Fragments
from falsework.building.materials import MATERIALS
from falsework.datasets.draw import Drawn
from falsework.datasets.facades import PER_METRE, Painting, paint, tile_of, tiled
from falsework.datasets.rasters import SunDepths, look_up, seen_faces
from falsework.datasets.skies import Sky, light_of
from falsework.plate.camera import Camera
from falsework.plate.lens import Lens
from falsework.plate.plate import Facade, Light, Plate, SetPlane
from falsework.seeds import generator

__all__ = ["camera_of", "make_plate", "street"]

Image = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

OVER = 2  # samples of a pixel along each axis
PLANE_TILE = 3.0
FLUSH = 0.05  # metres: this near a facade's plane a face is the facade
YARD = 9.0  # metres behind the house


def camera_of(drawn: Drawn, size: tuple[int, int]) -> Camera:
    eye, pitch, focal = drawn.camera
    up = np.radians(pitch)
    forward = np.array([0.0, np.cos(up), np.sin(up)])
    right = np.array([1.0, 0.0, 0.0])
    return Camera(
        width=size[0],
        height=size[1],
        focal=focal,
        centre=(size[0] / 2, size[1] / 2),
        rotation=np.stack([right, np.cross(forward, right), forward]),
        position=np.array([0.0, 0.0, eye]),
    )


def street(drawn: Drawn, facades: tuple[Facade, ...]) -> tuple[SetPlane, ...]:
    """What stays: the houses beside, with the walls that the falling one leaned against, and one behind
    it."""
    planes: list[SetPlane] = []
    depth = drawn.building.depth
    up = np.array([0.0, 0.0, 1.0])
    for side, (facade, height) in enumerate(zip((facades[0], facades[-1]), drawn.neighbours, strict=True)):
        if height <= 0:
            continue
        foot = facade.point(-0.02 if side == 0 else facade.width + 0.02, 0.0)
        long = 14.0
        start = foot - long * facade.right if side == 0 else foot
        planes.append(SetPlane(f"house {side}", start, long * facade.right, height * up, 0.4))
        # Its wall towards the falling house, facing it.
        inward = -depth * facade.normal
        if side == 0:
            planes.append(SetPlane("party wall 0", foot, inward, height * up, 0.4))
        else:
            planes.append(SetPlane("party wall 1", foot + inward, -inward, height * up, 0.4))
    back = facades[0] if len(facades) == 1 else max(facades, key=lambda facade: facade.width)
    # Seen when the house has gone; as long as two streets.
    start = back.point(-16.0, 0.0, depth + YARD)
    random = generator(drawn.seed, "yard")
    tall = float(random.uniform(0.4, 0.95) * drawn.levels[-1])
    planes.append(SetPlane("house behind", start, (back.width + 32.0) * back.right, tall * up, 0.4))
    return tuple(planes)


@dataclass(frozen=True)
class _Hit:
    """What rays meet: depth (N,), normal (N, 3), albedo (N, 3), shares of sun and sky that relief leaves
    (N,), the share of the sky mirrored (N,), and whether it is the house (N,)."""

    depth: Array
    normal: Array
    albedo: Image
    sun: Array
    sky: Array
    mirror: Array
    house: npt.NDArray[np.bool_]


class _Place:
    """The street with and without the house."""

    def __init__(
        self,
        drawn: Drawn,
        camera: Camera,
        facades: tuple[Facade, ...],
        planes: tuple[SetPlane, ...],
        fragments: Fragments,
        light: Light,
        textures: dict[str, Image],
        sky: Sky,
        exposure: float,
    ) -> None:
        self.drawn, self.camera, self.facades, self.planes = drawn, camera, facades, planes
        self.fragments, self.light, self.textures = fragments, light, textures
        self.sky, self.exposure = sky, exposure
        self.paintings: list[Painting] = [
            paint(drawn, wall, textures, light.sun_direction) for wall in drawn.walls
        ]
        quads, corners = [], []
        for number, plane in enumerate(planes):
            a, u, v = plane.origin, plane.u, plane.v
            corners += [a, a + u, a + u + v, a + v]
            quads += [
                [4 * number, 4 * number + 1, 4 * number + 2],
                [4 * number, 4 * number + 2, 4 * number + 3],
            ]
        set_corners = np.array(corners, np.float64).reshape(-1, 3)
        set_faces = np.array(quads, np.int32).reshape(-1, 3)
        house = fragments.vertices.astype(np.float64)
        both = np.concatenate([house, set_corners])
        self._with = SunDepths(
            both, np.concatenate([fragments.faces, set_faces + np.int32(len(house))]), light.sun_direction
        )
        self._without = SunDepths(set_corners, set_faces, light.sun_direction) if len(set_faces) else None
        a, b, c = (house[fragments.faces[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        self.face_normal = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
        random = generator(drawn.seed, "place")
        self.tints = [np.exp(random.normal(0, 0.06, 3)) * random.uniform(0.6, 1.3) for _ in planes]

    def picture(self, pad_top: int, *, house: bool) -> tuple[Image, Image, Image]:
        """Radiance (H + pad_top, W, 3), depth (same, at the pixels' centres) and the house's coverage."""
        wide, high = self.camera.width, self.camera.height + pad_top
        rows, columns = np.mgrid[0 : high * OVER, 0 : wide * OVER].astype(np.float64)
        pixels = np.stack([(columns + 0.5) / OVER, (rows + 0.5) / OVER - pad_top], axis=-1)
        rays = self.camera.rays(pixels).reshape(-1, 3)
        hit = self._hit(rays, (high * OVER, wide * OVER), pad_top, house=house)
        colour = self._lit(rays, hit, house=house).reshape(high * OVER, wide * OVER, 3)
        cover = hit.house.reshape(high * OVER, wide * OVER).astype(np.float32)
        small = cv2.resize(colour, (wide, high), interpolation=cv2.INTER_AREA)
        share = cv2.resize(cover, (wide, high), interpolation=cv2.INTER_AREA)
        depth = hit.depth.reshape(high, OVER, wide, OVER)[:, OVER // 2, :, OVER // 2]
        return np.asarray(small, np.float32), depth.astype(np.float32), np.asarray(share, np.float32)

    def _hit(self, rays: Array, shape: tuple[int, int], pad_top: int, *, house: bool) -> _Hit:
        count = len(rays)
        eye = self.camera.position
        depth, normal = np.full(count, np.inf), np.zeros((count, 3))
        albedo, sun, sky = np.zeros((count, 3), np.float32), np.ones(count), np.ones(count)
        mirror, is_house = np.zeros(count), np.zeros(count, np.bool_)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(rays[:, 2] < -1e-6, -eye[2] / rays[:, 2], np.inf)
        ground = reach < 400.0
        depth[ground] = reach[ground]
        place = eye[:2] + rays[ground, :2] * reach[ground, None]
        name = self.drawn.ground
        # Far away a texture would only sparkle: its mean takes over.
        far = np.clip((reach[ground] - 25.0) / 40.0, 0, 1)[:, None].astype(np.float32)
        found = tiled(self.textures[name], 2.0 * tile_of(name), place)
        albedo[ground] = found * (1 - far) + self.textures[name].mean((0, 1)) * far
        normal[ground] = [0.0, 0.0, 1.0]
        for number, plane in enumerate(self.planes):
            self._meet_plane(number, plane, rays, depth, normal, albedo)
        if house:
            who, near = self._house(shape, pad_top)
            nearer = (who >= 0) & (near < depth)
            depth[nearer] = near[nearer]
            is_house = nearer
            self._dress(np.flatnonzero(nearer), who, rays, depth, normal, albedo, sun, sky, mirror)
        return _Hit(depth, normal, albedo, sun, sky, mirror, is_house)

    def _meet_plane(
        self, number: int, plane: SetPlane, rays: Array, depth: Array, normal: Array, albedo: Image
    ) -> None:
        eye = self.camera.position
        long, tall = float(np.linalg.norm(plane.u)), float(np.linalg.norm(plane.v))
        out = np.cross(plane.u, plane.v) / (long * tall)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = ((plane.origin - eye) @ out) / (rays @ out)
        reach = np.where(np.isfinite(reach) & (reach > 0.3), reach, 1e9)
        at = eye + rays * reach[:, None] - plane.origin
        x, z = at @ plane.u / long, at @ plane.v / tall
        met = (reach < depth) & (x >= 0) & (x <= long) & (z >= 0) & (z <= tall)
        if not met.any():
            return
        depth[met] = reach[met]
        normal[met] = out if (rays[met][0] @ out) < 0 else -out
        texture = self.textures[self.drawn.others[number % len(self.drawn.others)]]
        place = np.stack([x[met], z[met]], axis=-1)
        colour = tiled(texture, PLANE_TILE, place) * self.tints[number].astype(np.float32)
        if not plane.name.startswith("party"):
            # Windows of a house nobody looks at closely.
            across, up = np.abs(place[:, 0] % 2.7 - 1.35), place[:, 1] % 3.1
            pane = (across < 0.55) & (up > 1.0) & (up < 2.5) & (place[:, 1] < tall - 0.5)
            colour[pane] = 0.05
        albedo[met] = np.clip(colour, 0.02, 0.8)

    def _house(self, shape: tuple[int, int], pad_top: int) -> tuple[npt.NDArray[np.int32], Array]:
        place, depth = self.camera.project(self.fragments.vertices)
        place = (place + np.array([0.0, pad_top])) * OVER
        who, near = seen_faces(place, depth, self.fragments.faces, *shape)
        return who.reshape(-1), near.reshape(-1)

    def _dress(
        self,
        where: npt.NDArray[np.intp],
        who: npt.NDArray[np.int32],
        rays: Array,
        depth: Array,
        normal: Array,
        albedo: Image,
        sun: Array,
        sky: Array,
        mirror: Array,
    ) -> None:
        """What the house's own pixels are made of."""
        point = self.camera.position + rays[where] * depth[where, None]
        face = who[where]
        out = self.face_normal[face]
        out = np.where(((out * rays[where]).sum(-1) > 0)[:, None], -out, out)
        normal[where] = out
        surface = self.fragments.face_surface[face]
        materials = np.array([m.albedo for m in MATERIALS], np.float32)
        roofing = next(n for n, m in enumerate(MATERIALS) if m.name == "roofing")
        stuff = np.where(surface == SURFACE_PLATE, roofing, surface - 1)
        # Courses of tiles and layers of stone, so that a plain roof or side is not flat.
        rows = 0.85 + 0.3 * (np.floor(point[:, 2] / 0.22) * 0.618 % 1.0)
        albedo[where] = materials[stuff] * rows[:, None].astype(np.float32)
        for number, facade in enumerate(self.facades):
            away = point - facade.origin
            flat = (np.abs(away @ facade.normal) < FLUSH) & (out @ facade.normal > 0.98)
            painting = self.paintings[number]
            tall, wide = painting.sun.shape
            x = (away[flat] @ facade.right) * PER_METRE
            y = (facade.height - away[flat, 2]) * PER_METRE
            # A parapet above the cornice is as the wall below it.
            x, y = np.clip(np.abs(x), 0, wide - 1), np.clip(np.abs(y), 0, tall - 1)
            into = where[flat]

            albedo[into] = look_up(painting.albedo, x, y)
            sun[into], sky[into] = look_up(painting.sun, x, y), look_up(painting.sky, x, y)
            mirror[into] = look_up(painting.mirror, x, y)

    def _lit(self, rays: Array, hit: _Hit, *, house: bool) -> Image:
        light = self.light
        colour = self.sky.towards(rays, self.drawn.sky[1]) * np.float32(self.exposure)
        met = np.flatnonzero(np.isfinite(hit.depth))
        point = self.camera.position + rays[met] * hit.depth[met, None]
        normal = hit.normal[met]
        facing = np.maximum(normal @ light.sun_direction, 0.0) * hit.sun[met]
        lit = np.flatnonzero(facing > 0) if light.sun.any() else np.zeros(0, np.intp)
        shadows = self._with if house else self._without
        if shadows is not None and len(lit):
            facing[lit] *= shadows.seen(point[lit], normal[lit])
        up = (0.5 + 0.5 * normal[:, 2:]) * hit.sky[met, None]
        irradiance = (
            facing[:, None] * light.sun + up * light.sky + (1 - up) * light.bounce * hit.sky[met, None]
        )
        radiance = hit.albedo[met] * irradiance / np.pi
        mirrored = np.flatnonzero(hit.mirror[met] > 0)
        if len(mirrored):
            way = rays[met][mirrored]
            way = way - 2 * (way * normal[mirrored]).sum(-1, keepdims=True) * normal[mirrored]
            seen = self.sky.towards(way, self.drawn.sky[1]) * self.exposure
            # Panes are never quite flat, and houses stand opposite.
            radiance[mirrored] += hit.mirror[met][mirrored, None] * seen
        colour[met] = radiance
        return np.asarray(colour, np.float32)


def make_plate(
    drawn: Drawn,
    size: tuple[int, int],
    facades: tuple[Facade, ...],
    fragments: Fragments,
    textures: dict[str, Image],
    sky: Sky,
) -> Plate:
    """The plate of a drawn building whose pieces are known."""
    camera = camera_of(drawn, size)
    planes = street(drawn, facades)
    street_albedo = textures[drawn.ground].mean((0, 1)).astype(np.float64)
    light, exposure = light_of(drawn, sky, street_albedo)
    place = _Place(drawn, camera, facades, planes, fragments, light, textures, sky, exposure)
    tops, depth = camera.project(fragments.vertices)
    highest = float(tops[depth > 1.0, 1].min()) if (depth > 1.0).any() else 0.0
    pad_top = int(np.clip(np.ceil(-highest) + 2, 0, size[1]))
    with_house, _, cover = place.picture(pad_top, house=True)
    without, clean_depth, _ = place.picture(pad_top, house=False)
    # Beside the house the clean plate is the photograph, its shadow in the street with it.
    inside = cover[pad_top:, :, None] > 0
    picture = np.ascontiguousarray(with_house[pad_top:])
    clean = np.where(inside, without[pad_top:], picture).astype(np.float32)
    shape = picture.shape[:2]
    return Plate(
        picture=picture,
        facade=with_house,
        building=cover,
        pad_top=pad_top,
        clean=clean,
        occluder=np.zeros(shape, np.float32),
        occluder_depth=np.full(shape, np.inf, np.float32),
        clean_depth=np.ascontiguousarray(clean_depth[pad_top:]),
        camera=camera,
        facades=facades,
        set_planes=planes,
        light=light,
        grain=np.zeros(3),
        softness=0.5,
        lens=Lens("none", (), camera.focal, camera.centre, camera.width, camera.height),
        original=picture,
    )
