"""The clearance report as one HTML page that needs nothing else, for screens and for A4.

Whatever comes from outside (names, prompts, licences, file names) is escaped; the page holds no script and
asks for nothing over the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from importlib.resources import files
from string import Template

from falsework.rights.report import Report, RuleLine
from falsework.rights.report_copies import Pair, copies_section
from falsework.rights.report_lines import GrantLine
from falsework.rights.report_markup import (
    SAID,
    Picture,
    anchor,
    commands,
    image,
    mark,
    numbered,
    quoted,
    sentence,
    table,
    value,
    without_steering,
)
from falsework.rights.report_tree import ingredient_tree
from falsework.rights.report_words import PACKS, count, fact_name, spoken, stamps

__all__ = ["Pictures", "report_page"]

STRIP_WIDTH = 640  # pixels
MOST_ROWS = 80  # of a table; the JSON holds all
MOST_RECORDS = 160
MOST_CONFLICTS = 4
READERS = {
    "producer": ("For the producer", "May it ship, who said so, what is missing?"),
    "lawyer": ("For the lawyer", "Whose is it, on what terms, and what follows?"),
    "union": ("For the union", "Who is in it, who worked on it, whose work changed?"),
}
OUTCOMES = ("fail", "unknown", "waived", "pass", "not applicable")
BASES = {
    "item": "the item’s own record",
    "platform": "a platform’s general statement, not the item’s own record",
    "contract": "a contract",
    "owner": "we made it",
}
# What a rule's wording rests on, where that is not the primary text (P).
GRADES = {"S": "from a secondary source", "R": "from memory, to be checked"}
EFFECTS = {"warns": "warns only", "label": 'decides the word "insurable" only'}


@dataclass(frozen=True)
class Pictures:
    """Pictures of the page; none has to be there.

    strip    up to eight frames by their name in `Report.frames`
    pairs    by finding: the frame in which the audit found a sample, and the sample
    nearest  by frame and sample as `Report.nearest` names them: the two that came near each other
    """

    strip: Mapping[str, Picture] = field(default_factory=dict)
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    nearest: Mapping[tuple[str, str], Pair] = field(default_factory=dict)


def report_page(report: Report, pictures: Pictures | None = None) -> str:
    """The page. The same report and pictures give the same text."""
    pictures = pictures or Pictures()
    events = {one.id: one.event for one in report.records if one.event is not None}
    page = _Page(report, pictures, events)
    told = _template().substitute(
        shot=escape(report.shot),
        label="".join(one for one in report.shot if one.isalnum() or one in " ._-"),
        cut=report.subject.removeprefix("sha256:"),
        short=report.subject.removeprefix("sha256:")[:12],
        kind="take" if report.verdict == "preview" else "cut",
        head=page.head(),
        missing=page.missing(),
        readers=page.readers(),
        strip=page.strip(),
        rules=page.rules(),
        ingredients=ingredient_tree(report, page.refs),
        steps=page.steps(),
        models=page.models(),
        copies=page.copies(),
        people=page.people(),
        grants=page.grants(),
        obligations=page.obligations(),
        decisions=page.decisions(),
        declared=page.declared(),
        open="".join(f"<li>{escape(one)}</li>" for one in report.not_established),
        ledger=page.ledger(),
        records=page.records(),
    )
    return without_steering(told)


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template(files("falsework.rights").joinpath("report.html").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Page:
    report: Report
    pictures: Pictures
    events: Mapping[str, int]

    # ---- what everybody reads ------------------------------------------------------------------------

    def head(self) -> str:
        report = self.report
        big = {
            "preview": "Preview, not for delivery",
            "blocked": "Not cleared",
            "ready": "Cleared, not yet signed",
            "delivered": "Cleared",
        }[report.verdict]
        look: str = report.verdict
        if report.verdict in ("ready", "delivered") and any(
            one.waived and one.effect != "label" for one in report.rules
        ):
            big, look = big.replace("Cleared", "Cleared by waiver"), "waiver"
        facts = [
            ("written", report.written[:16].replace("T", " ") + " UTC"),
            ("production", f"{report.production}, {report.title}" if report.title else report.production),
            ("frames", f"{len(report.frames):,}"),
            ("shown in", spoken(report.territories)),
            ("use", "commercial" if report.commercial else "not commercial"),
            ("rules", spoken(PACKS.get(one, one) for one in report.packs)),
        ]
        rows = "".join(
            f"<div><dt>{label}</dt><dd>{escape(value)}</dd></div>" for label, value in facts if value
        )
        return (
            f'<div class="verdict {look}"><p class="big">{big}</p>'
            f"<p>{escape(report.verdict_words)}</p></div>"
            f'<dl class="facts">{rows}</dl>'
        )

    def missing(self) -> str:
        """What blocks, then what the delivery itself supplies."""
        if not self.report.missing:
            return ""
        items = []
        for number, one in enumerate(self.report.missing, 1):
            rules = ", ".join(f'<a href="#{anchor(rule)}">{escape(rule)}</a>' for rule in one.rules)
            kind = "pending" if one.pending else "blocks"
            note = " <i>Delivering supplies this.</i>" if one.pending else ""
            items.append(
                f'<li class="{kind}" id="missing-{number}"><b>{escape(sentence(one.words))}</b> '
                f'<span class="rule">{rules}</span>'
                f"<p>{commands(one.remedy)}{note}</p></li>"
            )
        blocked = any(not one.pending for one in self.report.missing)
        return (
            f"<section><h2>{'What is missing' if blocked else 'Still to come'}</h2>"
            f'<ol class="missing">{"".join(items)}</ol></section>'
        )

    def readers(self) -> str:
        cards = []
        for reader, (title, _) in READERS.items():
            rows = "".join(
                f"<dt>{escape(one.question)}</dt><dd>{escape(one.answer)}{self.refs(one.evidence)}</dd>"
                for one in self.report.questions
                if one.reader == reader
            )
            cards.append(f'<div class="card"><h3>{title}</h3><dl>{rows}</dl></div>')
        return "".join(cards)

    def strip(self) -> str:
        pixels = self.report.ai_pixels
        figures = []
        for name, picture in self.pictures.strip.items():
            share = pixels.frames.get(name)
            said = "not known" if share is None else f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"
            label = name.rsplit("/", 1)[-1]
            figures.append(
                f"<figure>{image(picture, label, STRIP_WIDTH)}"
                f"<figcaption><span>{escape(label)}</span> <b>AI {said}</b></figcaption></figure>"
            )
        note = f"<p>Share of AI pixels in each frame. {escape(pixels.words)}{self.refs(pixels.evidence)}</p>"
        return f'{note}<div class="strip">{"".join(figures)}</div>'

    # ---- rules ---------------------------------------------------------------------------------------

    def rules(self) -> str:
        """The rules by reader: in full for the first reader a rule names, in one line for the others."""
        parts = []
        for reader, (title, subtitle) in READERS.items():
            mine = [one for one in self.report.rules if reader in one.readers]
            if not mine:
                continue
            mine.sort(key=_gravity)
            rows = [
                self._rule(one) if one.readers[0] == reader else self._elsewhere(one, reader) for one in mine
            ]
            parts.append(
                f'<section class="rules"><h2>{title}</h2>'
                f'<p class="tally">{subtitle} {_tally(mine)}</p>'
                "<table><thead><tr><th>answer</th><th>rule</th><th>what it asks, what it found</th>"
                "<th>source</th><th>rests on</th></tr></thead>"
                f"<tbody>{''.join(rows)}</tbody></table></section>"
            )
        return "".join(parts)

    def _rule(self, one: RuleLine) -> str:
        outcome = _outcome(one)
        notes = [GRADES[one.grade]] if one.grade in GRADES else []
        notes += [EFFECTS[one.effect]] if one.effect in EFFECTS else []
        notes += [f"in force from {one.in_force}"] if one.in_force else []
        remedy = self._remedy(one)
        waived = self._waiver(one.waived) if one.waived else ""
        evidence = (*one.evidence, *((one.waived,) if one.waived else ()))
        return (
            f'<tr id="{anchor(one.rule)}"><td>{mark(outcome)}</td><th scope="row">{escape(one.rule)}</th>'
            f'<td><p class="asks">{escape(one.text)}</p><p>{escape(sentence(one.words))}</p>{remedy}{waived}'
            f"</td><td class=source>{escape(one.source)} <abbr>{escape(one.grade)}</abbr>"
            f"{''.join(f'<small>{escape(note)}</small>' for note in notes)}</td>"
            f'<td class="evidence">{self.refs(evidence, bare=True)}</td></tr>'
        )

    def _remedy(self, one: RuleLine) -> str:
        """What would satisfy a rule; only a pointer where the list of what is missing says it."""
        if not one.remedy or one.waived:
            return ""
        for number, missing in enumerate(self.report.missing, 1):
            if one.rule in missing.rules:
                return f'<p class="remedy"><a href="#missing-{number}">See what is missing, {number}.</a></p>'
        return f'<p class="remedy">{commands(one.remedy)}</p>'

    def _waiver(self, decision: str) -> str:
        for one in self.report.decisions:
            if one.id == decision:
                return f"<p>Waived by {escape(one.by)}, {escape(one.role)}: “{escape(one.why)}”</p>"
        return ""

    def _elsewhere(self, one: RuleLine, reader: str) -> str:
        title = READERS[one.readers[0]][0].removeprefix("F")
        return (
            f'<tr class="again"><td>{mark(_outcome(one))}</td><th scope="row">{escape(one.rule)}</th>'
            f'<td colspan="3"><p class="asks">{escape(one.text)}</p><p>{escape(sentence(one.words))} '
            f'<a class="see" href="#{anchor(one.rule)}">in full f{title}</a></p></td></tr>'
        )

    # ---- what it was made of -------------------------------------------------------------------------

    def steps(self) -> str:
        rows = []
        for one in self.report.steps[:MOST_ROWS]:
            where = "not known"
            if one.offline is not None:
                where = "offline: no data left the machine" if one.offline else "online"
            tool = f"{one.tool} {one.version}".strip()
            models = count(len(one.models), "model") if one.models else "none"
            models = "a language model" if one.note and not one.models else models
            prompt = f"<small>{escape(one.note)}</small>" if one.note else ""
            prompt += f"<small>prompt: “{escape(one.prompt)}”</small>" if one.prompt else ""
            rows.append(
                f'<tr><th scope="row">{escape(one.type)}</th><td>{escape(tool)}{prompt}</td>'
                f"<td>{escape(one.by) or 'nobody named'}</td><td>{where}</td><td>{models}</td>"
                f"<td>{escape(one.ended[:16].replace('T', ' '))}</td>"
                f'<td class="evidence">{self.refs((one.id, *one.terms), bare=True)}</td></tr>'
            )
        return table("step, tool, by, where, models, when, rests on", rows, len(self.report.steps)) or (
            "<p>No step is on record.</p>"
        )

    def models(self) -> str:
        rows = []
        for one in self.report.models:
            kind = {True: "generative", False: "makes nothing", None: "not declared"}[one.generative]
            used = "" if one.touched else "<small>only what another was made from</small>"
            used += (
                f"<small>learned from {escape('; '.join(one.sets))}, made here from</small>"
                if one.sets
                else ""
            )
            samples = (
                f"<td class=n>{one.samples:,}</td><td class=n>{one.granted:,}</td>"
                f"<td class=n>{one.refused:,}</td><td class=n>{one.unknown:,}</td>"
                if one.trained
                else '<td colspan="4">its training is not on record</td>'
            )
            rows.append(
                f'<tr><th scope="row">{escape(one.name)}{used}</th><td>{kind}</td>{samples}'
                f'<td class="evidence">{self.refs((one.id,), bare=True)}</td></tr>'
            )
        if not rows:
            return f"<p>No trained model is on record in its line. {escape(self.report.ai_pixels.words)}</p>"
        return table("model, kind, samples, granted, refused, unknown, rests on", rows, len(rows))

    def copies(self) -> str:
        return copies_section(self.report, self.pictures.pairs, self.pictures.nearest, self.refs)

    # ---- who, and on what terms ----------------------------------------------------------------------

    def people(self) -> str:
        rows = []
        for one in self.report.people[:MOST_ROWS]:
            hours = f"{one.hours:g}" if one.hours is not None else "not on record"
            member = f"<small>{escape(spoken(one.unions))}</small>" if one.unions else ""
            rows.append(
                f'<tr><th scope="row">{escape(one.name)}{member}</th><td>{escape(spoken(one.roles))}</td>'
                f'<td class="n">{hours}</td><td>{escape("; ".join(one.did)) or "nothing on record"}</td>'
                f'<td class="evidence">{self.refs((one.id,), bare=True)}</td></tr>'
            )
        labour = self.report.labour
        changed = "".join(
            f"<div><dt>roles {word}</dt><dd>{escape(spoken(these)) or said}</dd></div>"
            for word, these in (
                ("assisted", labour.assisted),
                ("added", labour.added),
                ("replaced", labour.replaced),
            )
            for said in ("none" if labour.by else "not on record",)
        )
        by = f"<p>Declared by {escape(labour.by)}.{self.refs(labour.evidence)}</p>" if labour.by else ""
        named = table("person, roles, hours, on record, rests on", rows, len(self.report.people))
        return f'{named or "<p>No person is on record.</p>"}<dl class="facts">{changed}</dl>{by}'

    def grants(self) -> str:
        groups: dict[tuple[str, ...], list[GrantLine]] = {}
        for one in self.report.grants:
            key = (one.type, one.given_by, one.licence, one.basis, one.starts, one.ends, one.lapse)
            groups.setdefault((*key, *one.uses, "", *one.territory, one.url), []).append(one)
        rows = [self._grant(these) for these in list(groups.values())[:MOST_ROWS]]
        return table("covers, given by, what, for, basis, where, term, rests on", rows, len(groups)) or (
            "<p>No grant is on record.</p>"
        )

    def _grant(self, these: Sequence[GrantLine]) -> str:
        one = these[0]
        tools = [str(each.terms["tool"]) for each in these if "tool" in each.terms]
        names = list(dict.fromkeys(name for each in these for name in each.names)) or tools
        covers = spoken(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"
        basis = BASES.get(one.basis, escape(one.basis))
        term = f"{f'from {one.starts[:10]} ' if one.starts else ''}"
        term += f"until {one.ends[:10]}" if one.ends else "no end"
        holds = f'<small class="fail">does not hold: {escape(one.lapse)}</small>' if one.lapse else ""
        url = f"<small>{escape(one.url)}</small>" if one.url else ""
        text = f"<small>text sha256:{escape(one.document[:12])}…</small>" if one.document else ""
        kind = ' class="platform"' if one.basis == "platform" else ""
        return (
            f'<tr><th scope="row">{escape(covers) or "nothing in this line"}</th>'
            f"<td>{escape(one.given_by)}</td><td>{escape(one.licence or one.type)}{url}{text}</td>"
            f"<td>{escape(', '.join(one.uses))}</td>"
            f"<td{kind}>{basis}</td><td>{escape(', '.join(one.territory))}</td><td>{term}{holds}</td>"
            f'<td class="evidence">{self.refs([each.id for each in these], bare=True)}</td></tr>'
        )

    def obligations(self) -> str:
        report = self.report
        credits = "".join(f"<li>{escape(line)}</li>" for line in report.credits)
        facts = [
            ("pass it on under", report.licence or "no licence is asked for"),
            ("commercial use", "not allowed" if report.non_commercial else "nothing forbids it"),
            ("changes", "not allowed" if report.no_derivatives else "nothing forbids them"),
            ("grants reach", spoken(report.reach) or "nowhere together"),
            ("first grant to end", report.ends[:10] or "none ends"),
        ]
        rows = "".join(f"<div><dt>{label}</dt><dd>{escape(value)}</dd></div>" for label, value in facts)
        lines = "lines" if len(report.credits) > 1 else "line"
        printed = "<p>No credit line is asked for.</p>"
        if credits:
            printed = f'<h3>Credit {lines}, word for word</h3><ul class="credits">{credits}</ul>'
        notices = "".join(f"<p>{escape(one)}</p>" for one in report.notices)
        reasons = [sentence(one) for one in report.conflicts[:MOST_CONFLICTS]]
        if len(report.conflicts) > MOST_CONFLICTS:
            reasons.append(f"{len(report.conflicts) - MOST_CONFLICTS} more are in clearance.json.")
        conflicts = "".join(f'<p class="fail">{escape(one)}</p>' for one in reasons)
        return f'<dl class="facts">{rows}</dl>{conflicts}{printed}{notices}'

    def decisions(self) -> str:
        rows = []
        for one in self.report.decisions[:MOST_ROWS]:
            what = f"{one.type} of {one.about}" if one.about else one.type
            void = f'<small class="fail">void: {escape(one.void)}</small>' if one.void else ""
            note = f"<small>{escape(one.note)}</small>" if one.note else ""
            rows.append(
                f'<tr{" class=void" if one.void else ""}><th scope="row">{escape(what)}{void}</th>'
                f"<td>{escape(one.scope)}</td><td>{escape(one.by)}, {escape(one.role)}{note}</td>"
                f"<td>“{escape(one.why)}”</td><td>{escape(one.at[:16].replace('T', ' '))}</td>"
                f'<td class="evidence">{self.refs((one.id,), bare=True)}</td></tr>'
            )
        return table("decision, concerns, by, why, when, rests on", rows, len(self.report.decisions)) or (
            "<p>Nobody has approved, waived, rejected or reviewed anything.</p>"
        )

    def declared(self) -> str:
        rows = [
            f'<tr><th scope="row">{escape(fact_name(one.name))}</th>'
            f"<td>{escape(value(one.value))}</td><td>{escape(spoken(one.by))}</td>"
            f'<td class="evidence">{self.refs(one.evidence, bare=True)}</td></tr>'
            for one in self.report.declared
            if one.value is not None
        ]
        return table("fact, value, declared by, rests on", rows, len(rows)) or "<p>Nothing is declared.</p>"

    # ---- how to check it -----------------------------------------------------------------------------

    def ledger(self) -> str:
        ledger = self.report.ledger
        where = quoted(ledger.where)
        anchors = count(ledger.anchors, "anchor") + " beside it"
        faults = "".join(f'<p class="fail">{escape(sentence(one))}</p>' for one in ledger.faults)
        faults += "".join(f"<p>{escape(sentence(one))}</p>" for one in ledger.corrections)
        return (
            f'<dl class="facts"><div><dt>events</dt><dd>{ledger.size:,}</dd></div>'
            f"<div><dt>anchors</dt><dd>{anchors if ledger.anchors else 'none'}</dd></div>"
            f"<div><dt>time-stamps</dt><dd>{escape(stamps(ledger))}</dd></div></dl>{faults}"
            f'<p class="root"><span>root (RFC 6962, SHA-256)</span><code>{escape(ledger.root)}</code></p>'
            "<p>This checks every event offline, in the production’s folder, and prints the number of events "
            "and the root:</p>"
            f"<pre>falsework ledger verify {escape(where)}</pre>"
            f"<p>If the ledger has grown since, this shows that its first {ledger.size:,} events are those "
            "that this page rests on, and prints their root:</p>"
            f"<pre>falsework ledger prove {escape(where)} 0 --since {ledger.size}</pre>"
            "<p>The number of an event on this page, put in place of the 0, proves that event. "
            "docs/ledger.md says how to check all of it by Python alone, without this software.</p>"
        )

    def records(self) -> str:
        rows = []
        for one in self.report.records[:MOST_RECORDS]:
            number = f'<span id="e{one.event}">{one.event}</span>' if one.event is not None else "–"
            rows.append(
                f'<tr><td class="n">{number}</td><td>{escape(one.kind)}</td><td>{escape(one.words)}</td>'
                f"<td><code>{escape(one.id)}</code></td></tr>"
            )
        return table("event, kind, what, id", rows, len(self.report.records))

    def refs(self, identities: Iterable[str], *, bare: bool = False) -> str:
        """The events at which records stand, in brackets unless `bare`."""
        text = numbered(identities, self.events)
        return text if bare or not text else f' <span class="refs">[{text}]</span>'


def _outcome(one: RuleLine) -> str:
    return "waived" if one.waived else one.outcome


def _tally(lines: Sequence[RuleLine]) -> str:
    found = {each: sum(_outcome(one) == each for one in lines) for each in OUTCOMES}
    return ", ".join(f"{number} {SAID[each]}" for each, number in found.items() if number) + "."


def _gravity(one: RuleLine) -> tuple[bool, int]:
    """What blocks first, then what only warns, then what is let pass, passes, or does not apply."""
    place = OUTCOMES.index(_outcome(one))
    return not (place < 2 and one.effect == "blocks"), place
