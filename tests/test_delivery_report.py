"""The report and its plots, the contact sheet and the manifest."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.delivery.contact import draw_contact, pick_frames, write_contact
from falsework.delivery.manifest import write_manifest
from falsework.delivery.plots import Plot, draw_plot
from falsework.delivery.report import (
    ReportData,
    StageTime,
    collapse_plots,
    write_report,
)
from falsework.seeds import generator

VOID = {"meta", "img", "link", "br", "line"}


class Page(HTMLParser):
    """Checks that tags close in order, and gathers text, links and pictures."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.sources: list[str] = []
        self.feed(content)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def picture(number: int, height: int = 90, width: int = 160) -> np.ndarray:
    return generator(number, "test", "report").integers(0, 256, (height, width, 3), dtype=np.uint8)


def report() -> ReportData:
    seconds = np.arange(48) / 24
    curves = {
        "roof_height": 20 - seconds,
        "awake": seconds * 100,
        "kinetic": seconds * 1e6,
        "potential": -seconds * 2e6,
        "dissipated": seconds * 1e6,
    }
    return ReportData(
        title="<tower> & sons",
        brief='“fall” <script>alert("no")</script>',
        facts=[("seed", "7")],
        frames=[(f"{1001 + index}", picture(index)) for index in range(8)],
        settings={"dust": {"amount": "1.5", "note": "<b>"}},
        stages=[StageTime("solve", 2.5, reused=True), StageTime("render", 75.0)],
        plots=collapse_plots(curves, {"mass": seconds * 50}, fps=24, start=0.5),
        checks={
            "nothing_below_ground": {
                "passed": True,
                "value": -0.01,
                "limit": "at least -0.05 m",
                "means": "lowest point",
            },
            "energy": {
                "passed": False,
                "value": 1.2,
                "limit": "at most 1",
                "means": "kinetic over potential lost",
            },
        },
        camera=[("focal length", "1303.8 px")],
        warnings=["The plate is small."],
        understood=[("from the third floor", "collapse.from_storey = 3")],
        not_understood=["like a cake"],
        versions={"falsework": "0.1.0"},
    )


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, report())
    return path.read_text(encoding="utf-8")


def test_the_page_is_whole_and_stands_alone(html: str) -> None:
    page = Page(html)
    assert len(page.sources) == 9  # the lead and eight frames
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    assert "http" not in html.replace("http://www.w3.org", "")
    assert "$" not in html


def test_words_are_said_and_markup_is_not_run(html: str) -> None:
    words = " ".join(Page(html).words)
    for said in ("<tower> & sons", "1 of 2 physics checks failed: energy", "reused", "1 min 15 s"):
        assert said in words
    for said in (
        "like a cake",
        "collapse.from_storey = 3",
        "The plate is small.",
        "−0.01",
        "first support goes",
    ):
        assert said in words
    assert "<script>" not in html


