"""VMAP out: where each break stands, and its advertisements or where to ask for them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.ads.vast.vmap import AdBreak, Share, vmap
from falsework.errors import FalseworkError

M = "{http://www.iab.net/videosuite/vmap}"
V = "{http://www.iab.com/VAST}"
OFFSET = re.compile(r"\d{2}:[0-5]\d:[0-5]\d(\.\d{3})?|\d{1,3}%|start|end")
EMPTY = b'<?xml version="1.0" encoding="UTF-8"?><VAST xmlns="http://www.iab.com/VAST" version="4.2"></VAST>'


def test_breaks_in_a_programme() -> None:
    root = ElementTree.fromstring(
        vmap(
            [
                AdBreak(
                    id="pre",
                    at="start",
                    vast=EMPTY,
                    tracking={"breakStart": ("https://ads.example/b?x=1&y=2",)},
                ),
                AdBreak(id="mid", at=605.5, address="https://ads.example/vast?break=mid"),
                AdBreak(id="half", at=Share(50), address="https://ads.example/vast", non_linear=True),
                AdBreak(id="post", at="end", address="https://ads.example/vast", repeat_after=1800),
            ]
        )
    )
    assert root.tag == f"{M}VMAP"
    assert root.get("version") == "1.0"
    assert [(one.get("breakId"), one.get("timeOffset"), one.get("breakType")) for one in root] == [
        ("pre", "start", "linear"),
        ("mid", "00:10:05.500", "linear"),
        ("half", "50%", "nonlinear"),
        ("post", "end", "linear"),
    ]
    assert root[3].get("repeatAfter") == "00:30:00"
    source, tracking = root[0]
    assert [one.tag for one in source] == [f"{M}VASTAdData"]
    assert source[0][0].tag == f"{V}VAST"
    assert tracking[0].text == "https://ads.example/b?x=1&y=2"
    assert root[1][0][0].tag == f"{M}AdTagURI"
    assert root[1][0][0].get("templateType") == "vast4"


@given(st.text(max_size=30), st.floats(0, 86_399), st.text(max_size=30))
def test_no_text_breaks_the_document(identifier: str, at: float, path: str) -> None:
    one = AdBreak(id=identifier, at=at, address=f"https://ads.example/{path}", tracking={"error": (path,)})
    root = ElementTree.fromstring(vmap([one]))
    assert OFFSET.fullmatch(root[0].get("timeOffset", ""))
    assert (root[0][0][0].text or "").startswith("https://ads.example/")


@pytest.mark.parametrize(
    "wrong",
    [
        AdBreak(id="b", at="start"),
        AdBreak(id="b", at="start", vast=EMPTY, address="https://ads.example/"),
        AdBreak(id="b", at="start", address="file:///etc/passwd"),
        AdBreak(id="b", at="middle", vast=EMPTY),
        AdBreak(id="b", at=-1.0, vast=EMPTY),
        AdBreak(id="b", at=float("nan"), vast=EMPTY),
        AdBreak(id="b", at=90_000.0, vast=EMPTY),
        AdBreak(id="b", at=Share(101), vast=EMPTY),
        AdBreak(id="b", at="start", vast=EMPTY, tracking={"click": ()}),
    ],
)
def test_what_vmap_cannot_say_is_refused(wrong: AdBreak) -> None:
    with pytest.raises(FalseworkError, match='break "b"'):
        vmap([wrong])
