"""falsework's side of the drawing: its seconds as it is delivered, its picture of what Cycles is given too.

With networks the seconds are those of both; the picture compared has the light network's light on the dust's
plain grid, since that grid is what Cycles draws.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from falsework.bench.meter import Meter
from falsework.bench.rows import Look, Work
from falsework.bench.scene import Scene
from falsework.comp.composite import Compositor
from falsework.models.light import LightNetwork
from falsework.render.fine_volume import Refine
from falsework.render.layers import Layers
from falsework.render.learned import LearnedRenderer
from falsework.render.renderer import Renderer
from falsework.render.settings import RenderSettings
from falsework.shots.networks import CODE, light_of, network_settings, refine_of

__all__ = ["Drawn", "draw_ours", "look_of"]

# What the renderer's program loads before it has anything to do.
PROGRAM = ("falsework.render.renderer", "falsework.shots.layer_files")


@dataclass(frozen=True)
class Drawn:
    """One frame by falsework, and the one after it; the seconds are of the frame as it is delivered."""

    layers: Layers
    next_layers: Layers
    work: Work


def look_of(settings: RenderSettings) -> Look:
    """Who draws with these settings. FalseworkError where a network is not at hand."""
    networks = network_settings(settings)
    return Look(
        settings.shading,
        settings.dust_detail,
        {name: one["weights"] for name, one in networks.items()},
        device=next((one["device"] for one in networks.values()), "cpu"),
    )


def draw_ours(scene: Scene, frames: Sequence[int]) -> tuple[dict[int, Drawn], dict[str, Work]]:
    """Whole frames, by their number from 0, and the seconds of start, set-up and one frame's comp."""
    loaded = [*PROGRAM, *(one for name in look_of(scene.shot.render).weights for one in CODE[name])]
    with Meter() as start:
        subprocess.run([sys.executable, "-c", f"import {', '.join(loaded)}"], check=True)
    # The seconds are those of dust with its fine structure, as it is delivered.
    with Meter() as setup:
        light, refine = light_of(scene.shot), refine_of(scene.shot)
        delivered = _renderer(scene, light, refine, relief=1.0)
        delivered.frame(frames[0])  # with all that is compiled or read at the first frame
    seconds = {}
    with delivered:
        for frame in frames:
            with Meter() as meter:
                delivered.frame(frame)
            seconds[frame] = meter.work()
    # The pictures are of the grid as it is, which Cycles is given.
    with _renderer(scene, light, None, relief=0.0) as plain:
        drawn = {frame: Drawn(plain.frame(frame), plain.frame(frame + 1), seconds[frame]) for frame in frames}
    first = seconds[frames[0]]
    with Meter() as comp_setup:
        compositor = Compositor(scene.plate, scene.shot.comp, seed=scene.shot.seed)
        compositor.frame(drawn[frames[0]].layers)
    with Meter() as comp:
        compositor.frame(drawn[frames[0]].layers)
    wall = max(setup.wall - first.wall, 0.0) + max(comp_setup.wall - comp.wall, 0.0)
    cpu = max(setup.cpu - first.cpu, 0.0) + max(comp_setup.cpu - comp.cpu, 0.0)
    return drawn, {"start": start.work(), "setup": Work(wall, cpu), "comp": comp.work()}


def _renderer(scene: Scene, light: LightNetwork | None, refine: Refine | None, *, relief: float) -> Renderer:
    given = (
        scene.plate,
        scene.fragments,
        scene.motion,
        scene.debris,
        scene.dust,
        scene.shot.render,
    )
    seed = scene.shot.seed
    if light is None:
        return Renderer(*given, seed=seed, relief=relief, refine=refine)
    return LearnedRenderer(*given, seed=seed, light=light, relief=relief, refine=refine)
