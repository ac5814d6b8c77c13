"""The copy audit: planted copies are caught, strangers are not, and what cannot be judged does not pass."""

from __future__ import annotations

import hashlib
import itertools
import json
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import copies as bench
from falsework.errors import FalseworkError
from falsework.media.images import write_png
from falsework.rights import copies
from falsework.rights.compared import compared_digest
from falsework.rights.copies import (
    BLOCKING_DISTANCE,
    BLOCKING_POINTS,
    EXHAUSTIVE,
    CopyAudit,
    audit,
)
from falsework.rights.copy_findings import LIMITS, SHORT, findings
from falsework.rights.keypoints import NOTHING, agreement, features
from falsework.rights.pdq import distances, pdq
from falsework.rights.samples import Group, Index, Sample, read_sample, samples_in

Picture = npt.NDArray[np.uint8]
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CUT = "sha256:" + "c" * 64


def identity(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def sample(name: str, picture: Picture, group: Group = "training") -> Sample:
    return Sample(name, identity(name), group, picture)


@pytest.fixture(scope="module")
def strangers() -> list[Picture]:
    return [bench.drawn(seed, 320, 214) for seed in range(100, 121)]


# Copies


@pytest.mark.parametrize("edit", bench.EDITS)
def test_planted_copies_block(edit: str) -> None:
    picture, background, other = (bench.drawn(seed, 720, 480) for seed in (1, 51, 9))
    frame = bench.EDITS[edit](picture, background)
    result = audit([("1001", frame)], [sample("other", other), sample("planted", picture)])
    (found,) = result.frames
    assert result.outcome == found.outcome == "block"
    assert found.neighbours[0].sample == "planted"
    assert found.neighbours[0].outcome == "block"


@pytest.mark.slow
@pytest.mark.parametrize("edit", bench.EDITS)
def test_planted_plates_block(edit: str, shared: Path) -> None:
    names = ("larochelle_4", "larochelle_5", "lyon_corner_A_view1", "strasbourg_block")
    plates = [read_sample(shared / "plates" / f"{name}.jpg") for name in names]
    for place, plate in enumerate(plates):
        picture = cv2.resize(plate, (1280, round(1280 * plate.shape[0] / plate.shape[1])))
        frame = bench.EDITS[edit](picture, bench.drawn(place, 1280, 853))
        assert audit([("1001", frame)], [sample("planted", picture)]).outcome == "block", names[place]


def test_a_mirrored_part_is_found_where_it_lies() -> None:
    picture, frame = bench.drawn(3), bench.drawn(53).copy()
    part = cv2.resize(picture[80:560, 200:900, :], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    frame[100:388, 300:720] = part[:, ::-1]
    (found,) = audit([("1001", frame)], [sample("planted", picture)]).frames
    one = found.neighbours[0]
    assert one.outcome == "block"
    assert one.mirrored
    # the sample's top left corner lies 200 px left of the part's left edge, which is now its right one
    expected = ((300 + 420 + 200 * 0.6) / 960, (100 - 80 * 0.6) / 640)
    assert one.outline[0] == pytest.approx(expected, abs=0.01)


def test_strangers_do_not_block(strangers: list[Picture]) -> None:
    """210 pairs of drawn pictures."""
    hashes, points = [pdq(each) for each in strangers], [features(each) for each in strangers]
    pairs = list(itertools.combinations(range(len(strangers)), 2))
    assert len(pairs) >= 200
    for one, other in pairs:
        assert distances(hashes[one], hashes[other].bits[None]).min() > BLOCKING_DISTANCE
        assert agreement(points[one], points[other]).inliers < BLOCKING_POINTS


@pytest.mark.slow
def test_strangers_among_photographs_do_not_block(shared: Path) -> None:
    pairs = bench.unrelated(bench.gathered([shared / "plates", shared / "textures"], 0))
    assert len(pairs) >= 200
    judged = [pair for pair in pairs if pair[3]]
    print(f"{len(pairs)} pairs, {len(judged)} of them with hashes that mean something")
    assert len(judged) >= 100  # the others are not judged by PDQ at all
    for one, other, apart, reliable, points in pairs:
        assert points < BLOCKING_POINTS, (one, other)
        assert apart > BLOCKING_DISTANCE or not reliable, (one, other)


def test_the_examples_plates_are_strangers() -> None:
    plates = {
        name: read_sample(bench.EXAMPLES / name / "plate.jpg") for name in ("lyon_corner", "la_rochelle")
    }
    frame = cv2.resize(plates["lyon_corner"], (960, 640), interpolation=cv2.INTER_AREA)
    result = audit([("1001", frame)], [sample("house", plates["la_rochelle"])])
    assert result.outcome == "clear"


def test_the_shortlist_finds_parts_too(strangers: list[Picture]) -> None:
    crowd = [sample(f"stranger {n}", each) for n, each in enumerate(strangers)]
    crowd += [sample(f"twin {n}", each) for n, each in enumerate(strangers[:4])]
    planted, background = bench.drawn(4, 720, 480), bench.drawn(54, 720, 480)
    crowd += [sample("planted", planted), sample("planted again", planted)]
    assert len(crowd) > EXHAUSTIVE
    work = [(edit, bench.EDITS[edit](planted, background)) for edit in ("70 % crop", "35 % inset")]
    work.append(("mirrored crop", np.ascontiguousarray(work[0][1][:, ::-1])))
    result = audit(work, crowd)
    assert not result.exhaustive
    assert SHORT in findings(result, CUT, at=AT)[0].words
    assert result.pairs < len(work) * len(crowd)
    for frame in result.frames:
        blocking = {one.sample for one in frame.neighbours if one.outcome == "block"}
        assert blocking == {"planted", "planted again"}, frame.name


def test_threads_change_nothing() -> None:
    picture, frame = bench.drawn(5, 480, 320), bench.jpeg(bench.drawn(5, 480, 320), 50)
    threads = cv2.getNumThreads()
    try:
        results = []
        for count in (1, 4):
            cv2.setNumThreads(count)
            results.append(audit([("1001", frame)], [sample("planted", picture)]))
    finally:
        cv2.setNumThreads(threads)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("distance", "points", "outcome"),
    [
        (31, 0, "block"),
        (32, 0, "person"),
        (80, 0, "person"),
        (81, 0, "clear"),
        (128, 19, "clear"),
        (128, 20, "block"),
        (32, 19, "person"),
        (81, 20, "block"),
    ],
)
def test_the_limits_are_those_that_production_asked_for(
    distance: int, points: int, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written out, and on both sides of each: one that moved would let copies by, or bother people."""

    def apart(hashed: object, table: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        return np.full(table.shape[:2], distance)

    monkeypatch.setattr(copies, "distances", apart)
    monkeypatch.setattr(copies, "agreement", lambda frame, known: replace(NOTHING, inliers=points))
    frame, other = bench.drawn(21, 480, 320), bench.drawn(22, 480, 320)
    result = audit([("1001", frame)], [sample("other", other)])
    assert result.outcome == outcome


# What cannot be judged


def flat(value: int) -> Picture:
    return np.full((320, 480, 3), value, np.uint8)


def test_featureless_frames_never_pass() -> None:
    against = [sample("a", bench.drawn(6, 480, 320))]
    result = audit([("1001", flat(0)), ("1002", bench.drawn(7, 480, 320))], against)
    assert [frame.outcome for frame in result.frames] == ["inconclusive", "clear"]
    assert result.outcome == "inconclusive"
    whole, frames = findings(result, CUT, at=AT)
    assert (whole.outcome, frames.outcome) == ("unknown", "unknown")
    assert (whole.rule, frames.rule) == ("copy audit: all", "copy audit")
    assert "1001" in frames.words
    assert "1002" not in frames.words


def test_equal_hashes_of_flat_pictures_are_no_evidence() -> None:
    (frame,) = audit([("1001", flat(0))], [sample("black", flat(0))]).frames
    assert frame.neighbours[0].distance == 0
    assert frame.outcome == "person"


def test_repeated_windows_are_not_detail() -> None:
    grid = np.full((480, 640, 3), 200, np.uint8)
    for top in range(10, 470, 40):
        for left in range(10, 630, 40):
            grid[top : top + 20, left : left + 14] = 60
    points = features(grid)
    assert len(points) > 100
    assert points.distinct() < 60


def test_featureless_samples_are_listed() -> None:
    result = audit(
        [("1001", bench.drawn(7, 480, 320))],
        [sample("plaster", flat(180)), sample("b", bench.drawn(8, 480, 320))],
    )
    assert result.featureless == ("plaster",)
    assert result.outcome == "inconclusive"
    assert "plaster" in findings(result, CUT, at=AT)[1].words


@pytest.mark.parametrize("frames", [0, 1])
def test_an_empty_audit_does_not_pass(frames: int) -> None:
    work = [("1001", bench.drawn(7, 480, 320))] * frames
    result = audit(work, [] if frames else [sample("a", bench.drawn(8, 480, 320))])
    (whole,) = findings(result, CUT, at=AT)
    against = [] if frames else [sample("a", bench.drawn(8, 480, 320))]
    assert whole.details["compared_digest"] == compared_digest((one.group, one.asset_id) for one in against)
    assert whole.outcome == "unknown"
    assert ("nothing to compare" if frames else "No frame") in whole.words


# The shot's own inputs


@pytest.mark.parametrize(("group", "outcome"), [("training", "clear"), ("protected", "person")])
def test_the_plate_itself_is_said_to_be_so(group: Group, outcome: str) -> None:
    plate = bench.drawn(10, 480, 320)
    again = cv2.resize(bench.jpeg(plate, 60), (360, 240), interpolation=cv2.INTER_AREA)
    own = sample("plate.jpg", plate, "input")
    result = audit([("1001", plate), ("1002", plate)], [sample("same", again, group)], inputs=[own])
    assert result.outcome == outcome
    assert result.frames[0].neighbours[0].relation == "is"
    told = findings(result, CUT, at=AT)
    if group == "protected":
        assert told[1].outcome == "unknown"
        assert "'same' is the shot's own input 'plate.jpg'" in told[1].words
        assert told[1].evidence == (identity("same"),)
    else:
        assert [each.outcome for each in told] == ["pass"]


def test_what_the_plate_shows_still_blocks_and_is_said() -> None:
    poster = bench.drawn(11)
    plate = bench.inset_35(poster, bench.drawn(12))
    result = audit(
        [("1001", plate)],
        [sample("poster", poster, "protected")],
        inputs=[sample("plate.jpg", plate, "input")],
    )
    assert result.outcome == "block"
    assert result.frames[0].neighbours[0].relation == "within"
    assert "'plate.jpg' shows it too" in findings(result, CUT, at=AT)[1].words


# What is said


def test_findings_of_a_copy() -> None:
    picture = bench.drawn(13, 480, 320)
    frames = [(str(1001 + n), bench.jpeg(picture, 20 + n)) for n in range(3)]
    result = audit(frames, [sample("a poster", picture, "protected")])
    whole, match = findings(result, CUT, at=AT)
    assert (whole.rule, whole.outcome) == ("copy audit: all", "fail")
    assert (match.rule, match.outcome) == ("copy audit", "fail")
    assert LIMITS in whole.words
    assert "style" in LIMITS
    assert whole.evidence == match.evidence == (identity("a poster"),)
    assert "'a poster' is found in 3 frames (1001, 1002, 1003): PDQ" in match.words
    assert findings(result, CUT, at=AT) == (whole, match)
    assert findings(result, "sha256:" + "d" * 64, at=AT)[0].id != whole.id
    json.dumps([whole.model_dump(mode="json"), match.model_dump(mode="json")], allow_nan=False)


def test_the_nearest_neighbours_of_clear_frames_are_on_record(strangers: list[Picture]) -> None:
    frames = [("1001", strangers[0]), ("1002", strangers[1])]
    result = audit(frames, [sample(f"stranger {n}", strangers[n]) for n in range(2, 9)])
    (whole,) = findings(result, CUT, at=AT)
    assert whole.outcome == "pass"
    shown = whole.details["nearest"]
    assert isinstance(shown, list)
    assert 0 < len(shown) <= 4
    every = [one.distance for frame in result.frames for one in frame.neighbours]
    assert shown[0]["distance"] == min(every)
    most = max(one.points or 0 for frame in result.frames for one in frame.neighbours)
    assert most in [one["points"] for one in shown]
    assert {one["frame"] for one in shown} <= {"1001", "1002"}
    assert len({one["asset_id"] for one in shown}) == len(shown)


def test_what_was_found_is_not_among_the_nearest() -> None:
    picture, other = bench.drawn(13, 480, 320), bench.drawn(14, 480, 320)
    frames = [("1001", bench.jpeg(picture, 50)), ("1002", bench.drawn(15, 480, 320))]
    whole = findings(audit(frames, [sample("a", picture), sample("b", other)]), CUT, at=AT)[0]
    shown = whole.details["nearest"]
    assert isinstance(shown, list)
    assert "a" not in [one["sample"] for one in shown]


def test_what_no_longer_holds_is_given_again_as_passed() -> None:
    picture = bench.drawn(13, 480, 320)
    frames, others = [("1001", bench.jpeg(picture, 50))], [sample("b", bench.drawn(14, 480, 320))]
    former = findings(audit(frames, [sample("a", picture), *others]), CUT, at=AT)
    now = findings(audit(frames, others), CUT, at=AT, former=former)
    assert [each.outcome for each in now] == ["pass", "pass"]
    assert [each.id for each in now] == [each.id for each in former]
    assert now[0].rule == "copy audit"
    assert now[1].words.startswith("No longer so")
    assert findings(audit(frames, others), CUT, at=AT, former=now) == now[:1]


def test_an_audit_survives_json() -> None:
    picture = bench.drawn(14, 480, 320)
    result = audit([("1001", bench.crop_70(picture, picture))], [sample("a", picture), sample("b", flat(3))])
    assert CopyAudit.from_dict(json.loads(json.dumps(result.as_dict()))) == result
    with pytest.raises(FalseworkError, match="Run the audit again"):
        CopyAudit.from_dict({"outcome": "fine"})


def test_progress_counts_samples_and_frames() -> None:
    told: list[tuple[int, int]] = []
    work = [("1001", flat(1)), ("1002", flat(2))]
    audit(work, [sample("a", flat(3))], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# Files


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises so much and whose pixels are missing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_bad_files_get_sentences_and_do_not_pass(tmp_path: Path) -> None:
    write_png(tmp_path / "good.png", bench.drawn(15, 480, 320))
    whole = (tmp_path / "good.png").read_bytes()
    faults = {
        "cut.png": (whole[: len(whole) // 2], "damaged"),
        "empty.jpg": (b"", "cannot be read as a picture"),
        "film.psd": (b"8BPS not a picture", "cannot be read as a picture"),
        "wide.png": (png_of(30_001, 40), "more than 30,000 a side"),
        "large.png": (png_of(16_000, 13_000), "200 million in all"),
        "bomb.png": (png_of(29_000, 29_000), "cannot be read as a picture"),
        "tiny.png": (png_of(8, 8), "too small"),
    }
    for name, (content, _) in faults.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "about.txt").write_text("whose these are")
    against = samples_in(tmp_path, "protected")
    assert [each.name for each in against] == sorted([*faults, "good.png"])
    result = audit([("1001", bench.drawn(16, 480, 320))], against)
    assert result.compared == {"training": 0, "protected": 1}
    assert {each.sample for each in result.unread} == set(faults)
    for each in result.unread:
        assert faults[each.sample][1] in each.why
        assert each.why.endswith(".")
        assert str(tmp_path) not in each.why  # it goes on record
    assert result.outcome == "inconclusive"
    assert "'bomb.png' was not compared" in findings(result, CUT, at=AT)[1].words


@pytest.mark.parametrize("extension", [".tif", ".exr"])
def test_a_picture_behind_the_first_is_not_passed_over(tmp_path: Path, extension: str) -> None:
    """A page or part of its own, which is the copy: the first one alone would be clear."""
    oiio = pytest.importorskip("OpenImageIO")
    first, second = bench.drawn(23, 480, 320), bench.drawn(24, 480, 320)
    path = tmp_path / f"pages{extension}"
    specs = [oiio.ImageSpec(480, 320, 3, oiio.HALF if extension == ".exr" else oiio.UINT8) for _ in range(2)]
    for number, spec in enumerate(specs):
        spec.attribute("oiio:subimagename", f"part {number}")
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), tuple(specs)) if extension == ".exr" else out.open(str(path), specs[0])
    assert out.write_image(first)
    assert out.open(str(path), specs[1], "AppendSubimage")
    assert out.write_image(second)
    out.close()
    result = audit([("1001", second)], samples_in(tmp_path, "protected"))
    assert "more than one picture" in result.unread[0].why
    assert result.outcome == "inconclusive"


def test_another_file_than_recorded_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_png(path, bench.drawn(17, 320, 240))
    (one,) = samples_in(tmp_path, "protected")
    write_png(path, bench.drawn(18, 320, 240))
    result = audit([], [one])
    assert "its hash is another" in result.unread[0].why


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "secret.png", flat(1))
    folder = tmp_path / "protected"
    folder.mkdir()
    (folder / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(FalseworkError, match="leads out of its folder"):
        samples_in(folder, "protected")
    (folder / "a.png").unlink()
    (folder / "b.png").symlink_to(folder / "b.png")
    with pytest.raises(FalseworkError, match="or nowhere"):
        samples_in(folder, "protected")
    with pytest.raises(FalseworkError, match="no such folder"):
        samples_in(tmp_path / "missing", "protected")


@pytest.mark.parametrize("extension", [".jpg", ".png", ".tif", ".exr", ".bmp", ".webp"])
def test_formats_are_read_alike(extension: str, tmp_path: Path) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    picture = bench.drawn(19, 480, 320)
    path = tmp_path / f"a{extension}"
    spec = oiio.ImageSpec(480, 320, 3, oiio.HALF if extension == ".exr" else oiio.UINT8)
    out = oiio.ImageOutput.create(str(path))
    if out is None or not out.open(str(path), spec):
        pytest.skip(f"OpenImageIO cannot write {extension} here")
    pixels = picture
    if extension == ".exr":
        light = picture / 255.0
        pixels = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4).astype(
            np.float32
        )
    assert out.write_image(np.ascontiguousarray(pixels))
    out.close()
    assert distances(pdq(read_sample(path)), pdq(picture).bits[None])[0, 0] <= 8
    assert np.abs(read_sample(path).astype(int) - picture).mean() < 6


def test_the_index_works_out_each_picture_once(tmp_path: Path) -> None:
    write_png(tmp_path / "set" / "a.png", bench.drawn(20, 480, 320))
    against = samples_in(tmp_path / "set", "training")
    work = [("1001", bench.crop_70(bench.drawn(20, 480, 320), flat(0)))]
    first, second = Index(tmp_path / "index"), Index(tmp_path / "index")
    one, other = audit(work, against, index=first), audit(work, against, index=second)
    assert one == other == audit(work, against)
    assert (first.worked_out, second.worked_out) == (1, 0)
    (kept,) = (tmp_path / "index").iterdir()
    kept.write_bytes(kept.read_bytes()[:200])
    third = Index(tmp_path / "index")
    assert audit(work, against, index=third) == one
    assert third.worked_out == 1
