"""The delivered EXR: the channels, types and conventions a compositor relies on."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from falsework.delivery.layers_exr import FAR, read_frame, write_frame
from falsework.media.colour import to_8bit, to_working
from falsework.render.cryptomatte import float_id, fragment_name, id_bits
from falsework.seeds import generator

MANIFEST = {fragment_name(index): f"{id_bits(fragment_name(index)):08x}" for index in range(5)}


def layers(height: int = 40, width: int = 52) -> dict[str, np.ndarray]:
    draw = generator(11, "test", "layers")

    def picture(*channels: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        return draw.uniform(low, high, (height, width, *channels)).astype(np.float32)

    depth = picture(low=5, high=90)
    depth[:7] = np.inf
    crypto = np.zeros((height, width, 6), np.float32)
    crypto[..., 0] = float_id(fragment_name(1))
    crypto[..., 1] = 0.75
    crypto[..., 2] = float_id(fragment_name(4))
    crypto[..., 3] = 0.25
    return {
        "beauty": picture(3, high=4),
        "alpha": picture(),
        "matte": picture(),
        "depth": depth,
        "normal": picture(3, low=-1),
        "motion": picture(2, low=-30, high=30),
        "albedo": picture(3),
        "shadow": picture(3),
        "surface": picture(4),
        "hold": picture(),
        "dust": picture(4),
        "dust_front": picture(4),
        "crypto": crypto,
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exr") / "shot.1001.exr"
    write_frame(path, layers(), frame=1001, fps=24, name="shot", crypto_manifest=MANIFEST)
    return path


def test_layers_come_back(written: Path) -> None:
    read, _ = read_frame(written)
    for name, pixels in layers().items():
        if name == "crypto":
            assert read[name][..., :6].tobytes() == pixels.tobytes()
            assert not read[name][..., 6:].any()
        elif name == "depth":
            assert np.array_equal(read[name], pixels)
        else:
            np.testing.assert_allclose(read[name], pixels, rtol=2**-11, atol=1e-7, err_msg=name)


def test_others_see_the_channels(written: Path) -> None:
    spec = oiio.ImageInput.open(str(written)).spec()
    types = dict(zip(spec.channelnames, [str(kind) for kind in spec.channelformats], strict=True))
    floats = {name for name, kind in types.items() if kind == "float"}
    crypto = {f"CryptoFragment{level:02d}.{letter}" for level in range(2) for letter in "RGBA"}
    assert floats == {"depth.Z"} | crypto
    assert set(types) - floats == {
        *"RGBA", "added.A", "matte.A", "N.X", "N.Y", "N.Z", "forward.u", "forward.v", "hold.A",
        "dust_front.R", "dust_front.G", "dust_front.B", "dust_front.A",
        "albedo.R", "albedo.G", "albedo.B", "shadow.R", "shadow.G", "shadow.B",
        "surface.R", "surface.G", "surface.B", "surface.A", "dust.R", "dust.G", "dust.B", "dust.A",
    }  # fmt: skip
    assert {types[name] for name in set(types) - floats} == {"half"}


def test_conventions_of_compositors(written: Path) -> None:
    with OpenEXR.File(str(written), separate_channels=True) as file:
        channels = {name: channel.pixels for name, channel in file.channels().items()}
    assert np.isfinite(channels["depth.Z"]).all()
    assert (channels["depth.Z"][:7] == np.float32(FAR)).all()
    np.testing.assert_allclose(channels["forward.v"], -layers()["motion"][..., 1], rtol=2**-11)
    assert (channels["A"] == 1).all()


def test_header(written: Path) -> None:
    _, attributes = read_frame(written)
    assert attributes["framesPerSecond"] == Fraction(24)
    assert attributes["imageCounter"] == 1001
    clock = attributes["timeCode"]
    assert (clock.hours, clock.minutes, clock.seconds, clock.frame) == (0, 0, 41, 17)  # 1001 = 41 * 24 + 17


@pytest.mark.parametrize(
    ("fps", "clock"), [(25, (40, 1)), (30, (33, 11)), (48, (20, 20)), (59.94, (16, 20)), (120, (8, 10))]
)
def test_the_time_code_counts_to_thirty_at_most(tmp_path: Path, fps: float, clock: tuple[int, int]) -> None:
    """SMPTE ST 12-1 has no room for more; frames of higher rates share a count."""
    path = tmp_path / "frame.exr"
    write_frame(path, {"beauty": layers()["beauty"]}, frame=1001, fps=fps, name="tower", crypto_manifest={})
    code = read_frame(path)[1]["timeCode"]
    assert (code.seconds, code.frame) == clock


def test_cryptomatte_header_is_the_specifications(written: Path) -> None:
    _, attributes = read_frame(written)
    keys = {name.split("/")[1] for name in attributes if name.startswith("cryptomatte/")}
    assert len(keys) == 1
    key = f"cryptomatte/{keys.pop()}"
    assert len(key) == len("cryptomatte/") + 7
    assert attributes[f"{key}/name"] == "CryptoFragment"
    assert attributes[f"{key}/hash"] == "MurmurHash3_32"
    assert attributes[f"{key}/conversion"] == "uint32_to_float32"
    manifest = json.loads(attributes[f"{key}/manifest"])
    assert manifest == MANIFEST
    read, _ = read_frame(written)
    bits = int(read["crypto"][3, 3, 2].view(np.uint32))
    assert manifest[fragment_name(4)] == f"{bits:08x}"


def test_same_layers_same_bytes(written: Path, tmp_path: Path) -> None:
    write_frame(tmp_path / "again.exr", layers(), frame=1001, fps=24, name="shot", crypto_manifest=MANIFEST)
    assert (tmp_path / "again.exr").read_bytes() == written.read_bytes()


def test_an_untouched_plate_survives_half_floats(tmp_path: Path) -> None:
    plate = generator(12, "test").integers(0, 256, (64, 64, 3), dtype=np.uint8)
    beauty = to_working(plate.astype(np.float32) / 255, "sRGB")
    write_frame(tmp_path / "a.exr", {"beauty": beauty}, frame=1, fps=25, name="a", crypto_manifest={})
    back = to_8bit(read_frame(tmp_path / "a.exr")[0]["beauty"]).astype(int)
    assert np.abs(back - plate).max() <= 1


def test_what_is_too_bright_for_half_stays_finite(tmp_path: Path) -> None:
    write_frame(
        tmp_path / "a.exr",
        {"beauty": np.full((4, 4, 3), 1e6, np.float32)},
        frame=1,
        fps=25,
        name="a",
        crypto_manifest={},
    )
    assert (read_frame(tmp_path / "a.exr")[0]["beauty"] == 65504).all()


def test_a_layer_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sparkle"):
        write_frame(
            tmp_path / "a.exr",
            layers() | {"sparkle": np.zeros((4, 4))},
            frame=1,
            fps=25,
            name="a",
            crypto_manifest={},
        )
