"""Time-stamps beside a ledger: what a token is worth, and what the clearance report says of a forged one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from falsework.errors import FalseworkError
from falsework.rights.anchors import Anchor, add_anchor
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.reporting import PAGE, VALUES, write_reports
from rights_cases import AT
from test_rights_timestamp import Authority, an_authority, send, served
from test_shots_clearing import PRODUCTION, delivered, shot_in

timestamp = pytest.importorskip(
    "falsework.rights.timestamp", reason="rfc3161-client (extra `rights`) is not installed"
)
seals = pytest.importorskip("falsework.rights.seals")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return an_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def forger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority by the same names that anybody may set up."""
    return an_authority(tmp_path_factory.mktemp("forger"))


def sealed(anchor: Anchor, authority: Authority) -> Anchor:
    with served(lambda handler, query: send(handler, authority.reply(query))) as url:
        return replace(anchor, token=timestamp.request_stamp(anchor.statement(), url))


def flipped(token: bytes) -> bytes:
    """With another bit in the signature, which lies at the end."""
    return token[:-3] + bytes([token[-3] ^ 1]) + token[-2:]


def test_a_token_counts_only_for_its_own_root_and_by_a_known_authority(
    authority: Authority, forger: Authority
) -> None:
    one, other = Anchor(3, b"\1" * 32, AT), Anchor(4, b"\2" * 32, AT)
    good = sealed(one, authority)
    assert [seal.size for seal in seals.seals_of([good, other], authority.roots).held] == [3]
    forged = {
        "by somebody else": sealed(one, forger),
        "of another root": replace(other, token=good.token),
        "changed": replace(one, token=flipped(good.token)),
        "no token": replace(one, token=b"sealed, honestly"),
    }
    for name, anchor in forged.items():
        found = seals.seals_of([anchor], authority.roots)
        assert (found.held, found.unchecked, len(found.faults)) == ((), 0, 1), name
    # Without certificates nobody can tell the forger from the authority, and nobody is said to have sealed.
    assert seals.seals_of([good, forged["by somebody else"]]).unchecked == 2
    for name in ("of another root", "no token"):
        found = seals.seals_of([forged[name]])
        assert (found.held, found.unchecked, len(found.faults)) == ((), 0, 1), name


def test_a_file_that_holds_no_certificates_is_said_to_be_one(authority: Authority) -> None:
    good = sealed(Anchor(3, b"\1" * 32, AT), authority)
    with pytest.raises(FalseworkError, match="do not read as PEM"):
        seals.seals_of([good], b"-----")


def reported(path: Path) -> tuple[dict[str, Any], str, str]:
    """Of the report: what it saw of the ledger, what it leaves open, and the page."""
    files = {one.name: one for one in write_reports(desk_of(path), at=AT)}
    values = json.loads(files[VALUES].read_text())
    return values["ledger"], " ".join(values["not_established"]), files[PAGE].read_text()


def shot_with_roots(folder: Path, authority: Authority | None) -> Path:
    named = f'\n[timestamp]\nroots = "{"tsa.pem" if authority else ""}"\n'
    path = shot_in(folder, PRODUCTION + named)
    if authority is not None:
        (folder / "tsa.pem").write_bytes(authority.roots)
    return path


def anchored(path: Path, authority: Authority, **wrong: Any) -> None:
    """An anchor beside the shot's ledger with a token of that authority; `wrong` goes into the anchor."""
    with desk_of(path).open_ledger() as ledger:
        anchor = Anchor(ledger.size, ledger.root(), AT)
        assert ledger.anchors_file is not None
        add_anchor(ledger.anchors_file, sealed(replace(anchor, **wrong), authority))


def test_the_report_counts_a_seal_that_holds(tmp_path: Path, authority: Authority) -> None:
    path = shot_with_roots(tmp_path, authority)
    anchored(path, authority)
    seen, open_, page = reported(path)
    assert (seen["anchors"], seen["stamped"], seen["unchecked"], seen["faults"]) == (1, 1, 0, [])
    assert "CN=Test time-stamps" in seen["sealed"]
    assert "1 checked against the authority" in page
    assert "When the ledger existed" not in open_


def test_the_report_says_of_a_forged_seal_that_it_does_not_hold(
    tmp_path: Path, authority: Authority, forger: Authority
) -> None:
    path = shot_with_roots(tmp_path, authority)
    anchored(path, forger)
    seen, open_, page = reported(path)
    assert (seen["anchors"], seen["stamped"], seen["unchecked"]) == (1, 0, 0)
    assert "does not hold" in seen["faults"][0]
    assert "no time-stamp authority sealed its root" in open_
    assert 'class="fail">The anchor of' in page


def test_without_certificates_the_report_says_that_nobody_checked(tmp_path: Path, forger: Authority) -> None:
    path = shot_with_roots(tmp_path, None)
    anchored(path, forger)
    seen, open_, page = reported(path)
    assert (seen["stamped"], seen["unchecked"], seen["faults"]) == (0, 1, [])
    assert "1 token is present, authority not checked" in page
    assert "who made it was not checked" in open_


def test_a_good_seal_on_another_ledger_is_none_on_this(tmp_path: Path, authority: Authority) -> None:
    path = shot_with_roots(tmp_path, authority)
    anchored(path, authority, root=b"\7" * 32)
    seen, _, page = reported(path)
    assert (seen["stamped"], len(seen["faults"])) == (0, 1)
    assert "that this ledger does not hold" in page


def test_a_delivery_is_sealed_only_by_the_authority_that_was_named(
    tmp_path: Path, authority: Authority, forger: Authority
) -> None:
    path = shot_with_roots(tmp_path, authority)
    production = tmp_path / "production.toml"
    with served(lambda handler, query: send(handler, forger.reply(query))) as url:
        production.write_text(f'{production.read_text()}url = "{url}"\n')
        done = delivered(path)
    assert any("root is without a time-stamp" in note for note in done.notes)
    assert json.loads((done.folder / "ledger.anchor.jsonl").read_text())["token"] == ""
    (tmp_path / "tsa.pem").unlink()
    with pytest.raises(FalseworkError, match="root certificates cannot be read"):
        delivered(path)
