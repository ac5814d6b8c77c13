"""What of falsework's side is timed and what is compared, with and without its networks."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flip_evaluator", reason="the bench's extra is not installed")

from falsework.bench import ours, shots
from falsework.bench.ours import draw_ours
from falsework.bench.scene import Scene
from falsework.cli import bench as cli
from falsework.cli.main import main
from falsework.render.learned import LearnedRenderer
from falsework.render.renderer import Renderer
from falsework.render.settings import RenderSettings
from falsework.shots.pipeline import shot_with
from falsework.shots.spec import read_shot
from plates import afternoon_light, synthetic_plate
from scenes import brick_tower
from shots_fakes import SHOT
from test_render_layers import dust_of, sliding, some_debris
from test_render_learned import FRAME, Says

LIGHT, REFINE = "the light network", "the dust network"


@dataclass
class Fake:
    """In the place of a renderer: notes what it was made with and what it drew."""

    kind: str
    made: dict[str, Any]
    frames: list[int] = field(default_factory=list)

    def frame(self, index: int) -> tuple[Fake, int]:
        self.frames.append(index)
        return self, index

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
    """The renderers that `draw_ours` makes, in their order; the networks are words."""
    renderers: list[Fake] = []

    def fake(kind: str) -> Any:
        def make(*_: object, **given: Any) -> Fake:
            renderers.append(Fake(kind, given))
            return renderers[-1]

        return make

    def models(settings: RenderSettings) -> dict[str, Any]:
        wanted = {"light": settings.shading, "dust": settings.dust_detail}
        return {name: {"weights": name, "device": "cpu"} for name, how in wanted.items() if how == "learned"}

    monkeypatch.setattr(ours, "Renderer", fake("plain"))
    monkeypatch.setattr(ours, "LearnedRenderer", fake("learned"))
    monkeypatch.setattr(ours, "network_settings", models)
    monkeypatch.setattr(ours, "light_of", lambda shot: LIGHT if "light" in models(shot.render) else None)
    monkeypatch.setattr(ours, "refine_of", lambda shot: REFINE if "dust" in models(shot.render) else None)
    monkeypatch.setattr(ours, "Compositor", lambda *_, **given: SimpleNamespace(frame=lambda layers: None))
    return renderers


def scene_of(**render: str) -> Scene:
    shot = shot_with(read_shot(SHOT), None, render)
    return Scene(shot, *(None,) * 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("shading", ["analytic", "learned"])
@pytest.mark.parametrize("dust", ["plain", "learned"])
def test_seconds_are_of_what_is_delivered_and_pictures_of_what_cycles_is_given(
    made: list[Fake], shading: str, dust: str
) -> None:
    drawn, stages = draw_ours(scene_of(shading=shading, dust_detail=dust), [3, 5])
    delivered, compared = made
    learned = shading == "learned"
    light = {"light": LIGHT} if learned else {}
    refine = REFINE if dust == "learned" else None
    assert delivered.kind == compared.kind == ("learned" if learned else "plain")
    assert delivered.made == {"seed": 3, "relief": 1.0, "refine": refine} | light
    assert compared.made == {"seed": 3, "relief": 0.0, "refine": None} | light
    assert delivered.frames == [3, 3, 5]  # the first one once more, to be warm
    assert compared.frames == [3, 4, 5, 6]
    for frame, one in drawn.items():
        assert (one.layers, one.next_layers) == ((compared, frame), (compared, frame + 1))
    assert set(stages) == {"start", "setup", "comp"}


@pytest.mark.usefixtures("made")
def test_the_programs_start_loads_the_networks_code_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: started.append(command[-1]))
    draw_ours(scene_of(), [3])
    draw_ours(scene_of(shading="learned", dust_detail="learned"), [3])
    assert "models" not in started[0]
    assert "falsework.render.learned" in started[1]
    assert "falsework.models.dust" in started[1]


def test_with_the_light_network_too_the_grid_is_drawn_as_it_is(tmp_path: Path) -> None:
    """The same dust as the plain renderer's on the plain grid, and no network's fine dust in it."""
    fragments = brick_tower()
    given = (
        synthetic_plate(240, 160, light=afternoon_light()),
        fragments,
        sliding(fragments, np.flatnonzero(fragments.centre[:, 2] > 4.0), (0.1, -0.6, -0.1)),
        some_debris(),
        dust_of(tmp_path, 3.0, (-6.0, 18.0, 0.0), (24, 8, 12)),
        RenderSettings(samples=3, shutter=0),
    )
    with Renderer(*given, seed=1, relief=0.0) as renderer:
        grid = renderer.frame(FRAME)
    with Renderer(*given, seed=1) as renderer:
        carved = renderer.frame(FRAME)
    with LearnedRenderer(*given, seed=1, light=Says(1.0, 1.0), relief=0.0) as learned:  # type: ignore[arg-type]
        found = learned.frame(FRAME)
    np.testing.assert_array_equal(found.dust[..., 3], grid.dust[..., 3])
    assert np.abs(found.dust[..., 3] - carved.dust[..., 3]).max() > 0.05


def test_the_command_says_which_networks_and_how_many_falls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def bench_shots(paths: list[Path], **options: Any) -> Any:
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("falsework.bench.study.bench_shots", bench_shots)
    words = ["bench", "shot", "here.toml", "--quick", "--quiet", "--out", str(tmp_path)]
    main([*words, "--falls", "1", "--shading", "learned", "--dust", "learned"])
    assert asked["falls"] == 1
    assert asked["render"] == {"shading": "learned", "dust_detail": "learned"}
    main(words)
    assert asked["falls"] == len(shots.FALLS)
    assert asked["render"] == {}  # as the shot says


def test_more_falls_than_there_are_is_no_bench(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shots.FALLS) == cli.WAYS
    with pytest.raises(SystemExit):
        main(["bench", "shot", "--falls", str(cli.WAYS + 1)])
    assert "--falls" in capsys.readouterr().err
