"""PROV-JSON: complete, the same each time, and read by another's software."""

from __future__ import annotations

import json

import pytest

from falsework.rights.prov import NAMESPACE, prov_json
from falsework.rights.records import Activity, Finding
from falsework.rights.state import State
from ledgers import digest, one_of_each
from test_rights_state import events_of

THINGS = ("agent", "activity", "entity")


def a_state() -> State:
    odd = Activity(id='odd "id" / : é', type="clean up", generated=(digest(4),), prompt="")
    about = Finding(
        id="finding:2", rule="EU-50.4", subject=digest(2), outcome="unknown", words="?", evidence=(odd.id,)
    )
    return State.of(events_of([*one_of_each(), odd, about]))


def test_what_is_written() -> None:
    document = prov_json(a_state())
    assert document["prefix"] == {"fw": NAMESPACE}
    cut = "fw:" + digest(2).replace(":", "%3A")
    assert document["entity"][cut]["fw:name"] == "cut"
    assert document["agent"]["fw:party%3Aanna"]["prov:type"]["$"] == "prov:Person"
    assert document["activity"]["fw:comp%20of%20cut%202"]["fw:seed"] == 7
    assert {"prov:entity": cut, "prov:activity": "fw:comp%20of%20cut%202"} in list(
        document["wasGeneratedBy"].values()
    )
    assert {one["prov:agent"] for one in document["wasAssociatedWith"].values()} == {"fw:party%3Aanna"}
    assert json.dumps(document) == json.dumps(prov_json(a_state()))


def test_every_name_is_one_thing() -> None:
    """Whatever a relation names is there, once, even where nobody recorded it."""
    document = prov_json(a_state())
    names = [name for section in THINGS for name in document[section]]
    assert len(names) == len(set(names))
    ends = {
        end
        for section, relations in document.items()
        if section not in ("prefix", *THINGS)
        for relation in relations.values()
        for end in relation.values()
    }
    assert ends <= set(names)
    assert "fw:" + digest(3).replace(":", "%3A") in names  # used, never recorded


def test_another_library_reads_it() -> None:
    model = pytest.importorskip("prov.model", reason="the `prov` library is not installed")
    document = prov_json(a_state())
    read = model.ProvDocument.deserialize(content=json.dumps(document), format="json")
    assert len(read.get_records()) == sum(len(document[key]) for key in document if key != "prefix")
    again = json.loads(read.serialize(format="json"))
    for section in document:
        if section != "prefix":
            assert len(again[section]) == len(document[section])
    assert model.ProvDocument.deserialize(content=json.dumps(again), format="json") == read
    cut = read.get_record("fw:" + digest(2).replace(":", "%3A"))[0]
    assert {str(value) for value in cut.get_attribute("fw:name")} == {"cut"}


def test_nothing_makes_a_document_of_nothing() -> None:
    assert prov_json(State()) == {"prefix": {"fw": NAMESPACE}}
