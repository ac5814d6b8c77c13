"""A data set's Croissant description (MLCommons, version 1.1) with its responsible-AI fields.

Written as plain JSON-LD, so that describing needs no package; `mlcroissant` reads it and loads its record
sets."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from falsework.datasets.assets import FREE
from falsework.datasets.settings import Recipe
from falsework.datasets.shards import INDEX, SPLITS, read_index
from falsework.datasets.work import COPY, open_plan, read_dataset
from falsework.media.atomic import write_text

__all__ = ["CROISSANT", "SUMS", "describe", "write_sums"]

CROISSANT, SUMS, ASSETS = "croissant.json", "SHA256SUMS", "assets.jsonl"
ABOUT_URL = "https://github.com/falsework/falsework"
VERSION = "1.0.0"

_AT = {"@type": "@json"}
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", **_AT},
    "examples": {"@id": "cr:examples", **_AT},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty",
            "fileObject", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5",
            "parentField", "path", "recordSet", "references", "regex", "repeated", "replace",
            "samplingRate", "separator", "source", "subField", "transform",
        )
    },
}  # fmt: skip

# Columns of the index and of the list of assets, their types and what they say.
SAMPLE_FIELDS = {
    "sample": ("sc:Text", "The sample's name, its key."),
    "split": ("sc:Text", "train, validation or test, by building."),
    "building": ("sc:Integer", "Number of the building; no building is in two splits."),
    "frame": ("sc:Integer", "Frame of the shot; 1003 is when the first support goes."),
    "shard": ("sc:Text", "The tar it lies in."),
    "offset": ("sc:Integer", "Where in the tar its safetensors file begins, bytes."),
    "bytes": ("sc:Integer", "How long that file is."),
    "sha256": ("sc:Text", "Of that file."),
    "targets": ("sc:Boolean", "Whether it has path-traced targets."),
    "type": ("sc:Text", "terraced, corner or detached."),
    "material": ("sc:Text", "masonry, concrete or glass."),
    "storeys": ("sc:Integer", "Of the building."),
    "trigger": ("sc:Text", "How it fails."),
    "sky": ("sc:Text", "The sky's picture."),
    "overcast": ("sc:Boolean", "Whether there is no sun."),
    "sun_azimuth": ("sc:Float", "Degrees clockwise from the view's direction."),
    "sun_elevation": ("sc:Float", "Degrees above the horizon."),
    "dust_amount": ("sc:Float", "As `amount` under [dust] of a shot."),
    "seed": ("sc:Text", "Of the building, a whole number: it decides all that is random about it."),
    "code": ("sc:Text", "Hash of the code that made it."),
}
ASSET_FIELDS = {
    "kind": ("sc:Text", "texture or sky"),
    "file": ("sc:Text", "Its name."),
    "sha256": ("sc:Text", "Of its bytes."),
    "licence": ("sc:Text", "SPDX identifier."),
    "source": ("sc:URL", "Where it was taken from."),
    "evidence": ("sc:Text", "What says that this is its licence."),
}


def write_sums(folder: Path) -> tuple[dict[str, str], str]:
    """Digests of recipe, index and shards by name, written as `sha256sum --check` reads them; and the
    digest of that list, which stands for the set."""
    names = [COPY, INDEX, *sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/b*.tar"))]
    sums = {}
    for name in names:
        with (folder / name).open("rb") as file:
            sums[name] = hashlib.file_digest(file, "sha256").hexdigest()
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    write_text(folder / SUMS, text)
    return sums, hashlib.sha256(text.encode()).hexdigest()


def describe(folder: Path) -> Path:
    """Write `croissant.json`, the list of assets and SHA256SUMS of a data set; returns the first's path."""
    about, rows, recipe = read_dataset(folder), read_index(folder), open_plan(folder).recipe
    assets = about["assets"]
    write_text(folder / ASSETS, "".join(json.dumps(asset) + "\n" for asset in assets))
    sums, _ = write_sums(folder)
    sums[ASSETS] = hashlib.sha256((folder / ASSETS).read_bytes()).hexdigest()
    shards = sorted({row["shard"] for row in rows})
    whole = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": about["name"],
        "description": _description(recipe, rows, bool(about.get("targets"))),
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "url": ABOUT_URL,
        "version": VERSION,
        "creator": {"@type": "sc:Organization", "name": "the falsework contributors", "url": ABOUT_URL},
        "datePublished": "2026-11-22",
        "keywords": ["synthetic", "building collapse", "rendering", "dust", "path tracing"],
        "citeAs": f"the falsework contributors, {about['name']}, made with falsework",
        **_responsible(recipe, len(assets), bool(about.get("targets"))),
        "distribution": [
            *(
                {
                    "@type": "cr:FileObject",
                    "@id": name,
                    "name": name,
                    "contentUrl": name,
                    "encodingFormat": "application/x-tar" if name in shards else _format(name),
                    "contentSize": f"{(folder / name).stat().st_size} B",
                    "sha256": sums[name],
                }
                for name in (INDEX, ASSETS, *shards)
            ),
            *(
                [
                    _file_set(
                        "arrays",
                        "A safetensors file for each sample.",
                        "application/octet-stream",
                        "*.safetensors",
                        shards,
                    ),
                    _file_set("records", "Each sample's record.", "application/json", "*.json", shards),
                ]
                if shards
                else []
            ),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "splits",
                "name": "splits",
                "dataType": "cr:Split",
                "key": {"@id": "splits/name"},
                "field": [_field("splits", "name", "sc:Text", "Its name.")],
                "data": [{"splits/name": split} for split in SPLITS],
            },
            _table("samples", "One line for each sample.", INDEX, SAMPLE_FIELDS, key="sample"),
            _table(
                "assets", "The pictures that the samples were made from.", ASSETS, ASSET_FIELDS, key="file"
            ),
        ],
    }
    path = folder / CROISSANT
    write_text(path, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return path


def _format(name: str) -> str:
    return "application/jsonlines" if name.endswith(".jsonl") else "text/plain"


def _field(table: str, name: str, kind: str, words: str, **more: Any) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{name}",
        "name": name,
        "description": words,
        "dataType": kind,
        **more,
    }


