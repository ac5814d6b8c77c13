"""What the endpoint may cost: counted before it is sent, by several processes, over restarts."""

from __future__ import annotations

import multiprocessing
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_server import FAULTS, FakeEndpoint, fake_endpoint
from falsework.search.endpoint.answers import Answers, key_of, normalised
from falsework.search.endpoint.breaker import Breaker
from falsework.search.endpoint.endpoint import Endpoint
from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.settings import Allowance, CacheLimits
from falsework.search.endpoint.spending import Estimate, Spending, tokens_in
from falsework.search.endpoint.wire import Usage
from falsework.search.understanding.names import Names

PRICED = Allowance(prompt_price=2.0, completion_price=8.0, day_tokens=1_000, day_money=0.004)
NOBODY = Names.of_titles(())


def test_the_estimate_stands_until_the_server_has_counted(tmp_path: Path) -> None:
    spending = Spending(tmp_path / "spending.sqlite", PRICED)
    reserved = spending.reserve(Estimate(100, 50))
    assert spending.spent() == (150, 0.0006)
    reserved.settle(None)
    assert spending.spent() == (150, 0.0006)
    reserved.settle(Usage(prompt_tokens=80, completion_tokens=10))
    assert spending.spent() == (90, 0.00024)
    spending.reserve(Estimate(10)).release()
    assert spending.spent() == (90, 0.00024)


@pytest.mark.parametrize(
    ("allowance", "estimate", "words"),
    [
        (Allowance(request_tokens=99), Estimate(90, 10), "request is over its budget"),
        (Allowance(prompt_price=1e6, request_money=0.5), Estimate(1), "request is over its budget"),
        (Allowance(day_tokens=99), Estimate(90, 10), "day's budget is spent"),
        (Allowance(completion_price=1e6, day_money=0.5), Estimate(0, 1), "day's budget is spent"),
        (Allowance(embedding_price=1e6, day_money=0.5), Estimate(1, embedding=True), "day's budget"),
    ],
)
def test_what_does_not_fit_is_not_sent(
    tmp_path: Path, allowance: Allowance, estimate: Estimate, words: str
) -> None:
    spending = Spending(tmp_path / "spending.sqlite", allowance)
    with pytest.raises(EndpointError, match=words):
        spending.reserve(estimate)
    assert spending.spent() == (0, 0.0)


def test_the_next_day_begins_at_nothing(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 22, 23, 59, tzinfo=UTC)]
    spending = Spending(tmp_path / "spending.sqlite", PRICED, now=lambda: now[0])
    late = spending.reserve(Estimate(900))
    with pytest.raises(EndpointError):
        spending.reserve(Estimate(900))
    now[0] += timedelta(minutes=2)
    spending.reserve(Estimate(900))
    late.settle(Usage(prompt_tokens=1))  # belongs to the day it was taken from
    assert spending.spent()[0] == 900


