"""Signing: what a manifest says, what it refuses, and what it never lets out."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from falsework.errors import FalseworkError
from falsework.rights import reading
from falsework.rights.certificates import USAGES, Credentials, load_credentials, make_test_chain
from falsework.rights.manifest import Action, AiSystem, Ingredient, definition
from falsework.rights.signing import sign, sign_sequence
from falsework.rights.verification import verify
from signing_cases import (
    NOW,
    SUFFIXES,
    Authority,
    ingredient,
    issue,
    manifest,
    write_chain,
    write_picture,
    write_sequence,
)

NET = AiSystem("dustnet", "3.1", "sha256:" + "cc" * 32, "human_validated")
MODEL = Ingredient("dustnet.safetensors", "cc" * 32, "inputTo", "model")


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_test_chain(tmp_path_factory.mktemp("chain") / "credentials", at=NOW)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_signed_reads_trusted_and_says_what_was_given(
    tmp_path: Path, credentials: Credentials, suffix: str
) -> None:
    source = write_picture(tmp_path / f"shot{suffix}")
    before = source.read_bytes()
    given = manifest(
        ingredient(write_picture(tmp_path / "plate.png", 5)),
        MODEL,
        ai_systems=(NET,),
        actions=(Action("c2pa.adjustedColor", description="graded"),),
        credits=("Street by Ana Ruiz, CC BY-SA 4.0",),
        licence="CC-BY-SA-4.0",
        watermark=bytes(range(6)),
    )
    signed = sign(source, tmp_path / "out" / f"shot{suffix}", given, credentials, at=NOW)
    assert source.read_bytes() == before
    seen = verify(signed.path, anchors=credentials.root, isolated=False)
    assert (seen.state, seen.faults, seen.manifest) == ("trusted", (), signed.manifest)
    assert verify(signed.path, isolated=False).state == "valid"
    assert seen.signer is not None
    assert seen.signer.test
    said = seen.statements
    assert said.title == "corner_010"
    assert [each.action for each in said.actions] == [
        "c2pa.created", "c2pa.placed", "c2pa.edited", "c2pa.watermarked.bound", "c2pa.adjustedColor",
    ]  # fmt: skip
    assert said.actions[1].ingredients == ("plate.png",)
    assert said.actions[2].agent == "dustnet 3.1"
    assert said.source_types == ("compositeWithTrainedAlgorithmicMedia",)
    assert said.ai == ("dustnet 3.1",)
    assert len(said.mining) == 4
    assert {terms for _, terms in said.mining} == {"notAllowed"}
    assert said.credits == given.credits
    assert said.licence == given.licence
    assert (seen.ledger_root, seen.ledger_size, seen.cut) == ("ab" * 32, 12, "1c" * 32)
    assert seen.watermark == "000102030405"
    assert [(each.title, each.state) for each in seen.ingredients] == [
        ("plate.png", "unsigned"),
        ("dustnet.safetensors", "unsigned"),
    ]


def test_no_thumbnail_is_embedded(tmp_path: Path, credentials: Credentials) -> None:
    plate = write_picture(tmp_path / "plate.jpg", 3)
    signed = sign(
        write_picture(tmp_path / "a.png"),
        tmp_path / "b.png",
        manifest(ingredient(plate)),
        credentials,
        at=NOW,
    )
    content = signed.path.read_bytes()
    assert b"thumbnail" not in content
    assert signed.path.stat().st_size - (tmp_path / "a.png").stat().st_size < 25_000


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "algorithmicMedia"),
        ({"ingredients": (Ingredient("plate", "aa" * 32),)}, "compositeSynthetic"),
        ({"ingredients": (MODEL,)}, "algorithmicMedia"),
        ({"ai_systems": (NET,)}, "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_the_source_type_follows_from_what_was_used(known: dict, expected: str) -> None:
    assert replace(manifest(), **known).source_type.rpartition("/")[2] == expected


def test_a_version_of_one_parent_is_opened_not_created(tmp_path: Path, credentials: Credentials) -> None:
    parent = ingredient(write_picture(tmp_path / "take.png", 2), relationship="parentOf", role="take")
    signed = sign(
        write_picture(tmp_path / "a.png"), tmp_path / "b.png", manifest(parent), credentials, at=NOW
    )
    said = verify(signed.path, isolated=False).statements
    assert [each.action for each in said.actions] == ["c2pa.opened", "c2pa.edited"]
    assert said.actions[0].ingredients == ("take.png",)
    with pytest.raises(FalseworkError, match="more than one parent"):
        sign(
            tmp_path / "a.png",
            tmp_path / "c.png",
            manifest(parent, replace(parent, sha256="dd" * 32, path=None)),
            credentials,
            at=NOW,
        )


def test_an_ingredient_keeps_its_own_credentials(tmp_path: Path, credentials: Credentials) -> None:
    stone = ingredient(write_picture(tmp_path / "stone.jpg", 9), role="texture")
    plate = sign(
        write_picture(tmp_path / "p.png"), tmp_path / "plate.png", manifest(stone), credentials, at=NOW
    )
    signed = sign(
        write_picture(tmp_path / "a.mp4"),
        tmp_path / "b.mp4",
        manifest(ingredient(plate.path)),
        credentials,
        at=NOW,
    )
    assert signed.ingredient_faults == ()
    (outer,) = verify(signed.path, isolated=False).ingredients
    assert (outer.title, outer.state, outer.signer) == ("plate.png", "intact", "falsework TEST signer")
    assert [(each.title, each.state) for each in outer.ingredients] == [("stone.jpg", "unsigned")]


def test_an_ingredient_whose_hash_no_longer_matches_is_refused(
    tmp_path: Path, credentials: Credentials
) -> None:
    plate = ingredient(write_picture(tmp_path / "plate.png", 2))
    write_picture(tmp_path / "plate.png", 3)
    with pytest.raises(FalseworkError, match="digest has changed"):
        sign(write_picture(tmp_path / "a.png"), tmp_path / "b.png", manifest(plate), credentials, at=NOW)
    assert not (tmp_path / "b.png").exists()


def test_a_file_named_twice_is_one_ingredient(tmp_path: Path, credentials: Credentials) -> None:
    stone = ingredient(write_picture(tmp_path / "stone.jpg", 2), role="texture")
    given = manifest(replace(stone, relationship="inputTo"), MODEL, stone, stone)
    signed = sign(write_picture(tmp_path / "a.png"), tmp_path / "b.png", given, credentials, at=NOW)
    seen = verify(signed.path, anchors=credentials.root, isolated=False)
    assert [(each.title, each.relationship) for each in seen.ingredients] == [
        ("stone.jpg", "componentOf"),
        ("dustnet.safetensors", "inputTo"),
    ]


def test_what_is_signed_already_or_cannot_be_signed_is_refused(
    tmp_path: Path, credentials: Credentials
) -> None:
    source = write_picture(tmp_path / "a.png")
    signed = sign(source, tmp_path / "b.png", manifest(), credentials, at=NOW)
    (tmp_path / "a.exr").write_bytes(b"\x76\x2f\x31\x01")
    (tmp_path / "half.png").write_bytes(b"not a picture")
    cases = [
        (signed.path, "c.png", "signed already"),
        (tmp_path / "a.exr", "c.exr", "cannot carry"),
        (tmp_path / "none.png", "c.png", "is not there"),
        (tmp_path / "half.png", "c.png", "cannot be read as PNG"),
        (source, "c.jpg", "keeps its suffix"),
    ]
    for path, name, words in cases:
        with pytest.raises(FalseworkError, match=words):
            sign(path, tmp_path / name, manifest(), credentials, at=NOW)
        assert not (tmp_path / name).exists()


def test_expired_credentials_sign_nothing(tmp_path: Path) -> None:
    root = issue("root", authority=True)
    signer = issue("mara", root, starts=NOW - timedelta(days=20), ends=NOW - timedelta(days=3))
    expired = load_credentials(write_chain(tmp_path / "c", signer, root[0]))
    with pytest.raises(FalseworkError, match="expired on"):
        sign(write_picture(tmp_path / "a.png"), tmp_path / "b.png", manifest(), expired, at=NOW)
    with pytest.raises(FalseworkError, match="expired on"):
        sign_sequence(
            write_sequence(tmp_path / "exr"), tmp_path / "exr" / "a.c2pa", manifest(), expired, at=NOW
        )
    assert not (tmp_path / "b.png").exists()
    assert not (tmp_path / "exr" / "a.c2pa").exists()


@pytest.mark.parametrize("usage", USAGES, ids=lambda usage: usage.dotted_string)
def test_every_usage_the_standard_allows_signs(tmp_path: Path, usage: x509.ObjectIdentifier) -> None:
    root = issue("root", authority=True)
    mara = load_credentials(write_chain(tmp_path / "c", issue("mara", root, purposes=(usage,)), root[0]))
    signed = sign(write_picture(tmp_path / "a.png"), tmp_path / "b.png", manifest(), mara, at=NOW)
    assert verify(signed.path, anchors=mara.root, isolated=False).state == "trusted"
    seen = verify(signed.path, isolated=False)
    assert seen.state == "valid"
    assert seen.signer is not None
    assert (seen.signer.name, seen.signer.test) == ("mara", False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for an authority of its own")
def test_only_a_time_stamp_outlives_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    root = issue("root", authority=True)
    begun = datetime.now(UTC)
    brief = load_credentials(
        write_chain(tmp_path / "c", issue("mara", root, ends=begun + timedelta(seconds=4)), root[0])
    )
    source = write_picture(tmp_path / "a.png")
    plain = sign(source, tmp_path / "plain.png", manifest(), brief, at=begun)
    stamped = sign(source, tmp_path / "stamped.png", manifest(), brief, at=begun, timestamp_url=authority.url)
    anchors = brief.root + authority.root
    assert verify(plain.path, anchors=anchors, isolated=False).state == "trusted"
    while datetime.now(UTC) <= brief.ends + timedelta(seconds=1):
        time.sleep(0.2)
    late = verify(plain.path, anchors=anchors, isolated=False)
    assert late.state == "invalid"
    assert [fault.words for fault in late.faults if "has expired" in fault.words]
    assert verify(stamped.path, anchors=anchors, isolated=False).state == "trusted"
    assert verify(stamped.path, anchors=brief.root, isolated=False).state == "invalid"


def test_the_sequence_is_listed_for_other_tools_too(tmp_path: Path, credentials: Credentials) -> None:
    files = write_sequence(tmp_path / "exr")
    sidecar = tmp_path / "exr" / "shot.c2pa"
    signed = sign_sequence(tmp_path / "exr", sidecar, manifest(), credentials, at=NOW)
    assert signed.path == sidecar
    for subject in (tmp_path / "exr", sidecar):
        seen = verify(subject, anchors=credentials.root, isolated=False)
        assert (seen.state, seen.files_checked, seen.files_listed) == ("trusted", 4, 4)
    one = verify(files[2], anchors=credentials.root, isolated=False)
    assert (one.state, one.files_checked) == ("trusted", 1)
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "shot.sha256"], cwd=sidecar.parent, check=True)
    # The manifest is over that very list, for any C2PA reader.
    said = reading.read(
        reading.Subject(sidecar.with_suffix(".sha256"), sidecar), anchors=credentials.root, isolated=False
    )
    assert said["state"] == "Trusted"


def test_a_sequence_lies_beside_or_below_its_sidecar(tmp_path: Path, credentials: Credentials) -> None:
    files = write_sequence(tmp_path / "exr")
    sign_sequence(files, tmp_path / "shot.c2pa", manifest(), credentials, at=NOW)
    assert verify(tmp_path, anchors=credentials.root, isolated=False).state == "trusted"
    assert verify(files[0], anchors=credentials.root, isolated=False).state == "trusted"
    (tmp_path / "other").mkdir()
    for where, words in ((tmp_path / "other" / "s.c2pa", "outside"), (tmp_path / "s.exr", "ends in .c2pa")):
        with pytest.raises(FalseworkError, match=words):
            sign_sequence(files, where, manifest(), credentials, at=NOW)
    with pytest.raises(FalseworkError, match="no EXR files"):
        sign_sequence(tmp_path / "other", tmp_path / "other" / "s.c2pa", manifest(), credentials, at=NOW)


def test_an_authority_that_does_not_answer_fails_with_a_sentence(
    tmp_path: Path, credentials: Credentials
) -> None:
    source = write_picture(tmp_path / "a.png")
    with socket.socket() as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        closed.bind(("127.0.0.1", 0))
        port, shut = silent.getsockname()[1], closed.getsockname()[1]
        for url, words in (
            (f"http://127.0.0.1:{port}/", "did not answer within 1 seconds"),
            (f"http://127.0.0.1:{shut}/", "connection refused"),
            ("http://nobody.invalid/", "gave no time-stamp"),
            ("file:///etc/passwd", "begins with http"),
            ("http://user:secret@127.0.0.1/", "begins with http"),
        ):
            begun = time.monotonic()
            with pytest.raises(FalseworkError, match=words) as refused:
                sign(
                    source,
                    tmp_path / "b.png",
                    manifest(),
                    credentials,
                    at=NOW,
                    timestamp_url=url,
                    timestamp_seconds=1,
                )
            assert time.monotonic() - begun < 30
            assert "secret" not in refused.value.sentence()
            assert not (tmp_path / "b.png").exists()
    assert sign(source, tmp_path / "b.png", manifest(), credentials, at=NOW).timestamped is False


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for an authority of its own")
def test_a_time_stamp_goes_into_the_file(
    tmp_path: Path, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # the relay is asked directly all the same
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    authority = Authority(tmp_path / "authority")
    signed = sign(
        write_picture(tmp_path / "a.png"),
        tmp_path / "b.png",
        manifest(),
        credentials,
        at=NOW,
        timestamp_url=authority.url,
    )
    assert signed.timestamped
    seen = verify(signed.path, anchors=credentials.root + authority.root, isolated=False)
    assert seen.state == "trusted"
    assert seen.signed_at.startswith(NOW.strftime("%Y-%m-"))


def test_keys_enter_no_file_no_record_and_no_error(
    tmp_path: Path, credentials: Credentials, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = credentials.key().decode().splitlines()[1:-1]
    signed = sign(write_picture(tmp_path / "a.png"), tmp_path / "b.png", manifest(), credentials, at=NOW)
    write_sequence(tmp_path / "exr")
    sidecar = sign_sequence(tmp_path / "exr", tmp_path / "exr" / "a.c2pa", manifest(), credentials, at=NOW)
    told = repr(credentials) + repr(signed) + repr(sidecar)
    told += json.dumps(verify(signed.path, isolated=False).to_json())
    broken = replace(credentials, chain="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(FalseworkError) as refused:
        sign(tmp_path / "a.png", tmp_path / "c.png", manifest(), broken, at=NOW)
    told += refused.value.sentence() + repr(refused.value.__cause__)
    with pytest.raises(FalseworkError) as refused:
        sign(
            tmp_path / "a.png",
            tmp_path / "c.png",
            manifest(),
            credentials,
            at=NOW,
            timestamp_url="http://127.0.0.1:9/",
            timestamp_seconds=1,
        )
    told += refused.value.sentence()
    out, err = capfd.readouterr()
    told += out + err
    written = b"".join(
        path.read_bytes() for path in (signed.path, sidecar.path, sidecar.path.with_suffix(".sha256"))
    )
    for line in lines:
        assert line not in told
        assert line.encode() not in written


def test_an_action_is_dated_only_by_what_is_known_and_what_is_published_is_marked() -> None:
    def actions(**known: object) -> list[dict[str, object]]:
        published = Action("c2pa.published", when=NOW)
        given = manifest(
            Ingredient("plate", "aa" * 32), MODEL, actions=(published,), watermark=bytes(6), **known
        )
        return definition(given)["assertions"][0]["data"]["actions"]

    silent = actions(ai_systems=(NET,))
    assert [each["action"] for each in silent] == [
        "c2pa.created", "c2pa.placed", "c2pa.edited", "c2pa.watermarked.bound", "c2pa.published",
    ]  # fmt: skip
    assert [each["action"] for each in silent if "when" in each] == ["c2pa.published"]
    made, worked = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 2, 3, 7, tzinfo=UTC)
    told = actions(made=made, ai_systems=(replace(NET, when=worked),))
    assert [each.get("when", "")[:10] for each in told] == [
        "2026-03-01", "2026-03-01", "2026-02-03", "", NOW.strftime("%Y-%m-%d"),
    ]  # fmt: skip


def test_a_manifest_is_the_same_for_the_same_facts() -> None:
    given = manifest(Ingredient("plate", "aa" * 32, credit="me", licence="CC0-1.0"), ai_systems=(NET,))
    assert definition(given) == definition(given)
    allowed = replace(given, mining_allowed=True)
    assert '"notAllowed"' not in json.dumps(definition(allowed))
