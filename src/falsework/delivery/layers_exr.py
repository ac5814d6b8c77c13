"""The finished frame in layers, named as Nuke names its own and Resolve, Fusion and Blender read them.

| layer | channels | type | what |
|---|---|---|---|
| (main) | R G B A | half | the finished picture; A is 1: it is a full frame over its plate |
| added | A | half | opacity of what was added: fragments and dust over the plate, under the occluders |
| matte | A | half | how much of the pixel is no longer the plate's; 0: the plate, bit for bit |
| depth | Z | float | metres along the optical axis; 1e10 where there is only sky |
| N | X Y Z | half | world normal, Z up; 0 where there is no building |
| forward | u v | half | pixels to the next frame; v is positive upwards, as Nuke's VectorBlur has it |
| albedo, shadow | R G B | half | shadow: share of its light the plate keeps, 1: all |
| surface, dust | R G B A | half | lit fragments; dust before them; premultiplied |
| hold | A | half | coverage of what still stands or never changes: there the plate shows |
| dust_front | R G B A | half | dust before the occluders, premultiplied |
| CryptoFragment00 … | R G B A | float | Cryptomatte 1.2 of the fragments, named as in motion.usd |

`depth` and `forward` are layers Nuke has from the start. It also has `alpha` and `motion`, with other
channels than a file would bring, so nothing here is called so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR

from falsework.media.exr import read_exr, write_exr
from falsework.media.half import to_half
from falsework.media.rate import frame_rate
from falsework.render.cryptomatte import murmur3_32

__all__ = ["CRYPTO_LAYER", "FAR", "read_frame", "write_frame"]

Image = npt.NDArray[np.float32]

CRYPTO_LAYER = "CryptoFragment"
FAR = 1e10  # metres; infinities spoil a compositor's filters

# The layers in the order they are handed over: name there, channels in the file, 32-bit float or half.
LAYERS: dict[str, tuple[tuple[str, ...], bool]] = {
    "beauty": (("R", "G", "B"), False),
    "alpha": (("added.A",), False),
    "matte": (("matte.A",), False),
    "depth": (("depth.Z",), True),
    "normal": (("N.X", "N.Y", "N.Z"), False),
    "motion": (("forward.u", "forward.v"), False),
    "albedo": (("albedo.R", "albedo.G", "albedo.B"), False),
    "shadow": (("shadow.R", "shadow.G", "shadow.B"), False),
    "surface": (("surface.R", "surface.G", "surface.B", "surface.A"), False),
    "hold": (("hold.A",), False),
    "dust": (("dust.R", "dust.G", "dust.B", "dust.A"), False),
    "dust_front": (("dust_front.R", "dust_front.G", "dust_front.B", "dust_front.A"), False),
}


def write_frame(
    path: Path,
    layers: Mapping[str, Image],
    *,
    frame: int,
    fps: float,
    name: str,
    crypto_manifest: Mapping[str, str],
) -> None:
    """Write one frame's layers as a multi-layer EXR; the same layers give the same bytes.

    `layers` holds float32 arrays (H, W[, C]) by the names in `LAYERS`, and "crypto" (H, W, 2 * ranks).
    "beauty" is required, the others are left out where they are missing. `motion` is handed over with y
    downwards. `frame` is the shot's frame number, `name` the shot's, `crypto_manifest` the fragments' names
    and ids in hexadecimal (`render.cryptomatte.manifest`). The file appears whole.
    """
    unknown = set(layers) - set(LAYERS) - {"crypto"}
    if unknown:
        raise ValueError(f"no such layers: {sorted(unknown)}")
    height, width = layers["beauty"].shape[:2]
    channels: dict[str, npt.NDArray[Any]] = {"A": np.ones((height, width), np.float16)}
    for layer, (names, exact) in LAYERS.items():
        if layer not in layers:
            continue
        pixels = layers[layer].reshape(height, width, len(names))
        if layer == "depth":
            pixels = np.where(pixels < FAR, pixels, np.float32(FAR))
        elif layer == "motion":
            pixels = pixels * np.array([1.0, -1.0], np.float32)
        for index, channel in enumerate(names):
            channels[channel] = (
                pixels[..., index].astype(np.float32) if exact else to_half(pixels[..., index])
            )
    attributes = _attributes(frame, fps, name)
    if "crypto" in layers:
        channels |= _crypto_channels(layers["crypto"])
        attributes |= _crypto_attributes(crypto_manifest)
    write_exr(path, channels, attributes=attributes)


def read_frame(path: Path) -> tuple[dict[str, Image], dict[str, Any]]:
    """The layers of `write_frame`, float32 and in the house's conventions (motion with y downwards, infinite
    depth for sky), and the header's attributes."""
    channels, attributes = read_exr(path)
    layers: dict[str, Image] = {}
    for layer, (names, _) in LAYERS.items():
        if names[0] in channels:
            pixels = np.stack([channels[channel] for channel in names], axis=-1).astype(np.float32)
            layers[layer] = pixels[..., 0] if len(names) == 1 else pixels
    if "depth" in layers:
        layers["depth"][layers["depth"] >= FAR] = np.inf
    if "motion" in layers:
        layers["motion"][..., 1] *= -1.0
    crypto = [
        channels[channel]
        for channel in sorted(channels, key=_crypto_order)
        if channel.startswith(CRYPTO_LAYER)
    ]
    if crypto:
        layers["crypto"] = np.stack(crypto, axis=-1)
    return layers, attributes


def _attributes(frame: int, fps: float, name: str) -> dict[str, Any]:
    # SMPTE ST 12-1 counts to 30 a second; at higher rates several frames share a count.
    shared = max(-(-round(fps) // 30), 1)
    count = max(round(fps / shared), 1)
    seconds, part = divmod(frame // shared, count)
    clock = (seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, part)
    return {
        "framesPerSecond": frame_rate(fps),
        "timeCode": OpenEXR.TimeCode(*clock, *[0] * 14),  # no drop frame, no flags, no user bits
        "imageCounter": frame,
        "name": name,
        "software": "falsework",
        "comments": "A temporary take, unless its clearance and Content Credentials (.c2pa) come with it.",
    }


def _crypto_channels(crypto: Image) -> dict[str, npt.NDArray[np.float32]]:
    """Pairs of id and coverage, two to a layer: CryptoFragment00.RGBA holds the first and second."""
    ranks = crypto.shape[2] // 2
    whole = np.zeros((*crypto.shape[:2], 4 * ((ranks + 1) // 2)), np.float32)
    whole[..., : 2 * ranks] = crypto[..., : 2 * ranks]
    return {
        f"{CRYPTO_LAYER}{index // 4:02d}.{'RGBA'[index % 4]}": whole[..., index]
        for index in range(whole.shape[2])
    }


def _crypto_order(channel: str) -> tuple[str, int]:
    layer, _, letter = channel.rpartition(".")
    return layer, "RGBA".find(letter)


def _crypto_attributes(manifest: Mapping[str, str]) -> dict[str, str]:
    """The header the Cryptomatte specification asks for. A layer's key: seven digits of its name's hash."""
    key = f"cryptomatte/{murmur3_32(CRYPTO_LAYER.encode()):08x}"[: len("cryptomatte/") + 7]
    listed = ",".join(f'"{name}":"{digits}"' for name, digits in manifest.items())
    return {
        f"{key}/name": CRYPTO_LAYER,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": "{" + listed + "}",
    }
