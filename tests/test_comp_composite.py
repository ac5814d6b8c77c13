"""The finished frame through a lens that bends: all layers lie in the delivered picture's geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from falsework.comp.composite import compose
from falsework.comp.settings import CompSettings
from falsework.plate.lens import Lens
from falsework.render.layers import Layers
from plates import synthetic_plate

LENS = Lens(
    "fisheye", (0.03,), 400.0, (160.0, 110.0), 320, 220,
    working_focal=400.0, working_centre=(240.0, 160.0), working_size=(480, 320),
)  # fmt: skip


def block() -> Layers:
    """One opaque block that moves, high up and to the right."""
    surface = np.zeros((320, 480, 4), np.float32)
    motion = np.zeros((320, 480, 2), np.float32)
    surface[60:110, 330:400] = 0.4, 0.4, 0.4, 1.0
    motion[60:110, 330:400] = 12.0, 20.0
    none = np.zeros((320, 480, 4), np.float32)
    return Layers(
        surface=surface,
        hold=np.zeros((320, 480), np.float32),
        shadow=np.ones((320, 480, 3), np.float32),
        dust=none,
        dust_front=none,
        depth=np.full((320, 480), 20.0, np.float32),
        normal=none[..., :3],
        motion=motion,
        albedo=none[..., :3],
        crypto=np.zeros((320, 480, 6), np.float32),
    )


def test_a_bent_frame_keeps_the_plate_and_its_layers_their_range() -> None:
    plate = synthetic_plate(480, 320)
    empty = plate.picture  # nothing falls but the block
    plate = replace(
        plate,
        lens=LENS,
        original=LENS.bend(plate.picture),
        facade=np.concatenate([plate.facade[: plate.pad_top], empty]),
        clean=empty,
        occluder=np.zeros((320, 480), np.float32),
        softness=0.0,
    )
    frame = compose(plate, block(), CompSettings(), seed=1)
    assert frame.picture.shape == (220, 320, 3)
    outside = frame.matte == 0
    assert np.array_equal(frame.picture[outside], plate.original[outside])
    for share in (frame.matte, frame.aovs["alpha"]):
        assert share.min() == 0.0
        assert share.max() == 1.0
    # A point's motion ends where the point itself is seen in the next frame.
    start, step = np.array([360.0, 80.0]), np.array([12.0, 20.0])
    here, there = LENS.to_delivered(start), LENS.to_delivered(start + step)
    x, y = here.astype(int)
    assert np.abs(frame.aovs["motion"][y, x] - (there - here)).max() < 0.1
    assert np.abs(there - here - step).max() > 0.5  # the lens shortens it
