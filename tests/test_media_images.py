"""Plates and mattes in every promised format, and the bad ones."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from falsework.errors import FalseworkError
from falsework.media.colour import to_8bit, to_working
from falsework.media.images import encode_jpeg, read_exif, read_matte, read_picture, write_png
from falsework.seeds import generator


def colours(height: int = 70, width: int = 90) -> np.ndarray:
    return generator(2, "test", "pictures").integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, kind: str, **attributes: Any) -> Path:
    """Write with OpenImageIO, which the reader under test is built on but OpenCV and OpenEXR are not."""
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    for name, value in attributes.items():
        spec[name.replace("__", ":")] = value
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(pixels), output.geterror()
    assert output.close()
    return path


@pytest.mark.parametrize("name", ["plate.png", "plate.tif"])
def test_8_bit_plates_are_srgb_and_come_back_exactly(tmp_path: Path, name: str) -> None:
    picture = read_picture(save(tmp_path / name, colours(), "uint8"))
    assert picture.dtype == np.float32
    assert picture.shape == (70, 90, 3)
    assert picture.flags["C_CONTIGUOUS"]
    assert np.array_equal(to_8bit(picture), colours())


def test_a_written_png_is_read_by_others(tmp_path: Path) -> None:
    write_png(tmp_path / "plate.png", colours())
    assert np.array_equal(cv2.imread(str(tmp_path / "plate.png"))[..., ::-1], colours())
    assert np.array_equal(to_8bit(read_picture(tmp_path / "plate.png")), colours())


def test_jpeg_is_what_opencv_decodes(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(colours(), (0, 0), 5)
    (tmp_path / "plate.jpg").write_bytes(encode_jpeg(smooth, quality=95))
    other = cv2.imread(str(tmp_path / "plate.jpg"))[..., ::-1].astype(int)
    assert np.abs(to_8bit(read_picture(tmp_path / "plate.jpg")).astype(int) - other).max() <= 2


@pytest.mark.parametrize("name", ["plate.png", "plate.tif"])
def test_16_bit_plates_keep_their_precision(tmp_path: Path, name: str) -> None:
    levels = np.linspace(0, 65535, 64 * 64 * 3).astype(np.uint16).reshape(64, 64, 3)
    picture = read_picture(save(tmp_path / name, levels, "uint16"))
    np.testing.assert_allclose(picture, to_working(levels / 65535.0, "sRGB"), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "kind"), [("plate.tif", "float"), ("plate.exr", "half"), ("plate.exr", "float")]
)
def test_float_plates_are_acescg_unless_told(tmp_path: Path, name: str, kind: str) -> None:
    linear = generator(3, "test").uniform(0, 4, (64, 70, 3)).astype(np.float16).astype(np.float32)
    path = save(tmp_path / name, linear, kind)
    assert np.array_equal(read_picture(path), linear)
    np.testing.assert_allclose(read_picture(path, "ACES2065-1"), to_working(linear, "ACES2065-1"), rtol=1e-6)


def test_an_exr_that_states_its_primaries_is_believed(tmp_path: Path) -> None:
    linear = generator(3, "test").uniform(0, 1, (64, 64, 3)).astype(np.float32)
    path = tmp_path / "plate.exr"
    spec = oiio.ImageSpec(64, 64, 3, "float")
    spec.attribute("chromaticities", "float[8]", (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290))
    output = oiio.ImageOutput.create(str(path))
    output.open(str(path), spec)
    output.write_image(linear)
    output.close()
    np.testing.assert_allclose(read_picture(path), to_working(linear, "linear"), rtol=1e-5)


def test_10_bit_dpx_needs_a_colour_space(tmp_path: Path) -> None:
    levels = (np.arange(64 * 64 * 3) % 1024).reshape(64, 64, 3)
    path = save(tmp_path / "plate.dpx", (levels / 1023).astype(np.float32), "uint16", oiio__BitsPerSample=10)
    with pytest.raises(FalseworkError, match="colour_space"):
        read_picture(path)
    np.testing.assert_allclose(
        read_picture(path, "LogC3"), to_working(levels / 1023.0, "LogC3"), rtol=1e-3, atol=1e-4
    )


def test_grey_and_alpha(tmp_path: Path) -> None:
    grey = read_picture(save(tmp_path / "grey.png", colours()[..., 0], "uint8"))
    assert np.array_equal(to_8bit(grey), np.repeat(colours()[..., :1], 3, axis=2))


def test_overscan_is_cut_to_the_display_window(tmp_path: Path) -> None:
    linear = generator(4, "test").uniform(0, 1, (80, 100, 3)).astype(np.float32)
    path = tmp_path / "plate.exr"
    spec = oiio.ImageSpec(100, 80, 3, "float")
    spec.x, spec.y = -10, 4
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = 0, 0, 80, 70
    output = oiio.ImageOutput.create(str(path))
    output.open(str(path), spec)
    output.write_image(linear)
    output.close()
    picture = read_picture(path)
    assert picture.shape == (70, 80, 3)
    assert not picture[:4].any()
    assert np.array_equal(picture[4:], linear[:66, 10:90])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_as_others_read_it(tmp_path: Path, orientation: int) -> None:
    smooth = cv2.GaussianBlur(colours(), (0, 0), 9)
    path = save(tmp_path / "plate.jpg", smooth, "uint8", Orientation=orientation)
    upright = cv2.imread(str(path))[..., ::-1].astype(int)  # OpenCV applies the orientation
    assert np.abs(to_8bit(read_picture(path)).astype(int) - upright).max() <= 2
    assert np.abs(read_matte(path) * 255 - upright.mean(axis=2)).max() <= 2
    exif = read_exif(path)
    assert exif["orientation"] == orientation
    assert (exif["height"], exif["width"]) == upright.shape[:2]


def test_exif_of_a_camera() -> None:
    exif = read_exif(Path(__file__).parents[1] / "examples" / "la_rochelle" / "plate.jpg")
    assert exif["focal_35mm"] == 15.0
    assert exif["focal_mm"] == 3.0
    assert (exif["make"], exif["model"]) == ("GoPro", "HERO9 Black")
    assert (exif["width"], exif["height"]) == (5184, 3888)


def test_exif_of_nothing(tmp_path: Path) -> None:
    assert read_exif(save(tmp_path / "plate.png", colours(), "uint8")) == {
        "orientation": 1,
        "width": 90,
        "height": 70,
    }


def test_mattes(tmp_path: Path) -> None:
    grey = colours()[..., 0]
    np.testing.assert_allclose(read_matte(save(tmp_path / "m.png", grey, "uint8")), grey / 255.0, atol=1e-6)
    cut_out = np.dstack([np.full_like(colours(), 200), grey])
    np.testing.assert_allclose(
        read_matte(save(tmp_path / "c.png", cut_out, "uint8", oiio__UnassociatedAlpha=1)),
        grey / 255.0,
        atol=1e-6,
    )
    opaque = np.dstack([np.repeat(grey[..., None], 3, axis=2), np.full_like(grey, 255)])
    np.testing.assert_allclose(read_matte(save(tmp_path / "o.png", opaque, "uint8")), grey / 255.0, atol=1e-6)


def bad(folder: Path, kind: str) -> Path:
    whole = encode_jpeg(colours(300, 400))
    path = folder / "plate.jpg"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_bytes(b"this is not a picture at all\n" * 50)
    elif kind == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "truncated png":
        path = folder / "plate.png"
        write_png(path, colours(300, 400))
        path.write_bytes(path.read_bytes()[:20_000])
    elif kind == "folder":
        path.mkdir()
    elif kind == "one pixel":
        path = save(folder / "plate.png", colours(1, 1), "uint8")
    elif kind == "sliver":
        path = save(folder / "plate.png", colours(63, 400), "uint8")
    elif kind == "huge":
        path = save(folder / "plate.png", np.zeros((64, 30_000, 3), np.uint8), "uint8")
    elif kind == "other format":
        path = save(folder / "plate.tga", colours(), "uint8")
    elif kind == "movie":
        path = folder / "plate.mp4"
        path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(500))
    elif kind == "nan":
        pixels = np.ones((64, 64, 3), np.float32)
        pixels[3, 4] = np.nan
        path = save(folder / "plate.exr", pixels, "float")
    elif kind == "no colour":
        spec = oiio.ImageSpec(64, 64, 4, "half")
        spec.channelnames = ("N.X", "N.Y", "N.Z", "Z")
        path = folder / "plate.exr"
        output = oiio.ImageOutput.create(str(path))
        output.open(str(path), spec)
        output.write_image(np.ones((64, 64, 4), np.float32))
        output.close()
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such picture"),
        ("empty", "the file is empty"),
        ("text", "cannot be read as a picture"),
        ("truncated", "is damaged"),
        ("truncated png", "is damaged"),
        ("folder", "is a folder"),
        ("one pixel", "1x1 pixels: too small"),
        ("sliver", "too small"),
        ("huge", "30000x64 pixels: more than 20,000"),
        ("other format", "targa file, which is not supported"),
        ("movie", "cannot be read as a picture"),
        ("nan", "1 pixels are infinite or not numbers"),
        ("no colour", "has no channels R, G and B"),
    ],
)
def test_bad_plates_get_a_sentence(tmp_path: Path, kind: str, words: str) -> None:
    path = bad(tmp_path, kind)
    with pytest.raises(FalseworkError, match=words) as caught:
        read_picture(path)
    assert caught.value.where == str(path)
    assert caught.value.todo


def test_unknown_colour_space(tmp_path: Path) -> None:
    path = save(tmp_path / "plate.png", colours(), "uint8")
    with pytest.raises(FalseworkError, match="LogC3"):
        read_picture(path, "LogC33")


@pytest.mark.parametrize("name", ["plate.png", "plate.tif", "plate.exr", "plate.jpg", "plate.dpx"])
def test_damage_anywhere_is_read_or_said(tmp_path: Path, name: str) -> None:
    """Random bytes into the first kilobytes: a picture or a sentence comes out, never another error."""
    path = tmp_path / name
    kind = {"plate.exr": "half", "plate.dpx": "uint16"}.get(name, "uint8")
    whole = save(path, (colours() / 255).astype(np.float32), kind, Make="somebody").read_bytes()
    draw = generator(9, "test", "damage", name)
    for _ in range(80):
        damaged = bytearray(whole)
        for place in draw.integers(0, min(len(whole), 3000), 6):
            damaged[place] = draw.integers(256)
        path.write_bytes(bytes(damaged))
        for read in (lambda: read_picture(path, "sRGB"), lambda: read_matte(path), lambda: read_exif(path)):
            with contextlib.suppress(FalseworkError):
                read()
