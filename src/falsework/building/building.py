"""From facades to a building: wings, street walls, interior, roof."""

from __future__ import annotations

from falsework.building.interior import add_interior, make_plan
from falsework.building.roof import add_roof
from falsework.building.settings import BuildingSettings
from falsework.building.structure import Building, Draft
from falsework.building.walls import add_facade_wall
from falsework.building.wings import make_wings
from falsework.plate.plate import Facade
from falsework.seeds import generator

__all__ = ["build"]


def build(facades: tuple[Facade, ...], settings: BuildingSettings, *, seed: int) -> Building:
    """Imagine the building behind its facades, which are given from left to right.

    The footprint is bounded by the facades, by party walls square to the first and last one, and by back
    walls `settings.depth` behind each (less where two facades leave no room for it). Elements do not
    overlap. Raises FalseworkError without facades or where one is too small.
    """
    parapet = settings.roof_height if settings.roof == "flat" else 0.0
    wings = make_wings(facades, settings.depth, parapet, settings.wall_thickness)
    draft = Draft(wings)
    widest = max(range(len(wings)), key=lambda index: wings[index].facade.width)
    for wing in wings:
        plan = make_plan(wing, settings, with_stair=wing.number == widest)
        add_facade_wall(draft, wing, settings, generator(seed, "building", "wall", wing.number))
        add_interior(draft, wing, plan, settings, generator(seed, "building", "interior", wing.number))
        add_roof(draft, wing, plan, settings, generator(seed, "building", "roof", wing.number))
    return draft.finish(settings.wall_thickness)
