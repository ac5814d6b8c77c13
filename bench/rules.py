"""How long the rules take on a shot with many assets. `python bench/rules.py [--assets 500]`.

Prints milliseconds for building the state's graph, for judging one case anew, and for the whole clearance.
"""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import UTC, datetime

from falsework.rights.case import Case
from falsework.rights.gate import clearance
from falsework.rights.production import Production
from falsework.rights.records import Activity, Asset, Decision, Grant, Obligations, Party, asset_id
from falsework.rights.rules.evaluate import evaluate
from falsework.rights.state import State
from falsework.seeds import generator

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMIT = 50.0  # milliseconds


def shot(count: int) -> tuple[State, Production, str]:
    """A shot of `count` assets, every fact declared, the cut approved.

    Two fifths come from outside, each licensed; a model is trained on a tenth; the others are made of up to
    four before them.
    """
    random = generator(7, "rules bench", count)
    ids = [asset_id(f"{index:064x}") for index in range(count)]
    outside = count * 2 // 5
    samples, model, cut = range(count // 10), outside, count - 1
    assets, activities, grants = {}, {}, {}
    for index, identity in enumerate(ids):
        kind = "sample" if index in samples else "picture" if index < outside else "intermediate"
        kind = "model" if index == model else "cut" if index == cut else kind
        assets[identity] = Asset.model_validate({"id": identity, "type": kind, "name": f"asset {index}"})
        if index < outside:
            grants[f"grant:{index}"] = Grant(
                id=f"grant:{index}",
                type="licence",
                given_by="party:owner",
                assets=(identity,),
                uses=("any",),
                licence="CC-BY-4.0",
                obligations=Obligations(attribution=f"Picture {index} by its author"),
            )
            continue
        if index == model:
            used = [ids[one] for one in samples]
        elif index == cut:
            used = ids[model:cut] + ids[len(samples) : outside]
        else:
            before = random.integers(len(samples), index, size=4)
            used = list(dict.fromkeys([ids[int(one)] for one in before] + [ids[model]]))
        activities[f"activity:{index}"] = Activity(
            id=f"activity:{index}",
            type="training" if index == model else "render",
            used=tuple(used),
            generated=(identity,),
            agent="party:mara",
            models=(ids[model],) if index > model else (),
            offline=True,
        )
    facts = dict.fromkeys(
        ["generative_ai", "key_visual", "prominent", "depicts_real_place", "evidently_artistic"], True
    ) | dict.fromkeys(
        ["digital_replica", "mistakable_for_real", "displaces_union_work", "publishes_model"], False
    )
    decisions = [
        Decision(
            id="decision:facts", type="declaration", by="party:mara", role="producer", subject="film",
            why="seen", facts=facts,
        ),
        Decision(
            id="decision:notice", type="declaration", by="party:mara", role="producer", subject="film",
            about="NFX-1", saw=(ids[model],), why="sent", facts={"notice_sent": "2026-10-01"},
        ),
        Decision(
            id="decision:approval", type="approval", by="party:mara", role="producer", subject=ids[cut],
            why="good",
        ),
    ]  # fmt: skip
    state = State(
        parties={
            "party:mara": Party(id="party:mara", type="person", name="Mara Example"),
            "party:owner": Party(id="party:owner", type="organisation", name="Owner"),
        },
        assets=assets,
        activities=activities,
        grants=grants,
        decisions={one.id: one for one in decisions},
    )
    production = Production.model_validate(
        {
            "name": "film",
            "packs": ["netflix", "eu", "california", "copyright", "awards", "insurance"],
            "guilds": ["wga", "sag-aftra", "interactive", "dga", "iatse"],
        }
    )
    return state, production, ids[cut]


def measure(count: int, rounds: int) -> dict[str, float]:
    """Median milliseconds over `rounds`, each on a state that has been asked nothing yet."""
    times: dict[str, list[float]] = {"evaluate": [], "evaluate, again": [], "clearance": []}
    for _ in range(rounds):
        state, production, cut = shot(count)
        for name, work in (
            ("evaluate", evaluate),
            ("evaluate, again", evaluate),
            ("clearance", clearance),
        ):
            case = Case(state, production, cut, AT)
            began = time.process_time()
            work(case)
            times[name].append(1e3 * (time.process_time() - began))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    measured = measure(arguments.assets, arguments.rounds)
    state, production, cut = shot(arguments.assets)
    findings = evaluate(Case(state, production, cut, AT))
    print(f"{len(findings)} rules, {arguments.assets} assets, {len(state.activities)} activities")
    for name, value in measured.items():
        print(f"  {name:<16} {value:6.1f} ms CPU")
    good = measured["evaluate"] < LIMIT or arguments.assets > 500
    print("ok" if good else f"FAIL: more than {LIMIT:.0f} ms")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
