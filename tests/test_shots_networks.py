"""Which networks a shot's settings ask for, what of them its frames' key holds, and what is noted of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from falsework.models.registry import read_notes
from falsework.render.settings import RenderSettings
from falsework.shots import networks
from falsework.shots.networks import network_settings, networks_of, note_networks, refine_of
from falsework.shots.pipeline import shot_with
from falsework.shots.spec import Shot, read_shot
from shots_fakes import SHOT

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


def test_a_take_is_another_seed_of_the_dust_network(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, object]] = []

    class Network:
        def __init__(self, model: object) -> None:
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


def test_the_names_are_those_of_the_settings() -> None:
    from falsework.cli import make
    from falsework.render import settings

    assert make.SHADINGS == settings.SHADINGS
    assert make.DUST_DETAILS == settings.DUST_DETAILS
    assert set(networks.CODE) == {"light", "dust"}
