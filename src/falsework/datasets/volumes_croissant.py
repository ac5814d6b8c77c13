"""The Croissant description of a set of dust volumes, as `datasets.croissant` writes it of shots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from falsework.datasets.croissant import LINES, demand_whole, table_of, write_description, write_sums
from falsework.datasets.shards import INDEX, read_index
from falsework.datasets.volume_settings import VolumeRecipe
from falsework.datasets.volumes import recipe_of
from falsework.datasets.work import COPY

__all__ = ["describe_volumes"]

FIELDS = {
    "sample": ("sc:Text", "The sequence's name, its key."),
    "split": ("sc:Text", "train, validation or test, by simulation."),
    "simulation": ("sc:Integer", "Number of the simulation; no simulation is in two splits."),
    "frame": ("sc:Integer", "Its first frame, from 1."),
    "file": ("sc:Text", "The safetensors file."),
    "bytes": ("sc:Integer", "How long that file is."),
    "sha256": ("sc:Text", "Of that file."),
    "voxel": ("sc:Float", "Edge of a fine dust cell, metres."),
    "fps": ("sc:Float", "Frames a second."),
    "frames": ("sc:Integer", "How many follow one another."),
    "dusty": ("sc:Float", "Share of the dust cells that hold some."),
    "densest": ("sc:Float", "g/m3, of the densest dust cell."),
    "sources": ("sc:Text", "What gave off the dust."),
    "reach": ("sc:Text", "As `reach` under [dust] of a shot."),
    "amount": ("sc:Float", "As `amount` under [dust] of a shot."),
    "seed": ("sc:Text", "Of the simulation, a whole number: it decides all that is random about it."),
    "code": ("sc:Text", "Hash of the code that made it."),
}


def describe_volumes(folder: Path) -> Path:
    """Write `croissant.json` and SHA256SUMS of a set of volumes; returns the first's path. The version is
    1.SIMULATIONS.0."""
    recipe, rows = recipe_of(folder), read_index(folder)
    sequences = {row["file"]: row["sha256"] for row in rows}
    demand_whole(folder, sequences, "sequence", made="made")
    sums, _ = write_sums(folder, sequences)
    return write_description(
        folder,
        sums,
        name=recipe.name,
        description=_description(recipe, rows),
        version=f"1.{len({row['simulation'] for row in rows})}.0",
        keywords=["synthetic", "building collapse", "dust", "fluid simulation", "super-resolution"],
        responsible=_responsible(),
        files={INDEX: LINES, **dict.fromkeys(sequences, "application/octet-stream")},
        tables=[table_of("samples", "One line for each sequence.", INDEX, FIELDS, key="sample")],
    )


def _description(recipe: VolumeRecipe, rows: list[dict[str, Any]]) -> str:
    simulations = len({row["simulation"] for row in rows})
    low, high = recipe.grid.voxel.low, recipe.grid.voxel.high
    return (
        f"{len(rows)} short sequences of dust volumes from {simulations} simulations of the air around what "
        f"falls and breaks, on cells of {low:g} to {high:g} m, with the velocity and the displacements that "
        "a simulation on cells four times as wide works with."
    )


def _responsible() -> dict[str, Any]:
    return {
        "rai:dataCollection": (
            "Nothing was collected, and nothing from outside went into it: all is computed by falsework from "
            f"{COPY}, whose distribution sources, obstacles, wind and air are drawn from."
        ),
        "rai:dataCollectionType": ["Others"],
        "rai:dataPreprocessingProtocol": [
            "Moments and crops are chosen by chance, rather where dust has a surface; density is rounded to "
            "half floats."
        ],
        "rai:dataAnnotationProtocol": "None.",
        "rai:personalSensitiveInformation": "None: it holds numbers of simulated dust.",
        "rai:dataBiases": [
            "Dust obeys one simulation with its own numerical sharpness; real dust has smaller eddies yet.",
            "A few metres of a collapse in its first seconds; no old, thin haze.",
            "Walls and blocks stand along the grid.",
        ],
        "rai:dataUseCases": ["Training and testing networks that refine simulated dust in visual effects."],
        "rai:dataLimitations": [
            "The air of a crop's surroundings is not in it.",
            "It is not fit for health, safety or structural engineering.",
        ],
        "rai:dataSocialImpact": (
            "Pictures of destruction can be used to deceive. Networks trained on these stay within "
            "falsework, whose deliveries say what was made and how."
        ),
        "rai:dataReleaseMaintenancePlan": (
            "A set grows by more simulations, which is its minor version; no simulation changes its split. "
            "On one machine with the same version of everything, the same recipe gives the same sequences "
            "bit for bit, which `falsework dataset rebuild` checks."
        ),
    }
