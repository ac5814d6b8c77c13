"""What the documents say is so: snippets run, links lead somewhere, names and figures are the code's.

A fenced block of `sh`, `python` or `toml` is a snippet. A comment before it says how it is treated:

    <!-- slow -->            run by `make test-all` only
    <!-- not run: why -->    its commands are only parsed

The snippets of one document run in their order in one folder, which has `examples/` with the Lyon shot made
small, a photograph, and `falsework` among the commands.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from falsework.cli.main import _parser
from falsework.delivery.layers_exr import write_frame
from falsework.delivery.manifest import write_manifest
from falsework.delivery.usd import write_usd
from falsework.media.exr import read_exr
from falsework.plate.camera import Camera
from falsework.render.cryptomatte import RANKS, manifest
from falsework.rights.production import read_production
from falsework.search.endpoint.settings import EndpointSettings
from falsework.shots.brief import read_brief
from falsework.shots.handover import FILES
from falsework.shots.pipeline import MakeResult
from falsework.shots.spec import Shot, load_shot
from scenes import brick_tower, street_camera
from test_delivery_usd import tumbling

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "CHANGELOG.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("*/*.md")),
]
RUN = [
    "README.md",
    "docs/ads-formats.md",
    "docs/catalogue.md",
    "docs/cookbook.md",
    "docs/formats.md",
    "docs/ledger.md",
    "docs/credentials.md",
    "docs/traditional.md",
    "docs/datasets.md",
    "docs/models.md",
    "docs/search-endpoint.md",
    "docs/search-index.md",
    "examples/dataset/README.md",
]
LANGUAGES = ("sh", "python", "toml")
SHOT = "examples/lyon_corner/shot.toml"

# What a snippet of a shot file leaves out.
REST_OF_A_SHOT: dict[str, Any] = {
    "name": "snippet",
    "plate": {"file": "plate.jpg"},
    "facades": [{"name": "front", "corners": [[100, 100], [900, 100], [900, 700], [100, 700]], "storeys": 5}],
}


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a document; `line` is its first line's number, `mark` "", "slow" or "not run"."""

    document: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.document}:{self.line}"


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def snippets(document: str) -> list[Snippet]:
    found: list[Snippet] = []
    lines = text_of(document).splitlines()
    number = 0
    while number < len(lines):
        opening = re.fullmatch(r"```(\w*)", lines[number].strip())
        number += 1
        if opening is None:
            continue
        end = number
        while lines[end].strip() != "```":
            end += 1
        before = re.fullmatch(r"<!-- (slow|not run)(: .+)? -->", lines[number - 2].strip())
        mark = before[1] if before else ""
        found.append(Snippet(document, number + 1, opening[1], mark, "\n".join(lines[number:end])))
        number = end + 1
    return found


def prose(document: str) -> str:
    """A document without its fenced and indented blocks."""
    fenced = re.sub(r"^```.*?^```$", "", text_of(document), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^    .*$", "", fenced, flags=re.MULTILINE)


def section(document: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text_of(document), re.M | re.S)
    assert found, f"{document} has no section “{heading}”"
    return found[1]


def first_column(text: str) -> Iterator[str]:
    """The names in backticks in the first column of a section's tables."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield from re.findall(r"`([^`]+)`", line.split("|")[1])


EVERY = [snippet for document in DOCUMENTS for snippet in snippets(document)]


# ---- what can be told by reading ------------------------------------------------------------------------


def test_every_block_says_what_it_is() -> None:
    assert len(EVERY) > 30
    for snippet in EVERY:
        assert snippet.language in LANGUAGES, snippet.where
        if snippet.language != "toml":
            assert snippet.document in RUN, f"{snippet.where} would never be run"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / document).parent / name if name else ROOT / document
        assert path.exists(), f"{document}: {target}"
        if anchor:
            assert anchor in anchors(path), f"{document}: {target}"


def anchors(path: Path) -> set[str]:
    """The names a page on GitHub gives its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path.relative_to(ROOT).as_posix()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("snippet", [s for s in EVERY if s.language == "toml"], ids=lambda s: s.where)
def test_snippets_of_settings_are_valid(snippet: Snippet) -> None:
    if snippet.document == "docs/production.md":
        read_production(snippet.text, snippet.where)
        return
    values = tomllib.loads(snippet.text)
    if snippet.document == "docs/search-endpoint.md":  # which says what is taken where a file says nothing
        given = EndpointSettings.model_validate(values)
        assert given == EndpointSettings(base_url=given.base_url, model=given.model)
        return
    plate = REST_OF_A_SHOT["plate"] | values.get("plate", {})
    Shot.model_validate(REST_OF_A_SHOT | values | {"plate": plate})


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "docs/shot.md"])
def test_every_key_that_is_named_exists(document: str) -> None:
    tables = [name for name, field in Shot.model_fields.items() if "Settings" in str(field.annotation)]
    known = {
        f"{table}.{key}" for table in tables for key in _settings_model(Shot.model_fields[table]).model_fields
    }
    for table, key in re.findall(rf"`({'|'.join(tables)})\.([a-z0-9_]+)(?: = [^`]*)?`", prose(document)):
        if key not in ("dpx", "jpg", "png", "py", "safetensors", "usd"):
            assert f"{table}.{key}" in known, f"{document} names {table}.{key}"


