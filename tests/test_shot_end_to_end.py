"""What must hold of every shot, on tiny ones: the examples in few lines, few frames, few pieces."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from shot_laws import (
    KEPT_BY_DUST_COLOUR,
    KEPT_BY_GRAIN,
    Law,
    Made,
    another_seed_another_collapse,
    copy_shot,
    killed_and_started_again,
    make,
    movie_within_codec_error,
    only_what_depends_is_redone,
    same_seed_same_pictures,
    untouched_before_the_trigger,
    untouched_outside_the_matte,
    with_setting,
)

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[1] / "examples"


def shrunk(example: str, folder: Path, size: str) -> Path:
    """An example's shot with the whole fall in fifteen frames, twelve a second, of another size; not made."""
    path = copy_shot(EXAMPLES / example / "shot.toml", folder)
    text = path.read_text()
    for pattern, line in (
        (r"^fps = .*$", "fps = 12"),
        (r"^frames = .*$", "frames = [1001, 1015]"),
        (r"^start = .*$", "start = 1004"),
    ):
        text, count = re.subn(pattern, line, text, flags=re.MULTILINE)
        assert count == 1, pattern
    for table, key, value in (
        ("plate", "size", size),
        ("fracture", "fragments", "300"),
        ("dust", "debris", "400"),
    ):
        text = with_setting(text, table, key, value)
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Lyon corner's shot file, nothing made of it."""
    return shrunk("lyon_corner", tmp_path_factory.mktemp("shot") / "tiny", "[360, 240]")


@pytest.fixture(scope="module")
def timed(tiny: Path) -> tuple[Made, float]:
    """The shot made undisturbed, and the seconds that took."""
    copy = copy_shot(tiny, tiny.parents[1] / "undisturbed")
    began = time.perf_counter()
    return make(copy), time.perf_counter() - began


@pytest.fixture(scope="module")
def made(timed: tuple[Made, float]) -> Made:
    return timed[0]


def check(*laws: Law) -> None:
    for law in laws:
        assert law.holds, f"{law.measured}: {law.figure}"


def test_before_the_trigger_the_picture_is_the_plate(made: Made) -> None:
    check(untouched_before_the_trigger(made))


def test_outside_the_matte_the_picture_is_the_plate(made: Made) -> None:
    check(untouched_outside_the_matte(made), movie_within_codec_error(made))


def test_a_bent_plate_is_kept_as_well(tmp_path: Path) -> None:
    """La Rochelle: worked on straightened, the result bent back, the plate around it untouched."""
    made = make(shrunk("la_rochelle", tmp_path / "bent", "[640, 360]"))
    check(
        untouched_before_the_trigger(made), untouched_outside_the_matte(made), movie_within_codec_error(made)
    )


def test_killed_at_random_moments_it_finishes_as_if_undisturbed(
    tiny: Path, timed: tuple[Made, float], tmp_path: Path
) -> None:
    """Also the law of seeds: another folder, the same hashes."""
    made, seconds = timed
    shot = copy_shot(tiny, tmp_path / "killed")
    check(*killed_and_started_again(shot, made, seconds, kills=4, seed=5))


def test_a_seed_gives_one_collapse_and_another_seed_another(made: Made, tmp_path: Path) -> None:
    twin = make(copy_shot(made.path, tmp_path / "twin"))
    check(same_seed_same_pictures(made, twin))
    check(another_seed_another_collapse(made, make(twin.path, "--until", "collapse", "--seed", "8")))


def test_a_change_redoes_only_what_depends_on_it(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.path.parent, tmp_path / "moved")
    moved = make(tmp_path / "moved" / made.path.name)
    assert moved.answer["reused"] == [
        *KEPT_BY_GRAIN,
        "comp",
    ]  # a folder may be moved with all that is finished
    check(
        only_what_depends_is_redone(moved, "render", "dust_colour", "[0.5, 0.3, 0.2]", KEPT_BY_DUST_COLOUR),
        only_what_depends_is_redone(moved, "comp", "grain", "0.5", KEPT_BY_GRAIN),
    )
