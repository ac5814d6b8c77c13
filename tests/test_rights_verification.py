"""Verifying files from anyone: trust, ingredients, sidecars, limits, and nothing hostile gets through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.cli import main as cli
from falsework.errors import FalseworkError
from falsework.rights import reading, verification
from falsework.rights.certificates import Credentials, make_test_chain
from falsework.rights.folder import verify_folder
from falsework.rights.manifest import SOURCE_TYPES
from falsework.rights.sequence import Listed, added_files, canonical_list, parse_names
from falsework.rights.signing import sign, sign_sequence
from falsework.rights.statements import plain
from falsework.rights.verification import Verification, interpret, verify
from signing_cases import NOW, ingredient, manifest, signed_forms, write_picture, write_sequence


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_test_chain(tmp_path_factory.mktemp("chain") / "credentials", at=NOW)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, credentials: Credentials) -> Callable[[str], Path]:
    return signed_forms(tmp_path_factory.mktemp("signed"), credentials)


def test_a_sequence_that_lost_gained_or_swapped_a_file_is_invalid(
    tmp_path: Path, credentials: Credentials
) -> None:
    files = write_sequence(tmp_path)
    sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)

    def faults() -> list[str]:
        seen = verify(tmp_path, anchors=credentials.root, isolated=False)
        assert seen.state == ("invalid" if seen.faults else "trusted")
        return [fault.words for fault in seen.faults]

    assert faults() == []
    content = files[1].read_bytes()
    files[1].unlink()
    assert faults() == ["shot.1002.exr is missing"]
    files[1].write_bytes(files[2].read_bytes())
    assert faults() == ["shot.1002.exr was changed after it was signed"]
    files[1].write_bytes(content)
    (tmp_path / "shot.1005.exr").write_bytes(content)
    assert faults() == ["shot.1005.exr is not of the sequence that was signed"]
    (tmp_path / "shot.1005.exr").unlink()
    (tmp_path / "notes.txt").write_text("others may lie here")
    assert faults() == []
    (tmp_path / "shot.sha256").write_text((tmp_path / "shot.sha256").read_text() + "\n")
    assert faults() == ["shot.sha256 is not the list that was signed"]
    (tmp_path / "shot.sha256").unlink()
    assert faults() == []


def test_an_ingredient_broken_when_it_was_taken_in_is_a_failure(
    tmp_path: Path, credentials: Credentials
) -> None:
    plate = sign(write_picture(tmp_path / "p.png"), tmp_path / "plate.png", manifest(), credentials, at=NOW)
    content = bytearray(plate.path.read_bytes())
    content[-30] ^= 1
    (tmp_path / "broken.png").write_bytes(content)
    begin = content.find(b"jumdc2pa") + 60
    content[begin : begin + 600] = bytes(600)
    (tmp_path / "unreadable.png").write_bytes(content)
    for name in ("broken.png", "unreadable.png"):
        inner = sign(
            write_picture(tmp_path / "a.png"),
            tmp_path / f"with_{name}",
            manifest(ingredient(tmp_path / name)),
            credentials,
            at=NOW,
        )
        assert len(inner.ingredient_faults) == 1
        # The library itself is content, and a delivery built upon that one must not be either.
        assert reading.read(reading.Subject(inner.path), isolated=False)["state"] == "Valid"
        outer = sign(
            write_picture(tmp_path / "b.mp4"),
            tmp_path / f"{name}.mp4",
            manifest(ingredient(inner.path)),
            credentials,
            at=NOW,
        )
        for path in (inner.path, outer.path):
            seen = verify(path, anchors=credentials.root, isolated=False)
            assert seen.state == "invalid"
            assert seen.exit_code == 3
            assert [fault.ingredient for fault in seen.faults] == [name]


def test_credentials_damaged_beyond_reading_are_not_taken_for_none(
    tmp_path: Path, signed: Callable[[str], Path]
) -> None:
    content = bytearray(signed(".png").read_bytes())
    at = content.find(b"caBX")
    content[at : at + 4] = b"caBY"
    (tmp_path / "hidden.png").write_bytes(content)
    assert verify(tmp_path / "hidden.png", isolated=False).state == "invalid"


def test_what_carries_nothing_is_unsigned(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.exr").write_bytes(b"\x76\x2f\x31\x01")
    for path in (write_picture(tmp_path / "a.png"), tmp_path / "a.txt", tmp_path / "b.exr", tmp_path):
        seen = verify(path, isolated=False)
        assert (seen.state, seen.exit_code) == ("unsigned", 4)


def test_a_sidecar_of_a_single_file_is_found_beside_it(
    tmp_path: Path, credentials: Credentials, signed: Callable[[str], Path]
) -> None:
    import io

    import c2pa

    path = write_picture(tmp_path / "shot.png")
    builder = c2pa.Builder(
        {
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {
                        "actions": [
                            {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "digitalCapture"}
                        ]
                    },
                }
            ]
        },
        reading.context(),
    )
    builder.set_no_embed()
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo("es256", credentials.chain.encode(), credentials.key(), None)
    )
    (tmp_path / "shot.c2pa").write_bytes(
        builder.sign(signer, "image/png", io.BytesIO(path.read_bytes()), io.BytesIO())
    )
    for subject in (path, tmp_path / "shot.c2pa"):
        seen = verify(subject, anchors=credentials.root, isolated=False)
        assert (seen.state, seen.sidecar) == ("trusted", str(tmp_path / "shot.c2pa"))
    (one,) = verify_folder(tmp_path, anchors=credentials.root, isolated=False).files
    assert (one.state, one.path) == ("trusted", str(path))
    write_picture(path, 4)
    assert verify(path, anchors=credentials.root, isolated=False).state == "invalid"
    path.unlink()
    with pytest.raises(FalseworkError, match="not beside it"):
        verify(tmp_path / "shot.c2pa", isolated=False)
    found = verify_folder(tmp_path, isolated=False)
    assert (found.files, found.exit_code, found.state) == ((), 2, None)
    assert "not beside it" in found.unreadable[0].why


def test_an_outside_file_is_read_within_limits(
    tmp_path: Path, signed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = signed(".png")
    for limits, words in (
        (reading.Limits(file_bytes=10), "larger than is read"),
        (reading.Limits(answer_bytes=10), "larger than is read"),
        (reading.Limits(seconds=0.01, bytes_a_second=1e12), "could not be read within"),
        (reading.Limits(memory=1 << 25), "more memory than is allowed"),
    ):
        with pytest.raises(FalseworkError, match=words):
            verify(path, limits=limits)
    shallow = verify(path, limits=reading.Limits(depth=0), isolated=False)
    assert [fault.code for fault in shallow.faults] == ["ingredient.depth"]
    narrow = verify(path, limits=reading.Limits(ingredients=0), isolated=False)
    assert [fault.code for fault in narrow.faults] == ["ingredient.number"]


def test_a_folder_of_someone_elses_code_is_not_run(
    tmp_path: Path, signed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c2pa.py").write_text("raise SystemExit('run')")
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert verify(signed(".png")).state == "valid"


def test_ingredients_in_a_circle_end() -> None:
    said: Any = {
        "found": "store",
        "state": "Trusted",
        "words": "",
        "certificate": {},
        "bindings": {},
        "store": {
            "active_manifest": "a",
            "manifests": {
                "a": {"ingredients": [{"title": "b", "active_manifest": "b"}] * 2},
                "b": {"ingredients": [{"title": "a", "active_manifest": "a"}] * 2},
            },
        },
    }
    seen = interpret(said, Path("a"))
    assert seen.state == "invalid"
    assert "ingredient.cycle" in {fault.code for fault in seen.faults}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    manifest=JSON, results=JSON, ingredients=JSON, label=st.sampled_from(["c2pa.actions.v2", "x"]), data=JSON
)
def test_whatever_a_manifest_holds_comes_to_an_outcome(
    manifest: object, results: object, ingredients: object, label: str, data: object
) -> None:
    said: Any = {
        "found": "store",
        "state": "Valid",
        "words": "",
        "certificate": {},
        "bindings": {},
        "store": {
            "active_manifest": "a",
            "manifests": {
                "a": {
                    "title": manifest,
                    "ingredients": ingredients,
                    "assertions": [{"label": label, "data": data}],
                }
            },
            "validation_results": {"activeManifest": results},
        },
    }
    assert interpret(said, Path("a")).state in ("valid", "invalid")


@given(st.text())
def test_text_from_outside_cannot_steer_a_terminal(text: str) -> None:
    shown = plain(text + "\x1b[2J\u202ereversed\u0007")
    assert not set(shown) & {"\x1b", "\u202e", "\u0007", "\n", "\r"}
    assert len(shown) <= 501


@given(st.lists(st.text(max_size=12), max_size=4), st.integers())
def test_a_list_of_files_never_leads_out_of_its_folder(names: list[str], size: int) -> None:
    data = {"algorithm": "sha256", "files": [{"name": n, "size": size, "sha256": "a" * 64} for n in names]}
    listed = parse_names(data)
    for each in listed or ():
        assert not each.name.startswith("/")
        assert ".." not in each.name.split("/")
    for bad in ("../a.exr", "/a.exr", "a/../../b.exr", "a\nb", "c:a", "", ".", "a//b"):
        assert (
            parse_names({"algorithm": "sha256", "files": [{"name": bad, "size": 1, "sha256": "a" * 64}]})
            is None
        )


def test_frames_of_another_take_are_no_strangers(tmp_path: Path) -> None:
    listed = (Listed("shot.1001.exr", 1, "a" * 64), Listed("exr/a.1.exr", 1, "b" * 64))
    (tmp_path / "exr").mkdir()
    for name in (
        "shot.1001.exr",
        "shot.1002.exr",
        "other.1001.exr",
        "shot.mov",
        "exr/a.2.exr",
        "exr/b.1.exr",
    ):
        (tmp_path / name).write_text("")
    added = added_files(listed, tmp_path)
    assert added.strangers == ("exr/a.2.exr", "shot.1002.exr")
    assert added.takes == ("exr/b.1.exr", "other.1001.exr")
    assert canonical_list(listed).decode().splitlines()[0] == f"{'a' * 64}  shot.1001.exr"


def test_the_command_ends_with_the_codes_it_promises(
    tmp_path: Path,
    signed: Callable[[str], Path],
    credentials: Credentials,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "root.pem"
    root.write_text(credentials.root)
    path = signed(".mp4")
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    (tmp_path / "changed.mp4").write_bytes(content)
    cases = [
        ([str(path), "--trust", str(root)], 0, "TRUSTED"),
        ([str(path)], 1, "VALID, NOT TRUSTED"),
        ([str(tmp_path / "changed.mp4"), "--trust", str(root)], 3, "the movie was changed"),
        ([str(write_picture(tmp_path / "a.png"))], 4, "UNSIGNED"),
        ([str(tmp_path / "none.mp4")], 2, "is not there"),
        ([str(path), "--trust", str(path)], 2, "holds no certificate"),
    ]
    for arguments, code, words in cases:
        assert cli.main(["verify", *arguments]) == code
        said = capsys.readouterr()
        assert words in said.out + said.err
        assert cli.main(["verify", "--json", *arguments]) == code
        answer = json.loads(capsys.readouterr().out)
        assert answer["exit_code"] == code
        assert answer["ok"] is (code < 2)


def test_a_fault_of_ours_never_reads_as_valid(
    signed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*given: object, **known: object) -> Verification:
        raise RuntimeError("boom")

    monkeypatch.setattr(verification, "verify", fail)
    assert cli.main(["verify", str(signed(".png"))]) == 2
    assert "treat it as unsigned" in capsys.readouterr().err


def test_a_fault_of_ours_is_no_better_with_debug(
    signed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*given: object, **known: object) -> Verification:
        raise RuntimeError("boom")

    monkeypatch.setattr(verification, "verify", fail)
    assert cli.main(["verify", "--debug", str(signed(".png"))]) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "boom" in said
    assert "treat it as unsigned" in said
    monkeypatch.setattr(verification, "verify", verify)
    monkeypatch.setattr("falsework.cli.verify._tell", fail)  # nor where only the words cannot be found
    assert cli.main(["verify", "--debug", str(signed(".png"))]) == 2
    monkeypatch.setattr("falsework.cli.verify._anchors", fail)
    assert cli.main(["verify", str(signed(".png"))]) == 2


def test_a_path_that_leads_nowhere_is_no_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    for path in ("x" * 300, str(tmp_path / "loop.png"), "a\0b", str(write_picture(tmp_path / "a.png") / "b")):
        assert cli.main(["verify", "--debug", path]) == 2
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert "fault of ours" not in said


def test_names_that_no_terminal_shows_change_no_exit_code(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials
) -> None:
    root = tmp_path / "root.pem"
    root.write_text(credentials.root)
    odd = tmp_path / os.fsdecode(b"caf\xe9-\xc3\xa9.png")
    try:
        odd.write_bytes(signed(".png").read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    for more in ([], ["--json"], ["--debug"]):
        done = subprocess.run(
            [sys.executable, "-m", "falsework", "verify", *more, odd, "--trust", root],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"caf" in done.stdout


def test_a_reader_that_has_gone_changes_no_exit_code(signed: Callable[[str], Path]) -> None:
    command = f"{sys.executable} -m falsework verify --json {signed('.png')}; echo $? >&2"
    done = subprocess.run(["sh", "-c", f"({command}) | true"], capture_output=True, check=False)
    assert done.stderr == b"1\n"


def test_every_file_of_a_folder_has_its_verdict_and_the_worst_counts(
    tmp_path: Path,
    signed: Callable[[str], Path],
    credentials: Credentials,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "root.pem"
    root.write_text(credentials.root)
    box = tmp_path / "box"
    (box / "stills").mkdir(parents=True)
    (box / "exr").mkdir()
    (box / "plate").mkdir()
    write_sequence(box / "exr")
    sign_sequence(box / "exr", box / "exr" / "shot.c2pa", manifest(), credentials, at=NOW)
    (box / "shot.mp4").write_bytes(signed(".mp4").read_bytes())
    (box / "stills" / "a.png").write_bytes(signed(".png").read_bytes())
    (box / "credits.txt").write_text("Photo: A")
    (box / "plate" / "clean.exr").write_bytes(b"no place for a manifest")

    def run(*more: str) -> tuple[int, dict[str, str], str]:
        code = cli.main(["verify", "--json", str(box), *more])
        answer = json.loads(capsys.readouterr().out)
        assert answer["exit_code"] == code
        states = {str(Path(one["path"]).relative_to(box)): one["state"] for one in answer["files"]}
        assert cli.main(["verify", str(box), *more]) == code
        return code, states, capsys.readouterr().out

    trust = "--trust", str(root)
    fine = {"exr/shot.c2pa": "trusted", "shot.mp4": "trusted", "stills/a.png": "trusted"}
    code, states, words = run(*trust)
    assert (code, states) == (0, fine)
    assert "credits.txt, plate/clean.exr" in words
    assert run()[0] == 1
    write_picture(box / "stills" / "b.png")
    code, states, words = run(*trust)
    assert (code, states) == (4, fine | {"stills/b.png": "unsigned"})
    assert "UNSIGNED   stills/b.png" in words
    (box / "stills" / "c.png").write_bytes(b"")
    code, _, words = run(*trust)
    assert code == 2
    assert "UNREADABLE stills/c.png" in words
    content = bytearray((box / "shot.mp4").read_bytes())
    content[-20] ^= 1
    (box / "shot.mp4").write_bytes(content)
    code, states, words = run(*trust)
    assert (code, states["shot.mp4"], states["exr/shot.c2pa"]) == (3, "invalid", "trusted")
    assert "the movie was changed" in words
    assert cli.main(["verify", "--mark", str(box)]) == 2
    assert cli.main(["verify", "--quiet", str(tmp_path / "box" / "plate")]) == 4


def test_frames_removed_added_and_renamed_are_named(tmp_path: Path, credentials: Credentials) -> None:
    files = write_sequence(tmp_path)
    sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)

    def seen() -> tuple[int, set[str], set[str]]:
        """Exit code, words of faults, names of unsigned files."""
        found = verify_folder(tmp_path, anchors=credentials.root, isolated=False)
        faults = {fault.words for one in found.files for fault in one.faults}
        return (
            found.exit_code,
            faults,
            {Path(one.path).name for one in found.files if one.state == "unsigned"},
        )

    assert seen() == (0, set(), set())
    content = files[1].read_bytes()
    files[1].unlink()
    assert seen() == (3, {"shot.1002.exr is missing"}, set())
    (tmp_path / "keep.exr").write_bytes(content)
    renamed = {"shot.1002.exr is missing", "keep.exr is shot.1002.exr under another name"}
    assert seen() == (3, renamed, {"keep.exr"})
    (tmp_path / "keep.exr").rename(files[1])
    (tmp_path / "shot.1009.exr").write_bytes(content)
    added = {"shot.1009.exr is not of the sequence that was signed"}
    assert seen() == (3, added, {"shot.1009.exr"})
    (tmp_path / "shot.1009.exr").rename(tmp_path / "extra.exr")
    extra = {"extra.exr is not of the sequence that was signed"}
    assert seen() == (3, extra, {"extra.exr"})  # whatever its name, a program that reads the folder takes it


def test_links_in_a_folder_are_not_followed(tmp_path: Path, signed: Callable[[str], Path]) -> None:
    (tmp_path / "b.png").symlink_to(signed(".png"))
    (tmp_path / "deeper").symlink_to(signed(".png").parent)
    found = verify_folder(tmp_path, isolated=False)
    assert (found.files, found.exit_code, found.state) == ((), 4, "unsigned")


def test_a_production_brings_its_own_trust(
    tmp_path: Path,
    signed: Callable[[str], Path],
    credentials: Credentials,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "root.pem").write_text(credentials.root)
    (tmp_path / "production.toml").write_text('name = "demo"\n[credentials]\ntrust = "root.pem"\n')
    assert cli.main(["verify", str(signed(".png")), "--production", str(tmp_path / "production.toml")]) == 0
    assert cli.main(["verify", str(signed(".png")), "--production", str(tmp_path)]) == 0
