"""What `production.toml` says, as records for the ledger.

The id of a record follows from what it is about (who gave it, for which files, under what licence), and
not from its details: an entry that is edited replaces its earlier form. One that is taken out of the file is
withdrawn by `withdrawals`, so that nothing goes on holding because the ledger once heard of it.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.rights.compared import protected_records
from falsework.rights.declared_files import DeclaredFiles, Former, as_first_said, is_hash, is_pattern
from falsework.rights.digests import Digests
from falsework.rights.facts import FILE_FACTS
from falsework.rights.licences import licence_of
from falsework.rights.places import named_place
from falsework.rights.production import FILE_NAME, OWN_STEPS, Production, moment
from falsework.rights.records import (
    Activity,
    Asset,
    Decision,
    Fact,
    Grant,
    Obligations,
    Party,
    Record,
    asset_id,
    canonical,
    record_id,
)
from falsework.rights.samples import samples_in
from falsework.rights.state import State
from falsework.rights.terms import productions_known
from falsework.settings import Settings

__all__ = ["correctable", "declared_assets", "production_records", "withdrawals"]


def production_records(
    production: Production,
    folder: Path | str,
    state: State | None = None,
    *,
    protected: Path | None = None,
    digests: Digests | None = None,
) -> list[Record]:
    """Parties, documents, grants, assets, steps and declarations of a production whose file lies in `folder`.

    Files are hashed as they are now. Files that grants cover get no asset record here: whoever used them
    records them. `state` is what the ledger says so far: a file that is another than the one its grant
    was declared for stays uncovered (`Grant.changed`) until its hash is listed beside its path, and nothing
    that was declared of the file is taken to be true of the other. `protected` is the place of the protected
    set where it was looked up before; without it, it has to lie in the folder.
    FalseworkError where a file is missing or lies outside the folder.
    """
    state = state or State()
    folder = Path(folder)
    files = DeclaredFiles(folder, digests or Digests())
    roles = {party.id: party.roles[0] if party.roles else party.type for party in production.parties}
    records: list[Record] = [
        Party(id=one.id, type=one.type, name=one.name, roles=one.roles, member_of=one.member_of)
        for one in production.parties
    ]
    granted = _grants(production, files, state)
    records += granted
    unconfirmed = {asset_id(digest) for grant in granted for digest in grant.changed.values()}
    unconfirmed -= {asset for grant in granted for asset in grant.assets}
    records += _tools(production, files)
    records += _assets(production, files, state)
    records += _activities(production, files, state)
    kind = _kind("decision", production)
    for declared in production.declared:
        records.append(
            Decision(
                id=record_id(kind, "declaration", declared.shot, declared.by, _order(records, declared.by)),
                type="declaration",
                by=declared.by,
                role=declared.role or roles[declared.by],
                subject=production.scope(declared.shot),
                why=declared.why,
                facts=_facts(declared.facts, files),
            )
        )
    records += _ingredients(production, files, state, roles, unconfirmed)
    records += _notices(production, files, state, roles)
    numbered = _Numbered()
    for review in production.reviews:
        records.append(
            Decision(
                id=numbered(record_id(kind, "review", review.about, review.by, review.shot)),
                type="review",
                by=review.by,
                role=review.role or roles[review.by],
                subject=production.scope(review.shot),
                about=review.about,
                why=review.why,
                facts=review.facts,
            )
        )
    records += _labour(production, roles)
    if production.protected.folder:
        place = protected or named_place(folder, production.protected.folder, "protected.folder")
        pictures = {
            one.name: one.asset_id.removeprefix("sha256:")
            for one in samples_in(place, "protected", files.known)
        }
        inside = place.is_relative_to(files.folder)
        called = place.relative_to(files.folder).as_posix() if inside else place.name
        records += protected_records(production.name, called, pictures)
    # A file that is on record as something else goes on being that: who names a plate as somebody's terms
    # does not make a document of it.
    others = {one.id for one in records if isinstance(one, Asset)}
    others |= {one.id for one in state.assets.values() if one.type != "document"}
    return [*(one for one in files.documents.values() if one.id not in others), *records]


def correctable(production: Production, state: State) -> frozenset[str]:
    """Assets that are what they are on record by [[assets]] alone, and that no step on record used or made:
    a slip in that table may be mended. Where several productions share a ledger none is: what one calls a
    replica is no other's to call a picture."""
    if set(productions_known(state)) - {production.name}:
        return frozenset()
    return frozenset(
        one.id
        for one in state.assets.values()
        # What a run or a command put on record has a step, or facts or parts, which [[assets]] never gives.
        if not (one.facts or one.parts or state.used_by(one.id) or state.made_by(one.id))
    )


