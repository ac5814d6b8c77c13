"""Files from outside that are not what their names say, or hold more than was signed."""

from __future__ import annotations

import io
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import c2pa
import pytest

from falsework.cli import main as cli
from falsework.errors import FalseworkError, shown
from falsework.rights import reading
from falsework.rights.certificates import Credentials, make_test_chain, read_trust
from falsework.rights.manifest import SOURCE_TYPES
from falsework.rights.mark_reading import frames_of
from falsework.rights.movie_boxes import added_boxes, top_boxes
from falsework.rights.sequence import list_files, parse_names
from falsework.rights.signing import Signed, sign, sign_sequence
from falsework.rights.statuses import notes_of
from falsework.rights.verification import interpret, verify
from signing_cases import NOW, Authority, ingredient, manifest, signed_forms, write_picture, write_sequence


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_test_chain(tmp_path_factory.mktemp("chain") / "credentials", at=NOW)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_test_chain(tmp_path_factory.mktemp("other") / "credentials", at=NOW, name="News Agency")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, credentials: Credentials) -> Callable[[str], Path]:
    return signed_forms(tmp_path_factory.mktemp("signed"), credentials)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and what it was asked for."""
    requests: list[str] = []

    class Counting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", requests
    server.shutdown()


def state(path: Path, credentials: Credentials) -> str:
    return verify(path, anchors=credentials.root, isolated=False).state


def built_upon(path: Path, folder: Path, credentials: Credentials) -> Signed:
    source = write_picture(folder / "source.png", 3)
    return sign(source, folder / f"upon_{path.name}.png", manifest(ingredient(path)), credentials, at=NOW)


# An ingredient and the same file by itself


def hidden(content: bytes) -> bytes:
    return content.replace(b"caBX", b"caBY", 1)


def changed(content: bytes) -> bytes:
    return content[:-30] + bytes([content[-30] ^ 1]) + content[-29:]


@pytest.mark.parametrize(
    ("name", "suffix", "made", "direct", "taken_in"),
    [
        ("hidden.png", ".png", hidden, "invalid", "broken"),
        ("hidden.bin", ".png", hidden, "invalid", "broken"),
        ("changed.bin", ".png", changed, "invalid", "broken"),
        ("changed.jpg", ".png", changed, "invalid", "broken"),
        ("intact.png", ".png", bytes, "trusted", "intact"),
        ("intact.jpe", ".jpg", bytes, "trusted", "intact"),
        ("intact.jfif", ".jpg", bytes, "trusted", "intact"),
        ("intact.jpg", ".png", bytes, "trusted", "intact"),
        ("intact", ".tif", bytes, "trusted", "intact"),
        ("intact.dat", ".mp4", bytes, "trusted", "intact"),
    ],
)
def test_an_ingredient_is_judged_as_the_file_by_itself(
    tmp_path: Path,
    signed: Callable[[str], Path],
    credentials: Credentials,
    name: str,
    suffix: str,
    made: Callable[[bytes], bytes],
    direct: str,
    taken_in: str,
) -> None:
    path = tmp_path / name
    path.write_bytes(made(signed(suffix).read_bytes()))
    assert state(path, credentials) == direct
    outer = built_upon(path, tmp_path, credentials)
    seen = verify(outer.path, anchors=credentials.root, isolated=False)
    assert [each.state for each in seen.ingredients] == [taken_in]
    assert seen.state == ("invalid" if taken_in == "broken" else "trusted")
    assert bool(outer.ingredient_faults) == (taken_in == "broken")


def test_a_source_under_another_forms_name_is_refused(tmp_path: Path, credentials: Credentials) -> None:
    shutil.copy(write_picture(tmp_path / "a.png"), tmp_path / "a.jpg")
    with pytest.raises(FalseworkError, match="and is image/png"):
        sign(tmp_path / "a.jpg", tmp_path / "b.jpg", manifest(), credentials, at=NOW)


def test_an_archive_is_not_what_is_in_it(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials
) -> None:
    path = tmp_path / "stills.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.write(signed(".png"), "still.png")
    seen = verify(path, isolated=False)
    assert (seen.state, len(seen.notes)) == ("unsigned", 1)
    assert "a file within it" in seen.notes[0]
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("META-INF/content_credential.c2pa", b"remains")
    assert state(path, credentials) == "invalid"


def test_an_ingredients_signer_whom_nobody_vouches_for_is_said_to_be_so(
    tmp_path: Path,
    credentials: Credentials,
    stranger: Credentials,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "root.pem").write_text(credentials.root)
    (tmp_path / "other.pem").write_text(stranger.root)
    inner = sign(write_picture(tmp_path / "a.png"), tmp_path / "inner.png", manifest(), stranger, at=NOW)
    middle = built_upon(inner.path, tmp_path, credentials)
    outer = built_upon(middle.path, tmp_path, credentials)
    trust = ["--trust", str(tmp_path / "root.pem")]
    assert cli.main(["verify", str(outer.path), *trust]) == 0
    rows = [row for row in capsys.readouterr().out.splitlines() if "componentOf" in row]
    assert "whom nobody here vouches for" not in rows[0]
    assert "signed by News Agency, whom nobody here vouches for" in rows[1]
    assert cli.main(["verify", str(outer.path), *trust, "--trust", str(tmp_path / "other.pem")]) == 0
    assert "whom nobody" not in capsys.readouterr().out
    # What the one who took it in says of trust does not count: here nobody is vouched for.
    (one,) = verify(outer.path, isolated=False).ingredients
    assert (one.trusted, one.ingredients[0].trusted) == (False, False)


# What a hash leaves out


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def index_of_fragments(junk: int) -> bytes:
    body = box(b"junk", random.Random(1).randbytes(junk)) if junk else b""
    return box(b"mfra", body + box(b"mfro", struct.pack(">II", 0, 8 + len(body) + 16)))


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_nothing_can_be_added_to_a_signed_movie(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials, suffix: str
) -> None:
    whole, path = signed(suffix).read_bytes(), tmp_path / f"copy{suffix}"
    first = next(top_boxes(signed(suffix)))
    assert first.kind == b"ftyp"
    junk = random.Random(2).randbytes(5000)
    added = {
        "nothing": whole,
        "second file type": whole + box(b"ftyp", junk),
        "small second file type": whole + box(b"ftyp", b"isom\0\0\0\0"),
        "file type in front": box(b"ftyp", b"isom\0\0\0\0") + whole,
        "second after the first": whole[: first.size] + box(b"ftyp", junk) + whole[first.size :],
        "larger file type": box(b"ftyp", whole[8 : first.size] + junk) + whole[first.size :],
        "index": whole + index_of_fragments(0),
        "index with junk": whole + index_of_fragments(5000),
        "unfinished box": whole + struct.pack(">I4s", 5000, b"ftyp"),
        "no box": whole + junk[:5],
        "free space": whole + box(b"free", junk),
        "unknown box": whole + box(b"uuid", junk),
    }
    for name, content in added.items():
        path.write_bytes(content)
        assert state(path, credentials) == ("trusted" if name == "nothing" else "invalid"), name


def test_an_index_of_fragments_is_a_note_where_there_are_fragments(tmp_path: Path) -> None:
    path, begin = tmp_path / "a.mp4", box(b"ftyp", b"iso5\0\0\0\0") + box(b"moov", bytes(40))
    fragment, table = box(b"moof", bytes(20)) + box(b"mdat", bytes(9)), box(b"tfra", bytes(16))
    size = box(b"mfro", struct.pack(">II", 0, 8 + len(table) + 16))
    for content, faults, notes in (
        (begin + fragment + box(b"mfra", table + size), 0, 1),
        (begin + box(b"mfra", table + size), 1, 0),
        (begin + fragment + box(b"mfra", table + box(b"junk", bytes(9)) + size), 1, 0),
        (begin + fragment + box(b"mfra", size), 1, 0),
    ):
        path.write_bytes(content)
        found = added_boxes(path)
        assert (len(found.faults), len(found.notes)) == (faults, notes)


@pytest.mark.parametrize("hashed", ["bmffHash", "dataHash", "boxesHash"])
def test_what_a_signer_leaves_out_beyond_the_standard_is_said(
    hashed: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = f"assertion.{hashed}.additionalExclusionsPresent"
    results: dict[str, Any] = {"success": [], "failure": [], "informational": [{"code": code}]}
    assert "unbound" in notes_of(results)[0]
    said: Any = {
        "found": "store",
        "state": "Valid",
        "words": "",
        "certificate": {},
        "bindings": {"c2pa.hash.data": {"exclusions": [{"start": 5, "length": 7}]}},
        "remains": "",
        "store": {
            "active_manifest": "a",
            "manifests": {"a": {}},
            "validation_results": {"activeManifest": results},
        },
    }
    seen = interpret(said, tmp_path)
    assert seen.beyond
    lines = io.StringIO()
    from falsework.cli.verify import _console, _tell

    _tell(_console(lines), seen, True)
    assert "7 bytes from byte 5: more than the standard leaves out" in lines.getvalue()
    results["informational"] = []
    assert not interpret(said, tmp_path).beyond


# Sequences


@pytest.mark.parametrize(
    "name",
    [
        "shot.1005.EXR",
        "Shot.1005.exr",
        "extra.exr",
        "shot.1003b.exr",
        "shot_1003.exr",
        "sub/shot.1003.exr",
        "shot.1004.left.exr",
        "shot.1003 copy.exr",
    ],
)
def test_a_frame_that_was_added_is_found_whatever_it_is_called(
    tmp_path: Path, credentials: Credentials, name: str
) -> None:
    write_sequence(tmp_path)
    sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)
    assert state(tmp_path, credentials) == "trusted"
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"added")
    seen = verify(tmp_path, anchors=credentials.root, isolated=False)
    assert [fault.words for fault in seen.faults] == [f"{name} is not of the sequence that was signed"]


def test_another_take_beside_a_sequence_is_a_note(tmp_path: Path, credentials: Credentials) -> None:
    write_sequence(tmp_path)
    sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)
    (tmp_path / "depth.1001.exr").write_bytes(b"")
    (tmp_path / "shot.txt").write_bytes(b"")
    seen = verify(tmp_path, anchors=credentials.root, isolated=False)
    assert (seen.state, len(seen.notes)) == ("trusted", 1)
    assert "depth.1001.exr" in seen.notes[0]


def test_a_frame_beside_a_damaged_sidecar_is_not_simply_unsigned(
    tmp_path: Path, credentials: Credentials, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_sequence(tmp_path)
    sidecar = sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW).path
    sidecar.write_bytes(bytes(100) + sidecar.read_bytes()[100:])
    seen = verify(files[0], isolated=False)
    assert (seen.state, seen.notes) == ("unsigned", ("a damaged sidecar lies beside it: shot.c2pa",))


# Names


ODD = ("a\x1b[2Jb.exr", "a\u202eb.exr", "a\u009bb.exr", "a\u200bb.exr", "a\u2028b.exr")


@pytest.mark.parametrize("name", ODD)
def test_a_list_holds_no_name_that_steers_a_terminal(tmp_path: Path, name: str) -> None:
    entry = {"name": name, "size": 1, "sha256": "a" * 64}
    assert parse_names({"algorithm": "sha256", "files": [entry]}) is None
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FalseworkError, match="Rename it"):
        list_files([tmp_path / name], tmp_path)


def test_no_file_name_steers_the_terminal(
    tmp_path: Path, credentials: Credentials, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "\x1b]0;owned\x07\u202egnp.exe\u009b31m"
    folder = tmp_path / f"f{odd}"
    write_sequence(folder)
    sign_sequence(folder, folder / "shot.c2pa", manifest(), credentials, at=NOW)
    (folder / f"shot.1009{odd}.exr").write_bytes(b"")
    write_picture(tmp_path / "a.png").rename(folder / f"b{odd}.png")
    for more in ([], ["--json"]):
        for path in (folder, folder / "shot.c2pa", folder / f"b{odd}.png", folder / "none\x1b.png"):
            cli.main(["verify", *more, str(path)])
            said = capsys.readouterr()
            assert not set(said.out + said.err) & set("\x1b\x07\u202e\u009b"), path
            assert said.out + said.err
    assert shown("a\x1b\U000e0001b\n") == "a\\u001b\\udb40\\udc01b\n"


# The network


def remote(path: Path, url: str, credentials: Credentials) -> Path:
    """A picture whose credentials are said to be on the network."""
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "digitalCapture"}
    builder = c2pa.Builder(
        {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]}, reading.context()
    )
    builder.set_remote_url(url)
    builder.set_no_embed()
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo("es256", credentials.chain.encode(), credentials.key(), None)
    )
    signed = io.BytesIO()
    source = write_picture(path.with_name("before.png"))
    builder.sign(signer, "image/png", io.BytesIO(source.read_bytes()), signed)
    path.write_bytes(signed.getvalue())
    return path


def test_credentials_on_the_network_are_told_of_and_not_fetched(
    tmp_path: Path,
    credentials: Credentials,
    asked: tuple[str, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, requests = asked
    path = remote(tmp_path / "a.png", f"{url}/a.c2pa", credentials)
    for isolated in (True, False):
        seen = verify(path, isolated=isolated)
        assert seen.state == "unsigned"
        assert "kept on the network" in seen.notes[0]
    outer = built_upon(path, tmp_path, credentials)
    (one,) = verify(outer.path, isolated=False).ingredients
    assert one.state == "remote"
    assert cli.main(["verify", str(outer.path)]) == 1
    assert "its credentials are kept on the network" in capsys.readouterr().out
    assert requests == []


# Limits


def test_trust_is_read_from_files_alone_and_not_without_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem")
    (tmp_path / "large.pem").write_bytes(bytes((1 << 20) + 1))
    for path, words in (
        (tmp_path / "pipe.pem", "is no file"),
        (Path("/dev/zero"), "is no file"),
        (tmp_path / "large.pem", "far too large"),
    ):
        begun = time.monotonic()
        with pytest.raises(FalseworkError, match=words):
            read_trust(path)
        assert time.monotonic() - begun < 10


def test_one_deadline_holds_for_all_that_a_check_reads(
    tmp_path: Path, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frame.exr").write_bytes(b"\x76\x2f\x31\x01")
    sidecar = sign_sequence(write_sequence(tmp_path), tmp_path / "a.c2pa", manifest(), credentials, at=NOW)
    for number in range(20):
        shutil.copy(sidecar.path, tmp_path / f"b{number}.c2pa")
    limits = reading.Limits(seconds=1.0)
    assert limits.begun(0).begun(0) == (begun := limits.begun(0)) or begun.until is not None
    read = []

    def slow(subject: reading.Subject, **given: Any) -> reading.Reading:
        read.append(subject)
        time.sleep(0.4)
        return whole(subject, **{**given, "isolated": False})

    whole = reading.read
    monkeypatch.setattr(reading, "read", slow)
    with pytest.raises(FalseworkError, match="could not be found in time"):
        verify(tmp_path / "frame.exr", limits=limits)
    assert len(read) < 10
    monkeypatch.undo()
    # Hashing what a sequence lists is within it, too, and has the time that its own size asks for.
    late = reading.Limits(until=0.0, bytes_a_second=1e12)
    with pytest.raises(FalseworkError, match="could not be read in the time that its size allows"):
        verify(sidecar.path, limits=late, isolated=False)
    (tmp_path / "frame.exr").unlink()
    assert verify(sidecar.path, isolated=False).state == "valid"
    assert late.lengthened(10**15).until == 1000.0
    assert reading.Limits(until=0.0).lengthened(10**15).until == late.longest
    assert reading.Limits().lengthened(10**15).until is None
    assert reading.Limits(until=0.0).for_size(10**12) == 0.0
    assert reading.Limits().for_size(10**15) == reading.Limits().longest


def test_an_answer_is_no_larger_than_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a reader writes goes into a file that cannot grow beyond the limit."""
    (tmp_path / "flood.py").write_text(
        "import json, sys\n"
        "from falsework.rights.reading import confine\n"
        "confine(1 << 32, json.load(sys.stdin.buffer)['answer_bytes'])\n"
        "while True: sys.stdout.write('x' * 65536)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(OverflowError):
        reading.answer_of("flood", {}, reading.Limits(answer_bytes=100_000), 30.0)


# Forms that cannot be read


@pytest.mark.parametrize(
    ("name", "code"),
    [("r.png", 2), ("r.jpg", 2), ("r.tif", 2), ("r.mp4", 2), ("r.mov", 2), ("r.bin", 4), ("r.exr", 4)],
)
def test_noise_is_unreadable_where_its_name_tells_a_form(
    tmp_path: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(random.Random(7).randbytes(5000))
    assert cli.main(["verify", str(tmp_path / name)]) == code


def test_a_sidecar_that_may_be_of_several_files_is_of_none(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "r.png")
    (tmp_path / "r.bin").write_bytes(b"other")
    (tmp_path / "r.c2pa").write_bytes(b"no sidecar")
    assert verify(picture, isolated=False).state == "invalid"  # named by the user
    with pytest.raises(FalseworkError, match="any of 2 files"):
        verify(tmp_path / "r.c2pa", isolated=False)


def test_a_list_of_other_files_is_no_movie(tmp_path: Path) -> None:
    write_picture(tmp_path / "other.mp4")
    for name in ("list.mp4", "list.mkv", "list.avi"):
        (tmp_path / name).write_text("ffconcat version 1.0\nfile other.mp4\n")
        with pytest.raises((OSError, ValueError)):
            frames_of(tmp_path / name)
    assert len(frames_of(tmp_path / "other.mp4")) == 4


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for an authority of its own")
def test_a_time_is_not_shown_as_if_somebody_known_had_stamped_it(
    tmp_path: Path, credentials: Credentials, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = Authority(tmp_path / "authority")
    path = tmp_path / "b.png"
    source = write_picture(tmp_path / "a.png")
    sign(source, path, manifest(), credentials, at=NOW, timestamp_url=authority.url)
    (tmp_path / "root.pem").write_text(credentials.root)
    (tmp_path / "both.pem").write_text(credentials.root + authority.root)
    words = "by an authority nobody here vouches for"
    assert cli.main(["verify", str(path), "--trust", str(tmp_path / "root.pem")]) == 0
    assert words in capsys.readouterr().out
    assert cli.main(["verify", str(path), "--trust", str(tmp_path / "both.pem")]) == 0
    assert words not in capsys.readouterr().out


def test_the_reading_process_cannot_be_made_to_ask_anyone(
    tmp_path: Path, credentials: Credentials, asked: tuple[str, list[str]]
) -> None:
    """The library is native, so no function of Python's is put in its way: a server counts who asks it."""
    url, requests = asked
    path = remote(tmp_path / "a.png", f"{url}/a.c2pa", credentials)
    # The server is there to be asked: with the library's own settings the same file makes it ask.
    script = (
        f"import c2pa\ntry: c2pa.Reader('image/png', open({str(path)!r}, 'rb'))\nexcept c2pa.C2paError: pass"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert requests == ["/a.c2pa"]
    assert reading.read(reading.Subject(path))["found"] == "remote"
    assert requests == ["/a.c2pa"]
