"""The networks that a shot's frames are drawn with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import FalseworkError
from falsework.render.settings import RenderSettings
from falsework.seeds import generator
from falsework.shots.sources import source_hash
from falsework.shots.spec import Shot

if TYPE_CHECKING:
    from falsework.dust.field import DustField, DustFrame
    from falsework.dust.fine import FineDust
    from falsework.models.light import LightNetwork
    from falsework.models.registry import Model
    from falsework.render.fine_volume import Flags, Refine
    from falsework.render.learned import LearnedRenderer

__all__ = [
    "CODE",
    "light_of",
    "network_settings",
    "networks_of",
    "note_networks",
    "open_learned",
    "refine_of",
]

LIGHT, DUST = "light", "dust"  # what a network does, as its card has it
# The modules that ask them.
CODE = {
    LIGHT: ("falsework.render.learned", "falsework.models.light"),
    DUST: ("falsework.models.dust",),
}


def networks_of(settings: RenderSettings) -> dict[str, Model]:
    """The models that these settings ask for, by what they do. FalseworkError where one is not at hand, or is
    not what its card says, or is for another task, or where they are to run on CUDA and there is none."""
    wanted = {LIGHT: settings.light_model} if settings.shading == "learned" else {}
    wanted |= {DUST: settings.dust_model} if settings.dust_detail == "learned" else {}
    if not wanted:
        return {}
    from falsework.models.device import device_for
    from falsework.models.registry import find

    device_for(settings.inference)
    models = {task: find(name) for task, name in wanted.items()}
    for task, model in models.items():
        if model.card is not None and model.card.task != task:
            raise FalseworkError(
                f'is asked for as the {task} network; its card says that it is one for "{model.card.task}"',
                where=model.weights,
                todo=f"Give `render.{task}_model` the name of another; `falsework models list` has them.",
            )
    return models


def network_settings(settings: RenderSettings) -> dict[str, Any]:
    """What of the networks decides a frame: their weights, the code that asks them, and what they run on, as
    another device gives other last bits."""
    models = networks_of(settings)
    if not models:
        return {}
    from falsework.models.device import device_for

    device = device_for(settings.inference) or "cpu"
    return {
        name: {
            "weights": model.sha256,
            "code": source_hash(CODE[name], ("falsework.shots.networks",)),
            "device": device,
        }
        for name, model in models.items()
    }


def note_networks(settings: RenderSettings, folder: Path) -> None:
    """Note in the render's folder which models draw, for the record."""
    models = networks_of(settings)
    if models:
        from falsework.models.registry import write_notes

        write_notes(folder, models.values())


def refine_of(shot: Shot) -> Refine | None:
    """What makes the shot's dust finer, in its take; None where no network is asked for."""
    models = networks_of(shot.render)
    return _refine(models[DUST], shot) if DUST in models else None


def light_of(shot: Shot) -> LightNetwork | None:
    """The network that lights the shot; None where none is asked for."""
    models = networks_of(shot.render)
    if LIGHT not in models:
        return None
    from falsework.models.device import device_for
    from falsework.models.light import LightNetwork
    from falsework.models.light_architecture import LightArchitecture

    card = models[LIGHT].card
    said = card.architecture if card is not None else {}
    architecture = LightArchitecture.from_json(said) if said else LightArchitecture()
    return LightNetwork(models[LIGHT].weights, architecture, device=device_for(shot.render.inference))


def open_learned(*scene: Any, seed: int, light: LightNetwork, refine: Refine | None) -> LearnedRenderer:
    """The renderer that a light network corrects; `scene` as `Renderer` is given it."""
    from falsework.render.learned import LearnedRenderer

    return LearnedRenderer(*scene, seed=seed, light=light, refine=refine)


def _refine(model: Model, shot: Shot) -> Refine:
    from falsework.models.device import device_for
    from falsework.models.dust import DustNetwork

    network = DustNetwork(model, device=device_for(shot.render.inference))
    of_take = int(generator(shot.seed, "dust detail", shot.render.take).integers(2**31))

    def refine(field: DustField, frame: DustFrame, seen: Flags) -> FineDust:
        return network.refine(field, frame, seed=of_take, seen=seen)

    return refine
