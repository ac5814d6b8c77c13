"""From consent strings to what may be done: each activity allowed, denied, or abstained from.

Every signal speaks for itself. One denial outweighs every leave, and where nobody has spoken nothing is
allowed. A string that cannot be read, that is out of date or that contradicts itself denies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from falsework.ads.consent import gpp, tcf, us_privacy
from falsework.ads.consent.tcf_canada import TcfCanada
from falsework.ads.consent.us_sections import UsSection
from falsework.ads.opportunity import Activity, Permissions, Verdict
from falsework.errors import FalseworkError

__all__ = ["Signals", "permissions"]

EVERYTHING = tuple(Activity)
OF_A_PERSON = tuple(activity for activity in Activity if activity is not Activity.MEASURE)
ALL_BUT_LOCATION = tuple(activity for activity in Activity if activity is not Activity.PRECISE_LOCATION)
BEHAVIOUR = (Activity.PERSONALISE, Activity.SHARE)

# The purposes of the TCF an activity needs: 1 store on a device, 2 choose by limited data, 3 and 4 profiles,
# 7 measure.
PURPOSES: Mapping[Activity, tuple[int, ...]] = {
    Activity.STORE_IDENTIFIER: (1,),
    Activity.CAP_FREQUENCY: (1, 2),
    Activity.PERSONALISE: (1, 3, 4),
    Activity.MEASURE: (7,),
    Activity.SHARE: (1, 2),
}
PRECISE_LOCATION_FEATURE = 1  # special feature 1
BY_INTEREST = (2, 7)  # purposes a legitimate interest may be claimed for

# Where the GDPR, or the law modelled on it, holds: the European Economic Area, the United Kingdom,
# Switzerland.
GDPR_COUNTRIES = frozenset({
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
OPTED_OUT, NO_CONSENT, NOT_TOLD = 1, 1, 2
KNOWN_VALUES = frozenset({0, 1, 2})


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What came with a request. `gdpr` None: not said. `gpp_sections`: ids of the sections that apply
    (`gpp_sid`); empty where that is not said, and then all of them do. `country` ISO 3166-1 alpha-2."""

    tcf: str = ""
    gpp: str = ""
    gpp_sections: tuple[int, ...] = ()
    us_privacy: str = ""
    gdpr: bool | None = None
    coppa: bool = False
    limit_tracking: bool = False
    kids: bool = False
    country: str = ""


class _Say(msgspec.Struct, frozen=True):
    """One signal's word on some activities."""

    activities: tuple[Activity, ...]
    verdict: Verdict
    reason: str


def permissions(signals: Signals, *, now: datetime, vendor: int | None = None) -> Permissions:
    """What may be done. `vendor`: the studio's own id in the Global Vendor List; without one, what the person
    agreed to for the publisher itself counts. Never raises."""
    verdicts = dict.fromkeys(Activity, Verdict.ABSTAINED)
    reasons = dict.fromkeys(Activity, "nobody has agreed to it")
    vendors: frozenset[int] | None = None
    said = [*_of_children(signals), *_of_device(signals)]
    europe, found = _europe(signals, now, vendor)
    said += europe
    if found is not None:
        vendors = found
    said += _other_laws(signals)
    for one in said:
        for activity in one.activities:
            if verdicts[activity] is Verdict.DENIED:
                continue
            if one.verdict is Verdict.DENIED or verdicts[activity] is Verdict.ABSTAINED:
                verdicts[activity], reasons[activity] = one.verdict, one.reason
    if verdicts[Activity.SHARE] is not Verdict.ALLOWED:
        vendors = frozenset()
    return Permissions(verdicts=verdicts, vendors=vendors, reasons=reasons)


def _of_children(signals: Signals) -> Iterator[_Say]:
    if signals.kids:
        yield _Say(EVERYTHING, Verdict.DENIED, "a child watches")
    if signals.coppa:
        yield _Say(EVERYTHING, Verdict.DENIED, "the request falls under COPPA")


def _of_device(signals: Signals) -> Iterator[_Say]:
    if signals.limit_tracking:
        yield _Say(OF_A_PERSON, Verdict.DENIED, "the device asks not to be tracked")


def _europe(signals: Signals, now: datetime, vendor: int | None) -> tuple[list[_Say], frozenset[int] | None]:
    """What the TCF says, and the vendors that have a legal basis."""
    in_europe = signals.gdpr is True or (signals.gdpr is None and signals.country.upper() in GDPR_COUNTRIES)
    text = signals.tcf or _section_text(signals, gpp.TCF_EUROPE)
    if not text:
        if in_europe:
            return [_Say(EVERYTHING, Verdict.DENIED, "the GDPR applies, and no consent came")], frozenset()
        return [], None
    if signals.gdpr is False:
        return [], None
    try:
        consent = tcf.decode(text)
    except FalseworkError as error:
        return [_Say(EVERYTHING, Verdict.DENIED, f"the TC string {error.what}")], frozenset()
    fault = consent.fault(now)
    if fault:
        return [_Say(EVERYTHING, Verdict.DENIED, f"the TC string does not count: {fault}")], frozenset()
    said = []
    for activity, purposes in PURPOSES.items():
        missing = [purpose for purpose in purposes if not _agreed(consent, vendor, purpose)]
        if missing:
            listed = ", ".join(map(str, missing))
            said.append(_Say((activity,), Verdict.DENIED, f"no legal basis for purpose {listed} of the TCF"))
        else:
            said.append(_Say((activity,), Verdict.ALLOWED, "agreed to in the TC string"))
    if PRECISE_LOCATION_FEATURE in consent.special_feature_opt_ins:
        said.append(_Say((Activity.PRECISE_LOCATION,), Verdict.ALLOWED, "agreed to in the TC string"))
    else:
        said.append(_Say((Activity.PRECISE_LOCATION,), Verdict.DENIED, "no opt-in to special feature 1"))
    known = consent.vendor_consents.ids | consent.vendor_legitimate_interests.ids
    return said, frozenset(one for one in known if consent.may(one, 1) and _may_choose(consent, one))


