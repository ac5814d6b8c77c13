"""Beacons: what was signed is counted, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.ads.measurement.beacons import KINDS, Beacon, Signer
from falsework.errors import FalseworkError

KEY, OLD = b"k" * 32, b"o" * 32
SIGNER = Signer((KEY, OLD), "https://ads.example/beacon")
BEACON = Beacon("stream", "served", "item", 1_000_000, 20_000, "", ("campaign:7",))


def parts(url: str) -> tuple[str, str, str]:
    split = urlsplit(url)
    query = parse_qs(split.query)
    return split.path.rpartition("/")[2], query["b"][0], query["s"][0]


@given(
    st.text(max_size=20),
    st.sampled_from(KINDS),
    st.integers(0, 2**40),
    st.lists(st.text(max_size=9), max_size=4),
)
def test_what_is_signed_is_read(stream: str, kind: str, cost: int, counters: list[str]) -> None:
    beacon = Beacon(stream, "served", "item", 1_000_000, cost, "", tuple(counters))
    found = SIGNER.read(*parts(SIGNER.url(SIGNER.packed(beacon), kind)), now=1_000_100)
    assert found == beacon


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_character_is_noticed(where: int, by: int) -> None:
    kind, packed, signature = parts(SIGNER.url(SIGNER.packed(BEACON), "impression"))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = where % len(packed)
    other = letters[(letters.index(packed[at]) + 1 + by % 63) % 64]
    with pytest.raises(FalseworkError):
        SIGNER.read(kind, packed[:at] + other + packed[at + 1 :], signature, now=1_000_100)


def test_a_beacon_of_one_event_is_none_of_another() -> None:
    _, packed, signature = parts(SIGNER.url(SIGNER.packed(BEACON), "start"))
    with pytest.raises(FalseworkError, match="not signed"):
        SIGNER.read("complete", packed, signature, now=1_000_100)


@pytest.mark.parametrize("now", [999_000.0, 1_000_000 + 6 * 3600 + 1.0])
def test_a_beacon_counts_in_its_time(now: float) -> None:
    with pytest.raises(FalseworkError, match="past its time"):
        SIGNER.read(*parts(SIGNER.url(SIGNER.packed(BEACON), "start")), now=now)


def test_keys_can_be_changed() -> None:
    before = Signer((OLD,), "https://ads.example/beacon")
    assert SIGNER.read(*parts(before.url(before.packed(BEACON), "start")), now=1_000_001) == BEACON
    with pytest.raises(FalseworkError):
        before.read(*parts(SIGNER.url(SIGNER.packed(BEACON), "start")), now=1_000_001)


@pytest.mark.parametrize("kind", ["", "other", "../impression"])
@pytest.mark.parametrize("text", ["", "é", "====", "A" * 5_000])
def test_other_text_is_refused(kind: str, text: str) -> None:
    with pytest.raises(FalseworkError):
        SIGNER.read(kind, text, text, now=0)
    with pytest.raises(FalseworkError):
        SIGNER.read("impression", text, text, now=0)


def test_only_an_impression_costs() -> None:
    assert BEACON.event("impression", 1.0).cost == 20_000
    assert BEACON.event("click", 1.0).cost == 0


def test_an_identifier_is_not_in_its_hash() -> None:
    assert SIGNER.hashed("person@example.com") == SIGNER.hashed("person@example.com")
    assert SIGNER.hashed("a") != SIGNER.hashed("b")
    assert "person" not in SIGNER.hashed("person@example.com")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(FalseworkError, match="32 bytes"):
        Signer((b"short",), "https://ads.example")
