"""The bench's arithmetic, and that it cannot be fooled: worse pictures, missing frames, uneven clocks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

pytest.importorskip("flip_evaluator", reason="the bench's extra is not installed")

from falsework.bench import study as study_module
from falsework.bench.difference import difference, flip, psnr, ssim, temporal_error
from falsework.bench.drawing import cost_of
from falsework.bench.headline import beside_denoised, headline, time_at_error
from falsework.bench.kept import Kept
from falsework.bench.meter import Meter
from falsework.bench.ours import look_of
from falsework.bench.page import denoised_rows, write_bench
from falsework.bench.rates import load_rates
from falsework.bench.region import changed, region_in_sight
from falsework.bench.rows import Cost, Drawing, FrameStudy, Look, ShotStudy, Work
from falsework.bench.study import Bench
from falsework.errors import FalseworkError
from falsework.render.layers import Layers
from falsework.render.traditional.blender import ABILITIES, Blender, Blenders
from falsework.shots.spec import load_shot
from shots_fakes import SHOT, write_shot


def cycles(samples: int, seconds: float, error: float, *, denoised: bool = False) -> Drawing:
    work = Work(seconds, 2 * seconds)
    return Drawing("cycles", samples, denoised, False, work, error, 30.0, 0.9)


def ours(seconds: float, error: float) -> Drawing:
    work = Work(seconds, seconds)
    return Drawing("falsework", 8, False, False, work, error, 30.0, 0.9)


DENOISED = (cycles(1, 12.0, 0.3, denoised=True), cycles(4, 42.0, 0.19, denoised=True))
LADDER = (cycles(1, 10.0, 0.4), cycles(4, 40.0, 0.2), cycles(16, 160.0, 0.1))


def study(*drawings: Drawing, frame: int = 1010) -> FrameStudy:
    return FrameStudy(frame, (480, 270), (0, 0, 64, 64), (0, 0, 200, 200), 96, 0.01, (), drawings)


def shot(name: str, *studies: FrameStudy, frames: int = 10) -> ShotStudy:
    stages = {
        "falsework": {"simulation": Work(5.0, 5.0), "comp": Work(10.0, 10.0)},
        "traditional": {"simulation": Work(50.0, 50.0), "comp": Work(10.0, 10.0)},
    }
    return ShotStudy(name, frames, tuple(one.frame for one in studies), studies, stages)


def picture(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 64))
    smooth = 0.3 + 0.2 * np.sin(9 * x) * np.cos(7 * y)
    colour = smooth[..., None] * np.array([1.0, 0.9, 0.7])
    return (colour + random.normal(0, 0.002, (64, 96, 3))).clip(0, 1).astype(np.float32)


# ---- errors ------------------------------------------------------------------------------------------------


def test_a_picture_does_not_differ_from_itself() -> None:
    same = difference(picture(), picture())
    assert same.flip == pytest.approx(0.0, abs=1e-6)
    assert same.psnr == float("inf")
    assert same.ssim == pytest.approx(1.0)


def test_added_error_is_seen_by_every_measure() -> None:
    reference = picture()
    found = [
        difference(reference, (reference * (1 + amount)).astype(np.float32)) for amount in (0.05, 0.2, 0.6)
    ]
    assert [one.flip for one in found] == sorted(one.flip for one in found)
    assert [one.psnr for one in found] == sorted((one.psnr for one in found), reverse=True)
    assert [one.ssim for one in found] == sorted((one.ssim for one in found), reverse=True)
    assert found[0].flip > 0.005


def test_psnr_by_hand() -> None:
    flat = np.zeros((32, 32, 3), np.float32)
    bright = np.full((32, 32, 3), 1.0, np.float32)
    assert psnr(flat, bright) == pytest.approx(0.0, abs=1e-4)  # as wrong as can be: the peak itself


def test_ssim_of_noise_is_low() -> None:
    random = np.random.default_rng(3)
    first, second = (random.random((64, 64, 3), np.float32) for _ in range(2))
    assert ssim(first, second) < 0.15


def test_pictures_of_other_sizes_are_refused() -> None:
    with pytest.raises(FalseworkError, match="cannot be compared"):
        flip(picture(), picture()[:32])


def test_pictures_with_holes_are_refused() -> None:
    broken = picture()
    broken[3, 3] = np.nan
    with pytest.raises(FalseworkError, match="no numbers"):
        flip(picture(), broken)


def test_flicker_is_an_error_in_time_and_a_moving_picture_is_none() -> None:
    still = picture()
    moved = np.roll(still, 3, axis=1)
    motion = np.zeros((*still.shape[:2], 2), np.float32)
    motion[..., 0] = 3.0
    faithful = temporal_error((still, moved), (still, moved), motion)
    flickering = temporal_error((still, moved), (still, (moved * 1.2).astype(np.float32)), motion)
    assert faithful == 0.0
    assert flickering > 0.01
    # The same error in both frames is no flicker.
    steady = tuple((one * 1.2).astype(np.float32) for one in (still, moved))
    assert temporal_error((still, moved), (steady[0], steady[1]), motion) < 0.2 * flickering


# ---- times at equal error ----------------------------------------------------------------------------------


def test_between_two_drawings_time_follows_a_power_law() -> None:
    found = time_at_error(LADDER, np.sqrt(0.2 * 0.1))
    assert found.wall == pytest.approx(80.0)
    assert found.cpu == pytest.approx(160.0)
    assert found.bound == ""


def test_the_denoiser_is_taken_where_it_is_sooner() -> None:
    assert time_at_error((*LADDER, cycles(1, 15.0, 0.1, denoised=True)), 0.1).wall == pytest.approx(15.0)


def test_bounds_are_said() -> None:
    assert time_at_error(LADDER, 0.5).bound == "at most"
    assert time_at_error(LADDER, 0.05).bound == "at least"
    assert time_at_error(LADDER, 0.05).wall == 160.0


@given(st.floats(0.02, 0.9), st.floats(0.02, 0.9))
def test_a_smaller_error_never_takes_cycles_less_time(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert time_at_error(LADDER, low).wall >= time_at_error(LADDER, high).wall


@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.01, 1)), min_size=1, max_size=8), st.floats(0.01, 1)
)
def test_the_time_lies_within_what_was_measured(points: list[tuple[float, float]], error: float) -> None:
    drawings = [cycles(2**n, seconds, wrong) for n, (seconds, wrong) in enumerate(points)]
    found = time_at_error(drawings, error)
    assert min(s for s, _ in points) * 0.999 <= found.wall <= max(s for s, _ in points) * 1.001


# ---- the headline ------------------------------------------------------------------------------------------


def test_a_headline_by_hand() -> None:
    head = headline([shot("a", study(ours(2.0, 0.2), *LADDER))])
    assert head.frame == pytest.approx(20.0)  # 40 s against 2 s
    assert head.shot == pytest.approx((10 * 40 + 60) / (10 * 2 + 15))


def test_medians_and_spread_over_shots() -> None:
    shots = [
        shot(name, study(ours(seconds, 0.2), *LADDER)) for name, seconds in zip("abc", (1, 2, 8), strict=True)
    ]
    head = headline(shots)
    assert head.frame == pytest.approx(20.0)
    assert head.frame_spread == pytest.approx((5.0, 40.0))


def test_more_error_in_our_picture_lowers_the_headline() -> None:
    before = headline([shot("a", study(ours(2.0, 0.12), *LADDER))])
    after = headline([shot("a", study(ours(2.0, 0.3), *LADDER))])
    hopeless = headline([shot("a", study(ours(2.0, 0.9), *LADDER))])
    assert after.frame < before.frame
    assert after.shot < before.shot
    assert hopeless.bound == "at most"
    assert hopeless.frame < after.frame


def test_added_error_reaches_the_headline_through_the_pictures() -> None:
    """From our renderer's picture with noise added, through FLIP, to the ratio."""
    reference = picture()
    good = (reference + np.random.default_rng(1).normal(0, 0.004, reference.shape)).astype(np.float32)
    bad = (reference + np.random.default_rng(1).normal(0, 0.1, reference.shape)).clip(0).astype(np.float32)
    errors = [flip(reference, image) for image in (good, bad)]
    ladder = (cycles(1, 10.0, 2 * errors[1]), cycles(64, 640.0, errors[0] / 2))
    ratios = [headline([shot("a", study(ours(2.0, error), *ladder))]).frame for error in errors]
    assert ratios[1] < 0.5 * ratios[0]


