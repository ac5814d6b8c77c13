"""`falsework ads replay|fit|report|evaluate`: what logs say, and what another way would have been worth."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.cli.ads_input import not_installed
from falsework.cli.ads_measure_words import print_estimates, print_fit, print_replay, print_report
from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from falsework.ads.measurement.estimators import Estimate
    from falsework.ads.replay.episodes import Outcome
    from falsework.ads.replay.log import AuctionLog
    from falsework.ads.replay.strategies import Name, Strategy

__all__ = ["add"]

Run = Callable[[argparse.Namespace], dict[str, Any]]
YOURS_TO_MEND = 2
STRATEGIES = ("constant", "mcpc", "linear", "value")
ALIASES = {"ours": "value"}
BY = ("campaign", "line-item", "creative", "advertiser", "day")


def add(tasks: Any, shared: argparse.ArgumentParser) -> None:
    replay = tasks.add_parser("replay", parents=[shared], help="bid on a log of auctions under a budget")
    replay.add_argument("log", type=Path, metavar="LOG",
                        help="auctions as CSV, TSV, Parquet or with spaces between: columns click, "
                        "market_price, predicted_rate; or these three without names")  # fmt: skip
    replay.add_argument("--strategy", action="append", type=_strategies, metavar="NAME",
                        help=f"{', '.join(STRATEGIES)} (ours); may be repeated (default: all)")  # fmt: skip
    replay.add_argument("--budget", required=True, type=_budget, metavar="B",
                        help="for each horizon, in the log's unit; a fraction such as 1/32 is of what the "
                        "horizon would cost at the tuning log's mean price")  # fmt: skip
    replay.add_argument("--horizon", type=_whole, metavar="T",
                        help="auctions for which a budget is (default: the whole log)")  # fmt: skip
    replay.add_argument("--tune", type=Path, metavar="TRAIN",
                        help="another log, on which strategies are tuned: they know nothing of LOG before "
                        "they run on it. Needed without --parameter")  # fmt: skip
    replay.add_argument("--parameter", type=_amount, metavar="P",
                        help="instead of tuning: the bid, or for mcpc the most a click may cost")  # fmt: skip
    replay.set_defaults(run=_replay)

    fit = tasks.add_parser("fit", parents=[shared], help="learn how likely a response is from own logs")
    fit.add_argument("events", type=Path, metavar="EVENTS", help="the folder of exposures and events")
    fit.add_argument("--out", required=True, type=Path, metavar="MODEL.json")
    fit.add_argument("--event", default="click", metavar="KIND", help="the response (default: click)")
    fit.add_argument("--model", choices=("logistic", "trees"), default="logistic",
                     help="logistic regression or LightGBM (default: logistic)")  # fmt: skip
    fit.set_defaults(run=_with_packages(_fit))

    report = tasks.add_parser(
        "report", parents=[shared], help="what was delivered, and where counts disagree"
    )
    report.add_argument("log", type=Path, metavar="DIR", help="the folder of exposures and events")
    report.add_argument("--by", action="append", type=_groups, default=[], metavar="NAME",
                        help=f"{', '.join(BY)}; may be repeated (default: campaign)")  # fmt: skip
    report.add_argument("--parquet", type=Path, metavar="FILE", help="the rows of delivery as a file too")
    report.add_argument("--compact", action="store_true", help="turn closed segments into Parquet first")
    report.set_defaults(run=_with_packages(_report))

    evaluate = tasks.add_parser(
        "evaluate", parents=[shared], help="what another policy would have been worth"
    )
    evaluate.add_argument("log", type=Path, metavar="LOG",
                          help="a folder of exposures, or CSV as of the Open Bandit Dataset")  # fmt: skip
    evaluate.add_argument("--policy", default="uniform", metavar="NAME",
                          help="uniform, greedy (own logs), logged, or a JSON file of probabilities by item "
                          "(default: uniform)")  # fmt: skip
    evaluate.add_argument("--event", default="click", metavar="KIND", help="the reward in own logs")
    evaluate.add_argument("--compare", type=Path, metavar="LOG", help="a log that this policy made itself")
    evaluate.set_defaults(run=_with_packages(_evaluate))


def _with_packages(run: Run) -> Run:
    """Without the packages of the extra `ads` a command says so."""

    def tried(given: argparse.Namespace) -> dict[str, Any]:
        try:
            return run(given)
        except ImportError as error:
            raise not_installed(error) from error

    return tried


def _replay(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.ads.replay.episodes import hindsight
    from falsework.ads.replay.log import read_log

    if given.tune and given.tune.exists() and given.log.exists() and given.tune.samefile(given.log):
        raise FalseworkError(
            "is the log that strategies run on, and nothing is tuned on that",
            where="--tune",
            todo="Name another log, or cut this one in two by time.",
        )
    log = read_log(given.log)
    train = read_log(given.tune) if given.tune else None
    horizon = given.horizon or len(log)
    budget = _episode_budget(given.budget, horizon, train)
    names: list[Name] = list(dict.fromkeys(name for part in given.strategy or [STRATEGIES] for name in part))
    ran: dict[str, tuple[float | None, Outcome]] = {}
    for name in names:
        strategy = _prepared(name, given.parameter, log, train, budget, horizon)
        ran[name] = strategy.parameter, strategy.run(log)
    best = hindsight(log, budget, horizon)
    if not given.json and not given.quiet:
        print_replay(ran, best, budget, horizon)
    return {
        "log": str(given.log),
        "tuned_on": str(given.tune) if given.tune else None,
        "budget": budget,
        "horizon": horizon,
        "strategies": [
            {"strategy": name, "parameter": parameter, **_outcome_json(won)}
            for name, (parameter, won) in ran.items()
        ],
        "hindsight": _outcome_json(best),
    }


def _prepared(
    name: Name,
    parameter: float | None,
    log: AuctionLog,
    train: AuctionLog | None,
    budget: float,
    horizon: int,
) -> Strategy:
    from falsework.ads.replay.strategies import fixed, tuned

    if parameter is not None:
        usual = float((train or log).rate.mean())
        return fixed(name, parameter, usual_rate=usual, budget=budget, horizon=horizon)
    if train is None:
        raise FalseworkError(
            f'the strategy "{name}" must be tuned, and never on the log it runs on',
            where="--strategy",
            todo="Name another log with --tune" + ("." if name == "value" else ", or give --parameter."),
        )
    return tuned(name, train, budget=budget, horizon=horizon)


def _episode_budget(given: Fraction | float, horizon: int, train: AuctionLog | None) -> float:
    """In the log's unit, for one horizon; whole where prices are whole, as a fraction of a price buys
    nothing."""
    if isinstance(given, float):
        return given
    if train is None:
        raise FalseworkError(
            "a fraction is one of the tuning log's cost",
            where="--budget",
            todo="Name that log with --tune, or give an amount.",
        )
    budget = float(train.price.mean()) * horizon * float(given)
    return float(math.floor(budget)) if bool((train.price % 1 == 0).all()) else budget


def _outcome_json(won: Outcome) -> dict[str, Any]:
    return {
        "auctions": won.auctions,
        "wins": won.wins,
        "clicks": won.clicks,
        "predicted_clicks": won.predicted,
        "cost": won.cost,
        "cost_per_click": won.cost / won.clicks if won.clicks else None,
        "budget": won.budget,
        "share_of_budget": won.spent,
    }


def _fit(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.ads.learning.fit import examples, fit
    from falsework.ads.learning.response import write_model

    log = examples(given.events, given.event)
    if not len(log):
        raise FalseworkError(
            "has no impressions of exposures", where=given.events, todo="Name the folder the server logs to."
        )
    model, judged = fit(log, event=given.event, kind=given.model)
    write_model(model, given.out)
    if not given.json and not given.quiet:
        print_fit(given.out, model, judged)
    return {
        "model": str(given.out),
        "kind": given.model,
        "event": given.event,
        "features": len(model.weights),
        "uses_personal": model.uses_personal,
        "base_rate": model.base,
        "held_out": {name: _finite(getattr(judged, name)) for name in judged.__dataclass_fields__},
    }


def _report(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.ads.measurement.compaction import compact
    from falsework.ads.measurement.reports import delivery, discrepancies, reach

    by = list(dict.fromkeys(name for part in given.by for name in part)) or ["campaign"]
    compacted = compact(given.log) if given.compact and given.log.is_dir() else 0
    rows = delivery(given.log, by, parquet=given.parquet)
    counts, people = discrepancies(given.log), reach(given.log)[0]
    if not given.json and not given.quiet:
        print_report(by, rows, counts, people)
    return {"by": by, "delivery": rows, "discrepancies": counts, "reach": people, "compacted": compacted}


def _evaluate(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.ads.measurement.choices import read_choices
    from falsework.ads.measurement.estimators import on_policy
    from falsework.ads.measurement.evaluation import POLICIES, evaluate

    policy = given.policy if given.policy in POLICIES else _probabilities(given.policy)
    log = read_choices(given.log, event=given.event)
    found = evaluate(log, policy)
    own = on_policy(read_choices(given.compare, event=given.event).rewards) if given.compare else None
    refused = next((one.refused for one in found if one.refused), "")
    if not given.json and not given.quiet:
        print_estimates(given.policy, found, own)
    answer: dict[str, Any] = {
        "log": str(given.log),
        "policy": given.policy,
        "items": len(log.items) or None,
        "estimates": [_estimate_json(one) for one in found],
    }
    if own is not None:
        answer["on_policy"] = _estimate_json(own)
        answer["within"] = {one.method: own.value is not None and one.holds(own.value) for one in found}
    if refused:
        error = {
            "what": refused,
            "where": str(given.log),
            "todo": "Let more of the breaks be led by lot, or judge a policy nearer to the log's.",
        }
        print(FalseworkError(**error).sentence(), file=sys.stderr)
        return {"ok": False, "exit_code": YOURS_TO_MEND, "error": error, **answer}
    return answer


def _estimate_json(one: Estimate) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def _probabilities(name: str) -> dict[str, float]:
    import msgspec

    try:
        return msgspec.json.decode(Path(name).read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FalseworkError(
            f'"{name}" is no policy',
            where="--policy",
            todo='Choose uniform, greedy or logged, or a JSON file such as {"item": 0.25, …}.',
        ) from error


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _strategies(text: str) -> tuple[str, ...]:
    names = tuple(ALIASES.get(name, name) for name in text.split(","))
    for name in names:
        if name not in STRATEGIES:
            raise argparse.ArgumentTypeError(f"must be one of {', '.join(STRATEGIES)}, not {name!r}")
    return names


def _groups(text: str) -> tuple[str, ...]:
    names = tuple(name.replace("_", "-") for name in text.split(","))
    for name in names:
        if name not in BY:
            raise argparse.ArgumentTypeError(f"must be one of {', '.join(BY)}, not {name!r}")
    return names


def _budget(text: str) -> Fraction | float:
    try:
        value = Fraction(text) if "/" in text else float(text)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            f"must be an amount above 0 or a fraction such as 1/32, not {text!r}"
        )
    return value


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of at least 0, not {text!r}")
    return value
