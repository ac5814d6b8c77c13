"""Where a shot's rights are kept: the production's folder, its rules and its ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.rights.anchors import anchors_beside
from falsework.rights.declarations import (
    correctable,
    declared_assets,
    production_records,
    withdrawals,
)
from falsework.rights.digests import Digests
from falsework.rights.ledger import Ledger
from falsework.rights.places import named_folders, named_place
from falsework.rights.production import Production, load_production
from falsework.rights.state import State
from falsework.rights.terms import productions_known, terms_record
from falsework.shots.clearing.production_file import production_of
from falsework.shots.spec import Shot, load_shot

__all__ = ["Desk", "desk_of"]

LEDGER = "rights/ledger.db"
ANCHORS = "rights/ledger.anchors.jsonl"


@dataclass(frozen=True)
class Desk:
    """One shot's rights.

    shot_path   its file;  shot  what that says
    folder      the production's folder (the shot's own where there is no production.toml)
    production  its rules; a shot without production.toml has one of its own, with no packs chosen
    declared    whether there is a production.toml
    outside     folders that its production.toml may name besides its own, by leave of whoever is at work
    digests     of the files read so far: a desk is for one command
    """

    shot_path: Path
    shot: Shot
    folder: Path
    production: Production
    declared: bool
    outside: tuple[Path, ...] = field(default_factory=named_folders)
    digests: Digests = field(default_factory=Digests, compare=False, repr=False)

    @property
    def base(self) -> Path:
        """The shot's folder."""
        return self.shot_path.resolve().parent

    @property
    def called(self) -> str:
        """The shot's file as commands in the production's folder name it: what goes on record is about no
        machine."""
        return self.shot_path.resolve().relative_to(self.folder.resolve()).as_posix()

    @property
    def display(self) -> dict[str, str]:
        """How the shot's file says that frames are turned into the pictures people see."""
        return {"fps": f"{self.shot.fps:.12g}", "colour_space": self.shot.plate.colour_space}

    def named(self, reference: str, key: str) -> Path:
        """The place of a file or folder that production.toml names under `key`; FalseworkError where that is
        outside its folder and whoever runs the command has not allowed it."""
        return named_place(self.folder, reference, key, self.outside)

    @property
    def protected(self) -> Path | None:
        """The folder of protected pictures, if there is one."""
        given = self.production.protected.folder
        return self.named(given, "protected.folder") if given else None

    @property
    def ledger_place(self) -> str | Path:
        """The ledger's file, or the URL of its database."""
        given = self.production.ledger
        if "://" in given:
            return given
        return self.named(given or LEDGER, "ledger")

    def open_ledger(self) -> Ledger:
        place = self.ledger_place
        # A database has no place of its own for the roots that show it was not cut off or rewritten.
        anchors = anchors_beside(place) if isinstance(place, Path) else self.folder / ANCHORS
        return Ledger.open(place, anchors=self.named(str(anchors), "ledger"))

    def stamp_roots(self) -> bytes:
        """The root certificates of the production's time-stamp authority, PEM; b"" where it names none."""
        given = self.production.timestamp.roots
        place = self.named(given, "timestamp.roots") if given else None
        try:
            return place.read_bytes() if place is not None else b""
        except OSError as error:
            raise FalseworkError(
                f"the time-stamp authority's root certificates cannot be read ({error.strerror or error})",
                where=place or "",
                todo="Correct roots under [timestamp] in production.toml, or leave it out.",
            ) from error

    def inside(self, path: str) -> Path | None:
        """A file on record by its path, if it lies in the production's folder and is a plain file."""
        found = (self.folder / path).resolve() if path else None
        if found is None or not found.is_relative_to(self.folder.resolve()) or not found.is_file():
            return None
        return found

    def declare(self, ledger: Ledger, at: datetime) -> State:
        """Bring what production.toml says now into the ledger; returns the state with it.

        FalseworkError where the ledger knows of a production and there is no production.toml: without the
        file its rules would not be asked.
        """
        before = State.of(ledger.events())
        known = productions_known(before)
        if known and not self.declared:
            raise FalseworkError(
                f'the ledger is that of the production "{known[-1]}", and its production.toml is not here',
                where=self.folder,
                todo="Bring the file back from a copy. A shot of no production has a folder of its own.",
            )
        if self.declared:
            records = production_records(
                self.production, self.folder, before, protected=self.protected, digests=self.digests
            )
            records = [terms_record(self.production), *records]
            ledger.append(
                [*records, *withdrawals(self.production, records, before, at)],
                at=at,
                retyped=correctable(self.production, before),
            )
        return State.of(ledger.events())

    def undeclared(self, state: State) -> frozenset[str]:
        """Assets that were only ever declared, and are not any more: a run says anew what they are."""
        free = correctable(self.production, state)
        return free - declared_assets(self.production, self.folder, self.digests) if free else free


def desk_of(shot_path: Path | str) -> Desk:
    """The desk of a shot: its production is the nearest production.toml in its folder or above it."""
    shot_path = Path(shot_path)
    shot = load_shot(shot_path)
    base = shot_path.resolve().parent
    folder = production_of(base)
    if folder is not None:
        return Desk(shot_path, shot, folder, load_production(folder), True)
    return Desk(shot_path, shot, base, Production(name=shot.name), False)
