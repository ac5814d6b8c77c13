"""Which networks a shot's settings ask for, what of them its frames' key holds, and what is noted of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from falsework.errors import FalseworkError
from falsework.models import device
from falsework.models.registry import install, read_notes
from falsework.render.settings import RenderSettings
from falsework.shots import networks
from falsework.shots.networks import light_of, network_settings, networks_of, note_networks, refine_of
from falsework.shots.pipeline import shot_with
from falsework.shots.spec import Shot, read_shot
from falsework.shots.stages import STAGES
from shots_fakes import SHOT
from trained import own_model

LEARNED = RenderSettings(shading="learned", dust_detail="learned")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's models, nothing shipped."""
    monkeypatch.setenv("FALSEWORK_MODELS", str(tmp_path / "shelf"))
    monkeypatch.setattr("falsework.models.registry.SHIPPED", tmp_path / "shipped")
    (tmp_path / "shelf").mkdir()
    for name in ("light", "dust"):
        put(tmp_path / "shelf", name, 1.0)
    return tmp_path / "shelf"


def put(shelf: Path, name: str, value: float) -> None:
    save_file({"weight": np.full(3, value, np.float32)}, shelf / f"{name}.safetensors")


def shot() -> Shot:
    return read_shot(SHOT)


def test_without_networks_nothing_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("falsework.models.registry.SHIPPED", tmp_path / "none")
    assert networks_of(RenderSettings()) == network_settings(RenderSettings()) == {}
    note_networks(RenderSettings(), tmp_path)
    assert read_notes(tmp_path) == []
    assert refine_of(shot()) is None


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (RenderSettings(shading="learned"), {"light"}),
        (RenderSettings(dust_detail="learned"), {"dust"}),
        (LEARNED, {"light", "dust"}),
    ],
)
def test_what_is_asked_for_is_in_the_key_and_noted(
    shelf: Path, tmp_path: Path, settings: RenderSettings, names: set[str]
) -> None:
    assert set(networks_of(settings)) == set(network_settings(settings)) == names
    note_networks(settings, tmp_path)
    assert {note["name"] for note in read_notes(tmp_path)} == names
    before = network_settings(settings)
    put(shelf, min(names), 2.0)
    assert network_settings(settings) != before


def test_a_network_of_the_users_own_draws_where_its_name_is_given(shelf: Path) -> None:
    put(shelf, "theirs", 3.0)
    own = RenderSettings(shading="learned", light_model="theirs")
    assert networks_of(own)["light"].name == "theirs"
    assert network_settings(own) != network_settings(RenderSettings(shading="learned"))


def test_a_network_for_another_task_is_refused_in_words(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, _ = own_model(tmp_path / "made", name="theirs")  # for light
    assert install(trained, name="light").standing == "on record"
    assert set(networks_of(RenderSettings(shading="learned"))) == {"light"}
    install(trained, name="dust")
    with pytest.raises(FalseworkError, match=r'as the dust network; .* one for "light"'):
        networks_of(RenderSettings(dust_detail="learned"))


def test_a_take_is_another_seed_of_the_dust_network(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, object]] = []

    class Network:
        def __init__(self, model: object, *, device: str | None) -> None:
            pass

        def refine(self, field: object, frame: object, *, seed: int, seen: object) -> None:
            asked.append((seed, seen))

    monkeypatch.setattr("falsework.models.dust.DustNetwork", Network)
    for seed, take in ((3, 0), (3, 1), (4, 0), (3, 1)):
        refine = refine_of(shot_with(shot(), seed, {"dust_detail": "learned", "take": take}))
        assert refine is not None
        refine(None, None, "seen")  # type: ignore[arg-type]
    first, second, third, again = asked
    assert len({first, second, third}) == 3
    assert again == second
    assert first[1] == "seen"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if PyTorch found a CUDA device."""
    monkeypatch.setattr(device, "_cuda", lambda: True)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_cuda", lambda: False)


def render_key(**render: object) -> str:
    """What decides a frame of the shot besides its code and the stages before."""
    return json.dumps(STAGES["render"].settings(shot_with(shot(), None, render)))


def test_a_frame_of_another_device_is_another_frame(shelf: Path, gpu: None) -> None:
    learned = {"shading": "learned", "dust_detail": "learned"}
    auto, cuda, cpu = (render_key(**learned, inference=name) for name in ("auto", "cuda", "cpu"))
    assert auto == cuda != cpu
    assert network_settings(LEARNED)["dust"]["device"] == "cuda"


def test_what_networks_would_run_on_is_nothing_to_a_shot_without(shelf: Path, gpu: None) -> None:
    assert render_key(inference="cuda") == render_key(inference="cpu")


def test_without_cuda_the_processor_serves(shelf: Path, no_gpu: None) -> None:
    assert network_settings(LEARNED)["light"]["device"] == "cpu"
    learned = {"shading": "learned"}
    assert render_key(**learned, inference="auto") == render_key(**learned, inference="cpu")


def test_cuda_that_is_not_there_is_missed_in_words(shelf: Path, no_gpu: None) -> None:
    asked = RenderSettings(shading="learned", inference="cuda")
    with pytest.raises(FalseworkError, match=r"CUDA|not installed.*falsework\[train\]") as missed:
        networks_of(asked)
    assert missed.value.where == "render.inference"
    assert networks_of(RenderSettings(inference="cuda")) == {}


def test_the_device_reaches_both_networks(shelf: Path, gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    class Network:
        def __init__(self, *model: object, device: str | None) -> None:
            asked.append(device)

    monkeypatch.setattr("falsework.models.dust.DustNetwork", Network)
    monkeypatch.setattr("falsework.models.light.LightNetwork", Network)
    for inference in ("auto", "cpu"):
        learned = shot_with(shot(), None, LEARNED.model_dump() | {"inference": inference})
        light_of(learned)
        refine_of(learned)
    assert asked == ["cuda", "cuda", None, None]


def test_the_names_are_those_of_the_settings() -> None:
    from falsework.cli import make
    from falsework.render import settings

    assert make.SHADINGS == settings.SHADINGS
    assert make.DUST_DETAILS == settings.DUST_DETAILS
    assert set(networks.CODE) == {"light", "dust"}
