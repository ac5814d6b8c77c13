"""The light network's features, and what runs it on a processor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.models.light_architecture import LightArchitecture
from falsework.models.light_features import (
    FEATURES,
    LightHere,
    dust_base,
    features,
    first_channel,
    mirrored,
    recoloured,
    view_rays,
)
from scenes import street_camera

EDGE = 24
SMALL = LightArchitecture(widths=(6, 8, 10))
MIRROR = np.array([-1, 1, 1], np.float32)


def light() -> LightHere:
    way = np.array([0.5, -0.4, 0.7], np.float32)
    return LightHere(
        way / np.linalg.norm(way),
        np.array([3.0, 2.6, 2.1], np.float32),
        np.array([0.8, 1.0, 1.3], np.float32),
        np.array([0.3, 0.3, 0.2], np.float32),
        np.array([0.8, 0.7, 0.6], np.float32),
    )


def told() -> dict[str, Any]:
    random = np.random.default_rng(3)

    def between(low: float, high: float, *channels: int) -> np.ndarray:
        return random.uniform(low, high, (EDGE, EDGE, *channels)).astype(np.float32)

    normal = random.normal(size=(EDGE, EDGE, 3)).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return {
        "kind": random.integers(0, 6, (EDGE, EDGE)).astype(np.uint8),
        "depth": between(10, 60),
        "normal": normal,
        "albedo": between(0.1, 0.8, 3),
        "coat": between(0, 1),
        "plate": between(0, 1, 3),
        "rest_light": between(0, 2, 3),
        "sun_seen": between(0, 1),
        "sun_through": between(0, 1),
        "sky_seen": between(0, 1, 6),
        "near": between(0.3, 1),
        "dust_through": between(0, 1),
        "dust_sun": between(0, 0.2),
        "dust_sky": between(0, 0.2),
        "dust_depth": between(5, 40),
    }


def rays() -> np.ndarray:
    return view_rays(street_camera(EDGE, EDGE), np.arange(EDGE) + 0.5, np.arange(EDGE) + 0.5)


def surface() -> np.ndarray:
    return np.random.default_rng(9).uniform(0.05, 1, (EDGE, EDGE, 4)).astype(np.float32)


def in_a_mirror(pictures: dict[str, Any]) -> dict[str, Any]:
    turned = {name: image[:, ::-1] for name, image in pictures.items()}
    turned["normal"] = turned["normal"] * MIRROR
    turned["sky_seen"] = turned["sky_seen"][..., [0, 2, 1, 4, 3, 5]]
    return turned


def test_an_architecture_of_another_version_is_refused_in_words() -> None:
    said = LightArchitecture().to_json()
    assert LightArchitecture.from_json(said) == LightArchitecture()
    for other in ({"network": "light", "channels": 32}, said | {"bounds": [1.0]}, said | {"widths": None}):
        with pytest.raises(FalseworkError, match="not as this version has it"):
            LightArchitecture.from_json(other)


def test_there_is_a_channel_for_each_feature_and_none_is_beyond_its_bounds() -> None:
    found = features(told(), surface(), light(), rays())
    assert found.shape == (sum(FEATURES.values()), EDGE, EDGE)
    assert LightArchitecture().features == len(found)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 4
    assert (found[: FEATURES["kind"]].sum(0) == 1).all()


def test_sky_and_emptiness_are_no_numbers_of_their_own() -> None:
    pictures = {name: np.zeros_like(image) for name, image in told().items()}
    pictures["depth"] = np.full((EDGE, EDGE), np.inf, np.float32)
    pictures["dust_through"] += 1
    dark = replace(light(), sun=np.zeros(3, np.float32), bounce=np.zeros(3, np.float32))
    assert np.isfinite(features(pictures, np.zeros((EDGE, EDGE, 4), np.float32), dark, rays())).all()
    assert (dust_base(pictures, dark) == 0).all()


def test_a_brighter_exposure_tells_the_same() -> None:
    pictures, ours, here = told(), surface(), light()
    bright = {
        name: image * 7 if name in ("plate", "rest_light") else image for name, image in pictures.items()
    }
    brighter = replace(here, sun=here.sun * 7, sky=here.sky * 7, bounce=here.bounce * 7)
    other = ours * np.array([7, 7, 7, 1], np.float32)
    first = features(pictures, ours, here, rays())
    np.testing.assert_allclose(features(bright, other, brighter, rays()), first, atol=1e-4)
    np.testing.assert_allclose(dust_base(bright, brighter), 7 * dust_base(pictures, here), rtol=1e-5)


def test_mirrored_features_are_those_of_the_mirrored_scene() -> None:
    here = light()
    other = replace(here, sun_direction=here.sun_direction * MIRROR)
    straight = features(told(), surface(), here, rays())
    turned = features(in_a_mirror(told()), surface()[:, ::-1], other, rays()[:, ::-1] * MIRROR)
    np.testing.assert_allclose(mirrored(straight), turned, atol=1e-5)
    assert not np.allclose(straight[first_channel("normal")], turned[first_channel("normal")])


def test_features_in_other_colours_are_those_of_the_other_scene() -> None:
    here, pictures, order = light(), told(), [2, 0, 1]
    names = ("sun", "sky", "bounce", "dust_albedo")
    other = replace(here, **{name: getattr(here, name)[order] for name in names})
    turned = {
        name: image[..., order] if name in ("albedo", "plate", "rest_light") else image
        for name, image in pictures.items()
    }
    straight = features(pictures, surface(), here, rays())
    found = features(turned, surface()[..., [*order, 3]], other, rays())
    np.testing.assert_allclose(recoloured(straight, order), found, atol=1e-5)


def test_rays_are_the_cameras_own() -> None:
    camera = street_camera(32, 20)
    found = view_rays(camera, np.array([3.5]), np.array([8.5]))[0, 0]
    pixel, _ = camera.project((camera.position + 12 * found)[None])
    np.testing.assert_allclose(pixel[0], [8.5, 3.5], atol=1e-3)


# ---- at work -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from falsework.models.networks.light import LightUNet

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = LightUNet(SMALL)
        for last in network.leave:
            torch.nn.init.normal_(last.weight, std=0.5)
    path = tmp_path_factory.mktemp("light") / "light.safetensors"
    save_file(network.state_dict(), path)
    return path


def some_features(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(SMALL.features, height, width)).astype(np.float32)


def test_the_graph_is_the_network(weights: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from falsework.models.light import LightNetwork
    from falsework.models.networks.light import LightUNet

    network = LightUNet(SMALL)
    network.load_state_dict(load_file(weights))
    given = some_features(32, 40)
    with torch.no_grad():
        expected = torch.exp(network(torch.from_numpy(given)[None]))[0].numpy()
    surfaces, dust = LightNetwork(weights, SMALL, exact=True).gains(given)
    np.testing.assert_allclose(np.moveaxis(surfaces, -1, 0), expected[:3], rtol=1e-3)
    np.testing.assert_allclose(np.moveaxis(dust, -1, 0), expected[3:], rtol=1e-3)
    fast, _ = LightNetwork(weights, SMALL).gains(given)
    assert np.abs(np.log(fast / surfaces)).mean() < 0.03


def test_any_size_goes_through_and_gives_the_same_twice(weights: Path) -> None:
    from falsework.models.light import LightNetwork

    network = LightNetwork(weights, SMALL)
    for height, width in ((8, 8), (33, 47), (1, 5)):
        surfaces, dust = network.gains(some_features(height, width))
        assert surfaces.shape == dust.shape == (height, width, 3)
        again, _ = network.gains(some_features(height, width))
        assert (again == surfaces).all()


def test_no_input_gives_absurd_light(weights: Path) -> None:
    from falsework.models.light import LightNetwork

    surfaces, dust = LightNetwork(weights, SMALL).gains(1e4 * some_features(16, 16))
    for gains, bound in zip((surfaces, dust), SMALL.bounds, strict=True):
        assert np.isfinite(gains).all()
        assert np.abs(np.log(gains)).max() <= bound * 1.01


def test_weights_of_another_network_are_refused_in_words(weights: Path, tmp_path: Path) -> None:
    from falsework.models.light import LightNetwork

    with pytest.raises(FalseworkError, match="features"):
        LightNetwork(weights, SMALL).gains(np.zeros((3, 8, 8), np.float32))
    with pytest.raises(FalseworkError, match="another network"):
        LightNetwork(weights, replace(SMALL, widths=(6, 8, 10, 12)))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    with pytest.raises(FalseworkError, match="weights"):
        LightNetwork(broken, SMALL)


def test_an_architecture_comes_back_from_its_record() -> None:
    assert LightArchitecture.from_json(SMALL.to_json()) == SMALL