def test_a_missing_frame_is_said() -> None:
    whole = shot("a", study(ours(2.0, 0.2), *LADDER), study(ours(2.0, 0.2), *LADDER, frame=1020))
    headline([whole])
    with pytest.raises(FalseworkError, match="1020"):
        headline([replace(whole, studies=whole.studies[:1])])
    with pytest.raises(FalseworkError, match="missing"):
        headline([replace(whole, studies=())])


def test_a_missing_drawing_is_said() -> None:
    with pytest.raises(FalseworkError, match="drawings by falsework"):
        headline([shot("a", study(*LADDER))])
    uneven = shot("a", study(ours(2.0, 0.2), *LADDER), study(ours(2.0, 0.2), *LADDER[:2], frame=1020))
    with pytest.raises(FalseworkError, match="lacks Cycles' drawing of 16 samples"):
        headline([uneven])


def test_ratios_of_both_kinds_are_not_one_bound() -> None:
    worse = study(ours(2.0, 0.9), *LADDER)
    better = study(ours(2.0, 0.01), *LADDER)
    assert headline([shot("a", worse), shot("b", better)]).bound == "mixed"


def test_two_shots_of_one_name_are_refused() -> None:
    one = shot("a", study(ours(2.0, 0.2), *LADDER))
    with pytest.raises(FalseworkError, match="two shots"):
        headline([one, one])


