"""`falsework ads explain` and `validate`, as somebody at a terminal reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from falsework.ads.decision.reasons import Reason
from falsework.cli.main import main

REQUEST: dict[str, Any] = {
    "id": "1",
    "imp": [
        {
            "id": "1",
            "secure": 1,
            "bidfloor": 2,
            "bidfloorcur": "EUR",
            "video": {
                "mimes": ["video/mp4"],
                "podid": "p",
                "poddur": 60,
                "maxseq": 3,
                "startdelay": 4746,
                "protocols": [2, 3],
                "maxbitrate": 9000,
            },
        }
    ],
    "app": {"id": "a", "content": {"id": "the-lyon-corner-2026"}},
    "device": {"geo": {"country": "FRA"}, "devicetype": 3},
    "bcat": ["IAB7-39", "nonsense"],
    "badv": ["shoes.example"],
}


@pytest.fixture
def explained(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(asked: Any, *more: str) -> str:
        if isinstance(asked, dict):
            file = tmp_path / "request.json"
            file.write_text(json.dumps(asked))
            asked = str(file)
        given = ["ads", "explain", asked, "--campaigns", "sample", "--relevance", "off", *more]
        assert main(given) == 0
        return capsys.readouterr().out

    return run


def test_a_trafficker_reads_what_was_asked_who_was_refused_and_what_is_shown(explained: Any) -> None:
    said = explained(REQUEST, "--catalogue", "sample")
    assert "60 s at most" in said
    assert "at least 2.00 EUR for 1,000; video/mp4; https only; protocols 2, 3; up to 9000 kbit/s" in said
    assert "1519 (Sexual Health)" in said
    assert "Note: bcat: nonsense: not found in Content Taxonomy 1.0, and blocks nothing" in said
    assert "building collapse" in said
    assert Reason.SUITABILITY.value in said
    assert Reason.CONSENT.value in said
    assert "EUR for 1,000 impressions" in said
    assert "16.00 EUR for 1,000" in said
    assert "30 s" in said
    assert "16000000" not in said, "nobody reads millionths"


def test_a_players_address_is_explained_too(explained: Any) -> None:
    said = explained("/vast?duration=30&country=US&us_privacy=1YNN")
    assert "Break 1: 30 s at most, instream" in said
    assert "send to partners" in said
    said = explained("https://ads.example/pause?country=US")
    assert "a still" in said


def test_what_is_refused_of_a_query_is_said(explained: Any) -> None:
    said = explained("/vast?dur=banana&duration=banana")
    assert "no parameters of this server" in said
    assert "Note: duration: is no whole number; only the house's own is shown" in said
    assert "the house's own" in said


def test_json_has_the_notes(explained: Any) -> None:
    told = json.loads(explained("/vast?duration=banana", "--json"))
    (one,) = told["breaks"]
    assert one["trace"]["notes"][0].startswith("duration: ")
    assert one["shown"][0]["house"]


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("/vast?duration=30&country=FR", 0, "a player's request, valid"),
        ("/vast?duration=banana", 2, "duration is no whole number"),
        ("/pause?plcmt=77", 2, "plcmt must be from 1 to 9"),
        ("https://ads.example/vast?dur=30", 2, "no parameters of this server"),
        ("/vast?duration=[DURATION]", 0, "valid"),
    ],
)
def test_validate_says_which_parameter(
    capsys: pytest.CaptureFixture[str], address: str, code: int, said: str
) -> None:
    assert main(["ads", "validate", address]) == code
    told = capsys.readouterr()
    assert said in told.out + told.err


def test_every_reason_is_a_sentence_of_its_own() -> None:
    words = [reason.value for reason in Reason]
    assert len(set(words)) == len(words)
    for one in words:
        assert one.split()[0] in ("it", "its", "none", "the", "others", "a")
        assert "_" not in one
