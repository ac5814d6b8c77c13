"""`falsework ads serve|explain|campaigns|bench`: the decision server, and what it does."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from falsework.cli.ads_explain import query_in, show
from falsework.cli.ads_input import read_input
from falsework.cli.ads_sources import RELEVANCE, SAMPLE, campaigns_at, catalogue_at, encoder_for
from falsework.errors import FalseworkError, shown

__all__ = ["add"]

FILES = f'.json, .jsonl or .csv; "{SAMPLE}" is the sample that ships'


def add(tasks: Any, shared: argparse.ArgumentParser) -> None:
    serve = tasks.add_parser("serve", parents=[shared], help="decide breaks over HTTP: OpenRTB, VAST, VMAP")
    serve.add_argument("campaigns", metavar="CAMPAIGNS", help=FILES)
    _deciding(serve)
    serve.add_argument("--state", required=True, metavar="DIR",
                       help="counters and budgets: a folder, lmdb:FOLDER, redis://HOST:PORT/0")  # fmt: skip
    serve.add_argument("--key-file", required=True, metavar="FILE",
                       help="keys that beacons are signed with; made where it is not there")  # fmt: skip
    serve.add_argument("--log", default="", metavar="DIR",
                       help="exposures and events: a folder, or kafka://HOST:PORT/TOPIC")  # fmt: skip
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="(default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8585, metavar="N", help="(default: 8585)")
    serve.add_argument("--public", default="", metavar="URL", help="what players know this server by")
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    serve.add_argument("--explored", type=float, default=0.02, metavar="SHARE",
                       help="of breaks that are led by lot, to judge changes by (default: .02)")  # fmt: skip
    serve.set_defaults(run=_serve)

    explain = tasks.add_parser("explain", parents=[shared], help="why a request is answered as it is")
    explain.add_argument("request", metavar="REQUEST",
                         help="a file with an OpenRTB request, or what a player asks: '/vast?duration=30'; "
                         "\"-\" reads standard input")  # fmt: skip
    explain.add_argument("--campaigns", required=True, metavar="FILE", help=FILES)
    _deciding(explain)
    explain.set_defaults(run=_explain)

    campaigns = tasks.add_parser("campaigns", help="campaigns, in and out").add_subparsers(
        metavar="TASK", required=True
    )
    bring = campaigns.add_parser(
        "import", parents=[shared], help="check campaigns of JSON, JSON lines or CSV"
    )
    bring.add_argument("file", metavar="FILE", help=FILES)
    bring.add_argument(
        "--out", type=Path, metavar="FILE.json", help="write those that are right, for `serve`"
    )
    bring.set_defaults(run=_import)

    bench = tasks.add_parser(
        "bench", parents=[shared], help="how many breaks a second are decided, and how soon"
    )
    bench.add_argument("--line-items", type=int, nargs="+", default=[10_000, 100_000], metavar="N",
                       help="(default: 10000 100000)")  # fmt: skip
    bench.add_argument("--rate", type=float, nargs="+", default=[250, 500, 1_000, 2_000], metavar="R",
                       help="requests a second (default: 250 500 1000 2000)")  # fmt: skip
    bench.add_argument("--seconds", type=float, default=60.0, metavar="S", help="at each rate (default: 60)")
    bench.add_argument("--workers", type=int, default=1, metavar="N", help="of the server (default: 1)")
    bench.set_defaults(run=_bench)


def _deciding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--catalogue", default="", metavar="URL",
        help=f'what is on screen: a catalogue\'s file or URL; "{SAMPLE}" is the sample that ships',
    )  # fmt: skip
    parser.add_argument("--relevance", choices=RELEVANCE,
                        help="match scenes with advertisements by what both mean (needs falsework[search]), "
                        "by the words they share, or not (default: meaning, with a catalogue)")  # fmt: skip
    parser.add_argument("--model", default="", metavar="FILE.json",
                        help="a response model that `falsework ads fit` made")  # fmt: skip
    parser.add_argument(
        "--suitability", default="", metavar="FILE.csv", help="your own rules instead of ours"
    )
    parser.add_argument("--rates", type=Path, metavar="FILE.json",
                        help='what others are worth in the campaigns\' currency: {"USD": 0.92}')  # fmt: skip
    parser.add_argument("--vendor", type=int, metavar="ID", help="the studio's id in the Global Vendor List")


def _serve(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.ads.server.running import Settings, serve

    if given.workers < 1:
        raise FalseworkError("needs at least 1", where="--workers", todo="Give the number of processes.")
    if not 0 <= given.explored <= 1:
        raise FalseworkError("is a share", where="--explored", todo="Give a number from 0 to 1.")
    settings = Settings(
        campaigns=campaigns_at(given.campaigns),
        state=given.state,
        key_file=given.key_file,
        catalogue=catalogue_at(given.catalogue),
        host=given.host,
        port=given.port,
        public=given.public,
        log=given.log,
        suitability=given.suitability,
        rates=_rates(given.rates),
        vendor=given.vendor,
        explored=given.explored,
        model=given.model,
    )
    encoder = encoder_for(given)

    def ready() -> None:
        if not given.quiet and not given.json:
            print(shown(f"Deciding at {settings.address}; Ctrl-C ends it."), flush=True)

    serve(settings, workers=given.workers, encoder=encoder, ready=ready)
    return {}


def _rates(file: Path | None) -> dict[str, float]:
    if file is None:
        return {}
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        rates = {str(code).upper(): float(rate) for code, rate in told.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FalseworkError(
            f"holds no rates ({error})", where=file, todo='Give an object like {"USD": 0.92}.'
        ) from error
    if any(not 0 < rate < float("inf") for rate in rates.values()):
        raise FalseworkError("holds a rate that is none", where=file, todo="Rates are above 0.")
    return rates


def _import(given: argparse.Namespace) -> dict[str, Any]:
    import msgspec

    from falsework.ads.campaigns.importing import import_file
    from falsework.media.atomic import write_bytes

    found = import_file(Path(campaigns_at(given.file)))
    if given.out is not None:
        encoded = msgspec.json.encode({"campaigns": found.campaigns})
        write_bytes(given.out, msgspec.json.format(encoded, indent=1) + b"\n")
    items = sum(len(campaign.line_items) for campaign in found.campaigns)
    if not given.json:
        for row in found.refused:
            print(shown(f"{given.file}, {row.line}: {row.what}"))
        if not given.quiet:
            print(f"{len(found.campaigns)} campaigns with {items} line items; {len(found.refused)} refused.")
    return {
        "campaigns": len(found.campaigns),
        "line_items": items,
        "refused": [{"line": row.line, "what": row.what} for row in found.refused],
        "exit_code": 1 if found.refused else 0,
    }


def _explain(given: argparse.Namespace) -> dict[str, Any]:
    import asyncio

    import msgspec

    from falsework.ads.server.running import Settings, build

    query = query_in(given.request)
    body = b"" if query is not None else read_input(given.request)
    with tempfile.TemporaryDirectory() as folder:
        service = build(
            Settings(
                campaigns=campaigns_at(given.campaigns),
                state=f"{folder}/state",
                key_file=f"{folder}/key",
                catalogue=catalogue_at(given.catalogue),
                suitability=given.suitability,
                rates=_rates(given.rates),
                vendor=given.vendor,
                explored=0.0,
                model=given.model,
            ),
            encoder_for(given),
            behind=False,
        )
        service.partners = None  # to explain a decision sends nothing to anybody
        try:
            if query is not None:
                decisions = asyncio.run(service.explain_player(query[1].encode(), query[0] == "pause"))
            else:
                decisions = asyncio.run(service.explain(body))
        finally:
            service.close()
    if not given.json:
        for decision in decisions:
            show(decision, service.terms.currency)
    return {
        "breaks": [
            {
                "id": decision.asked.id,
                "shown": [
                    {
                        "line_item": each.row.line_item.id,
                        "creative": each.row.creative.id,
                        "starts": each.starts,
                        "slot": each.slot,
                        "house": each.house,
                    }
                    for each in decision.chosen
                ],
                "trace": msgspec.to_builtins(decision.trace),
            }
            for decision in decisions
        ]
    }


def _bench(given: argparse.Namespace) -> dict[str, Any]:
    from dataclasses import asdict

    from falsework.bench.ads.running import run

    if min(given.line_items) < 1 or given.workers < 1 or min(given.rate) <= 0 or given.seconds <= 0:
        raise FalseworkError(
            "needs numbers above 0", where="bench", todo="Give --line-items, --rate, --seconds."
        )
    rows = []
    if not given.quiet and not given.json:
        print("line items  rate/s  answered     p50     p95     p99    most ms  unfilled  unpaid  server µs"
              "  load µs   memory")  # fmt: skip
    for line_items in given.line_items:
        for row in run(line_items, given.rate, given.seconds, workers=given.workers):
            rows.append(asdict(row))
            one = row.measured
            if not given.quiet and not given.json:
                print(
                    f"{row.line_items:10,}  {one.rate:6,.0f}  {one.reached:8,.0f}  {one.p50:6.2f}"
                    f"  {one.p95:6.2f}  {one.p99:6.2f}  {one.most:9.2f}  {one.unfilled:8,}  {one.house:6,}"
                    f"  {row.processor:9.0f}  {row.generator:7.0f}"
                    f"  {row.resident / 2**20:4.0f} MB",
                    flush=True,
                )
    return {"rows": rows}
