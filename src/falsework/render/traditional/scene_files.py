"""What Cycles is told of a shot: one description, one file of arrays, pictures; and the chips of each frame.

Everything that needs arithmetic is worked out here, because a Blender may come without NumPy.
"""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.building.materials import MATERIALS
from falsework.collapse.motion import Motion
from falsework.media.arrays import write_arrays
from falsework.media.exr import write_exr
from falsework.plate.camera import Camera
from falsework.plate.plate import Light, Plate, SetPlane
from falsework.render.cryptomatte import fragment_name
from falsework.render.noise import lobe_noise

__all__ = [
    "camera_job",
    "ground_albedo",
    "hash3",
    "light_job",
    "looks",
    "plane_job",
    "single_scattering",
    "write_noise",
    "write_picture",
    "write_scene",
]

Float = npt.NDArray[np.float32]

NOISE_SIZE, NOISE_COLUMNS, NOISE_ROWS = 72, 9, 8
SUN_ANGLE = np.radians(0.53)  # of its disc
SHADE_REACH = 600.0  # metres that what shades the place is wide
GROUND_ALBEDO = (0.02, 0.6)
BEFORE, BLIND = 0.4, 0.06  # metres before an occluder, and before the camera
PLAIN_ALBEDO = 0.3  # of a set plane that the clean plate does not show

# Wall colours of rooms, relative to the material's own albedo (material.glsl).
PAPER = np.array(
    [
        [1.15, 1.08, 0.92], [0.78, 0.98, 0.88], [1.20, 0.86, 0.72], [0.80, 0.92, 1.18],
        [1.22, 1.16, 1.02], [1.12, 0.98, 0.55], [0.95, 0.72, 0.74], [1.00, 1.02, 1.05],
    ],
    np.float32,
)  # fmt: skip


def hash3(x: Any, y: Any, z: Any) -> Float:
    """(N, 3) numbers in 0..1 from whole ones, as hash.glsl (Jarzynski and Olano's pcg3d) gives them."""
    v = [np.atleast_1d(np.asarray(part, np.uint32)) for part in np.broadcast_arrays(x, y, z)]
    v = [part * np.uint32(1664525) + np.uint32(1013904223) for part in v]

    def stir() -> None:
        v[0] = v[0] + v[1] * v[2]
        v[1] = v[1] + v[2] * v[0]
        v[2] = v[2] + v[0] * v[1]

    stir()
    v = [part ^ (part >> np.uint32(16)) for part in v]
    stir()
    return (np.stack(v, axis=-1) >> np.uint32(8)).astype(np.float32) / np.float32(16777216.0)


def box_map(places: Float, normals: Float) -> Float:
    """Flat places (F, 3, 2) in metres of triangles' corners (F, 3, 3) seen along their normals' longest
    axis."""
    size = np.abs(normals)
    along_z = size[:, 2] > np.maximum(size[:, 0], size[:, 1])
    along_x = ~along_z & (size[:, 0] > size[:, 1])
    first = np.where(along_x, 1, 0)
    second = np.where(along_z, 1, 2)
    rows = np.arange(len(places))[:, None]
    corners = np.arange(3)[None]
    return np.stack([places[rows, corners, first[:, None]], places[rows, corners, second[:, None]]], axis=-1)


def camera_job(camera: Camera) -> dict[str, Any]:
    return camera.to_json()


def looks() -> list[dict[str, Any]]:
    """How each material looks, in the order of MATERIALS."""
    return [
        {"name": m.name, "albedo": list(m.albedo), "tile": m.tile, "texture": m.texture} for m in MATERIALS
    ]


def lit(light: Light, place: npt.ArrayLike) -> float:
    """1 where the sun reaches a place past what shades it from outside the picture, else 0."""
    return float(not light.shade.any() or np.asarray(place) @ light.shade[:3] + light.shade[3] >= 0)


