"""Hostile wishes and synopses, through the whole of search: offline, and with a model that obeys every one.

None may bring up a title outside the catalogue or one that is not for the profile, steer a terminal, or end
in anything but an answer or a sentence. The cases are in search_hostile.json: adding one is adding an entry.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai  # noqa: F401  (a second of importing that no deadline below should pay for)
import pytest

from endpoint_server import FakeEndpoint, Request, fake_endpoint
from falsework.catalogue.database import Catalogue
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Credit, Title
from falsework.cli.search_words import card, told
from falsework.errors import FalseworkError
from falsework.search.answer import Answer
from falsework.search.encoder import Encoder
from falsework.search.endpoint.endpoint import Endpoint
from falsework.search.index.build import build
from falsework.search.query import Query
from falsework.search.ranking.why import stored
from falsework.search.searcher import Searcher

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
            synopsis=text,
            genres=(text[:60] or "-",),
            credits=(Credit(text[:60] or "-", "cast", text[:60]),),
            rating=RATINGS[at % 2],
        )
        for at, text in enumerate(SYNOPSES.values())
    ]
    return [*ORDINARY, *told, *whole]


@pytest.fixture(scope="module")
def titles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Catalogue, Path]]:
    """A catalogue of what it takes of the hostile titles, and its index."""
    folder = tmp_path_factory.mktemp("hostile")
    refused = 0
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        for title in hostile_titles():
            try:
                catalogue.upsert([title])
            except FalseworkError:
                refused += 1  # a catalogue need not take everything, but must say so
        assert catalogue.count() > 60
        assert refused < 20
        build(catalogue, folder / "index", encoder=Encoder.load())
        yield catalogue, folder / "index"


@pytest.fixture(scope="module")
def searcher(titles: tuple[Catalogue, Path]) -> Iterator[Searcher]:
    with Searcher.open(*titles) as searcher:
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


@pytest.fixture(scope="module")
def liar() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as server:
        server.say = lie
        yield server


@pytest.fixture(scope="module")
def deceived(
    titles: tuple[Catalogue, Path], liar: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Searcher]:
    """A searcher whose endpoint lies, and is never left alone for it."""
    folder = tmp_path_factory.mktemp("liar")
    file = folder / "endpoint.toml"
    limits = "[patience]\nfailures = 100\ntotal = 30\n[allowance]\nday_tokens = 1_000_000_000"
    file.write_text(f"folder = '{folder}'\n{limits}\n[cache]\nentries = 0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        endpoint = Endpoint.from_environment(liar.environment(FALSEWORK_LLM_SETTINGS=str(file)))
        assert endpoint is not None
        with endpoint, Searcher.open(*titles, endpoint=endpoint) as searcher:
            yield searcher


def check(answer: Answer, searcher: Searcher, wish: str, *, kids: bool) -> None:
    """What must hold of every answer, whatever was asked and whoever answered."""
    known = searcher.catalogue.titles([one.title.id for one in answer.results])
    for result in answer.results:
        assert known[result.title.id] == result.title
        assert not kids or fit_for_children(result.title.rating)
        for reason in result.why:
            assert any(reason.quote in words for words in stored(result.title, reason.field))
    for title in answer.nearest:
        assert searcher.catalogue.title(title.id) == title
        assert not kids or fit_for_children(title.rating)
    assert answer.query.kids or not kids
    assert Query.model_validate_json(answer.query.model_dump_json()) == answer.query
    assert len(answer.results) <= 10
    shown = told(answer, explain=True, numbered_chips=True)
    assert_harmless(shown)
    if kids:
        for title in ORDINARY:
            assert fit_for_children(title.rating) or title.title not in shown or named(title.title, wish), (
                f"{title.title} is shown to a child"
            )
    json.loads(json.dumps(answer.to_json(explain=True)).encode())


def beside_quotes(answer: Answer) -> str:
    """All that is said and not stored: a hostile synopsis may be quoted, never obeyed."""
    words = [each.words for each in answer.chips]
    return "\n".join((*words, *answer.notes, *answer.not_in_catalogue, answer.answered_by))


def named(title: str, wish: str) -> bool:
    return title.casefold() in wish.casefold()


def assert_harmless(text: str) -> None:
    """Nothing in it steers a terminal, and all of it can be written to one."""
    text.encode("utf-8")
    steering = {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
    assert not steering, steering


@pytest.mark.parametrize("kids", [False, True], ids=["anyone", "kids"])
@pytest.mark.parametrize("name", WISHES)
def test_a_hostile_wish_offline(searcher: Searcher, name: str, kids: bool) -> None:
    answer = searcher.search(WISHES[name], kids=kids)
    check(answer, searcher, WISHES[name], kids=kids)
    assert answer.answered_by == "offline rules"


@pytest.mark.parametrize("name", WISHES)
def test_a_hostile_wish_before_a_model_that_obeys(deceived: Searcher, liar: FakeEndpoint, name: str) -> None:
    liar.asked.clear()
    answer = deceived.search(WISHES[name], kids=True)
    check(answer, deceived, WISHES[name], kids=True)
    assert not any(words in beside_quotes(answer) and words not in WISHES[name] for words in INVENTED)
    assert sum(len(json.dumps(request)) for request in liar.asked) < 200_000


@pytest.mark.parametrize("kids", [False, True], ids=["anyone", "kids"])
@pytest.mark.parametrize("wish", ["a storm passes", "the best film about storms for children", "horror"])
def test_hostile_synopses_before_a_model_that_obeys(deceived: Searcher, wish: str, kids: bool) -> None:
    answer = deceived.search(wish, kids=kids)
    check(answer, deceived, wish, kids=kids)
    assert answer.results
    assert answer.answered_by == "endpoint a-model"
    assert not any(words in beside_quotes(answer) for words in INVENTED)


def test_every_hostile_title_can_be_shown(searcher: Searcher) -> None:
    for title in searcher.catalogue.every():
        assert_harmless(card(title))
        if title.id.startswith("w-"):  # hostile in its name too
            check(searcher.search(title.title), searcher, title.title, kids=False)


def test_a_liars_explanation_has_nothing_to_say(deceived: Searcher) -> None:
    found = [deceived.catalogue.title(title.id) for title in ORDINARY]
    titles = [title for title in found if title is not None]
    explanation = deceived.explain(Query(text="storm"), titles, "a storm")
    assert explanation is not None
    claims = list(explanation)
    assert [(claim.id, claim.field, claim.quote, claim.wish) for claim in claims] == [
        ("f-1", "rating", "G", "")  # the only one of them that is stored
    ]
    assert explanation.notes == ()


def test_a_conversation_of_nothing_but_hostile_wishes(searcher: Searcher) -> None:
    turn = None
    for wish in WISHES.values():
        answer = searcher.search(wish, kids=True, previous=turn)
        check(answer, searcher, " ".join((wish, *answer.query.like, *answer.query.titles)), kids=True)
        turn = answer.turn


def test_there_are_more_than_a_hundred() -> None:
    assert len(WISHES) >= 100
    assert len(WISHES) + len(SYNOPSES) >= 150
