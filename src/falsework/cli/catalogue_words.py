"""What `falsework catalogue` says of titles, scenes, shots and imports, to people and to programs."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import shown

if TYPE_CHECKING:
    from falsework.catalogue.importing import Imported, Refusal
    from falsework.catalogue.parts import Parts
    from falsework.catalogue.records import Scene, Shot, Title

__all__ = [
    "imported_json",
    "line",
    "parts_lines",
    "refusal_json",
    "say_imported",
    "scene_json",
    "scene_line",
    "shot_json",
    "shot_line",
    "title_json",
    "title_lines",
]

SHOWN = 5  # refused rows that the terminal shows, and reasons that it counts
WIDTH = 100  # characters of a line of text
CAST = 12  # names that are printed


def say_imported(done: Imported, where: str, refused: Path | None) -> None:
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
        print(shown(f"  note: {note} ({_rows(count)})"))
    if len(done.notes) > SHOWN:
        print(f"  and {len(done.notes) - SHOWN:,} more notes (--json lists them)")
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


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    return {"line": refusal.line, "id": refusal.id, "reason": refusal.reason}


def imported_json(done: Imported) -> dict[str, Any]:
    return {
        "file": done.file,
        "rows": done.rows,
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "refused": [refusal_json(one) for one in done.refused],
        "notes": dict(done.notes),
        "went_on_after": done.went_on,
        "before": done.before,
        "dry_run": done.dry_run,
        "encoding": done.encoding,
    }


def line(title: Title) -> str:
    said = (
        str(title.year or ""),
        title.kind if title.kind != "film" else "",
        f"{title.runtime} min" if title.runtime else "",
        title.rating,
        ", ".join(title.genres),
    )
    return "  ".join((title.id, title.title, *filter(None, said)))


def title_lines(title: Title) -> list[str]:
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
    lines = [line(title), *textwrap.wrap(title.synopsis, WIDTH)]
    return lines + [f"  {name}: {value}" for name, value in said.items() if value]


def parts_lines(parts: Parts) -> list[str]:
    lines = []
    for season in parts.seasons:
        count = sum(one.season_id == season.id for one in parts.episodes)
        named = f" {season.name}" if season.name else ""
        lines.append(f"  season {season.number}{named}" + (f": {count} episodes" if count else ""))
    return lines + [f"  {scene_line(scene)}" for scene in parts.scenes]


def scene_line(scene: Scene) -> str:
    times = f"{_clock(scene.starts)}–{_clock(scene.ends)} " if scene.starts is not None else ""
    told = "; ".join(filter(None, (", ".join(scene.events), ", ".join(scene.moods), scene.description)))
    return f"scene {scene.number} ({scene.id}) {times}{told}".rstrip()


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def shot_line(shot: Shot) -> str:
    by = f" by {shot.approved_by} ({shot.role})" if shot.approved_by else ""
    within = f" in scene {shot.scene_id}" if shot.scene_id else ""
    return f"  shot {shot.name}{within}: {shot.clearance.upper()}: {shot.why}{by}, as of {shot.judged.date()}"


# ---- JSON ------------------------------------------------------------------------------------------------


def title_json(title: Title, parts: Parts | None = None) -> dict[str, Any]:
    from falsework.catalogue.parts import Parts, row_of

    return row_of(title, parts or Parts())


def scene_json(scene: Scene) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(scene).items()}


def shot_json(shot: Shot) -> dict[str, Any]:
    return vars(shot) | {"judged": shot.judged.isoformat()}
