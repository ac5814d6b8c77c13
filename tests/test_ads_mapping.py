"""Categories of every taxonomy that OpenRTB allows, as products of our own."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from falsework.ads.taxonomy.mapping import NAMES, TABLES, placed
from falsework.ads.taxonomy.taxonomies import content, products


def rows() -> list[dict[str, str]]:
    text = files("falsework.ads.taxonomy").joinpath("mapping.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def blocked(taxonomy: int | None, *ids: str) -> frozenset[str]:
    return products().with_all_below(placed(taxonomy, ids).products)


def test_the_table_names_products_and_categories_that_there_are() -> None:
    seen = set()
    for row in rows():
        key = (row["taxonomy"], row["ids"])
        assert key not in seen
        seen.add(key)
        assert row["taxonomy"] in TABLES.values()
        named = row["products"].split()
        assert named, row
        assert set(named) <= set(products().names), row
        if row["taxonomy"] == "content" and "-" not in row["ids"]:
            assert content().names[row["ids"]] == row["name"]


@pytest.mark.parametrize("taxonomy", [7, 9])
def test_every_category_of_content_3_has_products(taxonomy: int) -> None:
    assert not [one for one in content().names if not placed(taxonomy, (one,)).products]


def test_every_code_of_content_1_has_products() -> None:
    below = [7, 23, 12, 11, 15, 9, 45, 18, 31, 9, 5, 3, 12, 8, 10, 7, 44, 6, 36, 27, 3, 4, 10, 0, 7, 4]
    codes = [f"IAB{tier}" for tier in range(1, 27)]
    codes += [f"IAB{tier}-{one}" for tier, most in enumerate(below, 1) for one in range(1, most + 1)]
    assert len(codes) == 392
    assert not [one for one in codes if not placed(1, (one,)).products]


@pytest.mark.parametrize("taxonomy", [2, 5, 6])
def test_every_number_of_content_2_has_products(taxonomy: int) -> None:
    assert not [one for one in range(1, 699) if not placed(taxonomy, (str(one),)).products]


def test_every_number_of_ad_product_1_has_products() -> None:
    assert not [one for one in range(864) if not placed(3, (str(one),)).products]


@pytest.mark.parametrize(
    ("taxonomy", "code", "product"),
    [
        (1, "IAB7-39", "1520"),  # sexuality: contraceptives
        (1, "IAB8-5", "1004"),  # cocktails and beer: beer
        (1, "iab9-9", "1545"),  # cigars
        (1, "IAB14-1", "1260"),  # dating
        (1, "IAB25-3", "1001"),  # pornography
        (2, "181", "1366"),  # casinos: betting on sports
        (9, "211", "1007"),  # alcoholic drinks: wine
        (9, "avbNf2", "1578"),  # arms: guns
        (7, "387", "1479"),  # elections: candidates
        (6, "379", "1476"),  # news and politics, which only 2.x has
        (3, "638", "1341"),  # car insurance
        (3, "653", "1359"),  # food delivered
        (8, "1002", "1004"),  # alcohol: beer
    ],
)
def test_what_a_blocked_category_keeps_away(taxonomy: int, code: str, product: str) -> None:
    assert product in blocked(taxonomy, code)


def test_what_has_no_row_has_that_of_the_nearest_above() -> None:
    assert placed(1, ("IAB2-6",)).products == placed(1, ("IAB2",)).products
    assert placed(1, ("IAB1-999",)).products == placed(1, ("IAB1",)).products
    assert placed(9, ("17",)).products == placed(9, ("1",)).products
    assert placed(3, ("78",)).products == placed(3, ("53",)).products


def test_where_nothing_is_above_it_is_said() -> None:
    found = placed(9, ("211", "99999", "nonsense"))
    assert found.products == placed(9, ("211",)).products
    assert found.notes == ("99999, nonsense: not found in Content Taxonomy 3.1",)
    assert "AdCOM does not have" in placed(500, ("1",)).notes[0]
    assert NAMES[4] in placed(4, ("1",)).notes[0]


def test_without_a_taxonomy_it_is_content_1_or_a_product() -> None:
    assert placed(None, ("IAB8-18", "1544")).products == ("1002", "1544")
    assert placed(8, ("IAB8-18",)).products == ("1002",)  # a code that cannot be mistaken
    assert not placed(1, ("1544",)).products
