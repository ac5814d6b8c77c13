"""What a query shuts out holds for every result, by the catalogue's own record."""

from __future__ import annotations

import pytest

from falsework.catalogue.records import Credit, Title
from falsework.search.conditions import conditions_of, fulfils
from falsework.search.query import Query

FRENCH = Title(
    id="1",
    title="La Fontaine",
    countries=("FR",),
    languages=("fr",),
    genres=("Drama",),
    credits=(Credit("Anna Bonnet"),),
    synopsis="An American in Paris learns to read.",
)


@pytest.mark.parametrize(
    ("excluded", "stays"),
    [
        ("FR", False),
        ("US", True),  # made in France, whatever its synopsis speaks of
        ("french", False),
        ("English", True),
        ("Drama", False),
        ("Comedy", True),
        ("Anna Bonnet", False),
        ("paris", False),
        ("dogs", True),
    ],
)
def test_what_is_shut_out_is_looked_for_where_it_is_recorded(excluded: str, stays: bool) -> None:
    query = Query(exclude=(excluded,))
    assert fulfils(FRENCH, query, conditions_of(query)) is stays
