"""Hostile wishes and synopses, through the whole of search: offline, and with a model that obeys every one.

None may bring up a title outside the catalogue or one that is not for the profile, steer a terminal, or end
in anything but an answer or a sentence.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence

import pytest

from endpoint_server import FakeEndpoint
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Title
from falsework.cli.main import main
from falsework.cli.search_words import card, told
from falsework.search.answer import Answer
from falsework.search.query import Query
from falsework.search.ranking.why import stored, why
from falsework.search.searcher import Searcher
from search_hostile import (
    INVENTED,
    ORDINARY,
    SYNOPSES,
    WISHES,
    assert_fit,
    assert_harmless,
    hostile_folder,
    hostile_searcher,
    lying_endpoint,
)


@pytest.fixture(scope="module")
def searcher() -> Iterator[Searcher]:
    with hostile_searcher() as searcher:
        yield searcher


@pytest.fixture(scope="module")
def deceived_by(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Searcher, FakeEndpoint]]:
    folder = tmp_path_factory.mktemp("liar")
    with lying_endpoint(folder) as (endpoint, server), hostile_searcher(endpoint) as searcher:
        yield searcher, server


@pytest.fixture
def deceived(deceived_by: tuple[Searcher, FakeEndpoint]) -> Searcher:
    return deceived_by[0]


@pytest.fixture
def liar(deceived_by: tuple[Searcher, FakeEndpoint]) -> FakeEndpoint:
    deceived_by[1].asked.clear()
    return deceived_by[1]


def check(answer: Answer, searcher: Searcher, wish: str, *, kids: bool, limit: int = 10) -> None:
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
    assert len(answer.results) <= limit
    shown = told(answer, explain=True, numbered_chips=True)
    assert_harmless(shown)
    if kids:
        assert_fit(shown, wish)
    json.loads(json.dumps(answer.to_json(explain=True)).encode())


def beside_quotes(answer: Answer) -> str:
    """All that is said and not stored: a hostile synopsis may be quoted, never obeyed."""
    words = [each.words for each in answer.chips]
    return "\n".join((*words, *answer.notes, *answer.not_in_catalogue, answer.answered_by))


@pytest.mark.parametrize("kids", [False, True], ids=["anyone", "kids"])
@pytest.mark.parametrize("name", WISHES)
def test_a_hostile_wish_offline(searcher: Searcher, name: str, kids: bool) -> None:
    answer = searcher.search(WISHES[name], kids=kids)
    check(answer, searcher, WISHES[name], kids=kids)
    assert answer.answered_by == "offline rules"


@pytest.mark.parametrize("name", WISHES)
def test_a_hostile_wish_before_a_model_that_obeys(deceived: Searcher, liar: FakeEndpoint, name: str) -> None:
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


@pytest.mark.parametrize("kids", [False, True], ids=["anyone", "kids"])
def test_every_hostile_synopsis_is_found_and_none_is_obeyed(searcher: Searcher, kids: bool) -> None:
    wish = "a storm passes"
    answer = searcher.search(wish, kids=kids, limit=100)
    check(answer, searcher, wish, kids=kids, limit=100)
    assert not any(words in beside_quotes(answer) for words in INVENTED)
    found = {result.title.id for result in answer.results}
    titles = list(searcher.catalogue.every())
    fit = {title.id for title in titles if not kids or fit_for_children(title.rating)}
    assert found == fit


def test_every_hostile_title_can_be_shown(searcher: Searcher) -> None:
    for title in searcher.catalogue.every():
        assert_harmless(card(title))
        if title.id.startswith("w-"):  # hostile in its name too
            check(searcher.search(title.title), searcher, title.title, kids=False)


def test_every_hostile_title_before_a_liar_who_orders_and_explains(deceived: Searcher) -> None:
    endpoint = deceived.endpoint
    assert endpoint is not None
    query = Query(text="storm", kids=True)
    for titles in in_tens(list(deceived.catalogue.every())):
        order = endpoint.rerank(query, titles, wish="a storm").heard().value
        assert order is not None
        assert sorted(order) == sorted(title.id for title in titles)
        explanation = endpoint.explain(query, titles, wish="a storm")
        by_id = {title.id: title for title in titles}
        for claim in explanation:
            assert any(claim.quote in words for words in stored(by_id[claim.id], claim.field))
            assert claim.wish == ""
        for title in titles:
            for reason in why(title, query):
                assert any(reason.quote in words for words in stored(title, reason.field))


def in_tens(titles: Sequence[Title]) -> Iterator[Sequence[Title]]:
    return (titles[at : at + 10] for at in range(0, len(titles), 10))


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


@pytest.mark.slow
def test_a_conversation_of_nothing_but_hostile_wishes(searcher: Searcher) -> None:
    turn = None
    for wish in WISHES.values():
        answer = searcher.search(wish, kids=True, previous=turn)
        check(answer, searcher, " ".join((wish, *answer.query.like, *answer.query.titles)), kids=True)
        turn = answer.turn


@pytest.mark.parametrize("told", [[], ["--json"]], ids=["people", "programs"])
@pytest.mark.parametrize("name", [each for each in WISHES if each.startswith(("ANSI", "right-to", "an opt"))])
def test_a_terminal_is_not_steered(name: str, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["search", *told, "--explain", "--kids", *at_hostile(), "--", WISHES[name]])
    out, err = capsys.readouterr()
    assert status == 0
    assert_harmless(out + err)
    assert_fit(out, WISHES[name])


def test_a_chat_of_nothing_but_hostile_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["".join(wish.splitlines())[:5_000] for wish in WISHES.values()]
    commands = ["/why 1", "/show 1", "/show 99999999999999999999", "/remove 1", "/kids\x1b[2J", "/\u202e"]
    typed = "\n".join(f"{line}\n{commands[at % len(commands)]}" for at, line in enumerate(lines))
    raw = io.BytesIO(typed.encode("utf-8", "surrogatepass"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw, "utf-8", "surrogateescape"))
    assert main(["search", "--chat", "--kids", *at_hostile()]) == 0
    out, err = capsys.readouterr()
    assert_harmless((out + err).expandtabs())
    assert_fit(out, typed)
    assert out.count("offline rules") > 90


def at_hostile() -> list[str]:
    folder = hostile_folder()
    return ["--offline", "--catalogue", str(folder / "catalogue.db"), "--index", str(folder / "index")]


def test_there_are_more_than_a_hundred() -> None:
    assert len(WISHES) >= 100
    assert len(WISHES) + len(SYNOPSES) >= 150
