"""`falsework ads replay|fit|report|evaluate`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from falsework.ads.learning.synthetic import write_log
from falsework.cli.main import main
from test_ads_replay import auctions


def write_auctions(path: Path, count: int, seed: int, separator: str = " ") -> Path:
    log = auctions(count, seed)
    rows = zip(log.click.tolist(), log.price.tolist(), log.rate.tolist(), strict=True)
    path.write_text(
        "".join(
            separator.join([str(int(click)), str(int(price)), repr(rate)]) + "\n"
            for click, price, rate in rows
        )
    )
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    code = main(["ads", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("auctions")
    return write_auctions(folder / "train.txt", 20_000, 1), write_auctions(folder / "test.txt", 10_000, 2)


def test_a_budget_as_a_fraction_is_of_the_tuning_logs_mean_price(
    logs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = logs
    code, told = said(capsys, "replay", test, "--budget", "1/32", "--horizon", "1000", "--tune", train)
    assert code == 0
    mean = auctions(20_000, 1).price.mean()
    assert told["budget"] == int(mean * 1000 / 32)
    assert [one["strategy"] for one in told["strategies"]] == ["constant", "mcpc", "linear", "value"]
    for one in told["strategies"]:
        assert one["cost"] <= 10 * told["budget"]
        assert one["cost_per_click"] == pytest.approx(one["cost"] / one["clicks"])
        assert one["predicted_clicks"] <= told["hindsight"]["predicted_clicks"] * 1.02
    best = max(told["strategies"], key=lambda one: float(one["predicted_clicks"]))
    assert best["strategy"] == "value"


def test_strategies_by_their_names_in_a_table(
    logs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = logs
    words = ["ads", "replay", str(test), "--strategy", "ours", "--strategy", "mcpc,linear", "--budget", "500"]
    assert main([*words, "--horizon", "1000", "--tune", str(train)]) == 0
    table = capsys.readouterr().out
    assert [line.split()[0] for line in table.splitlines()[2:6]] == ["value", "mcpc", "linear", "in"]
    with pytest.raises(SystemExit):
        main(["ads", "replay", str(test), "--strategy", "best", "--budget", "500"])


def test_nothing_is_tuned_on_the_log_it_runs_on(
    logs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, test = logs
    for name in ("constant", "mcpc", "linear", "value"):
        code, told = said(capsys, "replay", test, "--strategy", name, "--budget", "500")
        assert code == 2
        assert "--tune" in told["error"]["todo"]
        words = ("replay", test, "--strategy", name, "--budget", "500", "--parameter", "40")
        code, told = said(capsys, *words)
        assert code == (2 if name == "value" else 0)
    code, told = said(capsys, "replay", test, "--strategy", "constant", "--budget", "1/8", "--parameter", "4")
    assert code == 2
    assert "tuning log" in told["error"]["what"]


def test_nonsense_to_tune_on_is_refused(
    logs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, test = logs
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "link.txt").symlink_to(test)
    for name, says in (
        ("not-there.csv", "cannot be read"),
        (".", "cannot be read"),
        ("empty.csv", "is empty"),
        ("noise.csv", "cannot be read"),
        ("link.txt", "the log that strategies run on"),
    ):
        code, told = said(capsys, "replay", test, "--budget", "500", "--tune", tmp_path / name)
        assert code == 2
        assert says in told["error"]["what"]
        assert told["error"]["todo"]


def test_a_log_of_features_is_told_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "test.yzx.txt"
    path.write_text("0 79 1:1 45:1 230:1\n1 30 2:1 45:1\n")
    code, told = said(capsys, "replay", path, "--budget", "10", "--strategy", "constant", "--parameter", "1")
    assert code == 2
    assert "no predicted rate" in told["error"]["what"]


@pytest.mark.parametrize("budget", ["0", "-1", "x", "1/0", "inf", "nan"])
def test_a_budget_is_an_amount(logs: tuple[Path, Path], budget: str) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["ads", "replay", str(logs[1]), "--budget", budget])
    assert refused.value.code == 2


def test_from_a_log_to_a_model_a_report_and_a_judgement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb")
    folder = tmp_path / "log"
    write_log(folder, count=8_000, seed=4)
    code, told = said(capsys, "fit", folder, "--out", tmp_path / "model.json")
    assert code == 0
    assert told["held_out"]["log_loss"] < told["held_out"]["base_log_loss"]
    assert (tmp_path / "model.json").exists()
    assert main(["ads", "fit", str(folder), "--out", str(tmp_path / "m.json"), "--event", "complete"]) == 0
    assert "base rate" in capsys.readouterr().out
    out = tmp_path / "rows.parquet"
    code, told = said(capsys, "report", folder, "--by", "day,campaign", "--parquet", out, "--compact")
    assert code == 0
    assert told["compacted"] == 1
    assert out.exists()
    assert main(["ads", "report", str(folder), "--by", "line_item"]) == 0
    words = capsys.readouterr().out
    assert "Delivered" in words
    assert "No pixels were measured" in words
    write_log(tmp_path / "other", count=4_000, seed=4)
    code, told = said(capsys, "evaluate", tmp_path / "other", "--policy", "greedy")
    assert code == 0
    assert [one["method"] for one in told["estimates"]][-1] == "doubly robust"


def test_a_judgement_that_rests_on_too_little_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path / "log", count=40, seed=4)
    code, told = said(capsys, "evaluate", tmp_path / "log")
    assert code == 2
    assert not told["ok"]
    assert "effective sample" in told["error"]["what"]
    assert all(one["value"] is None for one in told["estimates"])
    assert main(["ads", "evaluate", str(tmp_path / "log"), "--policy", "best"]) == 2
    assert "is no policy" in capsys.readouterr().err


def test_a_folder_that_has_no_log_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("fit", tmp_path, "--out", tmp_path / "m"), ("report", tmp_path), ("evaluate", tmp_path)):
        code, _ = said(capsys, *words)
        assert code == 2
