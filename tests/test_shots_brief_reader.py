"""Who read the brief, where that was a language model: in shot.toml, in the ledger, before the rules."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.rights.records import Activity, asset_id, canonical
from falsework.shots.brief_endpoint import read_brief_anywhere
from falsework.shots.brief_reader import BriefReaderSettings, host_of
from falsework.shots.brief_reading import Interpretation
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import judge
from falsework.shots.clearing.recording import record_make
from falsework.shots.clearing.reporting import write_reports
from falsework.shots.spec import load_shot, read_shot
from falsework.shots.stages import STAGES
from falsework.shots.starter import start_shot, starter_text
from rights_cases import World
from shots_fakes import SHOT
from test_shots_clearing import AT, PRODUCTION, delivered, shot_in, state
from test_shots_endpoint import BRIEF, Endpoint, answer, endpoint

__all__ = ["endpoint"]

KEY, USER, WORD, TOKEN = "sk-a-key-of-ours", "somebody", "a-pass-word", "token-in-the-query"
READ = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DECLARED = """
[brief_read_by]
endpoint = "llm.example.com"
model = "a-model"
at = 2026-11-20T09:30:00Z
prompt_sha256 = "{digest}"
used = {used}
"""
TOOL = """
[[parties]]
id = "vendor"
name = "Vendor"
type = "organisation"

