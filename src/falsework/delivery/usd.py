"""The collapse as a USD scene: fragments, camera, ground and set, for Houdini, Blender, Solaris.

The layer is authored through Sdf inside one change block: 2,000 fragments over 96 frames take a second or
two, where the schema classes take minutes.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pxr import Gf, Sdf, Tf, Vt

from falsework.building.fragments import SURFACE_PLATE, Fragments
from falsework.building.materials import MATERIALS
from falsework.collapse.motion import Motion
from falsework.media.atomic import whole_file
from falsework.media.colour import from_working
from falsework.plate.camera import Camera
from falsework.plate.plate import SetPlane
from falsework.render.cryptomatte import fragment_name

__all__ = ["write_usd"]

Float = npt.NDArray[np.float32]

GROUND_REACH = 200.0  # metres from the camera to the ground's edges
FILM_WIDTH = 0.036  # metres: the camera is written as a full-frame one, whose focal length people can read
CLIPPING = (0.1, 10_000.0)  # metres
PLATE_COLOUR = (0.45, 0.40, 0.35)  # displayColor, linear, of faces that carry the plate
SET_COLOUR = (0.30, 0.30, 0.30)


def write_usd(
    path: Path,
    fragments: Fragments,
    motion: Motion,
    camera: Camera,
    set_planes: Sequence[SetPlane],
    *,
    fps: float,
    first_frame: int,
    name: str,
) -> None:
    """Write the scene as one binary .usd. Metres, Z up; time codes are the shot's frame numbers.

        /World/Fragments/fragment_00000      Xform: translate and orient, sampled where it moves
        /World/Fragments/fragment_00000/mesh Mesh about the centre of mass, rest pose
        /World/Camera                        the working (undistorted) camera
        /World/Ground, /World/Set/…          what stays

    Names are those of the EXRs' Cryptomatte. Meshes carry `primvars:st`, the plate's projection at rest (0, 0
    is the picture's lower left corner; above 1 where the building rises out of the picture), `displayColor`
    by material, and `primvars:surface`, a whole number a face: 0 the plate's own pixels, else 1 + material
    (named in the stage's custom data). A fragment at rest has no samples; one that rests between moves, none
    in between. The file appears whole.
    """
    layer = Sdf.Layer.CreateAnonymous(".usdc")
    with Sdf.ChangeBlock():
        _stage_metadata(layer, fps, first_frame, motion.frames, name)
        _prim(layer, "/World", "Xform")
        _prim(layer, "/World/Fragments", "Xform")
        _author_meshes(layer, fragments, camera)
        _author_motion(layer, motion, first_frame)
        _author_camera(layer, camera)
        _author_quad(layer, "/World/Ground", _ground(camera), SET_COLOUR)
        _prim(layer, "/World/Set", "Xform")
        for index, plane in enumerate(set_planes):
            corners = plane.origin + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ np.stack([plane.u, plane.v])
            label = Tf.MakeValidIdentifier(plane.name) if plane.name else "plane"
            _author_quad(layer, f"/World/Set/{label}_{index}", corners, SET_COLOUR)
    with whole_file(path) as part:
        try:
            layer.Export(str(part))
        except Tf.ErrorException as error:
            full = "No space left" in str(error)
            large = "File too large" in str(error)
            number = errno.ENOSPC if full else errno.EFBIG if large else errno.EIO
            raise OSError(number, str(error).splitlines()[0]) from error


def _stage_metadata(layer: Sdf.Layer, fps: float, first_frame: int, frames: int, name: str) -> None:
    root = layer.pseudoRoot
    root.SetInfo("upAxis", "Z")
    root.SetInfo("metersPerUnit", 1.0)
    layer.defaultPrim = "World"
    layer.timeCodesPerSecond = float(fps)
    layer.framesPerSecond = float(fps)
    layer.startTimeCode = float(first_frame)
    layer.endTimeCode = float(first_frame + frames - 1)
    surfaces = {"0": "plate"} | {str(index + 1): material.name for index, material in enumerate(MATERIALS)}
    layer.customLayerData = {"falsework": {"shot": name, "surfaces": surfaces}}


def _prim(layer: Sdf.Layer, path: str, kind: str) -> Sdf.PrimSpec:
    prim = Sdf.CreatePrimInLayer(layer, path)
    prim.specifier = Sdf.SpecifierDef
    prim.typeName = kind
    return prim


def _attribute(
    prim: Sdf.PrimSpec, name: str, kind: Sdf.ValueTypeName, value: Any, *, uniform: bool = False
) -> Any:
    variability = Sdf.VariabilityUniform if uniform else Sdf.VariabilityVarying
    attribute = Sdf.AttributeSpec(prim, name, kind, variability)
    attribute.default = value
    return attribute


def _primvar(prim: Sdf.PrimSpec, name: str, kind: Sdf.ValueTypeName, value: Any, interpolation: str) -> None:
    _attribute(prim, f"primvars:{name}", kind, value).SetInfo("interpolation", interpolation)


def _author_meshes(layer: Sdf.Layer, fragments: Fragments, camera: Camera) -> None:
    types = Sdf.ValueTypeNames
    colours = _surface_colours()
    pixels, depth = camera.project(fragments.vertices)
    in_front = depth > 0.05
    texture = np.zeros((len(depth), 2), np.float32)
    texture[in_front] = pixels[in_front] / (camera.width, camera.height)
    texture[:, 1] = 1.0 - texture[:, 1]
    start = np.searchsorted(fragments.face_fragment, np.arange(len(fragments) + 1))
    for index in range(len(fragments)):
        prim = _prim(layer, f"/World/Fragments/{fragment_name(index)}/mesh", "Mesh")
        own = slice(start[index], start[index + 1])
        used, corners = np.unique(fragments.faces[own], return_inverse=True)
        points = fragments.vertices[used] - fragments.centre[index]
        surface = fragments.face_surface[own]
        _attribute(prim, "subdivisionScheme", types.Token, "none", uniform=True)
        _attribute(prim, "points", types.Point3fArray, _vectors(Vt.Vec3fArray, points))
        _attribute(prim, "faceVertexCounts", types.IntArray, _whole(np.full(len(surface), 3)))
        _attribute(prim, "faceVertexIndices", types.IntArray, _whole(corners.reshape(-1)))
        _attribute(prim, "extent", types.Float3Array, _vectors(Vt.Vec3fArray, _extent(points)))
        _primvar(prim, "st", types.TexCoord2fArray, _vectors(Vt.Vec2fArray, texture[used]), "vertex")
        _primvar(prim, "surface", types.IntArray, _whole(surface), "uniform")
        _primvar(
            prim, "displayColor", types.Color3fArray, _vectors(Vt.Vec3fArray, colours[surface]), "uniform"
        )


def _author_motion(layer: Sdf.Layer, motion: Motion, first_frame: int) -> None:
    """Translate and orient of each fragment: one default, and samples about the frames at which it moves."""
    types = Sdf.ValueTypeNames
    rotation = _continuous(motion.rotation)
    sampled = _sampled(motion.position, rotation)
    for index in range(motion.position.shape[1]):
        prim = _prim(layer, f"/World/Fragments/{fragment_name(index)}", "Xform")
        places = _vectors(Vt.Vec3fArray, motion.position[:, index])
        turns = [Gf.Quatf(w, x, y, z) for x, y, z, w in rotation[:, index].tolist()]
        translate = _attribute(prim, "xformOp:translate", types.Float3, places[0])
        orient = _attribute(prim, "xformOp:orient", types.Quatf, turns[0])
        _attribute(
            prim,
            "xformOpOrder",
            types.TokenArray,
            Vt.TokenArray(["xformOp:translate", "xformOp:orient"]),
            uniform=True,
        )
        for frame in np.flatnonzero(sampled[:, index]).tolist():
            layer.SetTimeSample(translate.path, float(first_frame + frame), places[frame])
            layer.SetTimeSample(orient.path, float(first_frame + frame), turns[frame])


def _sampled(position: Float, rotation: Float) -> npt.NDArray[np.bool_]:
    """(T, N) True where a pose differs from the frame before or after: enough for linear interpolation
    to hold it still everywhere else."""
    changes = (position[1:] != position[:-1]).any(axis=2) | (rotation[1:] != rotation[:-1]).any(axis=2)
    sampled = np.zeros(position.shape[:2], bool)
    sampled[1:] |= changes
    sampled[:-1] |= changes
    return sampled


def _continuous(rotation: Float) -> Float:
    """The same rotations with signs chosen so that neighbouring frames' quaternions lie close together, as
    importers that interpolate the four numbers expect."""
    if len(rotation) < 2:
        return rotation
    flips = np.where((rotation[1:] * rotation[:-1]).sum(axis=2) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones((1, rotation.shape[1])), np.cumprod(flips, axis=0)])
    return np.asarray(rotation * signs[..., None], dtype=np.float32)


def _author_camera(layer: Sdf.Layer, camera: Camera) -> None:
    """OpenCV's camera (x right, y down, z forward) as USD's (x right, y up, z backward).

    Apertures and focal length are in tenths of a scene unit, as UsdGeomCamera defines them; the principal
    point becomes aperture offsets (positive: right and up).
    """
    types = Sdf.ValueTypeNames
    prim = _prim(layer, "/World/Camera", "Camera")
    tenths = 10.0 * FILM_WIDTH / camera.width  # per pixel
    right, down, forward = np.asarray(camera.rotation, dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = right, -down, -forward
    matrix[3, :3] = camera.position
    _attribute(prim, "projection", types.Token, "perspective")
    _attribute(prim, "focalLength", types.Float, camera.focal * tenths)
    _attribute(prim, "horizontalAperture", types.Float, camera.width * tenths)
    _attribute(prim, "verticalAperture", types.Float, camera.height * tenths)
    # The window is moved so that the optical axis meets it at the principal point.
    _attribute(prim, "horizontalApertureOffset", types.Float, (camera.width / 2 - camera.centre[0]) * tenths)
    _attribute(prim, "verticalApertureOffset", types.Float, (camera.centre[1] - camera.height / 2) * tenths)
    _attribute(prim, "clippingRange", types.Float2, Gf.Vec2f(*CLIPPING))
    _attribute(prim, "xformOp:transform", types.Matrix4d, Gf.Matrix4d(matrix.tolist()))
    _attribute(prim, "xformOpOrder", types.TokenArray, Vt.TokenArray(["xformOp:transform"]), uniform=True)


def _author_quad(
    layer: Sdf.Layer, path: str, corners: npt.NDArray[Any], colour: tuple[float, float, float]
) -> None:
    types = Sdf.ValueTypeNames
    prim = _prim(layer, path, "Mesh")
    _attribute(prim, "subdivisionScheme", types.Token, "none", uniform=True)
    _attribute(prim, "doubleSided", types.Bool, True, uniform=True)
    _attribute(prim, "points", types.Point3fArray, _vectors(Vt.Vec3fArray, corners))
    _attribute(prim, "faceVertexCounts", types.IntArray, _whole(np.array([4])))
    _attribute(prim, "faceVertexIndices", types.IntArray, _whole(np.arange(4)))
    _attribute(prim, "extent", types.Float3Array, _vectors(Vt.Vec3fArray, _extent(corners)))
    _primvar(
        prim, "displayColor", types.Color3fArray, _vectors(Vt.Vec3fArray, np.array([colour])), "constant"
    )


def _ground(camera: Camera) -> npt.NDArray[np.float64]:
    across = GROUND_REACH * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) + np.asarray(camera.position)[:2]
    return np.concatenate([across, np.zeros((4, 1))], axis=1)


def _surface_colours() -> Float:
    """(1 + materials, 3) displayColor by `face_surface`: linear Rec.709, as USD expects."""
    albedo = from_working(np.array([material.albedo for material in MATERIALS], np.float32), "linear")
    colours = np.empty((len(MATERIALS) + 1, 3), np.float32)
    colours[SURFACE_PLATE] = PLATE_COLOUR
    colours[1:] = np.clip(albedo, 0.0, 1.0)
    return colours


def _extent(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not len(points):
        return np.zeros((2, 3))
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _vectors(kind: Any, rows: npt.NDArray[Any]) -> Any:
    return kind.FromNumpy(np.ascontiguousarray(rows, dtype=np.float32))


def _whole(numbers: npt.NDArray[Any]) -> Any:
    return Vt.IntArray.FromNumpy(np.ascontiguousarray(numbers, dtype=np.int32))
