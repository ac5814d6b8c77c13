"""Campaigns from files: what is right is taken, and what is wrong is said by its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from falsework.ads.campaigns.importing import COLUMNS, campaigns_of, import_file
from falsework.ads.campaigns.sample import campaigns_file
from falsework.ads.records import Cap
from falsework.errors import FalseworkError

LINE = {
    "campaign": "c", "advertiser": "a", "domain": "a.example", "starts": "2026-01-01", "ends": "2027-01-01",
    "line_item": "l", "price": "12.50", "budget": "1000", "categories": "1133|1501", "countries": "FR|DE",
    "creative": "x", "duration": "15", "url": "https://media.example/x.mp4", "mime": "video/mp4", "cap": "3",
    "cap_seconds": "86400",
}  # fmt: skip


def csv_of(folder: Path, *rows: dict[str, str]) -> Path:
    lines = [",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in rows)]
    file = folder / "campaigns.csv"
    file.write_text("\n".join(lines))
    return file


def test_the_sample_is_right_and_comes_back_as_it_was(tmp_path: Path) -> None:
    found = import_file(campaigns_file())
    assert not found.refused
    again = tmp_path / "again.json"
    again.write_bytes(msgspec.json.encode({"campaigns": found.campaigns}))
    assert import_file(again).campaigns == found.campaigns
    lines = tmp_path / "lines.jsonl"
    lines.write_bytes(b"\n".join(msgspec.json.encode(one) for one in found.campaigns))
    assert import_file(lines).campaigns == found.campaigns


def test_csv_has_a_creative_on_each_line(tmp_path: Path) -> None:
    (one,) = import_file(
        csv_of(tmp_path, LINE, LINE | {"creative": "y"}, LINE | {"line_item": "m"})
    ).campaigns
    first, second = one.line_items
    assert [creative.id for creative in first.creatives] == ["x", "y"]
    assert (first.price, first.budget) == (12_500_000, 1_000_000_000)
    assert first.categories == ("1133", "1501")
    assert first.targeting.countries == ("FR", "DE")
    assert first.caps == (Cap(count=3, seconds=86_400),)
    assert second.id == "m"
    assert one.flight.ends - one.flight.starts == 365 * 86_400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"price": "cheap"}, 'price is "cheap"'),
        ({"price": "nan"}, "price"),
        ({"starts": "soon"}, "is no date"),
        ({"ends": "2025-01-01"}, "ends before it starts"),
        ({"domain": "https://a.example/"}, "domain"),
        ({"categories": "9999999"}, "Ad Product Taxonomy"),
        ({"categories": ""}, "no category"),
        ({"countries": "France"}, "ISO 3166-1"),
        ({"budget": ""}, "no budget"),
        ({"url": "file:///etc/passwd"}, "no address"),
        ({"url": ""}, "files"),
        ({"duration": ""}, "duration"),
        ({"house": "maybe"}, "yes or no"),
        ({"creative": ""}, "creative is empty"),
        ({"goal": "later"}, "neither even nor fast"),
        ({"currency": "euro"}, "ISO 4217"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, str], words: str
) -> None:
    good = LINE | {"campaign": "good", "line_item": "good"}
    found = import_file(csv_of(tmp_path, good, LINE | change))
    assert [one.id for one in found.campaigns] == ["good"]
    (refused,) = found.refused
    assert refused.line == 3
    assert words in refused.what


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    found = import_file(csv_of(tmp_path, LINE, LINE | {"creative": "y", "advertiser": "b"},
                               LINE | {"creative": "z", "price": "1"}))  # fmt: skip
    assert [row.line for row in found.refused] == [3, 4]
    assert len(found.campaigns[0].line_items[0].creatives) == 1


def test_what_is_there_twice_is_refused(tmp_path: Path) -> None:
    one = msgspec.to_builtins(import_file(campaigns_file()).campaigns[0])
    file = tmp_path / "twice.json"
    file.write_text(json.dumps([one, one, one | {"id": "other"}]))
    assert [row.line for row in import_file(file).refused] == [2, 3]


@pytest.mark.parametrize("text", ["", "{", "7", '{"campaigns": 7}', "[" * 100_000])
def test_what_is_no_list_of_campaigns_is_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(FalseworkError):
        import_file(file)


@pytest.mark.parametrize("told", [7, None, {}, {"id": 7}, {"flight": 7}, {"line_items": [7]}])
def test_what_is_no_campaign_is_refused(tmp_path: Path, told: Any) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps([told]))
    assert len(import_file(file).refused) == 1


def test_a_server_takes_no_file_that_is_partly_wrong(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="price"):
        campaigns_of(csv_of(tmp_path, LINE | {"price": "x"}))
