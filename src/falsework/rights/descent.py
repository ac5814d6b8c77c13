"""How a cut came about: everything it was made from, the steps, the models, and what came from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from falsework.rights.production import OWN_STEPS
from falsework.rights.records import Activity, Asset
from falsework.rights.state import State

__all__ = ["READING", "Descent", "descent_of", "is_own", "says_no_models"]

READING = "brief"  # the step in which a language model reads the brief into settings
# What falsework's own stages make; anything else that nothing on record made came from outside.
MADE = frozenset({"intermediate", "take", "cut", "delivery"})
# What a run takes in as its picture.
PICTURES = frozenset({"plate", "picture", "matte", "texture", "environment"})


@dataclass(frozen=True)
class Descent:
    """How a cut came about, without what went into the training of its models.

    outside      what came from outside and needs a grant: what is on record as made of nothing, and every
                 picture that a run took in, whatever production.toml says it was made of
    unexplained  what nothing on record made
    """

    assets: tuple[str, ...]
    activities: tuple[Activity, ...]
    outside: tuple[str, ...]
    models: tuple[str, ...]
    unexplained: tuple[str, ...]


def is_own(step: Activity) -> bool:
    """Whether falsework put the step on record itself; production.toml can name neither tool nor type."""
    return step.tool.strip().casefold() == "falsework" or step.type in OWN_STEPS


def says_no_models(step: Activity) -> bool:
    """Whether it is said of a step that it used no trained model: our own say it, others' have to."""
    return is_own(step) or (step.parameters.get("models") == [] and not step.models)


def descent_of(state: State, subject: str) -> Descent:
    assets: dict[str, None] = {}
    recipes: dict[str, list[list[str]]] = {}  # for each asset what each of its makers made it of
    activities: dict[str, Activity] = {}
    outside: list[str] = []
    models: dict[str, None] = {}
    unexplained: list[str] = []
    told: set[str] = {subject}  # what more was done with than to have a language model read it
    front = [subject]
    while front:
        asset = front.pop()
        if asset in assets:
            continue
        assets[asset] = None
        makers = state.made_by(asset)
        record = state.assets.get(asset)
        fed = False
        for activity in makers:
            activities[activity.id] = activity
            recipes.setdefault(asset, []).append(parts := [])
            trained = set(activity.models)
            for used in dict.fromkeys((*activity.used, *activity.models)):
                if used == asset:
                    continue
                fed = True
                if activity.type != READING:
                    told.add(used)
                other = state.assets.get(used)
                if used in trained or (other is not None and other.type == "model"):
                    models[used] = None
                else:
                    parts.append(used)
                    front.append(used)
        if record is None or (record.type in MADE and not makers):
            unexplained.append(asset)
        elif not fed or _taken_in(state, record, makers):
            # Nothing is made of nothing: what a step is said to have made so came from outside, whatever it
            # is called. And a run saw that picture lie there: what somebody says it was painted over clears
            # nobody's photograph.
            outside.append(asset)
    unexplained += _made_of_themselves(recipes)
    # The brief that a language model read is the director's own words, and in no picture.
    outside = [one for one in outside if one in told or not _is_document(state.assets.get(one))]
    return Descent(
        tuple(assets), tuple(activities.values()), tuple(outside), tuple(models), tuple(unexplained)
    )


def _taken_in(state: State, asset: Asset, makers: Sequence[Activity]) -> bool:
    """Whether a run of ours took it in as a picture, and none of ours made it."""
    return (
        asset.type in PICTURES
        and not any(is_own(step) for step in makers)
        and any(is_own(step) for step in state.used_by(asset.id))
    )


def _is_document(asset: Asset | None) -> bool:
    return asset is not None and asset.type == "document"


def _made_of_themselves(recipes: Mapping[str, Sequence[Sequence[str]]]) -> list[str]:
    """Assets that are on record only as made from each other in a circle, and what was made from those."""
    grounded: set[str] = set()
    users: dict[str, list[tuple[str, int]]] = {}
    waiting: dict[tuple[str, int], int] = {}
    front: list[str] = []
    for asset, makers in recipes.items():
        for number, parts in enumerate(makers):
            # A part that nothing on record made waits for nothing.
            made = {part for part in parts if part in recipes}
            waiting[asset, number] = len(made)
            if not made:
                front.append(asset)
            for part in made:
                users.setdefault(part, []).append((asset, number))
    while front:
        asset = front.pop()
        if asset in grounded:
            continue
        grounded.add(asset)
        for user in users.get(asset, ()):
            waiting[user] -= 1
            if not waiting[user]:
                front.append(user[0])
    return [asset for asset in recipes if asset not in grounded]
