"""The questions three readers ask, answered from the report's own lines; and what nobody has established."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from falsework.rights.case import Case, Told
from falsework.rights.copy_findings import SHORT, limits_of
from falsework.rights.report_lines import party_name

if TYPE_CHECKING:
    from falsework.rights.report import LedgerSeen, Report
    from falsework.rights.report_origin import Ingredient

__all__ = ["PACKS", "count", "fact_name", "not_established", "questions", "spoken", "stamps"]

Answered = tuple[str, str, str, tuple[str, ...]]  # reader, question, answer, evidence

PACKS = {
    "gate": "the gate’s own",
    "netflix": "Netflix",
    "wga": "WGA",
    "sag-aftra": "SAG-AFTRA",
    "interactive": "SAG-AFTRA Interactive",
    "dga": "DGA",
    "iatse": "IATSE",
    "eu": "EU",
    "california": "California",
    "copyright": "US Copyright Office",
    "awards": "awards",
    "insurance": "insurance",
}


GUILDS = ("wga", "sag-aftra", "interactive", "dga", "iatse")


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def spoken(words: Iterable[str]) -> str:
    """ "a, b and c"."""
    *some, last = list(words) or [""]
    return f"{', '.join(some)} and {last}" if some else last


def fact_name(name: str) -> str:
    """A declared fact's key for people: "ai_written_script" as "AI written script"."""
    return " ".join("AI" if word == "ai" else word for word in name.split("_"))


def stamps(ledger: LedgerSeen) -> str:
    """What the time-stamps beside the ledger come to."""
    said = []
    if ledger.stamped:
        said.append(f"{ledger.stamped:,} checked against the authority's certificate; {ledger.sealed}")
    if ledger.unchecked:
        said.append(
            f"{count(ledger.unchecked, 'token is', 'tokens are')} present, authority not checked: "
            "production.toml names no certificates for it"
        )
    if ledger.faults:
        said.append("some do not hold, see below")
    return "; ".join(said) or "none"


def _unsealed(ledger: LedgerSeen) -> str:
    if ledger.unchecked:
        return "a time-stamp token is present, and who made it was not checked (`roots` under [timestamp])"
    return "no time-stamp authority sealed its root"


def questions(case: Case, report: Report) -> Iterator[Answered]:
    """What each reader asks first: (reader, question, answer, evidence)."""
    yield from _producer(case, report)
    yield from _lawyer(case, report)
    yield from _union(case, report)


def _producer(case: Case, report: Report) -> Iterator[Answered]:
    things = count(sum(not one.pending for one in report.missing), "thing is", "things are")
    answer = {
        "preview": "No: it is a preview.",
        "blocked": f"No: {things} missing.",
        "ready": "Yes; what is missing, delivering supplies.",
        "delivered": "Yes.",
    }[report.verdict]
    let = [one for one in report.rules if one.waived and one.effect != "label"]
    if let:
        answer += f" {count(len(let), 'rule')} let pass by a named person: {spoken(one.rule for one in let)}."
    waivers = tuple(one.waived for one in let)
    yield "producer", "May it be delivered?", answer, waivers
    given = [one for one in report.decisions if one.type == "approval" and not one.about and not one.void]
    lost = [one for one in report.decisions if one.type == "approval" and not one.about and one.void]
    answer = "; ".join(f"{one.by}, {one.role}, on {one.at[:10]}" for one in given) or "Nobody yet"
    answer += "."
    if lost:
        answer += f" {count(len(lost), 'approval')} of other versions or terms, withdrawn or misdated: void."
    answer += "".join(f" {one.by}: {one.note}." for one in given if one.note)
    yield "producer", "Who approved exactly these frames?", answer, tuple(one.id for one in (*given, *lost))
    yield "producer", "Is there AI in the pixels?", _pixels(report), report.ai_pixels.evidence
    where = "worldwide" if report.reach == ("worldwide",) else spoken(report.reach) or "nowhere"
    until = f"until {report.ends[:10]}" if report.ends else "without an end"
    bare = _ungranted(report)
    without = f" No grant that holds covers {bare}." if bare else ""
    yield (
        "producer",
        "Where and how long may it be shown?",
        f"By its grants {where}, {until}.{without} Planned: {spoken(report.territories)}"
        + (f", released {spoken(report.releases)}" if report.releases else ", no day of release named")
        + (f", shown until {report.until}." if report.until else "."),
        tuple(one.id for one in report.grants if one.ends),
    )
    if report.insurable is not None:
        answer = "Yes, as far as these records go." if report.insurable else f"No: {_uninsurable(report)}."
        yield "producer", "May it be called “insurable”?", answer, ()


def _uninsurable(report: Report) -> str:
    why = [one.words for one in report.rules if one.effect == "label" and one.outcome != "pass"]
    return "; ".join(why) or "what may not go out is not insured"


def _pixels(report: Report) -> str:
    shares = list(report.ai_pixels.frames.values())
    known = [one for one in shares if one is not None]
    if not known or len(known) < len(shares):
        return report.ai_pixels.words
    most = max(known)
    return f"{'None' if most == 0 else f'At most {most:.1%} of a frame'}. {report.ai_pixels.words}"


