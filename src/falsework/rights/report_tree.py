"""The ingredient tree of the clearance report: the cut, the steps that made it, and what went into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from falsework.rights.report import Report
from falsework.rights.report_lines import GrantLine
from falsework.rights.report_origin import Ingredient, Step
from falsework.rights.report_words import count

__all__ = ["ingredient_tree"]

MOST_NODES = 150  # drawn; the JSON holds all
DEEPEST = 12
OWN = {"owner": "our own", "contract": "by contract"}  # where a grant names no licence

Refs = Callable[[Iterable[str]], str]


def ingredient_tree(report: Report, refs: Refs) -> str:
    """Nested lists, the cut at the top. What was shown already is named and not unfolded again."""
    return _Tree(report, refs).drawn()


class _Tree:
    def __init__(self, report: Report, refs: Refs) -> None:
        self._report, self._refs = report, refs
        self._known: dict[str, Ingredient] = {one.id: one for one in report.ingredients}
        self._steps: dict[str, Step] = {one.id: one for one in report.steps}
        self._grants: dict[str, GrantLine] = {one.id: one for one in report.grants}
        self._models = {one.id: one for one in report.models}
        self._shown: set[str] = set()

    def drawn(self) -> str:
        tree = self._node(self._report.subject, 0)
        left = len(self._known) - len(self._shown)
        rest = f"<p>{left:,} more are in clearance.json.</p>" if left > 0 else ""
        return f'<ul class="tree">{tree}</ul>{rest}'

    def _node(self, identity: str, depth: int) -> str:
        one = self._known.get(identity)
        if one is None:
            sample = "a training sample" if depth else "not on record"
            return f"<li><code>{escape(identity[:19])}</code> <small>{sample}</small></li>"
        words = (
            f'<span class="kind">{escape(one.type or "?")}</span> <b>{escape(one.name)}</b> '
            f"<code>{escape(identity.removeprefix('sha256:')[:12])}</code> {self._terms(one)}"
            f"{self._refs((identity,))}"
        )
        if identity in self._shown:
            return f"<li>{words} <small>shown above</small></li>"
        self._shown.add(identity)
        return f"<li>{words}{self._below(one, depth)}</li>"

    def _terms(self, one: Ingredient) -> str:
        """The grants by which it is here, in a few words; samples are counted for a model."""
        model = self._models.get(one.id)
        if model is not None and model.trained:
            learned = f"{escape('; '.join(model.sets))}, made here from " if model.sets else ""
            return (
                f"<small>{learned}{count(model.samples, 'sample')}: {model.granted:,} granted, "
                f"{model.refused:,} refused, {model.unknown:,} unknown</small>"
            )
        if one.origin == "made":
            return ""
        if one.origin == "unexplained":
            return '<small class="fail">no origin on record</small>'
        grants = [self._grants[each] for each in one.grants if each in self._grants]
        if not grants:
            return '<small class="fail">no grant on record</small>'
        holding = [each for each in grants if not each.lapse]
        shown = dict.fromkeys(each.licence or OWN.get(each.basis, each.type) for each in holding or grants)
        by = dict.fromkeys(each.given_by for each in holding or grants)
        words = f"{', '.join(shown)}, {', '.join(by)}"
        words += ", by a platform’s statement" if all(each.basis == "platform" for each in grants) else ""
        gone = "" if holding else ' <span class="fail">does not hold</span>'
        return f"<small>{escape(words)}{gone}</small>"

    def _below(self, one: Ingredient, depth: int) -> str:
        if not one.made_of or one.id in self._models:
            return ""
        if depth >= DEEPEST or len(self._shown) >= MOST_NODES:
            return f" <small>made of {count(len(one.made_of), 'part')}, in clearance.json</small>"
        parts = []
        for identity in one.made_by:
            step = self._steps.get(identity)
            if step is None:
                continue
            by = f" by {step.by}" if step.by else ""
            tool = f"{step.tool} {step.version}".strip()
            used = [part for part in step.used if part != one.id]
            room = max(MOST_NODES - len(self._shown), 0)
            inner = "".join(self._node(part, depth + 1) for part in used[:room])
            more = f"<li><small>and {len(used) - room:,} more</small></li>" if len(used) > room else ""
            parts.append(
                f'<li class="step"><span class="kind">{escape(step.type)}</span> '
                f"{escape(tool)}{escape(by)}{self._refs((identity,))}<ul>{inner}{more}</ul></li>"
            )
        return f"<ul>{''.join(parts)}</ul>" if parts else ""
