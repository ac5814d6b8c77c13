"""`falsework ads decode|encode|validate|stitch`: words for people, JSON for programs, 2 for what is wrong."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import m3u8
import pytest

from falsework.cli.main import main

CUE = "/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo="
IN_HEX = (
    "FC302F000000000000FFFFF014054800008F7FEFFE7369C02EFE0052CCF500000000000A0008435545490000013562DBA30A"
)
STRINGS = {
    "scte35": [CUE, IN_HEX, IN_HEX.lower(), f"0x{IN_HEX}", f"0x{IN_HEX.lower()}"],
    "tcf": ["COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA"],
    "gpp": [
        "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN",
        "DBABjw~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN",
    ],
    "us-privacy": ["1YNN", "1---", "1NY-"],
}
REQUEST = {"id": "1", "imp": [{"id": "1", "video": {"mimes": ["video/mp4"]}}], "site": {"id": "s"}}
FILM = """#EXTM3U
#EXT-X-VERSION:4
#EXT-X-TARGETDURATION:6
#EXTINF:6,
a.ts
#EXT-X-CUE-OUT:6
#EXTINF:6,
b.ts
#EXT-X-CUE-IN
#EXTINF:6,
c.ts
#EXT-X-ENDLIST
"""
SPOT = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nx.ts\n#EXT-X-ENDLIST\n"


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*words: str | Path, stdin: bytes = b"") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(["ads", *map(str, words)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.mark.parametrize(
    ("standard", "text"), [(standard, text) for standard, texts in STRINGS.items() for text in texts]
)
def test_decoded_and_encoded_a_string_is_the_same(run: Any, tmp_path: Path, standard: str, text: str) -> None:
    decoded = run("decode", standard, text, "--json")
    assert decoded.code == 0
    assert decoded.json()["standard"] == standard
    assert run("encode", standard, "-", stdin=decoded.out.encode()).out == f"{text}\n"
    file = tmp_path / "decoded.json"
    file.write_text(decoded.out)
    assert run("encode", standard, file, "--json").json()["text"] == text
    again = run("decode", standard, "-", "--json", stdin=f" {text}\n".encode())
    assert again.json() == decoded.json()


def test_the_bare_record_is_enough(run: Any) -> None:
    value = run("decode", "scte35", CUE, "--json").json()["value"]
    assert run("encode", "scte35", "-", stdin=json.dumps(value).encode()).out == f"{CUE}\n"


def test_people_read_lines(run: Any) -> None:
    said = run("decode", "scte35", CUE)
    assert "out_of_network_indicator: yes" in said.out
    assert "duration: 5426421 (60.294 s)" in said.out
    said = run("decode", "tcf", STRINGS["tcf"][0])
    assert "created: 15800580600 (2020-01-26 17:01:00 UTC)" in said.out
    assert "purposes_consent: 2, 10" in said.out
    said = run("decode", "gpp", STRINGS["gpp"][1])
    assert "fault: the core: its version 2 is not known" in said.out
    assert run("decode", "us-privacy", "1YNN").out.splitlines()[2:] == [
        "  notice: yes",
        "  opted_out: no",
        "  lspa: no",
    ]


@pytest.mark.parametrize(
    ("standard", "text"),
    [
        ("scte35", "nonsense!"),
        ("scte35", CUE[:-4] + "AAAA"),
        ("scte35", ""),
        ("tcf", "garbage"),
        ("gpp", "DBABMA"),
        ("us-privacy", "2YNN"),
        ("us-privacy", "\u202e"),
    ],
)
def test_strings_that_are_none_get_a_sentence(run: Any, standard: str, text: str) -> None:
    said = run("decode", standard, text, "--json")
    assert said.code == 2
    assert said.json()["ok"] is False
    assert said.json()["error"]["todo"]
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"tier": 99_999}, "12 bits"),
        ({"tier": "x"}, "tier"),
        ({"tierr": 1}, "tierr"),
        ({"command": {"type": "splice_insert", "splice_event_id": 1, "avail": 1}}, "command.avail"),
        ({"command": {"type": "unknown"}}, "command"),
        ({"descriptors": [{"type": "avail", "provider_avail_id": 1, "x": 1}]}, "descriptors[0].x"),
    ],
)
def test_records_that_do_not_fit_are_refused_by_their_field(
    run: Any, change: dict[str, Any], where: str
) -> None:
    decoded = run("decode", "scte35", CUE, "--json").json()
    decoded["value"] |= change
    said = run("encode", "scte35", "-", stdin=json.dumps(decoded).encode())
    assert said.code == 2
    assert where in said.err


def test_json_of_something_else_is_refused(run: Any, tmp_path: Path) -> None:
    decoded = run("decode", "us-privacy", "1YNN", "--json").out.encode()
    assert "encode us-privacy" in run("encode", "tcf", "-", stdin=decoded).err
    for broken in (
        b"",
        b"[",
        b"\xff",
        b"[" * 100_000,
        b"3",
        b"null",
        b'{"value": 3}',
        b'{"standard": "tcf", "value": []}',
    ):
        said = run("encode", "tcf", "-", stdin=broken)
        assert said.code == 2, broken[:20]
    assert "is not there" in run("encode", "tcf", tmp_path / "nowhere.json").err
    assert "is a folder" in run("encode", "tcf", tmp_path).err


# ---- validate -----------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "good.json").write_text(json.dumps(REQUEST))
    (tmp_path / "deeper" / "bad.json").write_text(
        json.dumps(REQUEST | {"imp": [{"id": "1", "video": {"mimes": []}}]})
    )
    (tmp_path / "good.xml").write_text('<VAST version="4.2"/>')
    (tmp_path / "notes.txt").write_text("not looked at")
    return tmp_path


def test_a_folder_of_requests_and_documents(run: Any, files: Path) -> None:
    said = run("validate", files)
    assert said.code == 2
    assert "bad.json: imp[0].video.mimes is missing or empty." in said.err
    assert "2 of 3 valid" in said.out
    answer = run("validate", files, "--json").json()
    assert (answer["ok"], answer["valid"], answer["invalid"]) == (False, 2, 1)
    assert [(Path(one["file"]).name, one["kind"], one["field"]) for one in answer["files"]] == [
        ("bad.json", "openrtb", "imp[0].video.mimes"),
        ("good.json", "openrtb", ""),
        ("good.xml", "vast", ""),
    ]


def test_valid_files_are_said_to_be(run: Any, files: Path) -> None:
    said = run("validate", files / "good.json", files / "good.xml")
    assert said.code == 0
    assert said.err == ""
    assert run("validate", "-", stdin=json.dumps(REQUEST).encode()).code == 0
    assert run("validate", "-", stdin=b'\xef\xbb\xbf <VAST version="2.0"/>').code == 0
    assert run("validate", files / "good.xml", "--json").json()["ok"] is True


def test_the_kind_may_be_said(run: Any, files: Path) -> None:
    assert run("validate", files / "good.json", "--kind", "vast").code == 2
    assert run("validate", files / "good.xml", "--kind", "openrtb").code == 2


@pytest.mark.parametrize(
    "body", [b"", b"[" * 1_000_000, b"\xff\xfe", b"<" * 600_000, b"<!DOCTYPE a><a/>", b"\0" * 17_000_000]
)
def test_hostile_files_are_refused(run: Any, tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "hostile.json"
    file.write_bytes(body)
    said = run("validate", file)
    assert said.code == 2
    assert said.err.startswith(str(file))


def test_files_that_are_not_there(run: Any, tmp_path: Path) -> None:
    assert "is not there" in run("validate", tmp_path / "nowhere.json").err
    assert "neither" in run("validate", tmp_path).err


# ---- stitch -------------------------------------------------------------------------------------------


@pytest.fixture
def playlists(tmp_path: Path) -> Path:
    (tmp_path / "film.m3u8").write_text(FILM)
    (tmp_path / "ads").mkdir()
    (tmp_path / "ads" / "spot.m3u8").write_text(SPOT)
    return tmp_path


def test_a_break_at_its_cue(run: Any, playlists: Path) -> None:
    out = playlists / "out" / "film.m3u8"
    said = run("stitch", playlists / "film.m3u8", "--ad", playlists / "ads" / "spot.m3u8", "--out", out)
    assert said.code == 0
    assert "1 break stitched in; 3 segments of 18 s have become 3 of 17 s" in said.out
    made = m3u8.loads(out.read_text())
    assert [one.uri for one in made.segments] == ["../a.ts", "../ads/x.ts", "../c.ts"]
    assert all((out.parent / one.uri).parent.resolve().is_relative_to(playlists) for one in made.segments)


def test_breaks_at_times_and_from_standard_input(run: Any, playlists: Path) -> None:
    ad = playlists / "ads" / "spot.m3u8"
    said = run(
        "stitch", "-", "--ad", ad, "--ad", ad, "--at", "6", "--at", "18", "--json", stdin=FILM.encode()
    )
    answer = said.json()
    assert (answer["breaks"], answer["segments"], answer["seconds"]) == (2, 7, 38.0)
    said = run("stitch", playlists / "film.m3u8", "--ad", ad, "--at", "0", "--instead", "12")
    assert len(m3u8.loads(said.out).segments) == 2


def test_a_live_playlist(run: Any, playlists: Path) -> None:
    (playlists / "live.m3u8").write_text(
        FILM.replace("#EXT-X-ENDLIST\n", "").replace("VERSION:4", "MEDIA-SEQUENCE:9")
    )
    made = m3u8.loads(run("stitch", playlists / "live.m3u8", "--ad", playlists / "ads" / "spot.m3u8").out)
    assert made.media_sequence == 9
    assert not made.is_endlist
    assert [one.discontinuity for one in made.segments] == [False, True, True]


def test_interstitials(run: Any, playlists: Path) -> None:
    said = run("stitch", playlists / "film.m3u8", "--list", "https://ads.example/list")
    assert 'X-ASSET-LIST="https://ads.example/list?_HLS_interstitial_id=break-1-ads"' in said.out
    assert "X-RESUME-OFFSET=6" in said.out
    assert len(m3u8.loads(said.out).segments) == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["film.m3u8"], "either advertisements or a list"),
        (["film.m3u8", "--ad", "ads/spot.m3u8", "--list", "x"], "either advertisements or a list"),
        (["film.m3u8", "--ad", "nowhere.m3u8"], "is not there"),
        (["film.m3u8", "--ad", "ads/spot.m3u8", "--at", "99"], "outside the programme"),
        (["ads/spot.m3u8", "--ad", "film.m3u8"], "has no cues"),
        (["film.m3u8", "--list", 'x"'], "quotation mark"),
        (["empty.m3u8", "--ad", "film.m3u8"], "has no segments"),
        (["picture.m3u8", "--ad", "film.m3u8"], "UTF-8"),
    ],
)
def test_what_cannot_be_stitched_gets_a_sentence(
    run: Any, playlists: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.chdir(playlists)
    Path("empty.m3u8").write_text("#EXTM3U\n")
    Path("picture.m3u8").write_bytes(b"\x89PNG\xff")
    said = run("stitch", *words)
    assert said.code == 2
    assert why in said.err
    assert said.out == ""


@pytest.mark.parametrize("seconds", ["x", "-1", "nan", "inf"])
def test_times_are_numbers(run: Any, playlists: Path, seconds: str) -> None:
    with pytest.raises(SystemExit) as left:
        run("stitch", playlists / "film.m3u8", "--list", "x", "--at", seconds)
    assert left.value.code == 2