def test_the_cheapest_denoised_drawing_is_beside_ours_whatever_its_error() -> None:
    (one,) = beside_denoised(shot("a", study(ours(2.0, 0.2), *LADDER, *DENOISED)))
    assert one.cheapest == DENOISED[0]  # the plain one of a sample is sooner, and no denoised one
    assert one.at_any_error == pytest.approx(6.0)
    assert one.equal.bound == ""
    assert 6.0 < one.at_equal_error < 21.0
    (row,) = denoised_rows(shot("a", study(ours(2.0, 0.5), *LADDER, *DENOISED)))
    assert row == ("a", "1010", "2.00", "0.5000", "1", "12.00", "0.3000", "6.00", "at most 6.00")
    assert beside_denoised(shot("a", study(ours(2.0, 0.2), *LADDER))) == ()  # its denoiser is switched off


def test_a_sample_costs_what_two_drawings_say() -> None:
    cost = cost_of([(1, Work(5.0, 8.0)), (5, Work(13.0, 24.0))])
    assert cost.of(1).wall == pytest.approx(5.0)
    assert cost.of(64).wall == pytest.approx(3.0 + 2.0 * 64)
    assert cost.of(64).cpu == pytest.approx(4.0 + 4.0 * 64)


def test_a_disturbed_clock_is_said() -> None:
    with pytest.raises(FalseworkError, match="something else to do"):
        cost_of([(1, Work(9.0, 8.0)), (4, Work(8.0, 16.0))])


# ---- shots that fail ---------------------------------------------------------------------------------------

FALLS = ("as_it_is", "pancake", "topple", "implosion", "from_the_left")


class Meters:
    """In the place of what measures a shot: counts, and fails for one of them."""

    def __init__(self, failing: str = "") -> None:
        self.asked: list[str] = []
        self.failing = failing

    def __call__(self, variant: Path, name: str, *_: object) -> ShotStudy:
        self.asked.append(variant.stem)
        if variant.stem == self.failing:
            raise FalseworkError("Blender 9.9.9 died", where="traditional cycles_session")
        look = look_of(load_shot(variant).render)
        return replace(shot(name, study(ours(2.0, 0.2), *LADDER, *DENOISED)), look=look)


@pytest.fixture
def benched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    """`bench_shots` of a shot of five falls, measured by `Meters`."""
    path = write_shot(tmp_path)
    for file in study_module.shot_files(load_shot(path)):
        if not (path.parent / file).exists():
            (path.parent / file).write_bytes(b"a picture")
    worker = Blender(Path("/nowhere"), False, "9.9.9", frozenset(ABILITIES))
    monkeypatch.setattr(study_module, "find_blenders", lambda named: Blenders((worker,)))
    monkeypatch.setattr(study_module, "warm", lambda shot: None)

    def bench(meters: Meters, *, more: Sequence[Path] = (), **options: object) -> Bench:
        monkeypatch.setattr(study_module, "_study", meters)
        with tempfile.TemporaryDirectory() as folder:
            return study_module.bench_shots(
                [path, *more],
                folder=Path(folder),
                out=tmp_path / "bench_out",
                listener=lambda shot, step: lambda done, total: None,
                **({"quick": True} | options),
            )

    return bench


