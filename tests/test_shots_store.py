"""The store and the layers' files."""

from __future__ import annotations

import errno
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.render.layers import Layers
from falsework.shots.layer_files import read_layers, write_layers
from falsework.shots.stages import digest
from falsework.shots.store import Store, disk_faults, settings_key


def test_a_stage_is_whole_or_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    part = store.begin("dust", "abc")
    (part / "data").write_text("x")
    assert store.done("dust", "abc") is None
    assert not store.folder("dust", "abc").exists()
    folder = store.finish("dust", "abc", part, {"seconds": 1.5})
    assert store.done("dust", "abc") == {"seconds": 1.5}
    assert (folder / "data").read_text() == "x"
    assert not part.exists()


def test_what_killed_runs_left_is_swept_and_the_rest_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.finish("solve", "whole", store.begin("solve", "whole"), {})
    left = tmp_path / "dust" / "abc.part-99999"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    frames = store.open("render", "k")
    (frames / "1001.layers").write_text("whole")
    (frames / "1002.layers.part").write_text("half")
    store.sweep()
    assert not left.exists()
    assert [path.name for path in frames.iterdir()] == ["1001.layers"]
    assert store.done("solve", "whole") == {}


def test_keys_depend_on_content_not_on_order() -> None:
    assert settings_key({"a": 1, "b": [1, 2]}) == settings_key({"b": [1, 2], "a": 1})
    assert settings_key({"a": 1}) != settings_key({"a": 2})
    assert settings_key({"a": 1}) != settings_key({"a": 1.5})


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "may not be written")]
)
def test_a_disk_that_refuses_gets_a_sentence(number: int, words: str) -> None:
    with pytest.raises(FalseworkError, match=words), disk_faults(Path("work")):
        raise OSError(number, os.strerror(number), "somewhere")


def test_other_faults_of_the_system_stay_ours() -> None:
    with pytest.raises(OSError, match="x"), disk_faults(Path("work")):
        raise OSError(errno.EIO, "x")


def test_digests_tell_shapes_types_and_values_apart() -> None:
    a = np.arange(6, dtype=np.float32)
    different = {
        digest(a),
        digest(a.reshape(2, 3)),
        digest(a.astype(np.float64)),
        digest(a + 1),
        digest((a, a)),
    }
    assert len(different) == 5
    assert digest(a) == digest(a.copy())


def layers(seed: int, height: int, width: int, drawn: bool) -> Layers:
    random = np.random.default_rng(seed)
    shapes = {
        "surface": 4,
        "shadow": 3,
        "dust": 4,
        "dust_front": 4,
        "normal": 3,
        "motion": 2,
        "albedo": 3,
        "crypto": 6,
    }
    arrays = {}
    for field in fields(Layers):
        shape = (height, width, shapes[field.name]) if field.name in shapes else (height, width)
        empty = {"shadow": 1.0, "depth": np.inf}.get(field.name, 0.0)
        image = np.full(shape, empty, np.float32)
        if drawn:
            image[height // 3 :, width // 4 : width // 2 + 1] = random.random(
                image[height // 3 :, width // 4 : width // 2 + 1].shape
            )
        arrays[field.name] = image
    if drawn:  # ids are bit patterns, some of them NaN
        arrays["crypto"].view(np.uint32)[-1, width // 4, 0] = 0x7FC00123
    return Layers(**arrays)


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 12), st.integers(1, 12), st.booleans())
def test_layers_come_back(
    tmp_path_factory: pytest.TempPathFactory, seed: int, height: int, width: int, drawn: bool
) -> None:
    path = tmp_path_factory.mktemp("layers") / "1001.layers"
    before = layers(seed, height, width, drawn)
    write_layers(path, before)
    after = read_layers(path)
    for field in fields(Layers):
        one, two = getattr(before, field.name), getattr(after, field.name)
        assert two.dtype == np.float32
        assert one.shape == two.shape
        if field.name in ("depth", "crypto"):
            np.testing.assert_array_equal(one.view(np.uint32), two.view(np.uint32))
        else:
            np.testing.assert_array_equal(one.astype(np.float16), two.astype(np.float16))


def test_the_same_layers_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_layers(tmp_path / name, layers(3, 40, 60, True))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_brighter_than_half_floats_hold_stays_finite(tmp_path: Path) -> None:
    before = layers(3, 20, 30, True)
    before.surface[4, 5] = 1e6
    write_layers(tmp_path / "1001.layers", before)
    assert read_layers(tmp_path / "1001.layers").surface.max() == 65504.0


def stage_folder(store: Store, stage: str, key: str) -> Path:
    folder = store.finish(stage, key, store.begin(stage, key), {})
    (folder / "data").write_bytes(b"x" * 100)
    return folder


def test_clean_keeps_what_the_last_runs_used(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folders = {
        (stage, key): stage_folder(store, stage, key)
        for stage, key in (("solve", "s"), ("dust", "a"), ("dust", "b"), ("dust", "c"), ("dust", "unknown"))
    }
    for key in ("a", "b", "c"):
        store.note_run({"solve": "s"})  # a run's beginning
        store.note_run({"solve": "s", "dust": key})
    store.note_run({"solve": "s", "dust": "a"})  # back to the first
    removed, size = store.clean(2)
    assert removed == [folders["dust", "b"], folders["dust", "unknown"]]
    assert size >= 200
    assert all(folders[kept].exists() for kept in (("solve", "s"), ("dust", "a"), ("dust", "c")))
    assert store.clean(2) == ([], 0)
    assert len(store.clean(0)[0]) == 3


def test_a_store_that_remembers_no_run_keeps_nothing_by_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = stage_folder(store, "solve", "s")
    (tmp_path / "runs.json").write_text("[]")
    assert store.clean(3)[0] == [folder]
