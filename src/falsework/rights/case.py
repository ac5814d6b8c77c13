"""A case: one cut, what it was made from, and what people said of it, as the rules ask for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from falsework.errors import FalseworkError
from falsework.rights.compared import protected_set
from falsework.rights.descent import READING, Descent, descent_of, says_no_models
from falsework.rights.facts import FILE_FACTS
from falsework.rights.grants import Coverage, coverage, last_day, lasts_until
from falsework.rights.obligations import ObligationSummary, obligations
from falsework.rights.production import Production
from falsework.rights.records import Activity, Asset, Decision, Finding, Grant, Party, asset_id
from falsework.rights.state import State
from falsework.rights.terms import changes, terms_of
from falsework.rights.told import Told, agreed

__all__ = ["READING", "Case", "Told", "counts"]


@dataclass(frozen=True)
class Case:
    """One cut under one production's rules at one moment.

    state     without the grants, steps and decisions that another production brought into the same ledger:
              what was agreed, declared or approved for one, or under its former name, holds for no other
    subject   asset id of the cut; `Asset.name` of a cut is its shot's name
    at        the moment in question (aware)
    called    how commands name the shot (the path of its file); "" for its name
    display   how the shot's file says the frames are shown ("fps"): an approval is of frames shown so
    marked    whether the delivery carries its credential and mark, read back from the signed files; None
              before anything is signed
    too_small why its pictures cannot bear the mark that every delivery has, as a clause; "" where they can
    """

    state: State
    production: Production
    subject: str
    at: datetime
    marked: bool | None = None
    called: str = ""
    display: Mapping[str, str] = field(default_factory=dict)
    too_small: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("`at` needs its zone")
        object.__setattr__(self, "state", _of_production(self.state, self.production.name))
        if self.subject not in self.state.assets:
            raise FalseworkError(
                f"nothing is on record as {self.subject[:19]}",
                todo="Make the shot again with `falsework make`, which records its cut.",
            )

    @property
    def asset(self) -> Asset:
        return self.state.assets[self.subject]

    @property
    def shot(self) -> str:
        return self.asset.name

    @property
    def argument(self) -> str:
        """The shot as the user has to type it in a command."""
        return shlex.quote(self.called or self.shot)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days on which grants must hold besides `at`."""
        last = (self.production.until,) if self.production.until else ()
        return tuple(day for day in (*self.production.releases, *last) if day >= self.at.date())

    @cached_property
    def in_force_on(self) -> date:
        """What begins by then counts: today, the last release planned, the last day of showing."""
        last = self.production.until
        planned = [*self.production.releases, *([last] if last is not None else [])]
        return max(self.at.date(), *planned) if planned else self.at.date()

    # ---- what it was made from ---------------------------------------------------------------------------

    @cached_property
    def lineage(self) -> Descent:
        return descent_of(self.state, self.subject)

    @property
    def activities(self) -> tuple[Activity, ...]:
        return self.lineage.activities

    @property
    def models(self) -> tuple[str, ...]:
        """Trained models that touched it, by asset id."""
        return self.lineage.models

    @cached_property
    def generative_models(self) -> tuple[str, ...]:
        """Those of them that are not declared to make nothing (a detector, a depth estimator)."""
        return tuple(one for one in self.models if not self.asset_fact(one, "generative").no)

    @cached_property
    def without_models(self) -> tuple[str, ...]:
        """The activities that show that no trained model touched it; empty where that does not follow.

        A reading of the brief is none of them: it used a model, though not on pictures (see `readings`).
        It follows where everything made here has an activity on record, none of them used a model or was
        given a prompt, and it is said of every step in another program that it used none: of that step
        (models = []), or, of one that ran on this machine, by declaring that no generative AI was used.
        Silence says nothing.
        """
        unclear = self.models or self.lineage.unexplained or any(one.prompt for one in self.activities)
        if unclear or self.silent_steps:
            return ()
        return tuple(one.id for one in self.activities if one.type != READING)

    @cached_property
    def silent_steps(self) -> tuple[Activity, ...]:
        """The steps in other programs of which nobody says whether they used a model.

        Who declares that no generative AI was used knows what ran on this machine; what a service elsewhere
        runs, and whether it is generative, is to be said of that very step.
        """
        return tuple(one for one in self._unsaid_steps if one not in self.vouched_steps)

    @cached_property
    def vouched_steps(self) -> tuple[Activity, ...]:
        """The steps on this machine that are silent about models, where no generative AI is declared."""
        if not self.fact("generative_ai").no:
            return ()
        return tuple(one for one in self._unsaid_steps if one.offline is True)

    @cached_property
    def _unsaid_steps(self) -> tuple[Activity, ...]:
        return tuple(one for one in self.activities if not one.models and not says_no_models(one))

    @cached_property
    def readings(self) -> tuple[Activity, ...]:
        """The steps in which a language model was sent the brief. It made no pixel; the brief went out."""
        return tuple(one for one in self.activities if one.type == READING)

    @cached_property
    def all_models(self) -> tuple[str, ...]:
        """The models that touched it and those that they were made from."""
        found: dict[str, None] = {}
        for model in self.models:
            found[model] = None
            for one in self.state.ancestors(model):
                record = self.state.assets.get(one)
                if record is not None and record.type == "model":
                    found[one] = None
        return tuple(found)

    def made_here(self, asset: str) -> bool:
        """Whether an activity on record made it out of something."""
        return any(maker.used for maker in self.state.made_by(asset))

    def samples(self, model: str) -> tuple[str, ...]:
        """What the records say a model was trained on, by asset id: whatever came from outside."""
        found = []
        for one in self.state.ancestors(model):
            asset = self.state.assets.get(one)
            if (asset is None or asset.type != "model") and not self.made_here(one):
                found.append(one)
        return tuple(found)

    def _stand_for(self, model: str) -> tuple[str, ...]:
        """What a copy audit has to be of, for one model's training: its list of fingerprints, or the samples
        themselves."""
        listed = self.fingerprints(model)
        return (listed,) if listed else self.samples(model)

    def fingerprints(self, model: str) -> str:
        """The list of fingerprints that stands in for all a model learned from, by asset id, as our own
        training put it on record with the model; "" where there is none."""
        record = self.state.assets.get(model)
        digest = record.facts.get("fingerprints") if record is not None else None
        ours = any(step.tool.casefold() == "falsework" for step in self.state.made_by(model))
        return asset_id(digest) if isinstance(digest, str) and digest and ours else ""

    @cached_property
    def compared_set(self) -> tuple[tuple[str, str], ...] | None:
        """What a copy audit has to compare the cut with, as (group, asset id); None where the production
        names a protected set that is not on record."""
        training = [("training", one) for model in self.all_models for one in self._stand_for(model)]
        if not self.production.protected.folder:
            return tuple(training)
        protected = protected_set(self.state, self.production.name)
        return None if protected is None else (*training, *(("protected", one) for one in protected))

    def of_type(self, *types: str) -> tuple[Asset, ...]:
        """The assets of these types it was made from."""
        found = (self.state.assets.get(one) for one in self.lineage.assets)
        return tuple(asset for asset in found if asset is not None and asset.type in types)

    def name(self, asset: str) -> str:
        """What to call an asset in a sentence."""
        known = self.state.assets.get(asset)
        return known.name if known is not None else asset[:19]

    # ---- what was agreed ---------------------------------------------------------------------------------

    def covered(
        self,
        asset: str,
        uses: Sequence[str],
        *,
        types: Sequence[Literal["licence", "consent", "approval"]] = (),
        platforms: bool = True,
        only: Callable[[Grant], bool] = lambda grant: True,
    ) -> Coverage:
        """Whether the grants for an asset allow these uses in every territory, now and on every release.

        A term that ends clears nothing where the production does not say how long it will be shown.
        types       left out: a consent for a replica, a licence or an approval for anything else
        platforms   whether a platform's general statement counts
        only        which of the grants count
        """
        record = self.state.assets.get(asset)
        if not types:
            is_replica = record is not None and record.type == "replica"
            types = ("consent",) if is_replica else ("licence", "approval")
        grants = [
            grant
            for grant in self.state.grants_for(asset)
            if grant.type in types
            and (platforms or grant.basis != "platform")
            and (grant.type != "consent" or self.is_performers(asset, grant))
            and only(grant)
        ]
        found = coverage(
            grants,
            uses=uses,
            places=self.production.territories,
            at=self.at,
            days=self.days,
        )
        if found.outcome == "pass" and self.production.until is None and not self.production.releases:
            lasting = coverage(
                (grant for grant in grants if lasts_until(grant) is None),
                uses=uses,
                places=self.production.territories,
                at=self.at,
            )
            if lasting.outcome != "pass":
                ends = min(end for grant in found.holding if (end := lasts_until(grant)) is not None)
                why = f"what is granted ends by {last_day(ends)}, and nothing says how long it will be shown"
                remedy = (
                    "Say in production.toml how long it will be shown (until = DATE) or when (releases = "
                    "[DATE]); or get a grant without an end."
                )
                return Coverage("unknown", found.holding, (why,), found.evidence, remedy)
        others = ", ".join(dict.fromkeys(one.type for one in self.state.grants_for(asset)))
        if not grants and others and asset not in self._changed:
            why = f"what is on record for it ({others}) is nothing that allows this"
            return Coverage("unknown", (), (why,), ())
        if found.outcome == "unknown" and asset in self._changed:
            path, grant = self._changed[asset]
            why = f'"{path}" is not the file that its grant was declared for'
            if path not in self.state.grants[grant].files:
                named = f'files = [..., "{path}"]'
                why = f'"{path}" was not there when a grant was declared for all files of a pattern'
                remedy = (
                    f"If that grant is for it too, name it in production.toml beside the pattern: {named}."
                )
                return Coverage("unknown", (), (why,), (grant,), remedy)
            remedy = (
                f'"{path}" has changed: bring back the file that was granted; or, if the grant is for this '
                f'one too, say so in production.toml: files = ["{path}", "{asset}"].'
            )
            return Coverage("unknown", (), (why,), (grant,), remedy)
        return found

    def performer(self, asset: str) -> str:
        """Whose likeness a replica is, as declared: a party's id, "" where nobody has said."""
        named = self.asset_fact(asset, "performer").text
        return named if not named or ":" in named else f"party:{named}"

    def is_performers(self, asset: str, consent: Grant) -> bool:
        """Whether a consent is the performer's: given by that very person, or by who speaks for one (an
        estate, an agent, a union). It has to be known whose likeness it is. The production itself and the
        replica's maker speak for nobody, unless the text that was agreed to is on record."""
        giver, performer = self.state.parties.get(consent.given_by), self.performer(asset)
        if giver is None or not performer or consent.basis not in ("contract", "item"):
            return False
        if giver.type == "person":
            return giver.id == performer
        spoken_for = any(consent.terms.get(term) is True for term in ("represented", "estate"))
        return spoken_for and (self.has_text(consent.document) or not self._has_a_part(giver, asset))

    def _has_a_part(self, party: Party, asset: str) -> bool:
        """Whether a party owns what this is made from, or made this asset, or the tool that made it."""
        owners = {one.given_by for one in self.state.grants.values() if one.basis == "owner"}
        makers = {terms.given_by for step in self.state.made_by(asset) for terms in self.tools(step)}
        creator = self.state.assets[asset].creator if asset in self.state.assets else ""
        return party.id in owners | makers or creator in (party.name, party.id.removeprefix("party:"))

    @cached_property
    def _changed(self) -> dict[str, tuple[str, str]]:
        """Files that are others than those their grants were declared for: path and grant, by asset id."""
        return {
            asset_id(digest): (path, grant.id)
            for grant in self.state.grants.values()
            for path, digest in grant.changed.items()
        }

    def tools(self, activity: Activity) -> tuple[Grant, ...]:
        """The terms on record for the tool of an activity, those without a version for any version."""
        return tuple(
            grant
            for grant in self._tools.get(activity.tool.lower(), ())
            if str(grant.terms.get("version") or activity.version) == activity.version
            and (grant.revoked is None or grant.revoked > self.at)
        )

    @cached_property
    def _tools(self) -> dict[str, list[Grant]]:
        found: dict[str, list[Grant]] = {}
        for grant in self.state.grants.values():
            if "tool" in grant.terms:
                found.setdefault(str(grant.terms["tool"]).lower(), []).append(grant)
        return found

    @cached_property
    def obligations(self) -> ObligationSummary:
        return obligations(self.state, self.subject, self.production, self.at)

    # ---- what was said -----------------------------------------------------------------------------------

    @property
    def scopes(self) -> tuple[str, str, str]:
        """What a decision on this cut can be about, the closest first."""
        return self.subject, self.production.scope(self.shot), self.production.name

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Decisions by named persons that stand, on this cut, its shot or its production."""
        return tuple(
            one for scope in self.scopes for one in self.state.decisions_on(scope) if counts(self.state, one)
        )

    def fact(self, name: str) -> Told:
        """What is declared of the cut; what is said of the cut goes before its shot, its shot before all."""
        for scope in self.scopes:
            said = [one for one in self._declarations if one.subject == scope and name in one.facts]
            if said:
                return agreed(name, said)
        return Told(name)

    @cached_property
    def _declarations(self) -> tuple[Decision, ...]:
        return tuple(one for one in self.decisions if one.type == "declaration" and not one.about)

    def asset_fact(self, asset: str, name: str) -> Told:
        """What is declared of one asset, else what its record says. A file that is named as evidence is none
        where nobody has it."""
        told = self._told_of(asset, name)
        if name in FILE_FACTS and told.text and not self.has_text(told.text):
            return Told(name, None, told.evidence)
        return told

    def has_text(self, digest: str) -> bool:
        """Whether a document is on record that once lay here as a file: who names one by a hash alone may
        have none."""
        asset = self.state.assets.get(asset_id(digest)) if digest else None
        return asset is not None and bool(asset.path)

    def _told_of(self, asset: str, name: str) -> Told:
        said = [
            one
            for one in self.state.decisions_on(asset)
            if one.type == "declaration" and name in one.facts and counts(self.state, one)
        ]
        if said:
            return agreed(name, said)
        record = self.state.assets.get(asset)
        if record is not None and name in record.facts:
            return Told(name, record.facts[name], (asset,))
        return Told(name)

    @cached_property
    def unsaid(self) -> dict[str, str]:
        """Files that have taken the path of one that something was declared of: that path, by asset id."""
        return {
            asset_id(digest): path
            for one in self.state.decisions.values()
            if counts(self.state, one)
            for path, digest in one.changed.items()
        }

    def reviews(self, about: str, *subjects: str) -> tuple[Decision, ...]:
        """Reviews by named persons about a rule or finding, of the cut or of the subjects given."""
        here = [one for one in self.decisions if one.type in ("review", "approval") and one.about == about]
        there = [
            one
            for subject in subjects
            for one in self.state.decisions_on(subject)
            if one.type == "review" and one.about in ("", about) and counts(self.state, one)
        ]
        return tuple({one.id: one for one in (*here, *there)}.values())

    def notices(self, about: str) -> tuple[Decision, ...]:
        """Dated notices about a rule that had been sent by `at`."""
        return tuple(
            one
            for one in self.decisions
            if one.type == "declaration"
            and one.about == about
            and "" < str(one.facts.get("notice_sent", "")) <= self.at.date().isoformat()
        )

    def findings(self, rule: str) -> tuple[Finding, ...]:
        """Findings of an audit about this cut."""
        return tuple(one for one in self.state.findings_on(self.subject) if one.rule == rule)

    @cached_property
    def terms(self) -> dict[str, str]:
        """What an approval given now is bound to besides the frames."""
        return {**terms_of(self.production), **self.display}

    @cached_property
    def approvals(self) -> tuple[Decision, ...]:
        """Approvals of exactly this cut by named persons, under the terms as they are."""
        return tuple(one for one in self._approvals if one.terms == self.terms)

    @cached_property
    def outdated(self) -> tuple[Decision, ...]:
        """Approvals of exactly this cut that were given under other terms, and hold no longer."""
        return tuple(one for one in self._approvals if one.terms != self.terms)

    @cached_property
    def misdated(self) -> tuple[Decision, ...]:
        """Approvals of exactly this cut that were given while a clock stood ahead: to be given again."""
        return tuple(
            one
            for one in self.state.decisions_on(self.subject)
            if one.type == "approval" and not one.about and not one.withdrawn and self.state.misdated(one)
        )

    def misdate(self, decision: Decision) -> str:
        """Why a decision that was taken while a clock stood ahead has to be taken again, as a clause; ""
        for any other."""
        found = self.state.misdated(decision)
        return found.asks_again(self.state.entry(decision).time) if found is not None else ""

    @property
    def _approvals(self) -> Iterator[Decision]:
        for one in self.decisions:
            if one.type == "approval" and one.subject == self.subject and not one.about:
                yield one

    def since(self, approval: Decision) -> str:
        """What has changed in the terms since an approval of this cut, as a clause."""
        if not approval.terms:
            return "the terms it was given under are not on record"
        return f"changed since: {changes(approval.terms, self.terms)}"

    @cached_property
    def rejections(self) -> tuple[Decision, ...]:
        """Rejections of exactly this cut by named persons."""
        return tuple(one for one in self.decisions if one.type == "rejection" and one.subject == self.subject)

    @cached_property
    def voided(self) -> tuple[Decision, ...]:
        """Approvals of other versions of this cut: the same shot, another hash."""
        return tuple(self._voided())

    def _voided(self) -> Iterator[Decision]:
        for one in self.state.decisions.values():
            if one.type != "approval" or one.withdrawn or one.subject == self.subject:
                continue
            other = self.state.assets.get(one.subject)
            if other is not None and other.name == self.shot and other.type == self.asset.type:
                yield one


def _of_production(state: State, name: str) -> State:
    """The state without what other productions' files say (ids of the form "grant:OTHER:...") and what was
    decided under their rules. Who holds a cut up holds it up for all."""

    def ours(identity: str) -> bool:
        return production_named_by(identity) in ("", name)

    def decided(one: Decision) -> bool:
        holds_up = one.type == "rejection" or one.facts.get("resolved") is False
        return ours(one.id) and (one.production in ("", name) or holds_up)

    whole = all(map(ours, (*state.grants, *state.activities))) and all(map(decided, state.decisions.values()))
    if whole:
        return state
    return replace(
        state,
        activities={key: one for key, one in state.activities.items() if ours(key)},
        grants={key: one for key, one in state.grants.items() if ours(key)},
        decisions={key: one for key, one in state.decisions.items() if decided(one)},
    )


def production_named_by(identity: str) -> str:
    """The production whose file brought in the record with this id ("grant:film:..."), "" for none."""
    parts = identity.split(":")
    return parts[1] if len(parts) > 2 else ""


def counts(state: State, decision: Decision) -> bool:
    """Whether a decision stands: not withdrawn, by a person on record, and not one that let something pass
    at a date that has not come."""
    party = state.parties.get(decision.by)
    by_a_person = party is not None and party.type == "person"
    return by_a_person and not decision.withdrawn and state.misdated(decision) is None