def _table(
    name: str, words: str, file: str, fields: dict[str, tuple[str, str]], *, key: str
) -> dict[str, Any]:
    made = []
    for column, (kind, said) in fields.items():
        more: dict[str, Any] = {"source": {"fileObject": {"@id": file}, "extract": {"column": column}}}
        if column == "split":
            more["references"] = {"field": {"@id": "splits/name"}}
        made.append(_field(name, column, kind, said, **more))
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": words,
        "key": {"@id": f"{name}/{key}"},
        "field": made,
    }


def _file_set(name: str, words: str, kind: str, pattern: str, shards: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": words,
        "containedIn": [{"@id": shard} for shard in shards],
        "encodingFormat": kind,
        "includes": pattern,
    }


def _description(recipe: Recipe, rows: list[dict[str, Any]], targets: bool) -> str:
    buildings = len({row["building"] for row in rows})
    edge = recipe.picture.crop
    last = (
        f", with path-traced radiance twice at {recipe.targets.samples // 2} samples a pixel"
        if targets
        else ""
    )
    return (
        f"{len(rows)} crops of {edge} x {edge} pixels from {buildings} simulated building collapses: "
        f"G-buffers, "
        f"visibility of sun and sky, coarse dust{last}. No photograph of a place or a person is in it."
    )


def _responsible(recipe: Recipe, assets: int, targets: bool) -> dict[str, Any]:
    traced = ", and path-traced by Cycles without a denoiser" if targets else ""
    return {
        "rai:dataCollection": (
            "Nothing was collected: every sample is computed. Houses, streets, light, failures and "
            "cameras are drawn "
            "from the distribution in recipe.toml, the fall is simulated as rigid bodies with breaking "
            "bonds, the "
            f"dust as gas on a grid, and drawn by falsework{traced}."
        ),
        "rai:dataCollectionType": ["Simulations"],
        "rai:dataCollectionRawData": (
            f"{assets} pictures under {FREE}, textures of building materials and skies, each in "
            f"assets.jsonl with its "
            "hash, licence and source."
        ),
        "rai:dataPreprocessingProtocol": [
            "Textures and skies are converted to scene-linear ACEScg; the sun is taken out of the skies "
            "and drawn "
            "apart. Frames and crops are chosen by how much moves in them and how much dust is seen."
        ],
        "rai:dataAnnotationProtocol": "None: all labels are known from the simulation.",
        "rai:personalSensitiveInformation": (
            "No person, vehicle, sign or interior of a real place is shown. The skies' horizons hold "
            "parts of real "
            "places as their makers published them."
        ),
        "rai:dataBiases": [
            "European street houses of 1 to 8 storeys with regular windows; other ways of building are "
            "missing.",
            "Few textures and skies: colours and weather repeat.",
            "Dust obeys one simulation at one resolution, with one phase function.",
        ],
        "rai:dataUseCases": [
            "Training and testing networks that shade falling buildings and dust in visual effects.",
            "Not meant for structural engineering, for telling real from made pictures, or for surveillance.",
        ],
        "rai:dataLimitations": [
            "Plates are drawn, not photographed: no lens, no grain, no people, no traffic.",
            "Skylight is uniform in colour and strength over the sky in the path-traced targets.",
            "Targets have noise; half the difference of the two halves measures it.",
        ],
        "rai:dataSocialImpact": (
            "Pictures of destruction can be used to deceive. Networks trained on these stay within "
            "falsework, "
            "whose deliveries say what was made and how."
        ),
        "rai:dataReleaseMaintenancePlan": (
            "The recipe is the release: the same recipe and code give the same samples; `falsework "
            "dataset rebuild` "
            "checks it. A set grows by more buildings, and no building changes its split."
        ),
    }