def test_rows_come_back_as_they_were_kept(tmp_path: Path) -> None:
    cost = Cost(Work(0.25, 0.5), Work(0.1, 0.2), ((1, Work(0.35, 0.7)), (8, Work(1.05, 2.1))))
    one = replace(study(ours(2.0, 0.1 + 0.2), *LADDER), cost=(cost,))
    whole = shot("a", one, replace(one, frame=1020, drawings=(replace(one.drawings[0], psnr=None),)))
    whole = replace(whole, look=Look("learned", "plain", {"light": "0" * 64}))
    Kept(tmp_path, {"size": (1, 2)}).add(whole)
    assert Kept(tmp_path, {"size": (1, 2)}).get("a") == whole
    assert Kept(tmp_path, {"size": (1, 3)}).get("a") is None
    assert not list(tmp_path.glob("*.part"))


def test_a_shot_that_fails_is_named_and_costs_no_other(benched: Callable[..., Bench], tmp_path: Path) -> None:
    first = Meters(failing="from_the_left")
    bench = benched(first)
    assert first.asked == list(FALLS)
    assert [one.name.rpartition("/")[2] for one in bench.shots] == list(FALLS[:4])
    assert bench.headline is None
    (name,) = bench.failed
    assert name.endswith("/from_the_left")
    written = write_bench(bench, load_rates(None), tmp_path / "bench_out", None)
    told = json.loads((tmp_path / "bench_out" / "bench.json").read_text())
    assert told["ratio_at_equal_flip"] is None
    assert "Blender 9.9.9 died" in told["failed"][name]
    assert len(told["per_shot"]) == 4
    page = written[1].read_text()
    assert "No headline" in page
    assert name in page
    assert any(name in line for line in bench.sampling)

    again = Meters()
    whole = benched(again)
    assert again.asked == ["from_the_left"]  # the others are taken as they were measured
    assert whole.shots[:4] == bench.shots
    assert not whole.failed
    assert whole.headline is not None
    assert len(whole.headline.per_shot) == 5
    assert any("earlier run" in line for line in whole.sampling)
    assert not list((tmp_path / "bench_out").glob("unfinished*"))
    fresh = Meters()
    assert not any("earlier run" in line for line in benched(fresh).sampling)
    assert fresh.asked == list(FALLS)


def test_rows_of_other_settings_are_not_taken(benched: Callable[..., Bench]) -> None:
    benched(Meters(failing="topple"))
    other = Meters(failing="topple")
    benched(other, height=360)
    assert other.asked == list(FALLS)
    same = Meters()
    benched(same)
    assert same.asked == ["topple"]


def put_networks(folder: Path, monkeypatch: pytest.MonkeyPatch, value: float = 1.0) -> None:
    """Weights of both networks that hold one number, installed by a user; none shipped."""
    monkeypatch.setenv("FALSEWORK_MODELS", str(folder))
    monkeypatch.setattr("falsework.models.registry.SHIPPED", folder / "shipped")
    folder.mkdir(exist_ok=True)
    for name in ("light", "dust"):
        save_file({"weight": np.full(3, value, np.float32)}, folder / f"{name}.safetensors")


