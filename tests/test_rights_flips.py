"""Every changed byte of a signed file shows, but for those the standard leaves out, which say nothing."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights import reading
from falsework.rights.certificates import Credentials, make_test_chain
from falsework.rights.signing import sign_sequence
from falsework.rights.verification import verify
from signing_cases import NOW, manifest, signed_forms, write_sequence

FORMS = (".png", ".tif", ".jpg", ".mp4", ".mov")
FEW, MANY = 50, 1000


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_test_chain(tmp_path_factory.mktemp("chain") / "credentials", at=NOW)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, credentials: Credentials) -> Callable[[str], Path]:
    return signed_forms(tmp_path_factory.mktemp("signed"), credentials)


def outcome(path: Path, anchors: str) -> str:
    """The state, or "unreadable" where the file's own form is destroyed."""
    try:
        return verify(path, anchors=anchors, isolated=False).state
    except FalseworkError:
        return "unreadable"


def excluded(path: Path) -> list[tuple[str, int, int]]:
    """(why, start, end) of the bytes that the standard leaves out of the hash.

    Of pictures as the signed manifest lists them; of movies found here anew by walking the boxes: the file
    type, and the box of the credentials themselves.
    """
    if path.suffix not in (".mp4", ".mov"):
        ranges = reading.read(reading.Subject(path), isolated=False)["bindings"]["c2pa.hash.data"][
            "exclusions"
        ]
        return [("credentials", each["start"], each["start"] + each["length"]) for each in ranges]
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size == 1:
            size = struct.unpack_from(">Q", content, at + 8)[0]
        assert size >= 8
        if kind == b"ftyp":
            found.append(("file type", at, at + size))
        elif kind == b"uuid" and content[at + 8 : at + 12] == b"\xd8\xfe\xc3\xd6":
            found.append(("credentials", at, at + size))
        at += size
    return found


def flip(path: Path, original: bytes, position: int, bit: int) -> None:
    changed = bytearray(original)
    changed[position] ^= 1 << bit
    path.write_bytes(changed)


def flips_missed(path: Path, copy: Path, anchors: str, number: int) -> list[int]:
    """Positions of payload bytes whose flipping goes unnoticed, of `number` at random."""
    chance = random.Random(f"{path.name} {number}")
    original, left_out = path.read_bytes(), excluded(path)
    payload = [
        position
        for position in range(len(original))
        if not any(start <= position < end for _, start, end in left_out)
    ]
    missed = []
    for position in (chance.choice(payload) for _ in range(number)):
        flip(copy, original, position, chance.randrange(8))
        if outcome(copy, anchors) not in ("invalid", "unreadable"):
            missed.append(position)
    return missed


def sequence_flips_missed(folder: Path, anchors: str, number: int) -> list[tuple[str, int]]:
    chance = random.Random(number)
    files = [*sorted(folder.glob("*.exr")), *folder.glob("*.sha256")]
    missed = []
    for _ in range(number):
        path = chance.choice(files)
        original = path.read_bytes()
        position = chance.randrange(len(original))
        flip(path, original, position, chance.randrange(8))
        if outcome(folder, anchors) != "invalid":
            missed.append((path.name, position))
        path.write_bytes(original)
    assert outcome(folder, anchors) == "trusted"
    return missed


@pytest.mark.parametrize("suffix", FORMS)
def test_no_flipped_byte_goes_unnoticed(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials, suffix: str
) -> None:
    path = signed(suffix)
    assert outcome(path, credentials.root) == "trusted"
    assert flips_missed(path, tmp_path / f"copy{suffix}", credentials.root, FEW) == []


@pytest.mark.parametrize("suffix", FORMS)
def test_no_flip_where_a_file_begins_goes_unnoticed(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials, suffix: str
) -> None:
    """The bytes that say what form a file is of, and where its parts lie."""
    path, copy = signed(suffix), tmp_path / f"copy{suffix}"
    original, left_out = path.read_bytes(), excluded(path)
    for position in range(60):
        if not any(start <= position < end for _, start, end in left_out):
            flip(copy, original, position, position % 8)
            assert outcome(copy, credentials.root) in ("invalid", "unreadable"), position


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMS)
def test_none_of_a_thousand_flipped_bytes_goes_unnoticed(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials, suffix: str
) -> None:
    assert flips_missed(signed(suffix), tmp_path / f"copy{suffix}", credentials.root, MANY) == []


def test_no_flipped_byte_of_a_sequence_goes_unnoticed(tmp_path: Path, credentials: Credentials) -> None:
    write_sequence(tmp_path)
    sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)
    assert sequence_flips_missed(tmp_path, credentials.root, FEW) == []


@pytest.mark.slow
def test_none_of_a_thousand_flipped_bytes_of_a_sequence_goes_unnoticed(
    tmp_path: Path, credentials: Credentials
) -> None:
    write_sequence(tmp_path)
    sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)
    assert sequence_flips_missed(tmp_path, credentials.root, MANY) == []


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".mp4"])
def test_a_flip_in_the_credentials_shows_or_changes_nothing_they_say(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials, suffix: str
) -> None:
    """The bytes the standard leaves out: what can be changed there unnoticed is padding, and says nothing."""
    path, copy = signed(suffix), tmp_path / f"copy{suffix}"
    original, chance = path.read_bytes(), random.Random(suffix)
    before = verify(path, anchors=credentials.root, isolated=False)
    unnoticed = 0
    for why, start, end in excluded(path):
        for _ in range(FEW if why == "credentials" else 8):
            position = chance.randrange(start, end)
            flip(copy, original, position, chance.randrange(8))
            try:
                after = verify(copy, anchors=credentials.root, isolated=False)
            except FalseworkError:
                continue
            if after.state in ("trusted", "valid"):
                unnoticed += 1
                assert {**after.to_json(), "path": ""} == {**before.to_json(), "path": ""}
    assert unnoticed < 2 * FEW


def test_a_flip_in_a_sidecar_shows_or_changes_nothing_it_says(
    tmp_path: Path, credentials: Credentials
) -> None:
    write_sequence(tmp_path)
    sidecar = sign_sequence(tmp_path, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW).path
    original, chance = sidecar.read_bytes(), random.Random(5)
    before = verify(tmp_path, anchors=credentials.root, isolated=False)
    for _ in range(2 * FEW):
        flip(sidecar, original, chance.randrange(len(original)), chance.randrange(8))
        after = verify(tmp_path, anchors=credentials.root, isolated=False)
        assert after.state == "invalid" or after == before


def test_the_file_type_of_a_movie_is_left_out_by_the_standard(
    tmp_path: Path, signed: Callable[[str], Path], credentials: Credentials
) -> None:
    path, copy = signed(".mp4"), tmp_path / "copy.mp4"
    ((_, start, end),) = [each for each in excluded(path) if each[0] == "file type"]
    original = path.read_bytes()
    for position in range(start + 8, end):
        flip(copy, original, position, 0)
        assert outcome(copy, credentials.root) == "trusted"
    assert "box /ftyp" in verify(path, isolated=False).unbound