@pytest.mark.parametrize("damage", ["not a database", "a folder"])
def test_without_counting_nothing_is_sent(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "spending.sqlite"
    if damage == "a folder":
        path.mkdir()
    else:
        path.write_bytes(b"no database at all" * 100)
    with pytest.raises(EndpointError, match="cannot be written down"):
        Spending(path, PRICED).reserve(Estimate(1))


def _spend(path: Path) -> int:
    spending, done = Spending(path, Allowance(day_tokens=1_000)), 0
    for _ in range(100):
        try:
            spending.reserve(Estimate(5))
            done += 1
        except EndpointError:
            pass
    return done


def test_several_processes_share_one_day(tmp_path: Path) -> None:
    path = tmp_path / "spending.sqlite"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        done = pool.map(_spend, [path] * 4)
    assert sum(done) == 200  # 400 tried for 5 tokens each, and the day has 1,000
    assert Spending(path, Allowance()).spent()[0] == 1_000


@given(st.text(max_size=300))
def test_an_estimate_is_no_less_than_a_token_for_three_bytes(text: str) -> None:
    assert tokens_in(text) * 3 >= len(text.encode("utf-8", "replace"))


# --- through the endpoint


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with fake_endpoint() as server:
        server.say = lambda request: '{"text": "a storm"}'
        yield server


def opened(fake: FakeEndpoint, folder: Path, toml: str) -> Endpoint:
    file = folder / "endpoint.toml"
    file.write_text(f"folder = '{folder}'\n{toml}")
    endpoint = Endpoint.from_environment(fake.environment(FALSEWORK_LLM_SETTINGS=str(file)))
    assert endpoint is not None
    return endpoint


def test_what_the_server_counted_is_what_is_spent(fake: FakeEndpoint, tmp_path: Path) -> None:
    with opened(fake, tmp_path, "[allowance]\nprompt_price = 1.0") as endpoint:
        assert endpoint.understand("a storm", names=NOBODY).heard().value
        tokens, money = endpoint.spent_today()
    assert 500 < tokens < 1_600  # the request's length by fours, as the server counts
    assert money == pytest.approx(tokens / 1e6, rel=0.02)


def test_over_budget_nothing_is_sent(fake: FakeEndpoint, tmp_path: Path) -> None:
    with opened(fake, tmp_path, "[allowance]\nday_tokens = 100") as endpoint:
        heard = endpoint.understand("a storm", names=NOBODY).heard()
    assert heard.notes == (
        "The endpoint was not asked: the day's budget is spent; this is the offline answer",
    )
    assert not fake.asked


@pytest.mark.parametrize(
    ("fault", "costs"),
    [("500", False), ("401", False), ("resets midway", True), ("truncates", True), ("refuses", True)],
)
def test_what_may_have_been_billed_is_counted(
    fake: FakeEndpoint, tmp_path: Path, fault: str, costs: bool
) -> None:
    fake.fault = FAULTS[fault]
    with opened(fake, tmp_path, "[patience]\nretries = 0") as endpoint:
        assert endpoint.understand("a storm", names=NOBODY).heard().value is None
        assert (endpoint.spent_today()[0] > 0) == costs


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -5}, {"prompt_tokens": 1e30}, "none", [1]])
def test_a_count_that_makes_no_sense_costs_no_answer(
    fake: FakeEndpoint, tmp_path: Path, usage: object
) -> None:
    from endpoint_server import Fault

    fake.fault = Fault(lambda exchange: exchange.answer(usage=usage), "")
    with opened(fake, tmp_path, "") as endpoint:
        assert endpoint.understand("a storm", names=NOBODY).heard().value
        assert endpoint.spent_today()[0] > 1_000  # the estimate, the longest answer included


# --- answers that are kept, and an endpoint that is left alone


def test_answers_are_bounded_in_number_and_age(tmp_path: Path) -> None:
    now = [1_000_000.0]
    answers = Answers(tmp_path / "a.sqlite", CacheLimits(entries=3, days=1), clock=lambda: now[0])
    for at in range(5):
        answers.put(f"key {at}", f"answer {at}")
        now[0] += 1
    assert [answers.get(f"key {at}") for at in range(5)] == [None, None, "answer 2", "answer 3", "answer 4"]
    answers.forget("key 4")
    assert answers.get("key 4") is None
    now[0] += 86_400
    assert answers.get("key 3") is None
    answers.put("key 9", "answer 9")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (1,)


def test_a_damaged_file_of_answers_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"no database at all" * 100)
    answers = Answers(path, CacheLimits())
    assert answers.get("key") is None
    answers.put("key", "answer")
    assert answers.get("key") == "answer"


def test_no_entries_keep_nothing(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "a.sqlite", CacheLimits(entries=0))
    answers.put("key", "answer")
    assert answers.get("key") is None
    assert not list(tmp_path.iterdir())


@given(st.text(max_size=60))
def test_capitals_and_blanks_make_no_other_wish(text: str) -> None:
    assert normalised(f"  {normalised(text)} \n") == normalised(normalised(text))
    assert normalised("A  Film\tFULL of STORMS") == "a film full of storms"


@given(st.text(), st.text())
def test_other_parts_have_another_key(one: str, other: str) -> None:
    assert (key_of(wish=one, model="a") == key_of(wish=other, model="a")) == (one == other)


def test_the_breaker_lets_one_try_after_the_rest() -> None:
    now = [0.0]
    breaker = Breaker(2, 10.0, clock=lambda: now[0])
    breaker.failed()
    breaker.check()
    breaker.failed()
    with pytest.raises(EndpointError, match="left alone"):
        breaker.check()
    now[0] = 11.0
    breaker.check()  # this one tries
    with pytest.raises(EndpointError):
        breaker.check()  # and nobody with it
    breaker.failed()
    now[0] = 20.0
    with pytest.raises(EndpointError):
        breaker.check()
    now[0] = 22.0
    breaker.check()
    breaker.answered()
    breaker.check()