def test_rows_drawn_by_other_networks_are_not_taken(
    benched: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(**render: str) -> list[str]:
        meters = Meters(failing="topple")
        benched(meters, render=render)
        return meters.asked

    put_networks(tmp_path / "shelf", monkeypatch)
    assert asked() == asked(shading="learned") == asked(shading="learned", dust_detail="learned")
    assert asked(shading="learned") == ["topple"]
    put_networks(tmp_path / "shelf", monkeypatch, 2.0)
    assert asked(shading="learned") == list(FALLS)
    assert asked() == ["topple"]


def test_page_and_json_say_which_weights_drew(
    benched: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_networks(tmp_path / "shelf", monkeypatch)
    bench = benched(Meters(), render={"shading": "learned", "dust_detail": "learned"}, falls=1)
    assert [one.name.rpartition("/")[2] for one in bench.shots] == ["as_it_is"]
    assert any("the first 1" in line for line in bench.sampling)
    written = write_bench(bench, load_rates(None), tmp_path / "bench_out", None)
    told, page = json.loads(written[2].read_text()), written[1].read_text()
    weights = {
        name: hashlib.sha256((tmp_path / "shelf" / f"{name}.safetensors").read_bytes()).hexdigest()
        for name in ("light", "dust")
    }
    drew = {"shading": "learned", "dust_detail": "learned", "weights": weights, "device": "cpu"}
    assert told["look"] == drew
    assert told["shots"][0]["look"] == told["look"]
    assert told["beside_denoised"][bench.shots[0].name][0]["at_any_error"] == pytest.approx(6.0)
    assert all(digest in page for digest in weights.values())
    assert "<td>falsework, light network, dust network</td>" in page


def test_a_network_that_is_not_at_hand_is_said_before_any_work(
    benched: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_networks(tmp_path / "shelf", monkeypatch)
    (tmp_path / "shelf" / "dust.safetensors").unlink()
    meters = Meters()
    with pytest.raises(FalseworkError, match='no model "dust"'):
        benched(meters, render={"dust_detail": "learned"})
    assert not meters.asked


def test_weights_that_change_meanwhile_make_no_row(
    benched: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trained(Meters):
        def __call__(self, variant: Path, name: str, *_: object) -> ShotStudy:
            put_networks(tmp_path / "shelf", monkeypatch, 3.0 if variant.stem == "topple" else 1.0)
            return super().__call__(variant, name)

    put_networks(tmp_path / "shelf", monkeypatch)
    bench = benched(Trained(), render={"shading": "learned"})
    assert [name.rpartition("/")[2] for name in bench.failed] == ["topple"]
    assert "changed while" in "".join(bench.failed.values())
    assert bench.headline is None


def test_shots_of_different_looks_have_no_median(
    benched: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_networks(tmp_path / "shelf", monkeypatch)
    other = write_shot(tmp_path / "other", SHOT + '\n[render]\nshading = "learned"\n')
    meters = Meters()
    with pytest.raises(FalseworkError, match="light network"):
        benched(meters, more=[other])
    assert not meters.asked
    benched(meters, more=[other], render={"shading": "learned"})
    assert meters.asked == [*FALLS, *FALLS]


def test_an_interrupted_bench_goes_on(benched: Callable[..., Bench]) -> None:
    class Stopped(Meters):
        def __call__(self, variant: Path, name: str, *_: object) -> ShotStudy:
            if variant.stem == "implosion":
                raise KeyboardInterrupt
            return super().__call__(variant, name)

    with pytest.raises(KeyboardInterrupt):
        benched(Stopped())
    after = Meters()
    assert benched(after).headline is not None
    assert after.asked == ["implosion", "from_the_left"]


def test_a_row_that_gives_no_ratio_is_not_kept(benched: Callable[..., Bench]) -> None:
    class Lacking(Meters):
        def __call__(self, variant: Path, name: str, *_: object) -> ShotStudy:
            whole = super().__call__(variant, name)
            return replace(whole, studies=()) if variant.stem == "pancake" else whole

    assert "are missing" in "".join(benched(Lacking()).failed.values())
    after = Meters()
    benched(after)
    assert after.asked == ["pancake"]


def test_a_headline_needs_every_shot_that_was_asked_for() -> None:
    shots = [shot(name, study(ours(2.0, 0.2), *LADDER)) for name in "abcd"]
    headline(shots, asked=4)
    with pytest.raises(FalseworkError, match="4 of 5 shots"):
        headline(shots, asked=5)


# ---- the clock ---------------------------------------------------------------------------------------------

BUSY = "import time; end = time.process_time() + 0.4\nwhile time.process_time() < end: pass"


def test_work_in_this_process_and_in_another_counts_alike() -> None:
    with Meter() as own:
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
    with Meter() as other:
        subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert own.cpu == pytest.approx(0.4, abs=0.15)
    assert other.cpu >= 0.35


def test_a_child_that_lives_on_is_counted_while_it_works() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY + "\nprint('done', flush=True)\ninput()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    with Meter() as meter:
        child.stdout.readline()
    child.communicate(b"\n")
    assert meter.cpu >= 0.3


def test_sleep_is_time_by_the_clock_alone() -> None:
    with Meter() as meter:
        time.sleep(0.2)
    assert meter.wall >= 0.19
    assert meter.cpu < 0.15


def test_a_frame_in_which_nothing_is_seen_is_refused() -> None:
    """Every drawing of it is the plate, and one as good as the other at any number of samples."""
    height, width = 24, 32
    nothing = np.zeros((height, width, 4), np.float32)
    layers = Layers(
        surface=nothing, hold=nothing[..., 0], shadow=np.ones((height, width, 3), np.float32), dust=nothing,
        dust_front=nothing, depth=nothing[..., 0], normal=nothing[..., :3], motion=nothing[..., :2],
        albedo=nothing[..., :3], crypto=nothing,
    )  # fmt: skip
    assert not changed(layers).any()
    with pytest.raises(FalseworkError, match="nothing of the fall is to be seen in frame 1005"):
        region_in_sight(layers, frame=1005, shot="here")