def _from_outside(report: Report) -> list[Ingredient]:
    return [one for one in report.ingredients if one.origin == "outside" and one.type != "model"]


def _ungranted(report: Report) -> str:
    """The ingredients from outside that no grant covers any more, as words."""
    holding = {one.id for one in report.grants if not one.lapse}
    bare = [one.name for one in _from_outside(report) if not holding.intersection(one.grants)]
    return spoken([*bare[:4], f"{len(bare) - 4} more"] if len(bare) > 4 else bare)


def _lawyer(case: Case, report: Report) -> Iterator[Answered]:
    outside, bare = _from_outside(report), _ungranted(report)
    answer = "No" if bare else "Yes"
    answer += f": {count(len(outside), 'ingredient')} from outside; "
    answer += f"no grant holds for {bare}." if bare else "each has a grant that holds."
    yield "lawyer", "Is every ingredient granted?", answer, ()
    bases = {"item": "the item's own record", "platform": "a platform's general statement only",
             "contract": "a contract", "owner": "our own making"}  # fmt: skip
    found = Counter(one.basis for one in report.grants if one.assets and not one.lapse)
    answer = "; ".join(f"{number:,} on {bases[basis]}" for basis, number in found.most_common())
    number = sum(found.values())
    answer = (
        f"{count(number, 'grant')} that {'holds' if number == 1 else 'hold'}: {answer}."
        if number
        else "None holds."
    )
    yield "lawyer", "What do the grants rest on?", answer, ()
    parts = [f"the licence {report.licence}"] if report.licence else []
    lines = len(case.obligations.credits)
    parts += [count(lines, "credit line")] if lines else []
    parts += ["the words of disclosure"] if len(report.credits) > lines else []
    parts += ["no commercial use"] if report.non_commercial else []
    parts += ["no changes"] if report.no_derivatives else []
    yield "lawyer", "What travels with it?", _upper(spoken(parts) or "nothing is asked") + ".", ()
    samples = sum(one.samples for one in report.models)
    if report.models:
        granted, lost = sum(one.granted for one in report.models), sum(one.unknown for one in report.models)
        answer = (
            f"{count(len(report.models), 'model')}, {count(samples, 'sample')} on record: "
            f"{granted:,} granted, {samples - granted - lost:,} refused, {lost:,} without a grant."
        )
    else:
        answer = "No trained model is on record in its line."
    yield "lawyer", "What were its models trained on?", answer, tuple(one.id for one in report.models)
    answer = report.audit or "No: no copy audit is on record."
    yield "lawyer", "Was it compared with others' work?", answer, ()


def _union(case: Case, report: Report) -> Iterator[Answered]:
    judged = [PACKS[one] for one in GUILDS if one in report.packs]
    others = [PACKS[one] for one in GUILDS if one not in report.packs]
    answer = f"Those of {spoken(judged)}." if judged else "None: production.toml chooses no guild."
    answer += f" Not judged: {spoken(others)}." if others else ""
    yield "union", "Which guilds’ rules were judged?", answer, ()
    people = (
        (case.fact("depicts_performer"), "a performer can be recognised", "no performer can be recognised"),
        (case.fact("digital_replica"), "a digital replica is used", "no digital replica"),
        (case.fact("synthetic_performer"), "a generated human acts", "no generated human acts"),
    )
    yield "union", "Who is in it, and is anyone recreated?", *_told(case, people)
    written = (
        (case.fact("literary_material"), "a writer's material is used", "no literary material is used"),
        (case.fact("ai_written_script"), "a model wrote some of it", "no model wrote any of it"),
    )
    yield "union", "Did a model write?", *_told(case, written)
    labour = report.labour
    said = [
        f"{word}: {spoken(these) or 'none'}"
        for word, these in (
            ("assisted", labour.assisted),
            ("added", labour.added),
            ("replaced", labour.replaced),
        )
    ]
    answer = f"{'; '.join(said)}. Declared by {labour.by}." if labour.by else "Nobody has declared it."
    yield "union", "Whose work changed?", _upper(answer), labour.evidence
    hours = [f"{one.name}, {one.hours:g} hours" for one in report.people if one.hours is not None]
    answer = "; ".join(hours) or "No hours are on record."
    yield "union", "Who worked on it, and how long?", answer, ()
    told = (
        (case.fact("crew_notified"), "the crew was told", "the crew was not told"),
        (case.fact("crew_consulted"), "the crew was consulted", "the crew was not consulted"),
        (case.fact("director_consulted"), "the director was consulted", "the director was not consulted"),
        (case.fact("displaces_union_work"), "it displaces union work", "it displaces no union work"),
    )
    yield "union", "Was anybody told, is anybody displaced?", *_told(case, told)