def declared_assets(production: Production, folder: Path, digests: Digests) -> frozenset[str]:
    """Ids of the files that [[assets]] names now."""
    files = DeclaredFiles(folder, digests)
    return frozenset(one for table in production.assets for one in files.ids(table.files, "assets"))


def withdrawals(
    production: Production, records: Iterable[Record], state: State, at: datetime
) -> list[Record]:
    """Records that take back what an earlier `production.toml` said and the present one does not."""
    records = tuple(records)
    present = {record.id for record in records}
    why = "taken out of production.toml"
    grants = _kind("grant", production)
    decisions = _kind("decision", production)
    back: list[Record] = [
        grant.model_copy(update={"revoked": at, "revoked_why": why})
        for grant in state.grants.values()
        if grant.id.startswith(f"{grants}:") and grant.id not in present and grant.revoked is None
    ]
    back += [
        decision.model_copy(update={"withdrawn": True})
        for decision in state.decisions.values()
        if decision.id.startswith(f"{decisions}:") and decision.id not in present and not decision.withdrawn
    ]
    present_steps = [one for one in records if isinstance(one, Activity)]
    steps = _kind("activity", production)
    back += [
        step.model_copy(update={"used": (), "models": (), "generated": (), "parameters": {"withdrawn": why}})
        for step in state.activities.values()
        if step.id.startswith(f"{steps}:")
        and step.type not in OWN_STEPS
        and step.id not in present
        and step.generated
        and not _of_former_files(step, present_steps)
    ]
    return back


def _of_former_files(step: Activity, present: Sequence[Activity]) -> bool:
    """Whether a step tells how the former bytes of a file came about that is made anew by another step now:
    what was made of those goes on being made of them."""

    def made(one: Activity) -> set[str]:
        return {name for name in _references(one, "generated") if not is_hash(name)}

    again = any(set(step.generated) & set(one.generated) for one in present)
    return not again and any(made(step) & made(one) for one in present)


def _references(step: Activity, key: str) -> tuple[str, ...]:
    """How production.toml named the files of a step."""
    named = step.parameters.get(key)
    return tuple(str(one) for one in named) if isinstance(named, list | tuple) else ()


def _kind(kind: str, production: Production) -> str:
    """How the ids begin of records that come from this production's file."""
    return f"{kind}:{production.name}"


