"""A data set's Croissant description (MLCommons, version 1.1) with its responsible-AI fields.

Written as plain JSON-LD, so that describing needs no package; `mlcroissant` reads it and loads its record
sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from falsework.datasets.assets import FREE
from falsework.datasets.settings import Recipe
from falsework.datasets.shards import INDEX, SPLITS, read_index
from falsework.datasets.work import COPY, open_plan, read_dataset
from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text

__all__ = [
    "CROISSANT",
    "LINES",
    "SUMS",
    "demand_whole",
    "describe",
    "table_of",
    "write_description",
    "write_sums",
]

CROISSANT, SUMS, ASSETS = "croissant.json", "SHA256SUMS", "assets.jsonl"
LINES = "application/jsonlines"
ABOUT_URL, MAKERS = "https://github.com/falsework/falsework", "the falsework contributors"

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
    "shard_sha256": ("sc:Text", "Of the tar."),
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


def write_sums(folder: Path, known: Mapping[str, str] = MappingProxyType({})) -> tuple[dict[str, str], str]:
    """Digests of recipe, index and shards (sequences, of a set of volumes) by name, written as
    `sha256sum --check` reads them; and the digest of that list, which stands for the set.

    `known`: digests by name of files that were read just now and need not be again.
    """
    files = (*folder.glob("*/b*.tar"), *folder.glob("*/v*_f*_c*.safetensors"))
    names = [COPY, INDEX, *sorted(path.relative_to(folder).as_posix() for path in files)]
    sums = {name: known.get(name) or sha256(folder / name) for name in names}
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    write_text(folder / SUMS, text)
    return sums, hashlib.sha256(text.encode()).hexdigest()


def describe(folder: Path) -> Path:
    """Write `croissant.json`, the list of assets and SHA256SUMS of a data set; returns the first's path.

    The version is 1.BUILDINGS.0, as a set grows by buildings; the date is that of the first description of
    these very bytes.
    """
    about, rows, recipe = read_dataset(folder), read_index(folder), open_plan(folder).recipe
    shards = dict(sorted({row["shard"]: row["shard_sha256"] for row in rows}.items()))
    demand_whole(folder, shards, "shard", made="built", then=": only it is made anew")
    assets, targets = about["assets"], bool(about.get("targets"))
    write_text(folder / ASSETS, "".join(json.dumps(asset) + "\n" for asset in assets))
    sums, _ = write_sums(folder, shards)
    sums[ASSETS] = sha256(folder / ASSETS)
    return write_description(
        folder,
        sums,
        name=about["name"],
        description=_description(recipe, rows, targets),
        version=f"1.{len({row['building'] for row in rows})}.0",
        keywords=["synthetic", "building collapse", "rendering", "dust", "path tracing"],
        responsible=_responsible(recipe, assets, targets),
        files={INDEX: LINES, ASSETS: LINES, **dict.fromkeys(shards, "application/x-tar")},
        file_sets=_file_sets(shards),
        tables=[
            table_of("samples", "One line for each sample.", INDEX, SAMPLE_FIELDS, key="sample"),
            table_of(
                "assets", "The pictures that the samples were made from.", ASSETS, ASSET_FIELDS, key="file"
            ),
        ],
    )


def demand_whole(folder: Path, files: Mapping[str, str], kind: str, *, made: str, then: str = "") -> None:
    """Raises FalseworkError where one of `files` (digests by name, as the index has them) is gone or is not
    the one that the index was written of. `kind`: what they are; `then`: what a new build does."""
    for name, digest in files.items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise FalseworkError(
                f"is not the {kind} that was {made}" if path.is_file() else f"is a {kind} that is gone",
                where=path,
                todo=f"Delete it, if it is there, and build again with the same recipe{then}.",
            )


def write_description(
    folder: Path,
    sums: Mapping[str, str],
    *,
    name: str,
    description: str,
    version: str,
    keywords: Sequence[str],
    responsible: Mapping[str, Any],
    files: Mapping[str, str],
    tables: Sequence[Mapping[str, Any]],
    file_sets: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write `croissant.json`; returns its path.

    sums         digests by name of all that the set consists of
    responsible  what the vocabulary for responsible AI has to say of it
    files        media types by name of those that are described
    file_sets    what lies within them
    tables       record sets (`table_of`), besides that of the splits
    """
    whole = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": description,
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "url": ABOUT_URL,
        "version": version,
        "creator": {"@type": "sc:Organization", "name": MAKERS, "url": ABOUT_URL},
        "datePublished": _date_of(folder / CROISSANT, sums),
        "keywords": keywords,
        "citeAs": f"{MAKERS}, {name}, made with falsework",
        **responsible,
        "distribution": [
            *(
                {
                    "@type": "cr:FileObject",
                    "@id": file,
                    "name": file,
                    "contentUrl": file,
                    "encodingFormat": kind,
                    "contentSize": f"{(folder / file).stat().st_size} B",
                    "sha256": sums[file],
                }
                for file, kind in files.items()
            ),
            *file_sets,
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
            *tables,
        ],
    }
    path = folder / CROISSANT
    write_text(path, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return path


def _date_of(path: Path, sums: Mapping[str, str]) -> str:
    """The date that this description bears already, if its files are the same; today's (UTC) otherwise."""
    try:
        before = json.loads(path.read_bytes())
        files = {one["@id"]: one["sha256"] for one in before["distribution"] if "sha256" in one}
        if files == {name: sums[name] for name in files} and set(files) == set(sums) - {COPY}:
            return str(before["datePublished"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return datetime.now(UTC).date().isoformat()


def _field(table: str, name: str, kind: str, words: str, **more: Any) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{name}",
        "name": name,
        "description": words,
        "dataType": kind,
        **more,
    }


def table_of(
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


def _file_sets(shards: Iterable[str]) -> list[dict[str, Any]]:
    """What lies in the shards; nothing where there are none yet."""
    within = [{"@id": shard} for shard in shards]
    sets = (
        ("arrays", "A safetensors file for each sample.", "application/octet-stream", "*.safetensors"),
        ("records", "Each sample's record.", "application/json", "*.json"),
    )
    return [
        {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "description": words,
            "containedIn": within,
            "encodingFormat": kind,
            "includes": pattern,
        }
        for name, words, kind, pattern in sets
        if within
    ]


def _description(recipe: Recipe, rows: list[dict[str, Any]], targets: bool) -> str:
    buildings = len({row["building"] for row in rows})
    edge = recipe.picture.crop
    here, held_out = (recipe.targets.samples_in(part) // 2 for part in ("train", "test"))
    last = f", with path-traced radiance twice at {here} samples a pixel"
    last += f" ({held_out} in validation and test)" if held_out != here else ""
    last = last if targets else ""
    return (
        f"{len(rows)} crops of {edge} x {edge} pixels from {buildings} simulated building collapses: "
        f"G-buffers, visibility of sun and sky, coarse dust{last}. Houses and streets are drawn; what is "
        "photographed in them are textures of materials, and skies."
    )


def _responsible(recipe: Recipe, assets: list[dict[str, Any]], targets: bool) -> dict[str, Any]:
    skies = sum(asset["kind"] == "sky" for asset in assets)
    textures = len(assets) - skies
    low, high = round(recipe.buildings.storeys.low), round(recipe.buildings.storeys.high)
    traced = (
        ", and path-traced by Cycles; no denoiser has touched a picture that is kept, but what walls are "
        "made of comes from denoised light"
        if targets
        else ""
    )
    return {
        "rai:dataCollection": (
            "Nothing was collected: every sample is computed. Houses, streets, light, failures and cameras "
            "are drawn from the distribution in recipe.toml, the fall is simulated as rigid bodies with "
            f"breaking bonds, the dust as gas on a grid, and drawn by falsework{traced}."
        ),
        "rai:dataCollectionType": ["Others"],
        "rai:dataCollectionRawData": (
            f"{len(assets)} pictures under {FREE}, {textures} textures of building materials and {skies} "
            "skies, each in assets.jsonl with its hash, licence and source."
        ),
        "rai:dataPreprocessingProtocol": [
            "Textures and skies are converted to scene-linear ACEScg; the sun is taken out of the skies and "
            "drawn apart. Frames and crops are chosen by how much moves in them and how much dust is seen."
        ],
        "rai:dataAnnotationProtocol": "None: all labels are known from the simulation.",
        "rai:personalSensitiveInformation": (
            "No person, vehicle or sign is drawn. The skies are photographs, whose horizons hold parts of "
            "real places as their makers published them; nobody has searched them for more."
        ),
        "rai:dataBiases": [
            f"European street houses of {low} to {high} storeys with regular windows; other ways of building "
            "are missing.",
            f"{textures} textures and {skies} skies: colours and weather repeat.",
            "Dust obeys one simulation at one resolution, with one phase function.",
        ],
        "rai:dataUseCases": [
            "Training and testing networks that shade falling buildings and dust in visual effects.",
        ],
        "rai:dataLimitations": [
            "All splits share the same skies and textures: validation and test tell of houses and falls that "
            "were not trained on, not of materials or weather.",
            "Plates are drawn, not photographed: no lens, no grain, no people, no traffic.",
            *(
                [
                    "Skylight is uniform in colour and strength over the sky in the path-traced targets.",
                    "Targets have noise. Half the difference of the two halves is a sample of it, but not of "
                    "what they share: the material of walls, from light at rest that was drawn once, and the "
                    "bias of shadow, a clipped ratio of two noisy pictures of one seed.",
                ]
                if targets
                else []
            ),
            "It is not fit for structural engineering, for telling real from made pictures, or for "
            "surveillance.",
        ],
        "rai:dataSocialImpact": (
            "Pictures of destruction can be used to deceive. Networks trained on these stay within "
            "falsework, whose deliveries say what was made and how."
        ),
        "rai:dataReleaseMaintenancePlan": (
            "A set grows by more buildings, which is its minor version; no building changes its split. On "
            "one machine with the same version of everything, the same recipe and pictures give the same "
            "samples bit for bit, which `falsework dataset rebuild` checks"
            + (
                "; path-traced targets are not made again, as Cycles does not promise its bits."
                if targets
                else "."
            )
        ),
    }
