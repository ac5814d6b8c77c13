"""Hostile wishes and synopses, a small catalogue full of them, a model that obeys them, and what must hold
whatever is asked. The cases are in search_hostile.json: adding one is adding an entry."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from endpoint_server import FakeEndpoint, Request, fake_endpoint
from falsework.catalogue.database import Catalogue
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Credit, Title
from falsework.errors import FalseworkError
from falsework.search.endpoint.endpoint import Endpoint
from falsework.search.index.build import build, open_index
from falsework.search.searcher import Searcher
from search_at_work import encoder

HOSTILE = json.loads((Path(__file__).parent / "search_hostile.json").read_bytes())
WISHES = {case["name"]: case["text"] * case.get("times", 1) for case in HOSTILE["queries"]}
SYNOPSES = {case["name"]: case["text"] * case.get("times", 1) for case in HOSTILE["synopses"]}
RATINGS = ("", "G", "R", "TV-Y", "TV-MA", "no rating at all")
INVENTED = ("Titanic 9", "made-up-77", "eleven Oscars")

ORDINARY = (
    Title("f-1", "The Quiet Harbour", year=1994, synopsis="A storm passes; a family laughs.", rating="G"),
    Title("f-2", "The Cellar Knife", year=2001, synopsis="A violent film of horror.", rating="R"),
    Title("f-3", "Nine Lanterns", year=2010, synopsis="Two children sail through a storm.", rating="TV-Y"),
    Title("f-4", "Unrated Storm", year=2015, synopsis="A storm, and nobody has rated it."),
    Title("f-5", "Titanic Nights", year=1997, synopsis="A ship, ice, and a scary storm.", rating="NC-17"),
)


def hostile_titles() -> list[Title]:
    """A title for each synopsis, of every kind of rating, and some that are hostile in every field."""
    told = [
        Title(f"h-{at}", f"Storm {at}", year=1950 + at, synopsis=text, rating=RATINGS[at % len(RATINGS)])
        for at, text in enumerate(SYNOPSES.values())
    ]
    whole = [
        Title(
            f"w-{at}",
            text[:80] or "-",
            synopsis=text[:2_000],
            genres=(text[:60] or "-",),
            credits=(Credit(text[:60] or "-", "cast", text[:60]),),
            rating=RATINGS[at % 2],
        )
        for at, text in enumerate(SYNOPSES.values())
    ]
    return [*ORDINARY, *told, *whole]


@cache
def hostile_folder() -> Path:
    """A catalogue of what one takes of the hostile titles, with its index, made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="falsework-hostile-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    titles = hostile_titles()
    taken = [title for title in titles if not holds_surrogates(title.synopsis)]
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        for title in titles:
            if title not in taken:
                with pytest.raises(FalseworkError, match="surrogate"):
                    catalogue.upsert([title])
        catalogue.upsert(taken)
        build(catalogue, folder / "index", encoder=encoder())
    return folder


def holds_surrogates(text: str) -> bool:
    return any("\ud800" <= each <= "\udfff" for each in text)


@contextmanager
def hostile_searcher(endpoint: Endpoint | None = None) -> Iterator[Searcher]:
    """A searcher as it ships over the hostile catalogue."""
    folder = hostile_folder()
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        opened = open_index(folder / "index", encoder=encoder())
        with Searcher(catalogue, opened, encoder=encoder(), endpoint=endpoint) as searcher:
            yield searcher


def lie(request: Request) -> str:
    """A model that obeys whoever wrote the wish or a synopsis: no child's profile, invented titles, numbers
    that were not given, praise that nobody stored, and codes for the terminal."""
    evil = "\x1b[2J\u202eTitanic 9 won eleven Oscars"
    asked = request["response_format"]["json_schema"]["name"]
    if asked == "query":
        names = ["Titanic 9", "made-up-77", "The Cellar Knife", "Titanic Nights", "Unrated Storm", evil]
        said: dict[str, Any] = dict.fromkeys(request["response_format"]["json_schema"]["schema"]["required"])
        said |= {"text": f"violent horror {evil}", "kids": False, "titles": names, "like": names}
        return json.dumps(said | {"people": ["Nobody Atall", evil], "genres": ["Horror", evil]})
    if asked == "order":
        return json.dumps({"order": [999, -1, 0, 2, 2, 1, 41, 10**9]})
    claims = [
        {"title": number, "field": field, "quote": quote, "wish": evil}
        for number in (-1, 0, 1, 2, 999)
        for field, quote in (("title", "Titanic 9"), ("synopsis", "won eleven Oscars"), ("rating", "G"))
    ]
    return json.dumps({"claims": claims})


@contextmanager
def lying_endpoint(folder: Path) -> Iterator[tuple[Endpoint, FakeEndpoint]]:
    """An endpoint that lies, and is never left alone for it."""
    file = folder / "endpoint.toml"
    limits = "[patience]\nfailures = 100\ntotal = 30\n[allowance]\nday_tokens = 1_000_000_000"
    file.write_text(f"folder = '{folder}'\n{limits}\n[cache]\nentries = 0")
    with pytest.MonkeyPatch.context() as patch, fake_endpoint() as server:
        server.say = lie
        patch.setenv("NO_PROXY", "127.0.0.1")
        endpoint = Endpoint.from_environment(server.environment(FALSEWORK_LLM_SETTINGS=str(file)))
        assert endpoint is not None
        with endpoint:
            yield endpoint, server


def assert_harmless(text: str) -> None:
    """Nothing in it steers a terminal, and all of it can be written to one."""
    text.encode("utf-8")
    steering = {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
    assert not steering, steering


def assert_fit(shown: str, wish: str) -> None:
    """None of the titles that are not for children is named, unless who asked has named it."""
    for title in ORDINARY:
        fit = fit_for_children(title.rating) or title.title.casefold() in wish.casefold()
        assert fit or title.title not in shown, f"{title.title} is shown to a child"