def light_job(light: Light, middle: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Sun, sky, and the corners of what shades the place around `middle`, as far off as its edge is soft."""
    sun = np.asarray(light.sun_direction, np.float64)
    shade = None
    size = float(np.linalg.norm(light.shade[:3]))
    if size > 0:
        normal = light.shade[:3] / size
        foot = middle - (middle @ normal + light.shade[3] / size) * normal
        edge = foot + max(light.shade_softness, 0.1) / SUN_ANGLE * sun
        aside = np.cross(normal, sun)
        aside *= SHADE_REACH / np.linalg.norm(aside)
        down = -SHADE_REACH * normal
        shade = [
            list(map(float, c))
            for c in (edge - aside, edge + aside, edge + aside + down, edge - aside + down)
        ]
    return {
        "sun": list(map(float, light.sun)),
        "sun_direction": list(map(float, sun)),
        "sun_angle": float(SUN_ANGLE),
        "sky_radiance": list(map(float, light.sky / np.pi)),
        "shade": shade,
    }


def ground_albedo(light: Light, place: npt.NDArray[np.float64]) -> list[float]:
    """Of ground that throws `light.bounce` back where it is lit as it is at `place`."""
    falls = light.sky + light.sun * max(float(light.sun_direction[2]), 0.0) * lit(light, place)
    return [float(part) for part in np.clip(light.bounce / np.maximum(falls, 1e-6), *GROUND_ALBEDO)]


def plane_job(plate: Plate) -> list[dict[str, Any]]:
    """Set planes with the albedo that the clean plate shows them to have, where it shows them."""
    return [
        {
            "name": plane.name,
            "corners": [
                list(map(float, corner))
                for corner in (
                    plane.origin,
                    plane.origin + plane.u,
                    plane.origin + plane.u + plane.v,
                    plane.origin + plane.v,
                )
            ],
            "albedo": _plane_albedo(plate, plane),
        }
        for plane in plate.set_planes
    ]


def _plane_albedo(plate: Plate, plane: SetPlane) -> list[float]:
    light = plate.light
    share = (np.arange(24) + 0.5) / 24
    s, t = (part.reshape(-1, 1) for part in np.meshgrid(share, share))
    places = plane.origin + s * plane.u + t * plane.v
    pixels, depth = plate.camera.project(places)
    height, width = plate.clean_depth.shape
    column, row = (np.clip(pixels, -1, 1e6)).astype(int).T
    within = (depth > 0.1) & (column >= 0) & (row >= 0) & (column < width) & (row < height)
    column, row, depth, places = column[within], row[within], depth[within], places[within]
    seen = np.abs(plate.clean_depth[row, column] - depth) < 0.02 * depth + 0.05
    if seen.sum() < 8:
        return [PLAIN_ALBEDO] * 3
    normal = np.cross(plane.u, plane.v)
    normal = normal / np.linalg.norm(normal)
    facing = max(float(normal @ light.sun_direction), 0.0)
    sunny = np.array([lit(light, place) for place in places[seen]])[:, None]
    falls = 0.5 * light.sky + 0.5 * light.bounce + facing * light.sun * sunny
    found = np.median(plate.clean[row[seen], column[seen]] * np.pi / np.maximum(falls, 1e-6), axis=0)
    return [float(part) for part in np.clip(found, 0.05, 0.7)]


def single_scattering(albedo: npt.ArrayLike, forward: float) -> list[float]:
    """Share of light that one grain scatters so that a thick cloud of such grains throws `albedo` of it back.

    After H. C. van de Hulst, "Multiple Light Scattering" (1980), as C. Kulla and A. Conty use it ("Revisiting
    Physically Based Shading at Imageworks", 2017); `forward` is the phase function's mean cosine.
    """
    wanted = np.clip(np.asarray(albedo, np.float64), 0.01, 0.99)
    # (1 - s)(1 - 0.139 s) = R (1 + 1.17 s), of which the root between 0 and 1.
    a, b, c = 0.139, -(1.139 + 1.17 * wanted), 1.0 - wanted
    s = (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
    return [float(part) for part in (1 - s * s) / (1 - forward * s * s)]


# ---- pictures --------------------------------------------------------------------------------------------


def write_picture(path: Path, image: npt.NDArray[Any]) -> None:
    """A picture (H, W, 1, 3 or 4) for Cycles, rows from the top, numbers as they are."""
    names = {1: "RRR", 3: "RGB", 4: "RGBA"}[image.shape[2]]
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
        names = "RGB"
    write_exr(path, {name: np.ascontiguousarray(image[..., n]) for n, name in enumerate(names)})


def write_noise(path: Path) -> dict[str, int]:
    """Slices of the noise side by side, each with a rim of its own other side, the first at the bottom
    left."""
    noise = lobe_noise(NOISE_SIZE)[..., :3]
    edge = NOISE_SIZE + 2
    sheet = np.zeros((edge * NOISE_ROWS, edge * NOISE_COLUMNS, 3), np.uint8)
    for number in range(NOISE_SIZE):
        row, column = divmod(number, NOISE_COLUMNS)
        slab = np.pad(noise[number], ((1, 1), (1, 1), (0, 0)), mode="wrap")
        sheet[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge] = slab
    path.write_bytes(
        np.asarray(cv2.imencode(".png", np.ascontiguousarray(sheet[::-1, :, ::-1]))[1]).tobytes()
    )
    return {"size": NOISE_SIZE, "columns": NOISE_COLUMNS, "rows": NOISE_ROWS}


def write_textures(folder: Path) -> dict[str, str]:
    """The materials' textures as `render.surfaces.material_textures` prepares them, 1 on average."""
    source = resources.files("falsework.render") / "textures"
    rows = list(csv.DictReader((source / "SOURCES.csv").read_text(encoding="utf-8").splitlines()))
    decoded = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
    files = {}
    for row in rows:
        coded = cv2.imdecode(np.frombuffer((source / row["file"]).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        linear = decoded[np.asarray(coded)[..., ::-1]]
        linear /= linear.mean((0, 1))
        contrast = np.float32(np.clip(0.16 / linear.std(), 1.0, 3.0))
        name = f"{Path(row['file']).stem}.exr"
        pixels = 2.0 * np.clip(0.5 + 0.5 * contrast * (linear - 1), 0.02, 2.0)
        # OpenGL's first row is a texture's bottom.
        write_picture(folder / name, pixels[::-1].astype(np.float16))
        files[row["file"]] = name
    return files


# ---- what stands before the building ---------------------------------------------------------------------


def curtain_depth(plate: Plate) -> Float:
    """(H, W) depth of occluders and of their rims, as falsework's renderer spreads them; infinite
    elsewhere."""
    known = (plate.occluder > 0) & np.isfinite(plate.occluder_depth)
    occluder = np.where(known, plate.occluder_depth, np.inf).astype(np.float32)
    rim = 2 * max(2, round(0.003 * plate.camera.width)) + 1
    spread = cv2.erode(occluder, np.ones((rim, rim), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(spread, np.float32)


def write_curtain(path: Path, camera: Camera, depth: Float) -> None:
    """The occluders as cards a little before them (dust may not draw their outline), and where there are none
    a card right before the camera, so that no work is done there.

    place (V, 3) in the world; corner (F, 3) of triangles.
    """
    step = max(1, round(camera.width / 480))
    height, width = depth.shape
    rows, columns = -(-height // step), -(-width // step)
    padded = np.full((rows * step, columns * step), np.inf, np.float32)
    padded[:height, :width] = depth
    nearest = padded.reshape(rows, step, columns, step).min((1, 3)).reshape(-1)
    place = np.where(np.isfinite(nearest), np.maximum(nearest - BEFORE, 0.5 * nearest), BLIND)
    y, x = (part.reshape(-1) for part in np.mgrid[:rows, :columns])
    corners = np.stack([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]]).transpose(2, 0, 1) * float(step)
    vertices = camera.position + camera.rays(corners) * place[:, None, None]
    first = 4 * np.arange(rows * columns, dtype=np.int32)[:, None]
    faces = np.concatenate([first + np.array(side, np.int32) for side in ([0, 1, 2], [0, 2, 3])])
    write_arrays(
        path, {"place": vertices.reshape(-1, 3).astype(np.float32), "corner": faces.astype(np.int32)}
    )


# ---- geometry --------------------------------------------------------------------------------------------


def write_scene(path: Path, fragments: Fragments, motion: Motion) -> None:
    """Meshes fragment by fragment, and the keys of what ever moves.

    vertex_start, face_start (N + 1,); local, rest (V, 3) about the centre and in the world; corner (F, 3)
    within the fragment; surface, broken (F,); flat (F, 3, 2); own, room, paper, centre (N, 3); moving (M,)
    fragments; keys (M, 7, T) place and quaternion w, x, y, z.
    """
    count = len(fragments)
    face_start = np.searchsorted(fragments.face_fragment, np.arange(count + 1)).astype(np.int32)
    vertices = len(fragments.vertices)
    key = fragments.face_fragment.astype(np.int64)[:, None] * vertices + fragments.faces
    unique, corner = np.unique(key.reshape(-1), return_inverse=True)
    owner = unique // vertices
    vertex_start = np.searchsorted(owner, np.arange(count + 1)).astype(np.int32)
    rest = fragments.vertices[unique % vertices].astype(np.float32)
    corner = corner.reshape(-1, 3) - vertex_start[fragments.face_fragment][:, None]
    places = fragments.vertices[fragments.faces]
    normals = np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0])
    number = np.arange(count)
    room = hash3(fragments.element.astype(np.int64) & 0x3FFF, 5, 11)
    moving = np.flatnonzero(motion.moved.any(0)).astype(np.int32)
    turn = motion.rotation[:, moving].astype(np.float32).copy()
    # The shorter way round between neighbouring frames.
    for frame in range(1, len(turn)):
        turn[frame, (turn[frame] * turn[frame - 1]).sum(-1) < 0] *= -1
    keys = np.concatenate([motion.position[:, moving], turn[..., 3:], turn[..., :3]], axis=-1)
    write_arrays(
        path,
        {
            "vertex_start": vertex_start,
            "face_start": face_start,
            "local": (rest - fragments.centre[owner]).astype(np.float32),
            "rest": rest,
            "corner": corner.astype(np.int32),
            "surface": fragments.face_surface.astype(np.int32),
            "broken": np.clip(fragments.face_broken, 0, 1).astype(np.float32),
            "flat": box_map(places, normals).astype(np.float32),
            "own": hash3(number, 17, 3),
            "room": room,
            "paper": PAPER[(room[:, 0] * 7.99).astype(int)],
            "centre": fragments.centre.astype(np.float32),
            "moving": moving,
            "keys": np.ascontiguousarray(keys.transpose(1, 2, 0), dtype=np.float32),
        },
    )


def scene_names(fragments: Fragments) -> list[str]:
    return [fragment_name(index) for index in range(len(fragments))]
