"""`production.toml`: who makes it, for whom, where it will be shown, what was agreed and what is declared."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from falsework.errors import FalseworkError
from falsework.faults import Fault, key_lines, nearest, refuse, toml_refusal, validation_faults
from falsework.rights.facts import FileReference, IngredientFacts, ShotFacts
from falsework.rights.licences import is_known
from falsework.rights.records import Fact, Name, Obligations
from falsework.rights.territories import EU_LAW, US_COPYRIGHT, Place
from falsework.settings import Finite, Settings

__all__ = [
    "FILE_NAME",
    "OWN_STEPS",
    "ActivitySettings",
    "AssetSettings",
    "DeclarationSettings",
    "GrantSettings",
    "IngredientSettings",
    "NoticeSettings",
    "PartySettings",
    "Production",
    "ReviewSettings",
    "ToolSettings",
    "load_production",
    "moment",
    "read_production",
]

FILE_NAME = "production.toml"
DOCUMENT = "docs/production.md"
LARGEST = 4_000_000  # bytes of a production file; a few thousand grants take a tenth of it

# What falsework and its copy audit put on record themselves; nobody else can say it for them.
OWN_STEPS = frozenset({"make", "deliver", "collect", "brief"})

Pack = Literal["netflix", "eu", "california", "copyright", "awards", "insurance"]
Guild = Literal["wga", "sag-aftra", "interactive", "dga", "iatse"]


def _party_id(value: object) -> object:
    """ "mara" is short for "party:mara"."""
    return f"party:{value}" if isinstance(value, str) and value and ":" not in value else value


def _party_form(value: str) -> str:
    if not re.fullmatch(r"party:[a-z0-9._-]+", value):
        raise ValueError('a short name of small letters, digits, ".", "_" and "-" ("mara.example")')
    return value


def _moment(value: date | datetime) -> date | datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("a date, or a time with its zone (2026-11-22T12:00:00Z)")
    _day(value)
    return value


def _day(value: date) -> date:
    # The first and the last year have no day before or after, in another zone, that could be reckoned with.
    if not date.min.year < value.year < date.max.year:
        raise ValueError(f"a day before the year {date.max.year}; one without an end is left out")
    return value


PartyId = Annotated[str, BeforeValidator(_party_id), AfterValidator(_party_form)]
Moment = Annotated[datetime | date, AfterValidator(_moment)]
Day = Annotated[date, AfterValidator(_day)]


class PartySettings(Settings):
    """A person, an organisation or a union that the other tables name by `id`."""

    id: PartyId
    type: Literal["person", "organisation", "union"] = "person"
    name: Name
    roles: tuple[Name, ...] = ()
    member_of: tuple[PartyId, ...] = ()
    hours: Annotated[Finite, Field(ge=0)] | None = None  # a person's work on this production


class GrantSettings(Settings):
    """A licence, a consent or an approval for files of this production.

    files  a path means the file as it was when the grant was first declared (or as a hash in here says)
    uses   left out: what the licence itself allows, where `licence` is one that is known
    basis  what it rests on; nothing is assumed
    """

    files: Annotated[tuple[FileReference, ...], Field(min_length=1)]
    type: Literal["licence", "consent", "approval"] = "licence"
    given_by: PartyId
    uses: tuple[Name, ...] | None = None
    territory: tuple[Place, ...] = ("worldwide",)
    starts: Moment | None = None
    ends: Moment | None = None
    licence: str = ""
    url: str = ""
    basis: Literal["item", "platform", "contract", "owner"]
    document: FileReference | Literal[""] = ""
    obligations: Obligations = Obligations()
    terms: dict[str, Fact] = Field(default_factory=dict)
    revoked: Moment | None = None
    revoked_why: str = ""


class ToolSettings(Settings):
    """Another program or service that touched the work, with the terms it runs under.

    offline   attested: nothing left the machine it ran on
    """

    name: Name
    version: str = ""
    vendor: PartyId
    attested_by: PartyId
    terms: FileReference | Literal[""] = ""
    offline: bool | None = None
    stores_inputs: bool | None = None
    reuses_inputs: bool | None = None
    trains_on_inputs: bool | None = None
    enterprise: bool | None = None
    indemnity: bool | None = None


class AssetSettings(Settings):
    """Files that no run puts on record by itself: models, what trained them, replicas, others' work.

    name   left out: the file's; only where one file is named
    """

    files: Annotated[tuple[FileReference, ...], Field(min_length=1)]
    type: Literal[
        "model", "dataset", "sample", "replica", "plate", "picture", "texture", "environment", "matte",
        "intermediate", "script",
    ]  # fmt: skip
    name: str = ""
    creator: str = ""
    source: str = ""


class ActivitySettings(Settings):
    """A step of the work outside falsework: a training, a scan, a painted plate.

    by       the person who did it or had it done, and who says so
    models   those of the files it used that are trained models; [] says that it used none, and left out
             nobody has said
    hosted_models  models that it used elsewhere, whose files nobody here has: each by name and version
    offline  nothing left the machine it ran on
    """

    type: Name
    by: PartyId
    tool: Name
    version: str = ""
    used: tuple[FileReference, ...] = ()
    models: tuple[FileReference, ...] | None = None
    hosted_models: tuple[Name, ...] = ()
    generated: Annotated[tuple[FileReference, ...], Field(min_length=1)]
    prompt: str = ""
    seed: int | None = None
    offline: bool | None = None
    done: Moment | None = None


class DeclarationSettings(Settings):
    """What one named person declares, of one shot or (without `shot`) of all."""

    by: PartyId
    role: str = ""
    why: Name
    shot: str = ""
    facts: ShotFacts


class IngredientSettings(Settings):
    """What one named person declares of single files."""

    files: Annotated[tuple[FileReference, ...], Field(min_length=1)]
    by: PartyId
    role: str = ""
    why: Name
    facts: IngredientFacts


class NoticeSettings(Settings):
    """A dated notice that was sent: of the use of models (NFX-1), or to a guild (its rule's id)."""

    about: Literal["NFX-1", "GLD-2", "SAG-2"] = "NFX-1"
    by: PartyId
    role: str = ""
    to: Name
    sent: Day
    models: tuple[FileReference, ...] = ()
    why: Name = "notice given"


class ReviewSettings(Settings):
    """A person looked into what a rule asks about and says how it stands."""

    about: Name
    by: PartyId
    role: str = ""
    why: Name
    shot: str = ""
    facts: dict[str, Fact] = Field(default_factory=dict)


class LabourSettings(Settings):
    """Whose work changed: roles that were assisted, added or replaced."""

    by: PartyId
    assisted: tuple[Name, ...] = ()
    added: tuple[Name, ...] = ()
    replaced: tuple[Name, ...] = ()


class ProtectedSettings(Settings):
    """Works that nothing here may repeat: a folder of pictures, and names that no prompt may hold."""

    folder: str = ""
    names: tuple[Name, ...] = ()


class CredentialSettings(Settings):
    """Files for signing deliveries; the key stays where it is and is never copied, shown or recorded."""

    certificate: str = ""
    key: str = ""
    trust: str = ""


class TimestampSettings(Settings):
    """An RFC 3161 time-stamp authority; none is asked unless `url` is given.

    roots   its root certificates, a PEM file; without them nobody can say who sealed what
    """

    url: str = ""
    roots: str = ""
    seconds: Annotated[Finite, Field(gt=0, le=120)] = 10.0
    required: bool = False


class Production(Settings):
    """The whole of `production.toml`.

    packs         rule packs of buyers, awards and insurers; guilds and territories bring theirs
    territories   where it will be shown: country codes, "EU", or "worldwide"
    releases      days of release; grants must hold on each of them
    until         the last day it will be shown; grants must reach it
    licence       what the delivery is passed on under: an SPDX id, "proprietary", or "" for what its
                  ingredients ask
    ledger        a path from this folder or a database URL; "" for the usual place
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    title: str = ""
    packs: tuple[Pack, ...] = ()
    guilds: tuple[Guild, ...] = ()
    territories: Annotated[tuple[Place, ...], Field(min_length=1)] = ("worldwide",)
    commercial: bool = True
    releases: tuple[Day, ...] = ()
    until: Day | None = None
    licence: str = ""
    ledger: str = ""
    parties: tuple[PartySettings, ...] = ()
    grants: tuple[GrantSettings, ...] = ()
    tools: tuple[ToolSettings, ...] = ()
    assets: tuple[AssetSettings, ...] = ()
    activities: tuple[ActivitySettings, ...] = ()
    declared: tuple[DeclarationSettings, ...] = ()
    ingredients: tuple[IngredientSettings, ...] = ()
    notices: tuple[NoticeSettings, ...] = ()
    reviews: tuple[ReviewSettings, ...] = ()
    labour: LabourSettings | None = None
    protected: ProtectedSettings = ProtectedSettings()
    credentials: CredentialSettings = CredentialSettings()
    timestamp: TimestampSettings = TimestampSettings()

    @property
    def rule_packs(self) -> frozenset[str]:
        """Every pack in question: those named, the guilds', and those the law of a territory brings."""
        packs = {"gate", *self.packs, *self.guilds}
        places = set(self.territories)
        if places & ({"worldwide", "EU"} | EU_LAW):
            packs.add("eu")
        if places & {"worldwide", "US"}:
            packs.add("california")
        if places & ({"worldwide"} | US_COPYRIGHT):
            packs.add("copyright")
        return frozenset(packs)

    def scope(self, shot: str = "") -> str:
        """What a decision is about that concerns all of the production, or one shot of it."""
        return f"{self.name}/{shot}" if shot else self.name


def load_production(folder: Path | str) -> Production:
    """Read and check `production.toml` of a folder (or the file itself).

    Raises FalseworkError with all faults found, the first first.
    """
    path = Path(folder)
    if path.is_dir() or path.suffix != ".toml":
        path = path / FILE_NAME
    try:
        if path.stat().st_size > LARGEST:
            raise FalseworkError(
                f"is larger than {LARGEST / 1e6:.0f} MB", where=path, todo="Split the production."
            )
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise FalseworkError(
            "there is no such file",
            where=path,
            todo=f"It says who agreed to what; {DOCUMENT} has one to begin with.",
        ) from None
    except UnicodeDecodeError:
        raise FalseworkError("is no text in UTF-8", where=path, todo="Give a TOML file in UTF-8.") from None
    except OSError as error:
        raise FalseworkError(
            f"could not be read ({error.strerror or error})", where=path, todo="Give a TOML file in UTF-8."
        ) from None
    return read_production(text, path)


def read_production(text: str, path: Path | str = FILE_NAME) -> Production:
    """`load_production` for a text already in hand; `path` is only named in faults."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError
        raise toml_refusal(error, text, path) from None
    lines = key_lines(text)
    try:
        production = Production.model_validate(values)
    except ValidationError as error:
        refuse(validation_faults(error, values, Production, DOCUMENT), lines, path)
        raise AssertionError("unreachable") from error
    refuse(list(_cross_faults(production)), lines, path)
    return production


def moment(value: date | datetime | None, *, end: bool = False) -> datetime | None:
    """A date as the instant its day begins, or with `end` ends, in UTC; a time as it is."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    start = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return start + timedelta(days=1) if end else start


def _cross_faults(production: Production) -> Iterator[Fault]:
    """What single fields cannot know."""
    types: dict[str, str] = {}
    for index, party in enumerate(production.parties):
        if party.id in types:
            yield Fault(
                f"parties.{index}.id", f'two parties are called "{party.id}"', "Give each its own id."
            )
        types[party.id] = party.type
    for key, party_id, person in _party_uses(production):
        if party_id not in types:
            guess = nearest(party_id.removeprefix("party:"), [one.removeprefix("party:") for one in types])
            todo = f'Did you mean "{guess}"?' if guess else f'Add [[parties]] with id = "{party_id}".'
            yield Fault(key, f'nobody is called "{party_id}"', todo)
        elif person and types[party_id] != "person":
            yield Fault(
                key, f'"{party_id}" is no person', "Only a named person can declare, attest or decide."
            )
    for index, grant in enumerate(production.grants):
        if grant.uses is None and not is_known(grant.licence):
            said = (
                f'the licence "{grant.licence}" is not one we know'
                if grant.licence
                else "no licence is named"
            )
            yield Fault(
                f"grants.{index}.uses",
                f"{said}, so what it allows must be said",
                'Give uses = ["use", "adapt", "commercial"], or those of them that were granted.',
            )
        starts, ends = moment(grant.starts), moment(grant.ends, end=True)
        if starts and ends and ends <= starts:
            yield Fault(
                f"grants.{index}.ends", "the term ends before it starts", "Correct `starts` or `ends`."
            )
    if production.until and any(release > production.until for release in production.releases):
        yield Fault("until", "is before a release", "Give the last day it will be shown, or leave it out.")
    for index, asset in enumerate(production.assets):
        if asset.name and len(asset.files) > 1:
            yield Fault(f"assets.{index}.name", "names several files", "Give each its own [[assets]] table.")
    for index, step in enumerate(production.activities):
        if step.type in OWN_STEPS or step.tool.strip().casefold() == "falsework":
            yield Fault(
                f"activities.{index}.type" if step.type in OWN_STEPS else f"activities.{index}.tool",
                "falsework records its own steps by itself",
                "Remove this table, or name the other program and what it did.",
            )
        both = sorted({*step.used, *(step.models or ())} & {*step.generated})
        if both:
            yield Fault(
                f"activities.{index}.generated",
                f'"{both[0]}" is both used and made',
                "A step makes new files: list what it was given under another name.",
            )
    for index, declared in enumerate(production.declared):
        if not declared.facts.model_dump(exclude_none=True):
            yield Fault(f"declared.{index}.facts", "declares nothing", "Give a fact, or remove the table.")


def _party_uses(production: Production) -> Iterator[tuple[str, str, bool]]:
    """Key, party named there, and whether it must be a person."""
    for index, party in enumerate(production.parties):
        for union in party.member_of:
            yield f"parties.{index}.member_of", union, False
    for index, grant in enumerate(production.grants):
        yield f"grants.{index}.given_by", grant.given_by, False
    for index, tool in enumerate(production.tools):
        yield f"tools.{index}.vendor", tool.vendor, False
        yield f"tools.{index}.attested_by", tool.attested_by, True
    for table in ("activities", "declared", "ingredients", "notices", "reviews"):
        for index, entry in enumerate(getattr(production, table)):
            yield f"{table}.{index}.by", entry.by, True
    for index, said in enumerate(production.ingredients):
        if said.facts.performer is not None:
            yield f"ingredients.{index}.facts.performer", str(_party_id(said.facts.performer)), True
    if production.labour is not None:
        yield "labour.by", production.labour.by, True
