"""Events: what is written is what is read, and nothing else reads."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.rights.events import BEFORE_ALL, Event, kind_of, time_text
from falsework.rights.records import Activity, Party, Record, canonical
from ledgers import AT, one_of_each

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def canonical_or_nothing(value: object) -> bytes:
    try:
        return canonical(value)
    except ValueError:
        return b""


def written(record: Record, sequence: int = 0, at: datetime = AT) -> Event:
    return Event.of(record, sequence=sequence, at=at, previous=BEFORE_ALL)


@pytest.mark.parametrize("record", one_of_each(), ids=kind_of)
def test_reads_back_as_written(record: Record) -> None:
    event = written(record, 4)
    assert Event.read(event.payload) == event
    assert event.record() == record
    assert (event.kind, event.id) == (kind_of(record), record.id)
    # The digest as anybody can compute it.
    fields = json.loads(event.payload)
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert event.digest == hashlib.sha256(b"\x00" + text.encode()).digest()
    assert set(fields) == {"sequence", "time", "kind", "body", "previous"}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), PLAIN, max_size=4))
def test_any_parameters_come_back(parameters: dict[str, object]) -> None:
    event = written(Activity(id="a", type="render", parameters=parameters))
    assert Event.read(event.payload) == event


def test_times_are_utc() -> None:
    local = datetime(2026, 11, 22, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert time_text(local) == "2026-11-22T12:00:00.000005Z"
    assert written(one_of_each()[0], at=local).time == local
    with pytest.raises(ValueError, match="zone"):
        time_text(datetime(2026, 11, 22))


@given(st.data())
def test_any_changed_byte_changes_the_digest(data: st.DataObject) -> None:
    event = written(one_of_each()[4])
    payload = bytearray(event.payload)
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with suppress(ValueError):  # most do not even read
        assert Event.read(bytes(payload)).digest != event.digest


@given(st.binary() | PLAIN.map(canonical_or_nothing))
def test_reading_anything_gives_an_event_or_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError):
        Event.read(payload)
    fields = json.loads(written(one_of_each()[0]).payload)
    for key in fields:
        with suppress(ValueError):
            changed = canonical({**fields, key: json.loads(payload)})
            assert Event.read(changed).payload == changed


def test_only_the_canonical_form_reads() -> None:
    event = written(one_of_each()[0])
    fields = json.loads(event.payload)
    wrong = [
        json.dumps(fields).encode(),  # spaces
        event.payload.replace(b'"kind":"party"', b'"kind":"asset","kind":"party"'),  # two of a key
        canonical({**fields, "more": 1}),
        canonical({**fields, "sequence": -1}),
        canonical({**fields, "sequence": True}),
        canonical({**fields, "previous": "00"}),
        canonical({**fields, "time": "2026-11-22"}),
        canonical({**fields, "body": []}),
        b"[" * 100_000,
        b"",
        b"\xff",
    ]
    for payload in wrong:
        with pytest.raises(ValueError):
            Event.read(payload)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800"], ids=["not a number", "infinite", "half a character"]
)
def test_what_json_cannot_hold_is_refused_with_a_sentence(value: object) -> None:
    record = Activity.model_construct(id="a", type="render", parameters={"x": value})
    with pytest.raises(FalseworkError, match="JSON"):
        written(record)


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED "])
def test_a_private_key_is_refused_and_not_repeated(kind: str) -> None:
    text = f"-----BEGIN {kind}PRIVATE KEY-----\nMIGHAgEA\n-----END {kind}PRIVATE KEY-----"
    with pytest.raises(FalseworkError, match="private key") as caught:
        written(Activity(id="a", type="render", parameters={"signer": {"key": text}}))
    assert "MIGHAgEA" not in caught.value.sentence()


def test_too_large_is_refused() -> None:
    record = Activity(id="a", type="render", parameters={"x": "y" * (17 << 20)})
    with pytest.raises(FalseworkError, match="17 MB"):
        written(record)


def test_unknown_kinds_and_bodies_get_a_sentence() -> None:
    party = Party(id="party:a", type="person", name="A")
    event = written(party)
    newer = Event(0, AT.astimezone(UTC), "weather", event.body, event.previous, event.digest)
    with pytest.raises(FalseworkError, match="weather"):
        newer.record()
    newer = Event(0, AT, "party", {**event.body, "mood": "fine"}, event.previous, event.digest)
    with pytest.raises(FalseworkError, match="mood"):
        newer.record()
