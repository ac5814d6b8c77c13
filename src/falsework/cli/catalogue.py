"""`falsework catalogue import|index|list|show|scene|export|attach|remove`: titles, in and out."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.cli import catalogue_words as words
from falsework.errors import FalseworkError, shown

if TYPE_CHECKING:
    from falsework.catalogue.database import Catalogue
    from falsework.catalogue.importing import Imported

__all__ = ["add"]


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "catalogue", help="the studio's titles: import, list, show, export, attach shots"
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    common = argparse.ArgumentParser(add_help=False, parents=[shared])
    common.add_argument(
        "--catalogue", metavar="URL",
        help="its file, postgresql+psycopg://USER@HOST/DATABASE, or, to look at, \"sample\" (default: "
        "$FALSEWORK_CATALOGUE, or falsework/catalogue.db in your data folder)",
    )  # fmt: skip

    bring = tasks.add_parser("import", parents=[common], help="titles from CSV, JSON lines or Parquet")
    bring.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help=".csv, .jsonl (also .gz) or .parquet"
    )
    bring.add_argument(
        "--mapping", type=Path, metavar="FILE.toml", help="which column holds what (default: guessed)"
    )
    bring.add_argument("--kind", choices=("film", "series"), help="what titles are whose rows do not say")
    bring.add_argument(
        "--scenes", type=Path, metavar="FILE", help="scenes of titles that are there, or in FILE"
    )
    bring.add_argument("--dry-run", action="store_true", help="read and compare, and write nothing")
    bring.add_argument(
        "--refused", type=Path, metavar="FILE", help="write every refused row here, as JSON lines"
    )
    bring.set_defaults(run=_import)

    index = tasks.add_parser(
        "index", parents=[common], help="build the index that search answers from, or bring it up to date"
    )
    index.add_argument(
        "--index", type=Path, metavar="DIR", help="default: the folder of your cache that search looks in"
    )
    index.set_defaults(run=_index)

    listing = tasks.add_parser("list", parents=[common], help="titles that meet every condition")
    listing.add_argument("words", nargs="?", default="", metavar="WORDS", help="that stand in the title")
    listing.add_argument("--kind", choices=("film", "series"), default="")
    for name in ("genre", "mood", "person", "country", "language", "rating"):
        listing.add_argument(f"--{name}", default="", metavar=name.upper())
    listing.add_argument("--from", type=int, dest="least_year", metavar="YEAR")
    listing.add_argument("--to", type=int, dest="most_year", metavar="YEAR")
    listing.add_argument("--kids", action="store_true", help="only what a rating lets children watch")
    listing.add_argument(
        "--limit", type=_count, default=50, metavar="N", help="at most so many (default: 50)"
    )
    listing.set_defaults(run=_list)

    show = tasks.add_parser("show", parents=[common], help="all that is known of a title")
    show.add_argument("id", metavar="ID")
    show.set_defaults(run=_show)

    scene = tasks.add_parser("scene", parents=[common], help="what is on screen at a second of a title")
    scene.add_argument("id", metavar="ID", help="the title's")
    scene.add_argument("second", type=float, metavar="SECOND")
    scene.add_argument("--episode", default="", metavar="ID", help="of this episode of it")
    scene.set_defaults(run=_scene)

    export = tasks.add_parser("export", parents=[common], help="every title as a file that import reads back")
    export.add_argument("file", type=Path, metavar="FILE", help=".jsonl (also .gz), .csv or .parquet")
    export.set_defaults(run=_export)

    attach = tasks.add_parser(
        "attach", parents=[common], help="a delivered shot, with its clearance, to a title"
    )
    attach.add_argument("id", metavar="TITLE", help="the title's id")
    attach.add_argument(
        "folder", type=Path, metavar="DELIVERY_DIR", help="as `falsework make` or `deliver` wrote it"
    )
    attach.add_argument("--scene", default="", metavar="ID", help="the scene it is in")
    attach.add_argument(
        "--ledger", metavar="LEDGER", help="of rights (default: that of the production around it)"
    )
    attach.set_defaults(run=_attach)

    remove = tasks.add_parser(
        "remove", parents=[common], help="take titles out, with all that belongs to them"
    )
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.set_defaults(run=_remove)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10_000_000):
        raise argparse.ArgumentTypeError(f"must be a positive whole number, not {text!r}")
    return int(text)


def _opened(given: argparse.Namespace) -> Catalogue:
    """The catalogue to look at."""
    from falsework.catalogue.database import Catalogue, default_url
    from falsework.catalogue.sample import SAMPLE

    if given.catalogue != SAMPLE:
        return Catalogue.open(given.catalogue or default_url(), create=False)
    from falsework.cli.search import not_installed

    try:
        from falsework.search.opening import open_catalogue
    except ImportError as error:
        raise not_installed(error) from error
    return open_catalogue(SAMPLE)


def _own(given: argparse.Namespace) -> str:
    """Where the catalogue lies that is to be changed: not the sample, which search fills again at will."""
    from falsework.catalogue.database import default_url
    from falsework.catalogue.sample import SAMPLE

    if given.catalogue == SAMPLE:
        raise FalseworkError(
            "the sample is there to be looked at",
            where="--catalogue sample",
            todo="Name a catalogue of your own; a file that is called so is ./sample.",
        )
    return str(given.catalogue or default_url())


@contextmanager
def _to_import_into(given: argparse.Namespace) -> Iterator[Catalogue]:
    """The catalogue, begun where there is none; for a dry run an empty one stands for one that is not
    there."""
    from falsework.catalogue.database import Catalogue

    url = _own(given)
    with tempfile.TemporaryDirectory(prefix="falsework-") as folder:
        if given.dry_run and "://" not in url and not Path(url).expanduser().exists():
            url = str(Path(folder) / "empty.db")
        with Catalogue.open(url) as catalogue:
            yield catalogue


# ---- in --------------------------------------------------------------------------------------------------


def _import(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.catalogue.importing import import_file, import_scenes
    from falsework.catalogue.mapping import load_mapping
    from falsework.cli.bars import Bars

    if given.file is None and given.scenes is None:
        raise FalseworkError("there is nothing to import", todo="Name a FILE of titles, or --scenes FILE.")
    mapping = load_mapping(given.mapping) if given.mapping is not None else None
    done: list[Imported] = []
    with _to_import_into(given) as catalogue, Bars(quiet=given.quiet or given.json) as bars:
        if given.file is not None:
            done.append(
                import_file(
                    catalogue, given.file, mapping, kind=given.kind, dry_run=given.dry_run,
                    progress=lambda count, total: bars.progress("titles", count, total),
                )
            )  # fmt: skip
        if given.scenes is not None:
            done.append(
                import_scenes(
                    catalogue, given.scenes, dry_run=given.dry_run,
                    progress=lambda count, total: bars.progress("scenes", count, total),
                )
            )  # fmt: skip
        revision, where = catalogue.revision, catalogue.where
    if given.refused is not None:
        _write_refused(given.refused, done)
    if not given.quiet and not given.json:
        for one in done:
            words.say_imported(one, where, given.refused)
    return {
        "catalogue": where,
        "revision": revision,
        "imports": [words.imported_json(one) for one in done],
    }


def _index(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.bars import Bars
    from falsework.cli.search import not_installed

    try:
        from falsework.search.opening import build_index

        quiet = given.quiet or given.json
        with _opened(given) as catalogue, Bars(quiet=quiet) as bars:
            folder = build_index(
                catalogue, given.index, progress=lambda done, titles: bars.progress("index", done, titles)
            )
            titles, revision, where = catalogue.count(), catalogue.revision, catalogue.where
    except ImportError as error:
        raise not_installed(error) from error
    if not quiet:
        print(f"{shown(where)}: {titles:,} titles are indexed.")
    return {"catalogue": where, "index": str(folder), "titles": titles, "revision": revision}


def _write_refused(file: Path, done: list[Imported]) -> None:
    from falsework.media.atomic import write_text

    lines = [
        json.dumps({"file": one.file} | words.refusal_json(refusal), ensure_ascii=False)
        for one in done
        for refusal in one.refused
    ]
    write_text(file, shown("".join(f"{line}\n" for line in lines)))


def _attach(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.catalogue.attaching import attach
    from falsework.catalogue.database import Catalogue

    with Catalogue.open(_own(given), create=False) as catalogue:
        shot = attach(
            catalogue, given.id, given.folder, at=datetime.now(UTC), scene_id=given.scene, ledger=given.ledger
        )
    if not given.quiet and not given.json:
        print(shown(words.shot_line(shot)))
    return {"shot": words.shot_json(shot)}


def _remove(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.catalogue.database import Catalogue

    with Catalogue.open(_own(given), create=False) as catalogue:
        known = catalogue.titles(given.ids)
        missing = next((one for one in given.ids if one not in known), None)
        if missing is not None:
            raise _no_title(missing, catalogue)
        count = catalogue.remove(given.ids)
    if not given.quiet and not given.json:
        print(f"{count:,} {'title' if count == 1 else 'titles'} removed")
    return {"removed": list(known)}


# ---- out -------------------------------------------------------------------------------------------------


def _list(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.catalogue.reading import Wanted
    from falsework.cli.output import write_out

    wanted = Wanted(
        words=given.words,
        kind=given.kind,
        genre=given.genre,
        mood=given.mood,
        person=given.person,
        country=_code(given.country, "country"),
        language=_code(given.language, "language"),
        rating=given.rating,
        least_year=given.least_year,
        most_year=given.most_year,
        children=given.kids,
    )
    with _opened(given) as catalogue:
        found = catalogue.find(wanted, limit=given.limit + 1)
        count = catalogue.count()
    more = len(found) > given.limit
    found = found[: given.limit]
    if not given.json:
        write_out(shown("".join(f"{words.line(title)}\n" for title in found)))
        if not given.quiet:
            note = f", and more: --limit {given.limit * 10}" if more else ""
            print(f"{len(found):,} of {count:,} titles{note}")
    return {"titles": [words.title_json(title) for title in found], "more": more, "count": count}


def _code(name: str, what: str) -> str:
    from falsework.catalogue.codes import country_code, language_code

    code = (country_code if what == "country" else language_code)(name) if name else ""
    if code is None:
        raise FalseworkError(
            f'no {what} is known as "{name}"', todo="Give its name in English, or its ISO code."
        )
    return code


def _show(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.output import write_out

    with _opened(given) as catalogue:
        title = catalogue.title(given.id)
        if title is None:
            raise _no_title(given.id, catalogue)
        parts, shots = catalogue.parts(given.id), catalogue.shots(given.id)
    if not given.json:
        write_out(
            shown(
                "\n".join(
                    (
                        *words.title_lines(title),
                        *words.parts_lines(parts),
                        *map(words.shot_line, shots),
                    )
                )
                + "\n"
            )
        )
    return {
        "title": words.title_json(title, parts),
        "shots": [words.shot_json(shot) for shot in shots],
    }


def _scene(given: argparse.Namespace) -> dict[str, Any]:
    with _opened(given) as catalogue:
        if catalogue.title(given.id) is None:
            raise _no_title(given.id, catalogue)
        scene = catalogue.scene_at(given.id, given.second, episode_id=given.episode)
    if not given.json:
        print(shown(words.scene_line(scene)) if scene is not None else "No scene is known there.")
    return {"scene": words.scene_json(scene) if scene is not None else None}


def _export(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.catalogue.exporting import export
    from falsework.cli.bars import Bars

    with _opened(given) as catalogue, Bars(quiet=given.quiet or given.json) as bars:
        count = export(
            catalogue, given.file, progress=lambda count, total: bars.progress("titles", count, total)
        )
    if not given.quiet and not given.json:
        print(shown(f"{given.file}: {count:,} titles"))
    return {"file": str(given.file), "titles": count}


def _no_title(id_: str, catalogue: Catalogue) -> FalseworkError:
    return FalseworkError(
        f'there is no title "{id_[:80]}"',
        where=catalogue.where,
        todo="`falsework catalogue list` shows titles.",
    )
