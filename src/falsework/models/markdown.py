"""A card as a page of Markdown, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from falsework.models.card import SPLITS, Card, DataSource, Memorisation, Metric
from falsework.models.registry import Model

__all__ = ["card_page"]

MOST_NEAREST = 8


def card_page(model: Model) -> str:
    """Markdown of a model's card, or of what is known of one that has none."""
    lines = [f"# {model.name}", "", *_standing(model)]
    card = model.card
    if card is not None:
        lines += ["", *_details(card), *_section("Intended use", [card.intended_use])]
        lines += _section("Limits", [f"- {one}" for one in card.limits])
        lines += _section("Training data", _join(_source(one) for one in card.sources))
        lines += _section("Training", _training(card))
        lines += _section("Measures on the test split", _metrics(card.metrics))
        lines += _section("Memorisation", _memorised(card.memorisation))
        lines += _section("Pictures", [f"- {model.name}.{one.file}: {one.words}" for one in card.pictures])
    return "\n".join(lines).rstrip() + "\n"


def _standing(model: Model) -> Iterator[str]:
    whose = "It came with falsework." if model.shipped else "It was installed by hand."
    yield {
        "on record": f"On record: the origin of all it learned from is known. {whose}",
        "unknown": f"**Unknown**: {'; '.join(model.faults)}. Nothing made with it is delivered before its "
        f"training is on record. {whose}",
        "altered": f"**Altered**: {'; '.join(model.faults)}. It is not used. {whose}",
    }[model.standing]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", f"## {title}", "", *(list(lines) or ["Nothing is said."])]


def _join(parts: Iterable[Sequence[str]]) -> Iterator[str]:
    for number, part in enumerate(parts):
        yield from ([""] if number else [])
        yield from part


def _details(card: Card) -> list[str]:
    kind = "generative: what it makes is new picture content" if card.generative else "not generative"
    return [
        f"- version {card.version}, {card.date.isoformat()}",
        f"- task: {card.task} ({kind})",
        f"- licence: {card.licence}",
        f"- weights: {card.parameters:,} parameters, SHA-256 `{card.sha256}`",
        f"- architecture: {', '.join(f'{key} {value}' for key, value in card.architecture.items())}",
        f"- record of its rights: `{card.record}`",
    ]


def _source(source: DataSource) -> list[str]:
    lines = [
        f"**{source.name}** ({source.licence}, SHA256SUMS `{source.sums}`)",
        "",
        f"| split | samples | {source.counted}s |",
        "|---|---|---|",
        *(
            f"| {split} | {source.samples.get(split, 0):,} | {source.groups.get(split, 0):,} |"  # type: ignore[call-overload]
            for split in SPLITS
        ),
    ]
    if not source.pictures:
        return [*lines, "", "Made by this program alone: nothing from outside is in it."]
    lines += ["", "| from outside | kind | licence | SHA-256 | source |", "|---|---|---|---|---|"]
    return lines + [
        f"| {one.file} | {one.kind} | {one.licence} | `{one.sha256[:12]}` | {one.source} |"
        for one in source.pictures
    ]


def _training(card: Card) -> list[str]:
    run = card.training
    return [
        f"- {run.steps:,} steps in {_duration(run.seconds)} on {run.machine}, seed {run.seed}",
        f"- falsework {run.falsework}, source `{run.code}`, settings `{run.config_sha256[:12]}`",
    ]


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _metrics(metrics: Sequence[Metric]) -> list[str]:
    if not metrics:
        return []
    others = list(dict.fromkeys(name for one in metrics for name in one.baselines))
    lines = [f"| measure | this | {' | '.join(others)} | samples |", "|---" * (len(others) + 3) + "|"]
    for one in metrics:
        beside = " | ".join(f"{one.baselines[name]:.4g}" if name in one.baselines else "" for name in others)
        lines.append(
            f"| {one.name} ({one.better} is better) | {one.value:.4g} | {beside} | {one.samples:,} |"
        )
    return [*lines, "", *(f"- {one.name}: {one.words}" for one in metrics)]


def _memorised(found: Memorisation | None) -> list[str]:
    if found is None:
        return []
    lines = [found.words, "", "| generated | nearest sample | PDQ | points | held-out truth: PDQ | points |"]
    lines.append("|---|---|---|---|---|---|")
    for one in found.nearest[:MOST_NEAREST]:
        cells = (one.distance, one.points, one.held_out_distance, one.held_out_points)
        shown = " | ".join("" if cell is None else str(cell) for cell in cells)
        lines.append(f"| {one.generated} | {one.sample} ({one.symmetry}) | {shown} |")
    return lines