def _settings_model(field: Any) -> Any:
    kind = field.annotation
    return getattr(kind, "__args__", (kind,))[0]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_of_the_code_that_are_named_exist(document: str) -> None:
    for name in re.findall(r"`((?:[\w]+/)*[\w]+\.py)`", prose(document)):
        assert (ROOT / name).exists() or list((ROOT / "src" / "falsework").rglob(name)), name


def test_the_contract_names_the_parameters_there_are() -> None:
    calls = re.findall(
        r"`(\w+)\.(\w+)\(([^)]*)\)(?:\.\w+\(\w*\))?`", section("docs/architecture.md", "Between the rooms")
    )
    assert len(calls) >= 8
    for room, name, parameters in calls:
        said = [word for word in parameters.split(", ") if word != "*"]
        assert said == parameters_of(ROOT / "src" / "falsework" / room, name), f"{room}.{name}"


def parameters_of(room: Path, name: str) -> list[str]:
    """Names of the parameters of a room's public function, or of what makes its class."""
    for path in sorted(room.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                node = next(n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
            elif not (isinstance(node, ast.FunctionDef) and node.name == name):
                continue
            named = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
            return [argument for argument in named if argument != "self"]
    raise AssertionError(f"{room.name} has no {name}")


def test_environment_variables_exist() -> None:
    # A page may also say what a test takes from its environment: a schema, a server.
    files = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files if path != Path(__file__))
    for document in DOCUMENTS:
        for name in re.findall(r"FALSEWORK_[A-Z_]+", text_of(document)):
            assert name in code, f"{document} names {name}"


def test_commands_in_snippets_are_commands() -> None:
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    for snippet in EVERY:
        if snippet.language != "sh":
            continue
        for line in snippet.text.replace("\\\n", " ").splitlines():
            for command in line.split(" > ")[0].split(" | "):
                words = shlex.split(command, comments=True)
                if words[:1] == ["make"]:
                    assert set(words[1:]) <= targets, snippet.where
                if words[:1] == ["falsework"]:
                    _parser().parse_args(words[1:])  # ends the test with a SystemExit where it is not one


def test_the_constants_are_the_codes() -> None:
    rows = re.findall(
        r"^\| `([\w/]+)\.py` `([A-Z_]+)` \| ([^|]+?) \|", text_of("docs/rooms.md"), re.MULTILINE
    )
    assert len(rows) > 20
    for module, name, said in rows:
        value = getattr(importlib.import_module("falsework." + module.replace("/", ".")), name)
        meant = eval(compile(ast.parse(said, mode="eval"), "docs/rooms.md", "eval"), {})
        assert value == meant, (
            f"docs/rooms.md says {name} is {said}, {module}.py says {value}: correct the table"
        )


def test_the_readme_lists_what_is_delivered() -> None:
    listed = {name for name in first_column(section("README.md", "What you get")) if "/" not in name}
    assert listed == set(FILES)
    assert (ROOT / "docs" / "images" / "lyon_corner.jpg").stat().st_size < 400_000


def test_the_keys_of_the_manifest_and_of_json_are_listed(tmp_path: Path) -> None:
    made = write_manifest(
        tmp_path / "m.json",
        tmp_path,
        [],
        inputs={},
        versions={},
        opengl=None,
        seed=1,
        parameters={},
        seconds={},
        reused=[],
    )
    assert set(first_column(section("docs/formats.md", "manifest.json"))) == set(made)
    shot = load_shot(ROOT / SHOT)
    answer = MakeResult(shot=shot, frames=(1001,), stages=(), out=None, files=(), seconds=1.0).to_json()
    assert set(answer) <= set(first_column(section("docs/formats.md", "What --json prints")))


def test_briefs_mean_what_the_cookbook_says() -> None:
    rows = re.findall(r"^\| (.+?) \| (`.+`) \|$", section("docs/cookbook.md", "What a brief may say"), re.M)
    assert len(rows) > 15
    for words, settings in rows:
        said = dict(setting.split(" = ", 1) for setting in re.findall(r"`([^`]+)`", settings))
        understood = read_brief(words)
        assert {key: finding.value for key, finding in understood.settings.items()} == {
            key: json.loads(value) for key, value in said.items()
        }, words
        assert not understood.not_understood, words


# ---- the folder snippets run in -------------------------------------------------------------------------


def make_small(shot: Path) -> None:
    """The Lyon shot in a few seconds: the whole fall in fifteen small frames of few pieces."""
    text = shot.read_text(encoding="utf-8")
    for key, value in (("fps", "12"), ("frames", "[1001, 1015]"), ("start", "1004")):
        text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1
    for table, key, value in (
        ("plate", "size", "[480, 320]"),
        ("fracture", "fragments", "200"),
        ("dust", "debris", "300"),
        ("render", "samples", "2"),
    ):
        line = f"{key} = {value}\n"
        text, count = re.subn(
            rf"(?<=^\[{table}\]\n)(?:{key} = .*\n)?", line, text, count=1, flags=re.MULTILINE
        )
        if not count:
            text += f"\n[{table}]\n{line}"
    shot.write_text(text, encoding="utf-8")
    load_shot(shot)


def furnish(folder: Path) -> None:
    example = folder / Path(SHOT).parent
    shutil.copytree((ROOT / SHOT).parent, example, ignore=shutil.ignore_patterns("out", "work"))
    make_small(folder / SHOT)
    plate = cv2.imread(str(example / "plate.jpg"))
    assert plate is not None
    cv2.imwrite(str(folder / "photo.jpg"), cv2.resize(plate, (960, 640), interpolation=cv2.INTER_AREA))
    commands = folder / "commands"
    commands.mkdir()
    for name, words in (("falsework", "-m falsework.cli.main "), ("python", "")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
        (commands / name).chmod(0o755)


def run(folder: Path, snippet: Snippet) -> str:
    """What a snippet prints; its failure is the test's."""
    commands = ["bash", "-euo", "pipefail", "-c"] if snippet.language == "sh" else [sys.executable, "-c"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FALSEWORK_")}
    environment["PATH"] = f"{folder / 'commands'}:{environment['PATH']}"
    done = subprocess.run(
        [*commands, snippet.text], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{snippet.where} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def deliver_something(folder: Path) -> Path:
    """A delivered folder as a run leaves it, for snippets that only read: one frame and the scene."""
    out = folder / "examples" / "lyon_corner" / "out" / "lyon_corner"
    (out / "exr").mkdir(parents=True)
    camera: Camera = street_camera(48, 32)
    tower = brick_tower()
    random = np.random.default_rng(4)
    shapes = {"beauty": 3, "alpha": 0, "matte": 0, "depth": 0, "normal": 3, "motion": 2, "albedo": 3}
    shapes |= {"shadow": 3, "surface": 4, "hold": 0, "dust": 4, "dust_front": 4, "crypto": 2 * RANKS}
    layers = {
        name: random.random((32, 48, depth) if depth else (32, 48), dtype=np.float32)
        for name, depth in shapes.items()
    }
    path = out / "exr" / "lyon_corner.1001.exr"
    write_frame(path, layers, frame=1001, fps=24.0, name="lyon_corner", crypto_manifest=manifest(tower))
    write_usd(
        out / "motion.usd", tower, tumbling(tower), camera, (), fps=24.0, first_frame=1001, name="lyon_corner"
    )
    return out


@pytest.mark.parametrize("document", RUN)
def test_quick_snippets_run(document: str, tmp_path: Path) -> None:
    furnish(tmp_path)
    deliver_something(tmp_path)
    for snippet in snippets(document):
        if snippet.language != "toml" and not snippet.mark:
            run(tmp_path, snippet)


def test_the_table_of_layers_is_the_files(tmp_path: Path) -> None:
    out = deliver_something(tmp_path)
    channels, _ = read_exr(out / "exr" / "lyon_corner.1001.exr")
    types = {"float16": "half", "float32": "float"}
    there = {name: types[pixels.dtype.name] for name, pixels in channels.items()}
    said: dict[str, str] = {}
    for line in section("docs/formats.md", "EXR").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 5 or cells[3] not in types.values():
            continue
        first, *others = re.findall(r"`([^`]+)`", cells[1]) or [""]
        prefixes = [first, *(first[: -len(other)] + other for other in others)]
        for name in re.findall(r"`([^`]+)`", cells[2]):
            for prefix in prefixes:
                said[prefix + name if name.startswith(".") else name] = cells[3]
    assert said == there


# ---- with a shot that was made --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The furnished folder after the small shot was made in it."""
    folder = tmp_path_factory.mktemp("made")
    furnish(folder)
    run(folder, Snippet("tests", 0, "sh", "", f"falsework make {SHOT} --quiet"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("document", RUN)
def test_all_snippets_run_on_a_shot_that_was_made(document: str, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "snippets"
    shutil.copytree(made, folder)
    for snippet in snippets(document):
        if snippet.language != "toml" and snippet.mark != "not run":
            run(folder, snippet)


@pytest.mark.slow
def test_the_work_folder_and_the_solve_are_as_described(made: Path) -> None:
    work = made / Path(SHOT).parent / "work" / "lyon_corner"
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (.+?) \|", section("docs/formats.md", "The work folder"), re.M
    )
    listed = {stage for row in rows for stage in re.findall(r"`(\w+)`", row[0])}
    assert listed == {path.name for path in work.iterdir() if path.is_dir()}
    for stages, files in rows:
        for stage in re.findall(r"`(\w+)`", stages):
            for name in re.findall(r"`([\w.]+)`", files):
                assert list(work.glob(f"{stage}/*/{name}")), f"{stage}: {name}"
    solve = json.loads((made / Path(SHOT).parent / "out" / "lyon_corner" / "solve.json").read_bytes())
    assert set(first_column(section("docs/formats.md", "solve.json"))) == set(solve)
