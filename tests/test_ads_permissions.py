"""What consent comes to: one denial outweighs all, and silence is no leave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from falsework.ads.consent import gpp, tcf
from falsework.ads.consent.activities import Signals, permissions
from falsework.ads.consent.segments import Ids
from falsework.ads.consent.us_sections import UsSection, layouts
from falsework.ads.opportunity import Activity, Permissions, Verdict

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SOME = Ids(highest=9, ids=frozenset({5, 7}))
AGREED = tcf.TcString(
    created=int(NOW.timestamp() - 86_400) * 10,
    last_updated=int(NOW.timestamp() - 86_400) * 10,
    cmp_id=1,
    purposes_consent=frozenset(range(1, 12)),
    special_feature_opt_ins=frozenset({1}),
    vendor_consents=SOME,
    disclosed_vendors=SOME,
    publisher=tcf.PublisherPurposes(consents=frozenset(range(1, 12))),
    order=(1, 3),
)
PERSONAL = set(Activity) - {Activity.MEASURE}
LOCATED = {Activity.PRECISE_LOCATION}


def allowed(signals: Signals, vendor: int | None = None) -> set[Activity]:
    found = permissions(signals, now=NOW, vendor=vendor)
    return {activity for activity in Activity if found.allows(activity)}


def us(identifier: int, gpc: bool | None = None, **values: int) -> str:
    layout = layouts()[identifier, 1]
    filled = {name: (values.get(name, 0),) * count for name, count in layout.fields}
    section = UsSection(id=identifier, version=1, values=filled, gpc=gpc)
    return gpp.encode(gpp.GppString(sections=(gpp.Section(id=identifier, text="", content=section),)))


def test_silence_allows_nothing() -> None:
    for country in ("", "US", "BR", "DE"):
        assert allowed(Signals(country=country)) == set()
    assert permissions(Signals(), now=NOW).verdicts[Activity.SHARE] is Verdict.ABSTAINED
    assert permissions(Signals(country="DE"), now=NOW).verdicts[Activity.SHARE] is Verdict.DENIED


def test_a_full_consent_allows_everything_to_those_it_names() -> None:
    text = tcf.encode(AGREED)
    assert allowed(Signals(tcf=text, gdpr=True)) == set(Activity)
    assert allowed(Signals(tcf=text, gdpr=True), vendor=7) == set(Activity)
    assert Activity.SHARE not in allowed(Signals(tcf=text, gdpr=True), vendor=6)
    assert permissions(Signals(tcf=text, gdpr=True), now=NOW).vendors == {5, 7}


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (
            {"publisher": tcf.PublisherPurposes(consents=frozenset({7}))},
            PERSONAL - {Activity.PRECISE_LOCATION},
        ),
        ({"publisher": tcf.PublisherPurposes(consents=frozenset({1, 2, 7}))}, {Activity.PERSONALISE}),
        ({"special_feature_opt_ins": frozenset()}, {Activity.PRECISE_LOCATION}),
        ({"disclosed_vendors": None, "order": (3,)}, set(Activity)),
        ({"is_service_specific": False}, set(Activity)),
        ({"publisher": None, "order": (1,)}, set(Activity) - {Activity.PRECISE_LOCATION}),
    ],
)
def test_what_is_missing_is_lost(change: dict[str, object], lost: set[Activity]) -> None:
    text = tcf.encode(replace(AGREED, **change))
    assert set(Activity) - allowed(Signals(tcf=text, gdpr=True)) == lost


FULL = Signals(tcf=tcf.encode(AGREED), gdpr=True)


@pytest.mark.parametrize(
    ("signals", "lost"),
    [
        (replace(FULL, kids=True), set(Activity)),
        (replace(FULL, coppa=True), set(Activity)),
        (replace(FULL, limit_tracking=True), PERSONAL),
        (replace(FULL, us_privacy="1YYN"), {Activity.PERSONALISE, Activity.SHARE}),
        (replace(FULL, us_privacy="broken"), set(Activity)),
        (replace(FULL, gpp="broken"), set(Activity)),
        (replace(FULL, gpp=us(8, SaleOptOut=1)), {Activity.PERSONALISE, Activity.SHARE}),
        (replace(FULL, gpp=us(8, gpc=True)), {Activity.PERSONALISE, Activity.SHARE}),
        (replace(FULL, gpp=us(16, KnownChildSensitiveDataConsents=1)), set(Activity)),
        (replace(FULL, gpp=us(9, SharingNotice=2)), {Activity.PERSONALISE, Activity.SHARE}),
        (replace(FULL, gpp=us(9, SaleOptOut=3)), set(Activity)),
        (replace(FULL, gpp=us(9), gpp_sections=(9, 10)), set(Activity)),
        (replace(FULL, gpp=us(9, SaleOptOut=1), gpp_sections=(-1,)), set()),
        (replace(FULL, gpp="DBABLA~BVV"), set(Activity)),
    ],
)
def test_one_denial_outweighs_a_full_consent(signals: Signals, lost: set[Activity]) -> None:
    assert set(Activity) - allowed(signals) == lost


def test_a_state_s_section_allows_what_was_not_objected_to() -> None:
    found = allowed(Signals(gpp=us(8, SaleOptOut=2, SharingOptOut=2), country="US"))
    assert found == set(Activity) - {Activity.PRECISE_LOCATION}
    assert allowed(Signals(us_privacy="1YNN")) == set(Activity) - {Activity.PRECISE_LOCATION}
    assert allowed(Signals(us_privacy="1---")) == set()


def test_a_tc_string_in_a_gpp_string_counts() -> None:
    section = gpp.Section(id=2, text="", content=AGREED)
    assert allowed(Signals(gpp=gpp.encode(gpp.GppString(sections=(section,))))) == set(Activity)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Signals,
        tcf=st.text(max_size=40) | st.just(tcf.encode(AGREED)),
        gpp=st.text(max_size=40) | st.sampled_from([us(7), us(8, SaleOptOut=1), us(27)]),
        gpp_sections=st.lists(st.integers(-1, 30), max_size=3).map(tuple),
        us_privacy=st.text(max_size=5) | st.sampled_from(["1YNN", "1YYN", "1---"]),
        gdpr=st.none() | st.booleans(),
        coppa=st.booleans(),
        limit_tracking=st.booleans(),
        kids=st.booleans(),
        country=st.sampled_from(["", "DE", "US", "??"]),
    )
)
def test_more_signals_never_loosen_what_one_denies(signals: Signals) -> None:
    def denied(found: Permissions) -> set[Activity]:
        return {activity for activity, verdict in found.verdicts.items() if verdict is Verdict.DENIED}

    whole = denied(permissions(signals, now=NOW))
    for part in (
        Signals(kids=signals.kids, coppa=signals.coppa, limit_tracking=signals.limit_tracking),
        Signals(us_privacy=signals.us_privacy),
    ):
        assert denied(permissions(part, now=NOW)) <= whole
    if signals.kids or signals.coppa:
        assert whole == set(Activity)
