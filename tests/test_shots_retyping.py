"""What a file is called: a slip in [[assets]] is mended, and what runs and commands recorded stays."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.media.images import write_png
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import judge
from falsework.shots.clearing.recording import record_make, record_script
from test_shots_clearing import AT, PRODUCTION, shot_in, state


def test_a_slip_in_assets_is_mended_before_anything_is_made_with_the_file(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    scan = tmp_path / "scan.png"
    write_png(scan, np.full((8, 8, 3), 9, np.uint8))
    table = '\n[[assets]]\nfiles = ["scan.png"]\ntype = "{}"\n'
    for sort in ("script", "picture", "replica", "plate"):
        (tmp_path / "production.toml").write_text(PRODUCTION + table.format(sort))
        judge(desk_of(path), at=AT)
        assert {one.name: one.type for one in state(path).assets.values()}["scan.png"] == sort


def test_a_plate_that_was_called_a_replica_is_made_once_the_table_is_taken_out(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    write_png(tmp_path / "plate.png", np.full((64, 64, 3), 77, np.uint8))
    (tmp_path / "production.toml").write_text(
        PRODUCTION + '\n[[assets]]\nfiles = ["plate.png"]\ntype = "replica"\n'
    )
    judge(desk_of(path), at=AT)
    manifest = tmp_path / "out" / "tiny" / "manifest.json"
    said = json.loads(manifest.read_text())
    plate = hashlib.sha256((tmp_path / "plate.png").read_bytes()).hexdigest()
    manifest.write_text(json.dumps(said | {"inputs": {"plate.png": plate}}))
    with pytest.raises(FalseworkError, match="is on record as a replica") as refused:  # as long as it says so
        record_make(desk_of(path), manifest.parent, preview=False, at=AT, seconds=1.0)
    assert "corrected or taken out there" in refused.value.todo
    (tmp_path / "production.toml").write_text(PRODUCTION)
    record_make(desk_of(path), manifest.parent, preview=False, at=AT, seconds=1.0)
    assert state(path).assets[f"sha256:{plate}"].type == "plate"
    (tmp_path / "production.toml").write_text(  # it is the run's own now
        PRODUCTION + '\n[[assets]]\nfiles = ["plate.png"]\ntype = "script"\n'
    )
    judge(desk_of(path), at=AT)
    assert state(path).assets[f"sha256:{plate}"].type == "plate"


def test_a_script_with_its_authors_is_not_called_anything_else(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    (tmp_path / "scene.txt").write_text("INT. NIGHT")
    record_script(desk_of(path), tmp_path / "scene.txt", ["W. Riter"], at=AT)
    (tmp_path / "production.toml").write_text(
        PRODUCTION + '\n[[assets]]\nfiles = ["scene.txt"]\ntype = "picture"\n'
    )
    with pytest.raises(FalseworkError, match="is on record as a script"):
        judge(desk_of(path), at=AT)