def _may_choose(consent: tcf.TcString, vendor: int) -> bool:
    return consent.may(vendor, 2) or consent.may(vendor, 2, by_interest=True)


def _agreed(consent: tcf.TcString, vendor: int | None, purpose: int) -> bool:
    if vendor is not None:
        interest = purpose in BY_INTEREST and consent.may(vendor, purpose, by_interest=True)
        return consent.may(vendor, purpose) or interest
    own = consent.publisher
    if own is None:
        return False
    return purpose in own.consents or (purpose in BY_INTEREST and purpose in own.legitimate_interests)


def _other_laws(signals: Signals) -> Iterator[_Say]:
    if signals.us_privacy:
        yield from _us_privacy(signals.us_privacy)
    if not signals.gpp:
        return
    try:
        found = gpp.decode(signals.gpp)
    except FalseworkError as error:
        yield _Say(EVERYTHING, Verdict.DENIED, f"the GPP string {error.what}")
        return
    applying = set(signals.gpp_sections) or {section.id for section in found.sections}
    missing = applying - {section.id for section in found.sections} - {-1}
    if missing:
        listed = ", ".join(map(str, sorted(missing)))
        yield _Say(EVERYTHING, Verdict.DENIED, f"section {listed} of the GPP string applies and is not in it")
    for section in found.sections:
        if section.id not in applying or section.id == gpp.TCF_EUROPE:
            continue
        if section.fault:
            yield _Say(EVERYTHING, Verdict.DENIED, f"section {section.id} of the GPP string: {section.fault}")
        match section.content:
            case us_privacy.UsPrivacy() as privacy:
                yield from _us_privacy_says(privacy)
            case UsSection() as us:
                yield from _us_section_says(us, section.prefix)
            case TcfCanada() as canada:
                yield from _canada_says(canada)


def _us_privacy(text: str) -> Iterator[_Say]:
    try:
        yield from _us_privacy_says(us_privacy.decode(text))
    except FalseworkError as error:
        yield _Say(EVERYTHING, Verdict.DENIED, f"the US Privacy string {error.what}")


def _us_privacy_says(privacy: us_privacy.UsPrivacy) -> Iterator[_Say]:
    if privacy.opted_out:
        yield _Say(BEHAVIOUR, Verdict.DENIED, "the person opted out of the sale of their data (US Privacy)")
    elif privacy.notice is False:
        yield _Say(BEHAVIOUR, Verdict.DENIED, "the person was not told of a sale of data (US Privacy)")
    elif privacy.notice:
        yield _Say(ALL_BUT_LOCATION, Verdict.ALLOWED, "told, and not opted out (US Privacy)")


def _us_section_says(section: UsSection, prefix: str) -> Iterator[_Say]:
    """Opted out, or a value that means nothing, denies; "did not opt out" allows all but the precise
    location."""
    flat = [
        value for name, values in section.values.items() if not name.startswith("Mspa") for value in values
    ]
    if not set(flat) <= KNOWN_VALUES:
        yield _Say(EVERYTHING, Verdict.DENIED, f"{prefix} holds a value that its specification does not have")
    if section.gpc:
        yield _Say(BEHAVIOUR, Verdict.DENIED, f"the Global Privacy Control is on ({prefix})")
    children = section.values.get("KnownChildSensitiveDataConsents", ())
    if NO_CONSENT in children:
        yield _Say(EVERYTHING, Verdict.DENIED, f"a known child, and no consent ({prefix})")
    refused = []
    for name in ("SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut"):
        if section.first(name) == OPTED_OUT:
            refused.append(name)
    if refused:
        yield _Say(BEHAVIOUR, Verdict.DENIED, f"opted out: {', '.join(refused)} ({prefix})")
    if NOT_TOLD in (section.first("SharingNotice"), section.first("ProcessingNotice")):
        yield _Say(BEHAVIOUR, Verdict.DENIED, f"the person was not told of it ({prefix})")
    if not refused:
        reason = f"not opted out ({prefix})"
        yield _Say(ALL_BUT_LOCATION, Verdict.ALLOWED, reason)


def _canada_says(canada: TcfCanada) -> Iterator[_Say]:
    agreed = canada.purposes_express_consent | canada.purposes_implied_consent
    for activity, purposes in PURPOSES.items():
        if all(purpose in agreed for purpose in purposes):
            yield _Say((activity,), Verdict.ALLOWED, "agreed to in the Canadian TCF's section")
        else:
            yield _Say((activity,), Verdict.DENIED, "not agreed to in the Canadian TCF's section")
    if PRECISE_LOCATION_FEATURE not in canada.special_feature_express_consents:
        yield _Say((Activity.PRECISE_LOCATION,), Verdict.DENIED, "no opt-in in the Canadian TCF's section")


def _section_text(signals: Signals, identifier: int) -> str:
    if not signals.gpp or (signals.gpp_sections and identifier not in signals.gpp_sections):
        return ""
    try:
        section = gpp.decode(signals.gpp).section(identifier)
    except FalseworkError:
        return ""
    return section.text if section is not None else ""
