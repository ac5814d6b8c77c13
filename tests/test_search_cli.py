"""`falsework search`: for people, for pipes, for programs, and as a conversation."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from falsework.cli import search_words
from falsework.cli.main import main
from falsework.cli.search_chat import Conversation
from falsework.search.answer import Answer
from falsework.search.query import Query, Span
from falsework.search.searcher import Searcher
from search_at_work import FakeEndpoint, sample_folder, sample_searcher


@pytest.fixture(scope="module")
def sample() -> Iterator[Searcher]:
    with sample_searcher() as searcher:
        yield searcher
        searcher.catalogue.close()


@pytest.fixture
def at_sample() -> list[str]:
    folder = sample_folder()
    return ["--offline", "--catalogue", str(folder / "catalogue.db"), "--index", str(folder / "index")]


def test_words_for_people(at_sample: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "a", "western", *at_sample, "--limit", "3"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^\(western\)$", out, re.MULTILINE)
    assert len(re.findall(r"^ \d  .+ · film · \d+ min · ", out, re.MULTILINE)) == 3
    assert re.search(r"^offline rules, \d+ ms$", out, re.MULTILINE)
    assert "\x1b" not in out


def test_json_for_programs(at_sample: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "una comedia corta en español", *at_sample, "--json", "--kids"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert told["query"]["kids"] is True
    assert told["query"]["languages"] == ["es"]
    assert told["answered_by"] == "offline rules"
    assert all(result.keys() >= {"id", "title", "year", "score", "why"} for result in told["results"])


def test_explain_shows_what_a_score_was_made_of(
    at_sample: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "something funny and scary", *at_sample, "--explain", "--limit", "2"]) == 0
    assert re.search(r"score [\d.e-]+: .*moods met \+1", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing was asked for"),
        (["--chat", "a comedy"], "--chat asks for your words itself"),
        (["a comedy", "--port", "80"], "--port and --host are for the server"),
        (["a comedy", "--catalogue", "/nowhere/at/all.db"], "/nowhere/at/all.db"),
    ],
)
def test_bad_use_gets_a_sentence(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", *arguments, "--offline"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "bad",
    [
        ["--limit", "0"],
        ["--limit", "x"],
        ["--territory", "Spain"],
        ["--territory", "ZZ"],
        ["--port", "0"],
    ],
)
def test_bad_values_are_refused(bad: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["search", "x", *bad])
    assert error.value.code == 2


def test_a_fresh_machine_answers_from_the_sample(
    memory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(memory / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(memory / "data"))
    monkeypatch.delenv("FALSEWORK_CATALOGUE", raising=False)
    assert main(["search", "a film about penguins who surf", "--offline"]) == 0
    told = capsys.readouterr()
    assert "titles are indexed once" in told.err
    assert "Surf's Up" in told.out
    assert main(["search", "penguins", "--offline", "--json"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert json.loads(told.out)["results"]
    assert main(["search", "--rebuild", "--json", "--offline"]) == 0
    assert json.loads(capsys.readouterr().out)["titles"] > 400


def answer(sample: Searcher, wish: str = "like Jaws but funnier, under 100 minutes") -> Answer:
    return sample.search(wish, limit=4)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_keep_to_the_terminals_width(
    sample: Searcher, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(lines: io.StringIO) -> Console:
        return Console(file=lines, highlight=False, width=width)

    monkeypatch.setattr(search_words, "_console", narrow)
    lines = search_words.told(answer(sample), explain=True).splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for result in answer(sample).results:
        assert result.title.title in text
        for reason in result.why:
            if reason.field == "synopsis":
                assert reason.quote in text


def test_colour_only_where_there_is_a_terminal(sample: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "\x1b[" in search_words.told(answer(sample))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search("\x1b\\[[0-9;]*3[0-9]", search_words.told(answer(sample)))
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert "\x1b" not in search_words.told(answer(sample))


def test_a_title_cannot_steer_the_terminal(sample: Searcher) -> None:
    from dataclasses import replace

    one = answer(sample)
    first = one.results[0]
    evil = replace(first, title=replace(first.title, title="Evil\x1b[2J\u202e[bold]x[/bold]\n"), why=())
    told = search_words.told(replace(one, results=(evil,)))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[bold]x[/bold]" in told


def test_nothing_left_says_what_to_loosen(sample: Searcher) -> None:
    told = search_words.told(sample.find(Query(languages=("ko",), years=Span(most=1959))))
    assert "Nothing in the catalogue meets all of this." in told
    assert re.search(r"without “in Korean” there would be \d+ titles", told)


def test_what_is_not_there_is_said_plainly(sample: Searcher) -> None:
    told = search_words.told(sample.search("something like The Exorcist"))
    assert "“The Exorcist” is not in the catalogue." in told
    assert "Nearest by name: " in told


# --- the conversation


def test_each_line_edits_the_wish_before(sample: Searcher) -> None:
    talk = Conversation(sample, limit=3)
    assert "(1 funny) [2 film]" in talk.hear("a funny film")
    assert "95 min" in talk.hear("under 95 minutes")
    assert talk.answer is not None
    chips = talk.answer.chips
    number = next(place for place, chip in enumerate(chips, 1) if chip.key == "runtime")
    assert "95 min" not in talk.hear(f"/remove {number}").splitlines()[0]
    assert {chip.key for chip in talk.answer.chips} == {chip.key for chip in chips} - {"runtime"}
    title = talk.answer.results[1].title
    assert talk.hear("/show 2").startswith(title.title)
    assert title.synopsis in talk.hear("/show 2")
    assert "because the catalogue says" in talk.hear("/why 2")
    assert "Forgotten" in talk.hear("/new")
    assert talk.answer is None
    assert not talk.ended
    talk.hear("/quit")
    assert talk.ended


def test_a_profile_is_changed_in_the_conversation_alone(sample: Searcher) -> None:
    talk = Conversation(sample)
    talk.hear("/kids")
    talk.hear("animals")
    assert talk.answer is not None
    number = next(place for place, chip in enumerate(talk.answer.chips, 1) if chip.key == "kids")
    assert "children's profile" in talk.hear(f"/remove {number}")
    assert talk.answer.query.kids
    talk.hear("/kids")
    assert not talk.answer.query.kids


def test_a_conversation_begun_for_children_stays_one(sample: Searcher) -> None:
    talk = Conversation(sample, kids=True)
    talk.hear("animals")
    assert talk.answer is not None
    number = next(place for place, chip in enumerate(talk.answer.chips, 1) if chip.key == "kids")
    for line in ("/kids", f"/remove {number}", "/new", "/kids"):
        assert talk.hear(line)
        assert talk.kids
    talk.hear("a thriller")
    assert talk.answer.query.kids


def shown_by(talk: Conversation) -> list[str]:
    assert talk.answer is not None
    return [result.title.id for result in talk.answer.results]


def test_kids_twice_is_as_it_was(sample: Searcher) -> None:
    talk = Conversation(sample, limit=5)
    talk.hear("a funny film about a talking dog who plays ball with a boy")
    before = shown_by(talk)
    talk.hear("/kids")
    assert shown_by(talk) != before
    talk.hear("/kids")
    assert shown_by(talk) == before


def test_a_sentence_behind_a_command_is_heard(sample: Searcher) -> None:
    talk = Conversation(sample, limit=3)
    assert "(1 funny)" in talk.hear("/kids something funny")
    assert talk.kids
    assert "[1 up to 95 min] [2 for kids]" in talk.hear("/remove 1 shorter")
    assert "(1 scary)" in talk.hear("/kids scary")
    assert not talk.kids
    assert "“funnier” was not heard" in talk.hear("/remove 9 funnier")
    locked = Conversation(sample, kids=True, limit=3)
    assert "(1 funny)" in locked.hear("/kids something funny")


def test_several_are_taken_away_at_once(sample: Searcher) -> None:
    talk = Conversation(sample, limit=3)
    talk.hear("a funny western film under 2 hours")
    assert talk.answer is not None
    keys = [chip.key for chip in talk.answer.chips]
    talk.hear("/remove 1, 3")
    assert [chip.key for chip in talk.answer.chips] == [keys[1], *keys[3:]]


def test_a_title_that_was_shown_to_adults_is_not_named_to_a_child(sample: Searcher) -> None:
    talk = Conversation(sample, limit=5)
    talk.hear("a scary film with a killer")
    talk.hear("more like the first")
    assert talk.answer is not None
    assert talk.answer.query.like
    name = talk.answer.query.like[0]
    told = talk.hear("/kids")
    assert name not in told
    assert "not for a children's profile" in told
    assert talk.answer.query.like == ()


def test_what_adults_said_is_told_to_no_model_for_a_child(
    sample: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[str] = []
    monkeypatch.setattr(Searcher, "explain", lambda _self, _query, _titles, wish="": wishes.append(wish))
    talk = Conversation(sample, limit=3)
    for line in ("a funny film", "/why 1", "/kids", "/why 1", "with animals", "/why 1"):
        talk.hear(line)
    assert wishes == ["a funny film", "", "with animals"]


@pytest.mark.parametrize(
    "line", ["/remove", "/remove 99", "/remove -1", "/show x", "/why 0", "/nothing", "/", "/help", "/show ٣"]
)
def test_a_command_that_means_nothing_is_answered(sample: Searcher, line: str) -> None:
    assert Conversation(sample).hear(line).strip()
    talk = Conversation(sample, limit=2)
    talk.hear("a comedy")
    before = talk.answer
    assert talk.hear(line).strip()
    assert talk.answer is before


def test_an_endpoints_failure_is_said_in_the_conversation() -> None:
    with sample_searcher(endpoint=FakeEndpoint()) as searcher, searcher.catalogue:
        assert "down" in Conversation(searcher).hear("a comedy")


def test_a_conversation_through_a_pipe_reads_well(
    at_sample: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a western\n\nin color\n/remove 1\n"))
    assert main(["search", "--chat", *at_sample, "--limit", "1"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("> ")] == [
        "> a western", "> in color", "> /remove 1",
    ]  # fmt: skip