def test_same_data_same_page(html: str, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", report())
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html


def test_a_bare_report_still_reads(tmp_path: Path) -> None:
    bare = ReportData(
        title="bare", brief="", facts=[], frames=[], settings={}, stages=[], plots=[], checks={}, camera=[]
    )
    write_report(tmp_path / "bare.html", bare)
    Page((tmp_path / "bare.html").read_text(encoding="utf-8"))
    passed = {"x": {"passed": True, "value": np.float32(1), "limit": "", "means": ""}}
    write_report(tmp_path / "bare.html", replace(bare, checks=passed))
    assert "All 1 physics checks passed" in (tmp_path / "bare.html").read_text(encoding="utf-8")


def test_overlapping_stages_do_not_add_up(tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", replace(report(), run_seconds=61.0))
    assert "1 min 01 s" in (tmp_path / "r.html").read_text(encoding="utf-8")


@given(
    st.lists(
        st.one_of(st.floats(-1e12, 1e12), st.just(float("nan")), st.just(float("inf"))),
        min_size=0,
        max_size=40,
    ),
    st.sampled_from(["", "m", "kg", "J"]),
)
@settings(max_examples=100, deadline=None)
def test_plots_are_xml_within_their_frame(values: list[float], unit: str) -> None:
    drawn = draw_plot(Plot("a < b", unit, np.arange(len(values)) / 24, {"x": np.array(values)}, {"now": 0.2}))
    root = ElementTree.fromstring(drawn)
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    for line in root.iter("polyline"):
        points = np.array(
            [[float(value) for value in point.split(",")] for point in line.attrib["points"].split()]
        )
        assert np.isfinite(points).all()
        assert (points >= -0.1).all()
        assert (points <= [width + 0.1, height + 0.1]).all()


def test_plot_values_lie_where_the_axis_says() -> None:
    drawn = draw_plot(Plot("roof", "m", np.array([0.0, 1.0, 2.0]), {"roof": np.array([0.0, 10.0, 20.0])}))
    root = ElementTree.fromstring(drawn)
    labels = {
        text.text: float(text.attrib["y"]) - 4
        for text in root.iter("text")
        if text.attrib.get("text-anchor") == "end"
    }
    points = [float(point.split(",")[1]) for point in next(root.iter("polyline")).attrib["points"].split()]
    assert points == pytest.approx([labels["0"], labels["10"], labels["20"]], abs=0.11)


def test_contact_sheet(tmp_path: Path) -> None:
    write_contact(
        tmp_path / "contact.png",
        [picture(i) for i in range(8)],
        [str(1001 + i) for i in range(8)],
        title="tower",
    )
    sheet = oiio.ImageInput.open(str(tmp_path / "contact.png")).read_image("uint8")
    assert sheet.shape[1] > 4 * 160
    assert sheet.shape[0] > 2 * 90
    whole = draw_contact([picture(i) for i in range(8)], [""] * 8, title="")
    places = [np.argwhere((whole == picture(i)[0, 0]).all(axis=2)) for i in range(8)]
    assert all(len(place) for place in places)  # each first pixel is found, unscaled


def test_contact_sheet_of_few_and_wide_pictures() -> None:
    assert draw_contact([picture(1, 20, 2000)], ["one"]).shape[1] < 600
    with pytest.raises(ValueError, match="labels"):
        draw_contact([picture(1)], [])


@given(st.integers(1, 5000), st.integers(0, 400), st.integers(-100, 5000))
def test_contact_frames_lie_in_the_shot(first: int, count: int, start: int) -> None:
    frames = pick_frames(first, first + count, start)
    assert 1 <= len(frames) <= 8
    assert frames == sorted(set(frames))
    assert frames[-1] == first + count
    assert frames[0] >= first


def test_manifest(tmp_path: Path) -> None:
    (tmp_path / "exr").mkdir()
    (tmp_path / "exr" / "a.1001.exr").write_bytes(b"frame")
    (tmp_path / "review.mp4").write_bytes(b"movie")
    (tmp_path / "notes.txt").write_bytes(b"somebody's own")
    path = tmp_path / "manifest.json"
    write_manifest(
        path,
        tmp_path,
        ["review.mp4", "exr/a.1001.exr"],
        inputs={"plate.jpg": "ab"},
        versions={"falsework": "0.1.0"},
        opengl=None,
        seed=7,
        parameters={"dust": {"amount": 1.5}},
        seconds={"render": 1.23456},
        reused=["solve"],
        digests={"review.mp4": "known"},
    )
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert manifest["files"] == {
        "exr/a.1001.exr": hashlib.sha256(b"frame").hexdigest(),
        "review.mp4": "known",
    }
    assert (manifest["inputs"], manifest["opengl"]) == ({"plate.jpg": "ab"}, None)
    assert (manifest["seed"], manifest["reused"], manifest["seconds"]) == (7, ["solve"], {"render": 1.235})
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["versions"]["falsework"])


def test_what_was_changed_by_hand_stands_beside_what_the_brief_says(tmp_path: Path) -> None:
    shown = replace(
        report(),
        instead={"collapse.from_storey = 3": "<5>"},
        read_by="The brief was sent to a-model at a.host.",
    )
    write_report(tmp_path / "r.html", shown)
    words = " ".join(Page((tmp_path / "r.html").read_text(encoding="utf-8")).words)
    assert "the shot was made with <5> instead" in words
    assert "sent to a-model at a.host" in words
    write_report(tmp_path / "r.html", report())
    assert "instead" not in " ".join(Page((tmp_path / "r.html").read_text(encoding="utf-8")).words)