class _Numbered:
    """Ids of entries that are alike in all that their ids are made of (two tables by one person of one file,
    two agreements for one territory each): told apart by their order, so that none replaces another."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def __call__(self, identity: str) -> str:
        count = self._seen[identity] = self._seen.get(identity, 0) + 1
        return identity if count == 1 else f"{identity}-{count}"


def _order(records: Sequence[Record], by: str) -> int:
    """How many declarations of this person came before, so that two of one person stay two."""
    return sum(1 for one in records if isinstance(one, Decision) and one.by == by)


def _grants(production: Production, files: DeclaredFiles, state: State) -> list[Grant]:
    found: list[Grant] = []
    numbered = _Numbered()
    former, patterns = _declared_for(production, state)
    for one in production.grants:
        licence = licence_of(one.licence)
        uses = one.uses if one.uses is not None else licence.uses if licence else ("use",)
        identity = record_id(
            _kind("grant", production), one.type, one.given_by, sorted(one.files), one.licence, sorted(uses)
        )
        name = licence.id if licence else one.licence
        before = former.get((one.type, one.given_by, name), {})
        frozen = patterns.get((one.type, one.given_by, name), set())
        assets = dict.fromkeys(reference for reference in one.files if is_hash(reference))
        present = files.digests(one.files, "grants")
        joined = files.joined(one.files, present, before, frozen, assets)
        listed, changed = as_first_said(
            {path: digest for path, digest in present.items() if path not in joined}, before, assets
        )
        found.append(
            Grant(
                id=numbered(identity),
                type=one.type,
                given_by=one.given_by,
                assets=tuple(dict.fromkeys((*assets, *(asset_id(digest) for digest in listed.values())))),
                uses=uses,
                territory=one.territory,
                starts=moment(one.starts),
                ends=moment(one.ends, end=True),
                licence=name,
                url=one.url,
                basis=one.basis,
                files=listed,
                changed={**changed, **joined},
                patterns=tuple(name for name in one.files if is_pattern(name)),
                document=files.document(one.document, "grants.document"),
                obligations=one.obligations,
                terms=one.terms,
                revoked=moment(one.revoked),
                revoked_why=one.revoked_why,
            )
        )
    return found


def _declared_for(
    production: Production, state: State
) -> tuple[dict[tuple[str, str, str], Former], dict[tuple[str, str, str], set[str]]]:
    """By a grant's type, giver and licence: each path it named, and the digests it was declared for, the
    latest last; and the patterns it named. Grants that were taken out of the file count: putting one back
    confirms nothing."""
    found: dict[tuple[str, str, str], dict[str, dict[str, None]]] = {}
    patterns: dict[tuple[str, str, str], set[str]] = {}
    for grant in state.grants.values():
        if grant.id.startswith(f"{_kind('grant', production)}:"):
            patterns.setdefault((grant.type, grant.given_by, grant.licence), set()).update(grant.patterns)
            paths = found.setdefault((grant.type, grant.given_by, grant.licence), {})
            for path, digest in grant.files.items():
                paths.setdefault(path, {})[digest] = None
    return dict(found), patterns


def _ingredients(
    production: Production,
    files: DeclaredFiles,
    state: State,
    roles: Mapping[str, str],
    unconfirmed: Container[str],
) -> Iterator[Decision]:
    """What people say of single files, each as it was when that person first said something of its path.

    unconfirmed   asset ids of files that are others than those that were granted
    """
    kind = _kind("decision", production)
    former: dict[str, dict[str, dict[str, None]]] = {}
    for said in state.decisions.values():
        if said.id.startswith(f"{kind}:") and said.type == "declaration" and not said.about:
            for path, digest in said.files.items():
                former.setdefault(said.by, {}).setdefault(path, {})[digest] = None
    numbered = _Numbered()
    for one in production.ingredients:
        confirmed = dict.fromkeys(reference for reference in one.files if is_hash(reference))
        present = files.digests(one.files, "ingredients")
        listed, changed = as_first_said(present, former.get(one.by, {}), confirmed)
        facts = _facts(one.facts, files)
        paths: dict[str, dict[str, str]] = {asset: {} for asset in confirmed}
        for path, digest in listed.items():
            paths.setdefault(asset_id(digest), {})[path] = digest
        for asset, named in paths.items():
            if asset in unconfirmed and asset not in confirmed:
                continue
            yield Decision(
                id=numbered(record_id(kind, "ingredient", asset, one.by)),
                type="declaration",
                by=one.by,
                role=one.role or roles[one.by],
                subject=asset,
                why=one.why,
                facts=facts,
                files=named,
                changed={path: changed[path] for path in named if path in changed},
            )


def _notices(
    production: Production, files: DeclaredFiles, state: State, roles: Mapping[str, str]
) -> Iterator[Decision]:
    """Notices that were sent; each tells of the models as they were when it was first declared."""
    kind = _kind("decision", production)
    numbered = _Numbered()
    for one in production.notices:
        identity = numbered(record_id(kind, "notice", one.about, one.by, one.to, str(one.sent)))
        told = state.decisions.get(identity)
        former = {path: {digest: None} for path, digest in told.files.items()} if told is not None else {}
        confirmed = dict.fromkeys(reference for reference in one.models if is_hash(reference))
        listed, changed = as_first_said(files.digests(one.models, "notices"), former, confirmed)
        yield Decision(
            id=identity,
            type="declaration",
            by=one.by,
            role=one.role or roles[one.by],
            subject=production.name,
            about=one.about,
            saw=tuple(dict.fromkeys((*confirmed, *map(asset_id, listed.values())))),
            why=one.why,
            facts={"notice_to": one.to, "notice_sent": one.sent.isoformat()},
            files=listed,
            changed=changed,
        )


def _assets(production: Production, files: DeclaredFiles, state: State) -> list[Record]:
    """Assets of [[assets]]; what a run recorded as its own input stays as the run recorded it."""
    found: dict[str, Record] = {}
    sorts: dict[str, str] = {}
    for one in production.assets:
        names = {asset_id(digest): path for path, digest in files.digests(one.files, "assets").items()}
        for identity in files.ids(one.files, "assets"):
            if any(step.type in OWN_STEPS for step in state.used_by(identity)):
                continue
            path = names.get(identity, "")
            if sorts.setdefault(identity, one.type) != one.type:
                raise FalseworkError(
                    f'"{path or identity[:19]}" is a {sorts[identity]} in one table, a {one.type} in another',
                    where=f"{FILE_NAME}: assets.files",
                    todo="Say once what it is.",
                )
            found[identity] = Asset(
                id=identity,
                type=one.type,
                name=one.name.strip() or Path(path).name or identity[:19],
                media_type=mimetypes.guess_type(path)[0] or "application/octet-stream",
                path=path,
                creator=one.creator,
                source=one.source,
            )
    return list(found.values())


def _activities(production: Production, files: DeclaredFiles, state: State) -> list[Record]:
    """Steps of [[activities]]. Which bytes a step used and made is settled when it is first declared: another
    file that takes the path of one of them was neither used nor made by it."""
    found: list[Record] = []
    numbered = _Numbered()
    for one in production.activities:
        named: dict[str, object] = {
            "used": list(one.used), "models": list(one.models or ()), "generated": list(one.generated),
        }  # fmt: skip
        if one.hosted_models:
            named["hosted_models"] = list(one.hosted_models)
        identity = numbered(record_id(_kind("activity", production), one.type, one.tool, named))
        if one.models is None:
            del named["models"]  # nobody has said that it used none
        hosted = [_hosted(one.tool, model) for model in one.hosted_models]
        found += hosted
        before = state.activities.get(identity)
        if before is not None and before.generated:
            used, models, generated = before.used, before.models, before.generated
        else:
            models = files.ids(one.models or (), "activities.models")
            models = tuple(dict.fromkeys((*models, *(model.id for model in hosted))))
            used = tuple(dict.fromkeys((*files.ids(one.used, "activities.used"), *models)))
            generated = files.ids(one.generated, "activities.generated")
        found.append(
            Activity(
                id=identity,
                type=one.type,
                used=used,
                generated=generated,
                agent=one.by,
                tool=one.tool,
                version=one.version,
                models=models,
                parameters=named,
                prompt=one.prompt,
                seed=one.seed,
                offline=one.offline,
                ended=moment(one.done),
            )
        )
    return found


def _hosted(tool: str, model: str) -> Asset:
    """A model that runs elsewhere and goes by its name: there are no bytes here that would tell it apart."""
    digest = hashlib.sha256(canonical({"hosted model": model, "tool": tool})).hexdigest()
    return Asset(id=asset_id(digest), type="model", name=model, creator=tool)


def _tools(production: Production, files: DeclaredFiles) -> list[Record]:
    """A tool's terms are a licence that covers no asset and says so in its terms."""
    found: list[Record] = []
    numbered = _Numbered()
    for one in production.tools:
        answers = ("offline", "stores_inputs", "reuses_inputs", "trains_on_inputs", "enterprise", "indemnity")
        terms: dict[str, Fact] = {"tool": one.name, "version": one.version, "attested_by": one.attested_by}
        terms |= {name: value for name in answers if (value := getattr(one, name)) is not None}
        found.append(
            Grant(
                id=numbered(record_id(_kind("grant", production), "tool", one.name, one.version)),
                type="licence",
                given_by=one.vendor,
                assets=(),
                uses=("tool",),
                basis="contract",
                document=files.document(one.terms, "tools.terms"),
                obligations=Obligations(),
                terms=terms,
            )
        )
    return found


def _labour(production: Production, roles: dict[str, str]) -> list[Record]:
    """Hours and changed roles, for the page that names the humans."""
    labour = production.labour
    if labour is None:
        return []
    facts: dict[str, Fact] = {
        f"hours {party.id}": float(party.hours) for party in production.parties if party.hours is not None
    }
    for word in ("assisted", "added", "replaced"):
        facts[f"roles {word}"] = ", ".join(getattr(labour, word))
    return [
        Decision(
            id=record_id(_kind("decision", production), "labour"),
            type="declaration",
            by=labour.by,
            role=roles[labour.by],
            subject=production.name,
            about="labour",
            why="whose work it was",
            facts=facts,
        )
    ]


def _facts(facts: Settings, files: DeclaredFiles) -> dict[str, Fact]:
    """The facts that were given; a file's path becomes its hash."""
    given: dict[str, Fact] = facts.model_dump(exclude_none=True)
    for name in FILE_FACTS:
        if given.get(name):
            given[name] = files.document(str(given[name]), f"ingredients.facts.{name}")
    return given