def _told(case: Case, facts: Iterable[tuple[Told, str, str]]) -> tuple[str, tuple[str, ...]]:
    """Facts as one sentence with who declares them, then what nobody declares."""
    said, open_, evidence = list[str](), list[str](), list[str]()
    by: dict[str, None] = {}
    for told, yes, no in facts:
        evidence += told.evidence
        if told.yes or told.no:
            said.append(yes if told.yes else no)
            by[party_name(case, told.by)] = None
        else:
            open_.append(f"whether {yes}" if not told.disputed else f"(people disagree) whether {yes}")
    answer = f"Declared by {spoken(by)}: {'; '.join(said)}." if said else ""
    answer += f" Not declared: {'; '.join(open_)}." if open_ else ""
    return answer.strip(), tuple(dict.fromkeys(evidence))


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _beyond_the_licence(report: Report) -> Iterator[str]:
    """What a licence does not give, and what its asking may forbid."""
    if any(one.origin == "outside" and one.type in ("plate", "picture") for one in report.ingredients):
        yield (
            "What the photographs show: a photograph's licence is its photographer's. It clears neither "
            "architecture (French freedom of panorama is limited to private persons' non-commercial use) nor "
            "signs and works of art, nor faces."
        )
    if "-SA" in report.licence:
        yield (
            f"Whether {report.licence} suffers the training opt-out in the credentials: it may be read as a "
            "further restriction, which that licence forbids."
        )


def not_established(case: Case, report: Report, test_certificate: bool | None) -> Iterator[str]:
    """What this page does not show, so that nobody takes its silence for an answer."""
    unknown = [one.rule for one in report.rules if one.outcome == "unknown"]
    if unknown:
        yield f"{count(len(unknown), 'rule')} cannot be answered from the records: {', '.join(unknown)}."
    open_ = [fact_name(one.name) for one in report.declared if one.value is None]
    if open_:
        yield (
            f"What nobody has declared, or people disagree on (docs/production.md says what each is): "
            f"{', '.join(open_)}."
        )
    declared = [one for one in report.declared if one.value is not None]
    if declared:
        yield (
            f"{count(len(declared), 'fact')} here {'is' if len(declared) == 1 else 'are'} as people declared "
            "them. The software knows who said so, not whether it is true."
        )
    yield (
        "Who anybody is: identities are not proved. The software knows what was typed as a name, not who "
        "typed it."
    )
    if report.audit:
        yield f"The copy audit: {limits_of(SHORT not in report.audit)}"
    else:
        yield "Whether it repeats somebody's picture: no copy audit of these frames is on record."
    platform: dict[str, list[str]] = {}
    for one in report.grants:
        if one.basis == "platform":
            platform.setdefault(one.licence or one.type, []).extend(one.names)
    for licence, covered in platform.items():
        shown = [*covered[:4], f"{len(covered) - 4} more"] if len(covered) > 5 else covered
        yield (
            f"Whether {licence} is the licence of {spoken(shown) or 'what it covers'}: a platform's general "
            "statement says so, not the item's own record."
        )
    yield from _beyond_the_licence(report)
    told = case.fact("generative_ai")
    if any(one.origin == "outside" for one in report.ingredients):
        yield (
            "Whether an ingredient from outside was made by a model before it came in: no record reaches "
            "that far" + (f"; {party_name(case, told.by)} declares that none was." if told.no else ".")
        )
    for step in report.steps:
        if step.note and not step.terms:
            yield f"What becomes of the brief that {step.tool} was sent: no terms of it are on record."
    silent = [one for one in report.steps if not one.by]
    if silent:
        names = spoken(dict.fromkeys(one.type for one in silent))
        yield f"Who ran {count(len(silent), 'step')} ({names}): no person is named."
    if report.labour.by == "":
        yield "Whose work was assisted, added or replaced."
    if not any(one.hours is not None for one in report.people):
        yield "How many hours people worked on it."
    others = [name for pack, name in PACKS.items() if pack not in report.packs]
    if others:
        yield f"Rules that the production did not choose were not judged: {', '.join(others)}."
    grades = Counter(one.grade for one in report.rules)
    remembered = ", ".join(one.rule for one in report.rules if one.grade == "R")
    yield (
        f"How far the rules' wording goes: {grades['P']} rest on a primary text that was read (P), "
        f"{grades['S']} on a secondary source (S), {grades['R']} on memory, to be checked (R)"
        f"{': ' + remembered if remembered else ''}. The wording is ours and short."
    )
    if test_certificate:
        yield "Who signs: the certificate is a test chain that anybody can make. Nobody vouches for it."
    elif test_certificate is None:
        yield "Whether the signing certificate is one for trying out."
    if not report.ledger.anchors:
        yield (
            "That the ledger was not written anew as a whole: no anchor of it is kept. A copy of the root "
            "below, kept elsewhere, is one."
        )
    elif not report.ledger.stamped:
        yield f"When the ledger existed, by any word but its own: {_unsealed(report.ledger)}."
    for fault in report.ledger.faults:
        yield f"What a time-stamp or an anchor beside the ledger claims, since it does not hold: {fault}."
    for corrected in report.ledger.corrections:
        yield f"When exactly that was done which a clock dated that stood ahead ({corrected})."
    yield "Signed is not the same as true. This is not legal advice."
