"""`falsework catalogue import|list|show|scene|export|attach|remove`: the studio's titles, in and out."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import FalseworkError, shown

if TYPE_CHECKING:
    from falsework.catalogue.database import Catalogue
    from falsework.catalogue.importing import Imported, Refusal
    from falsework.catalogue.parts import Parts
    from falsework.catalogue.records import Scene, Shot, Title

__all__ = ["add"]

SHOWN = 5  # refused rows that the terminal shows, and reasons that it counts
WIDTH = 100  # characters of a line of text
CAST = 12  # names that `show` prints


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "catalogue", help="the studio's titles: import, list, show, export, attach shots"
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    common = argparse.ArgumentParser(add_help=False, parents=[shared])
    common.add_argument(
        "--catalogue", metavar="URL",
        help="its file, or postgresql+psycopg://USER@HOST/DATABASE (default: $FALSEWORK_CATALOGUE, or "
        "falsework/catalogue.db in your data folder)",
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
    from falsework.catalogue.database import Catalogue, default_url

    return Catalogue.open(given.catalogue or default_url(), create=False)


@contextmanager
def _to_import_into(given: argparse.Namespace) -> Iterator[Catalogue]:
    """The catalogue, begun where there is none; for a dry run an empty one stands for one that is not there."""
    from falsework.catalogue.database import Catalogue, default_url

    url = given.catalogue or default_url()
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
            _say_imported(one, where, given.refused)
    return {"catalogue": where, "revision": revision, "imports": [_imported_json(one) for one in done]}


def _write_refused(file: Path, done: list[Imported]) -> None:
    from falsework.media.atomic import write_text

    lines = [
        json.dumps({"file": one.file} | _refusal_json(refusal), ensure_ascii=False)
        for one in done
        for refusal in one.refused
    ]
    write_text(file, shown("".join(f"{line}\n" for line in lines)))


def _say_imported(done: Imported, where: str, refused: Path | None) -> None:
    if done.before:
        print(shown(f"{done.file}: imported before, and {where} has not changed since"))
    else:
        verb = "would be " if done.dry_run else ""
        print(
            shown(
                f"{done.file}: {done.rows:,} rows; {verb}{done.added:,} added, {done.changed:,} changed, "
                f"{done.unchanged:,} as they were, {len(done.refused):,} refused"
            )
        )
    if done.went_on:
        print(f"  went on after line {done.went_on:,}, where it was interrupted")
    if done.encoding == "cp1252":
        print("  it is not UTF-8 and was read as Windows-1252")
    for note, count in list(done.notes.items())[:SHOWN]:
        print(shown(f"  left out: {note} ({_rows(count)})"))
    if len(done.notes) > SHOWN:
        print(f"  left out: {len(done.notes) - SHOWN:,} more kinds of entry (--json lists them)")
    for refusal in done.refused[:SHOWN]:
        named = f" ({refusal.id})" if refusal.id else ""
        print(shown(f"  refused: line {refusal.line}{named}: {refusal.reason}"))
    if len(done.refused) > SHOWN:
        more = f"{len(done.refused) - SHOWN:,} more"
        print(
            shown(f"  refused: {more}; {f'all are in {refused}' if refused else '--refused FILE lists all'}")
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _refusal_json(refusal: Refusal) -> dict[str, Any]:
    return {"line": refusal.line, "id": refusal.id, "reason": refusal.reason}


def _imported_json(done: Imported) -> dict[str, Any]:
    return {
        "file": done.file,
        "rows": done.rows,
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "refused": [_refusal_json(one) for one in done.refused],
        "left_out": dict(done.notes),
        "went_on_after": done.went_on,
        "before": done.before,
        "dry_run": done.dry_run,
        "encoding": done.encoding,
    }


def _attach(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.catalogue.attaching import attach

    with _opened(given) as catalogue:
        shot = attach(
            catalogue, given.id, given.folder, at=datetime.now(UTC), scene_id=given.scene, ledger=given.ledger
        )
    if not given.quiet and not given.json:
        print(shown(_shot_line(shot)))
    return {"shot": _shot_json(shot)}


def _remove(given: argparse.Namespace) -> dict[str, Any]:
    with _opened(given) as catalogue:
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
        write_out(shown("".join(f"{_line(title)}\n" for title in found)))
        if not given.quiet:
            note = f", and more: --limit {given.limit * 10}" if more else ""
            print(f"{len(found):,} of {count:,} titles{note}")
    return {"titles": [_title_json(title) for title in found], "more": more, "count": count}


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
            shown("\n".join((*_title_lines(title), *_parts_lines(parts), *map(_shot_line, shots))) + "\n")
        )
    return {"title": _title_json(title, parts), "shots": [_shot_json(shot) for shot in shots]}


def _scene(given: argparse.Namespace) -> dict[str, Any]:
    with _opened(given) as catalogue:
        if catalogue.title(given.id) is None:
            raise _no_title(given.id, catalogue)
        scene = catalogue.scene_at(given.id, given.second, episode_id=given.episode)
    if not given.json:
        print(shown(_scene_line(scene)) if scene is not None else "No scene is known there.")
    return {"scene": _scene_json(scene) if scene is not None else None}


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


# ---- words -----------------------------------------------------------------------------------------------


def _line(title: Title) -> str:
    said = (
        str(title.year or ""),
        title.kind if title.kind != "film" else "",
        f"{title.runtime} min" if title.runtime else "",
        title.rating,
        ", ".join(title.genres),
    )
    return "  ".join((title.id, title.title, *filter(None, said)))


def _title_lines(title: Title) -> list[str]:
    import textwrap

    by_role: dict[str, list[str]] = {}
    for credit in title.credits:
        played = f" ({credit.character})" if credit.character else ""
        by_role.setdefault(credit.role, []).append(credit.name + played)
    said = {
        "original title": title.original_title,
        "genres": ", ".join(title.genres),
        "moods": ", ".join(title.moods),
        **{
            role: ", ".join(names[:CAST]) + (f" and {len(names) - CAST} more" if len(names) > CAST else "")
            for role, names in by_role.items()
        },
        "countries": ", ".join(title.countries),
        "languages": ", ".join(title.languages),
        "available": "; ".join(
            f"{one.territory} {one.starts.date() if one.starts else ''}–{one.ends.date() if one.ends else ''}"
            for one in title.availability
        ),
    }
    lines = [_line(title), *textwrap.wrap(title.synopsis, WIDTH)]
    return lines + [f"  {name}: {value}" for name, value in said.items() if value]


def _parts_lines(parts: Parts) -> list[str]:
    lines = []
    for season in parts.seasons:
        count = sum(one.season_id == season.id for one in parts.episodes)
        named = f" {season.name}" if season.name else ""
        lines.append(f"  season {season.number}{named}" + (f": {count} episodes" if count else ""))
    return lines + [f"  {_scene_line(scene)}" for scene in parts.scenes]


def _scene_line(scene: Scene) -> str:
    times = f"{_clock(scene.starts)}–{_clock(scene.ends)} " if scene.starts is not None else ""
    told = "; ".join(filter(None, (", ".join(scene.events), ", ".join(scene.moods), scene.description)))
    return f"scene {scene.number} ({scene.id}) {times}{told}".rstrip()


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _shot_line(shot: Shot) -> str:
    by = f" by {shot.approved_by} ({shot.role})" if shot.approved_by else ""
    within = f" in scene {shot.scene_id}" if shot.scene_id else ""
    return f"  shot {shot.name}{within}: {shot.clearance.upper()}: {shot.why}{by}, as of {shot.judged.date()}"


# ---- JSON ------------------------------------------------------------------------------------------------


def _title_json(title: Title, parts: Parts | None = None) -> dict[str, Any]:
    from falsework.catalogue.parts import Parts, row_of

    return row_of(title, parts or Parts())


def _scene_json(scene: Scene) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(scene).items()}


def _shot_json(shot: Shot) -> dict[str, Any]:
    return vars(shot) | {"judged": shot.judged.isoformat()}