[[tools]]
name = "llm.example.com"
vendor = "vendor"
attested_by = "ada"
"""
TERMS = 'terms = "terms.txt"\nstores_inputs = false\nreuses_inputs = false\ntrains_on_inputs = false\n'


def declared(host: str = "llm.example.com", used: str = "true") -> str:
    return DECLARED.format(digest="5f" * 32, used=used).replace("llm.example.com", host)


def remade(folder: Path, more: str, production: str = PRODUCTION, by: str = "") -> Path:
    """The shot of the clearing tests, made with `more` at the end of its file."""
    path = shot_in(folder, production)
    shutil.rmtree(folder / "rights")
    path.write_text(SHOT + more)
    record_make(desk_of(path), folder / "out" / "tiny", preview=False, at=AT, seconds=2.0, by=by)
    return path


def finding(path: Path, rule: str) -> Any:
    return next(one for one in judge(desk_of(path), at=AT).findings if one.rule == rule)


def reading(path: Path) -> list[Activity]:
    return [one for one in state(path).activities.values() if one.type == "brief"]


def asked(endpoint: Endpoint, **more: str) -> Interpretation:
    return read_brief_anywhere(BRIEF, endpoint.environment(FALSEWORK_LLM_API_KEY=KEY, **more), at=READ)


# ---- what falsework new writes down ---------------------------------------------------------------------


def test_an_answer_that_is_used_says_who_gave_it(endpoint: Endpoint) -> None:
    endpoint.answer = answer(collapse__kind=("topple", "topples"))
    understood = asked(endpoint)
    sent = hashlib.sha256(canonical(endpoint.asked[0]["messages"])).hexdigest()
    assert understood.read_by == BriefReaderSettings(
        endpoint="127.0.0.1", model="a-model", at=READ, prompt_sha256=sent, used=True
    )
    shot = read_shot(starter_text("x", "p.jpg", (640, 480), understood))
    assert shot.brief_read_by == understood.read_by
    assert shot.collapse.kind == "topple"
    assert understood.to_json()["read_by"]["endpoint"] == "127.0.0.1"


@pytest.mark.parametrize("fault", ["nonsense", "status", "late"])
def test_a_brief_that_went_out_in_vain_went_out_all_the_same(endpoint: Endpoint, fault: str) -> None:
    endpoint.answer = "I would be happy to help!"
    endpoint.status = 500 if fault == "status" else 200
    endpoint.pause = 2.0 if fault == "late" else 0.0
    understood = asked(endpoint, FALSEWORK_LLM_TIMEOUT="0.3" if fault == "late" else "5")
    assert understood.source == "grammar"
    assert understood.read_by is not None
    assert understood.read_by.used is False


def test_where_nothing_was_sent_nobody_read_it(endpoint: Endpoint) -> None:
    assert read_brief_anywhere(BRIEF, {}).read_by is None
    assert asked(endpoint, FALSEWORK_LLM_MODEL="").read_by is None
    assert asked(endpoint, FALSEWORK_LLM_BASE_URL="http://127.0.0.1:1/v1").read_by is None
    assert asked(endpoint, FALSEWORK_LLM_BASE_URL="no address").read_by is None
    assert asked(endpoint, FALSEWORK_LLM_TIMEOUT="soon").read_by is None
    assert not endpoint.asked
    assert "brief_read_by" not in starter_text("x", "p.jpg", (640, 480), read_brief_anywhere(BRIEF, {}))


@pytest.mark.parametrize("status", [200, 401])
def test_nothing_secret_of_the_address_is_written_down(
    endpoint: Endpoint, tmp_path: Path, status: int
) -> None:
    endpoint.status = status
    endpoint.answer = answer(collapse__kind=("topple", "topples"))
    endpoint.words = f"Incorrect key {KEY} of {USER}:{WORD} with {TOKEN}"
    address = endpoint.url.replace("//", f"//{USER}:{WORD}@") + f"?t={TOKEN}"
    understood = asked(endpoint, FALSEWORK_LLM_BASE_URL=address)
    assert endpoint.asked
    assert understood.read_by is not None
    assert understood.read_by.used is (status == 200)
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.full((200, 300, 3), 90, np.uint8))
    text = start_shot(tmp_path / "shot", photo, understood).read_text()
    for secret in (KEY, USER, WORD, TOKEN):
        assert secret not in text + json.dumps(understood.to_json()), secret


def test_a_host_is_all_that_is_kept_of_an_address() -> None:
    assert host_of("https://me:word@API.Example.com:8443/v1/token?key=x#y") == "api.example.com"
    assert host_of("http://[::1]:8000/v1") == "::1"
    assert host_of("localhost:8000/v1") == ""
    assert host_of("http://[broken") == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('endpoint = "https://me:word@llm.example.com/v1"', "a host's name alone"),
        ('endpoint = ""', "a host's name alone"),
        ('at = "yesterday"', "a time with its zone"),
        ("at = 2026-11-20T09:30:00", "zone"),
        ('prompt_sha256 = "5f"', "64 hexadecimal digits"),
        ('key = "sk-1"', '"key" is not a key'),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(line: str, words: str) -> None:
    name = line.split(" = ")[0]
    lines = [line if one.startswith(f"{name} =") else one for one in declared().splitlines()]
    text = "\n".join(lines if line in lines else [*lines, line])
    with pytest.raises(FalseworkError, match=words) as refused:
        read_shot(SHOT + text)
    assert "brief_read_by" in str(refused.value)


def test_no_stage_depends_on_who_read_the_brief() -> None:
    without, with_it = read_shot(SHOT), read_shot(SHOT + declared())
    assert with_it.brief_read_by is not None
    for stage in STAGES.values():
        assert stage.settings(without) == stage.settings(with_it), stage.name
        assert stage.files(without) == stage.files(with_it), stage.name


# ---- on record, and before the rules --------------------------------------------------------------------


def test_without_an_endpoint_nothing_is_recorded_and_nothing_asked(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    assert not reading(path)
    assert finding(path, "NFX-3").outcome == "pass"
    assert finding(path, "NFX-1").outcome == "pass"


def test_the_reading_is_a_step_of_its_own_and_the_cuts_line_holds_it(tmp_path: Path) -> None:
    path = remade(tmp_path, declared(), by="ada")
    (step,) = reading(path)
    assert (step.tool, step.version, step.offline, step.ended) == ("llm.example.com", "a-model", False, READ)
    assert step.parameters["prompt_sha256"] == "5f" * 32
    assert step.agent == "party:ada"
    assert step.used == (asset_id(hashlib.sha256(load_shot(path).brief.encode()).hexdigest()),)
    cut = judge(desk_of(path), at=AT).subject
    assert step in state(path).history(cut)
    # made again without a name, the person who had it read stays on record
    record_make(desk_of(path), tmp_path / "out" / "tiny", preview=False, at=AT, seconds=2.0)
    assert reading(path) == [step]


def said_of(asset: str, facts: str) -> str:
    return f'\n[[ingredients]]\nfiles = ["{asset}"]\nby = "ada"\nwhy = "unreleased"\nfacts = {{ {facts} }}\n'


def test_a_buyer_asks_for_the_services_terms_and_a_notice(tmp_path: Path) -> None:
    path = remade(tmp_path, declared())
    terms = finding(path, "NFX-3")
    assert terms.outcome == "unknown"
    assert "llm.example.com" in terms.words
    assert 'name = "llm.example.com"' in terms.remedy
    assert "offline = true" not in terms.remedy
    notice = finding(path, "NFX-1")
    assert notice.outcome == "fail"
    assert "a-model" in notice.words
    (step,) = reading(path)
    assert step.generated[0] in notice.remedy
    # what went out cannot be attested to have stayed
    (tmp_path / "terms.txt").write_text("We keep nothing.")
    file = tmp_path / "production.toml"
    file.write_text(PRODUCTION + TOOL + "offline = true\n")
    assert finding(path, "NFX-3").outcome == "unknown"
    file.write_text(PRODUCTION + TOOL + TERMS.replace("trains_on_inputs = false", "trains_on_inputs = true"))
    assert finding(path, "NFX-3").outcome == "fail"
    sent = (
        f'\n[[notices]]\nby = "ada"\nto = "the buyer"\nsent = 2026-11-01\nmodels = ["{step.generated[0]}"]\n'
    )
    file.write_text(PRODUCTION + TOOL + TERMS + sent)
    assert finding(path, "NFX-3").outcome == "pass"
    assert finding(path, "NFX-1").outcome == "pass"
    # nobody has said yet what kind of brief it was
    assert finding(path, "NFX-5").outcome == "unknown"
    plain = said_of(step.used[0], "personal = false, proprietary = false")
    file.write_text(PRODUCTION + TOOL + TERMS + sent + plain)
    assert delivered(path).folder.is_dir()


def test_of_a_server_on_this_machine_a_person_may_say_that_it_passes_nothing_on(tmp_path: Path) -> None:
    path = remade(tmp_path, declared("127.0.0.1"))
    assert reading(path)[0].offline is None
    assert finding(path, "NFX-3").outcome == "unknown"
    tool = TOOL.replace("llm.example.com", "127.0.0.1") + "offline = true\n"
    (tmp_path / "production.toml").write_text(PRODUCTION + tool)
    assert finding(path, "NFX-3").outcome == "pass"


def test_an_answer_that_was_not_used_is_told_to_nobody_but_the_brief_was_sent(tmp_path: Path) -> None:
    path = remade(tmp_path, declared(used="false"))
    assert finding(path, "NFX-1").outcome == "pass"
    assert finding(path, "NFX-3").outcome == "unknown"


def test_a_proprietary_brief_needs_approval(tmp_path: Path) -> None:
    path = remade(tmp_path, declared())
    (step,) = reading(path)
    file = tmp_path / "production.toml"
    for facts, outcome in (
        ("personal = false, proprietary = false", "not applicable"),
        ("personal = false, proprietary = true", "unknown"),
    ):
        file.write_text(PRODUCTION + said_of(step.used[0], facts))
        assert finding(path, "NFX-5").outcome == outcome


def test_taking_it_out_of_the_file_changes_nothing_for_these_frames(tmp_path: Path) -> None:
    path = remade(tmp_path, declared())
    path.write_text(SHOT)
    record_make(desk_of(path), tmp_path / "out" / "tiny", preview=False, at=AT, seconds=2.0)
    assert finding(path, "NFX-3").outcome == "unknown"


def test_insurance_asks_for_the_service_too() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    assert world.outcome("EO-1") == "pass"
    read = world.asset("document", "reading")
    world.owned(read)
    world.step("brief", [], [read], tool="llm.example.com", version="a-model", offline=False)
    world.change(world.render, used=(world.plate, read))
    finding = world.judge("EO-1")
    assert finding.outcome == "unknown"
    assert "llm.example.com" in finding.words
    world.tool("llm.example.com")
    assert world.outcome("EO-1") == "pass"


def test_the_report_shows_who_read_the_brief_and_no_pixel_of_it(tmp_path: Path) -> None:
    path = remade(tmp_path, declared())
    write_reports(desk_of(path), at=AT, out=tmp_path / "report")
    page = (tmp_path / "report" / "clearance.html").read_text(encoding="utf-8")
    assert "the language model “a-model” was sent the brief at llm.example.com" in page
    assert "What becomes of the brief that llm.example.com was sent" in page
    told = json.loads((tmp_path / "report" / "clearance.json").read_text(encoding="utf-8"))
    assert set(told["ai_pixels"]["frames"].values()) == {0.0}
    assert "A language model was sent the brief" in told["ai_pixels"]["words"]
    (step,) = [one for one in told["steps"] if one["type"] == "brief"]
    assert step["offline"] is False
    assert "a-model" in step["note"]
