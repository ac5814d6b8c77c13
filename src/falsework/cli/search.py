"""`falsework search "…"`: what a viewer may want to watch, in their own words."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.cli.linear_algebra import one_thread
from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from falsework.catalogue.database import Catalogue
    from falsework.search.endpoint.endpoint import Endpoint
    from falsework.search.searcher import Searcher

__all__ = ["add", "not_installed"]

MOST = 100
PORT = 8484
EXAMPLES = """\
examples:
  falsework search "something scary but not too scary, maybe a little funny, under two hours"
  falsework search "una comedia corta en español"
  falsework search --kids "animals in the snow"
  falsework search --chat
  falsework search serve --port 8484
"""


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "search",
        parents=[shared],
        help="what to watch, in a viewer's own words",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "wish",
        nargs="*",
        metavar="WISH",
        help='a wish in English or Spanish; "serve" alone begins the HTTP API',
    )
    parser.add_argument("--kids", action="store_true", help="only what is rated, and rated for children")
    parser.add_argument(
        "--limit", type=_limit, default=10, metavar="N", help=f"results, at most {MOST} (default: 10)"
    )
    parser.add_argument("--explain", action="store_true", help="what each score was made of")
    parser.add_argument(
        "--territory", type=_territory, metavar="XX", help="only what can be watched there now (ISO 3166-1)"
    )
    parser.add_argument("--offline", action="store_true", help="ask no model's endpoint, even if one is set")
    parser.add_argument("--chat", action="store_true", help="a conversation: each line edits the wish before")
    parser.add_argument(
        "--catalogue",
        metavar="URL",
        help='its file or database URL, or "sample" (default: your own, else the sample that ships)',
    )
    parser.add_argument("--index", type=Path, metavar="DIR", help="default: a folder of your cache")
    parser.add_argument("--rebuild", action="store_true", help="build the index anew first")
    serving = parser.add_argument_group("serve", "the HTTP API, described at /openapi.json")
    serving.add_argument("--port", type=_port, metavar="N", help=f"default: {PORT}")
    serving.add_argument("--host", metavar="ADDRESS", help="default: 127.0.0.1, which nobody else can reach")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    one_thread()
    wish = " ".join(given.wish)
    serving = given.wish == ["serve"]
    if not serving and (given.port is not None or given.host is not None):
        raise FalseworkError(
            "--port and --host are for the server", where="search", todo="Say `falsework search serve`."
        )
    if given.chat and (given.json or wish):
        raise FalseworkError(
            "--chat asks for your words itself, and answers people",
            where="search",
            todo="Leave out the wish and --json.",
        )
    if not (wish or given.chat or given.rebuild):
        raise FalseworkError(
            "nothing was asked for", where="search", todo='Try `falsework search "a short comedy"`.'
        )
    with _catalogue(given) as catalogue, _opened(given, catalogue) as searcher:
        if serving:
            return _serve(given, searcher)
        if given.chat:
            from falsework.cli.search_chat import chat

            return chat(given, searcher)
        if not wish:
            return {"index": str(searcher.opened.folder), "titles": searcher.opened.manifest.titles}
        return _answered(given, searcher, wish)


def _answered(given: argparse.Namespace, searcher: Searcher, wish: str) -> dict[str, Any]:
    answer = searcher.search(
        wish, kids=given.kids, limit=given.limit, territory=given.territory, offline=given.offline
    )
    if not given.quiet and not given.json:
        from falsework.cli.output import write_out
        from falsework.cli.search_words import told

        write_out(told(answer, explain=given.explain))
    return answer.to_json(explain=given.explain)


def _catalogue(given: argparse.Namespace) -> Catalogue:
    try:
        from falsework.search.opening import open_catalogue
    except ImportError as error:
        raise not_installed(error) from error
    return open_catalogue(given.catalogue)


def _opened(given: argparse.Namespace, catalogue: Catalogue) -> Searcher:
    """A searcher; the index is built first where there is none, with a sentence and a bar."""
    from falsework.cli.bars import Bars
    from falsework.search.opening import build_index, of_another, open_searcher

    def say(words: str) -> None:
        if not given.quiet:
            print(words, file=sys.stderr)

    try:
        with Bars(quiet=given.quiet) as bars:

            def progress(done: int, titles: int) -> None:
                bars.progress("index", done, titles)

            def building(titles: int) -> None:
                say(f"{catalogue.where}: {titles:,} titles are indexed once, before the first search.")

            if given.rebuild:
                say(f"{catalogue.where}: {catalogue.count():,} titles are indexed anew.")
                build_index(catalogue, given.index, progress=progress)
            searcher = open_searcher(
                catalogue, given.index, endpoint=_endpoint(given), building=building, progress=progress
            )
    except ImportError as error:
        raise not_installed(error) from error
    manifest = searcher.opened.manifest
    behind = catalogue.revision - manifest.revision
    if of_another(catalogue, manifest):  # its file was replaced, or --index is another's
        say("The index is that of another catalogue: run with --rebuild.")
    elif behind > 0:
        say(f"The catalogue has changed since it was indexed ({behind} times): run with --rebuild.")
    return searcher


def _endpoint(given: argparse.Namespace) -> Endpoint | None:
    if given.offline:
        return None
    from falsework.search.endpoint.endpoint import Endpoint

    return Endpoint.from_environment()


def _serve(given: argparse.Namespace, searcher: Searcher) -> dict[str, Any]:
    from falsework.search.api import serve

    host, port = given.host or "127.0.0.1", PORT if given.port is None else given.port

    def ready() -> None:
        if not given.quiet:
            profile = ", for children's profiles only" if given.kids else ""
            at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            print(f"ready: {at}{profile}; described at {at}/openapi.json", file=sys.stderr, flush=True)

    serve(searcher, host=host, port=port, kids=given.kids, offline=given.offline, ready=ready)
    return {"host": host, "port": port}


def not_installed(error: ImportError) -> Exception:
    """What to raise where a package of the extra is missing."""
    if (error.name or "").startswith("falsework"):
        return error  # a fault of ours
    return FalseworkError(
        f"the package {error.name or 'that is needed'} is not installed",
        where="search",
        todo='Run `pip install "falsework[search]"`.',
    )


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f'"{text}" is no number from 1 to {MOST}')
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f'"{text}" is no port: 1 to 65535')
    return int(text)


def _territory(text: str) -> str:
    from falsework.catalogue.codes import country_code

    code = country_code(text) if re.fullmatch("[A-Za-z]{2}", text) else None
    if code is None:
        raise argparse.ArgumentTypeError(f'"{text}" is no country\'s ISO 3166-1 code such as DE')
    return code
