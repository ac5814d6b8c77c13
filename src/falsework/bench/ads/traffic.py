"""Campaigns and requests made up for a measurement: as many, and as different from each other, as a studio's
would be. Nothing in them is anybody's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from falsework.ads.records import MICROS, Campaign, Cap, Creative, Flight, LineItem, Targeting
from falsework.ads.taxonomy.taxonomies import products
from falsework.catalogue.records import Scene, Title

__all__ = ["campaigns", "catalogue", "requests"]

COUNTRIES = ("FR", "DE", "ES", "IT", "GB", "US", "CA", "BR", "MX", "JP", "PL", "NL", "SE", "PT", "AR")
ALPHA_3 = (
    "FRA",
    "DEU",
    "ESP",
    "ITA",
    "GBR",
    "USA",
    "CAN",
    "BRA",
    "MEX",
    "JPN",
    "POL",
    "NLD",
    "SWE",
    "PRT",
    "ARG",
)
LANGUAGES = ("fr", "de", "es", "it", "en", "en", "en", "pt", "es", "ja", "pl", "nl", "sv", "pt", "es")
DEVICES = (3, 3, 3, 7, 4, 5, 1, 2)  # AdCOM: connected television, set-top box, telephone, tablet, …
GENRES = ("Drama", "Comedy", "Thriller", "Documentary", "Crime", "Romance", "Horror", "Animation")
MOODS = ("tense", "calm", "sad", "funny", "dark", "warm")
EVENTS = ("building collapse", "explosion", "chase", "funeral", "wedding", "argument", "", "", "", "", "")
LENGTHS = (6, 10, 15, 15, 15, 20, 30, 30, 30, 60)
BREAKS = (30, 45, 60, 60, 90, 120)
PER_ADVERTISER = 4  # line items
TITLES = 300
FOREVER = Flight(starts=0.0, ends=4e9)


def campaigns(line_items: int, seed: int = 7) -> list[Campaign]:
    """So many line items, four of each advertiser, and a house campaign."""
    chance = random.Random(seed)
    categories = sorted(one for one, parent in products().parents.items() if parent)
    found = []
    for number in range(-(-line_items // PER_ADVERTISER)):
        name = f"advertiser-{number}"
        items = [
            _line_item(chance, name, f"{name}-{place}", categories)
            for place in range(min(PER_ADVERTISER, line_items - number * PER_ADVERTISER))
        ]
        found.append(
            Campaign(
                id=name,
                advertiser=name,
                domain=f"{name}.example",
                flight=FOREVER,
                line_items=tuple(items),
                advertiser_caps=(Cap(count=8, seconds=86_400),) if chance.random() < 0.3 else (),
            )
        )
    house = LineItem(
        id="house",
        campaign="house",
        house=True,
        child_safe=True,
        creatives=tuple(_creative(f"house-{seconds}", seconds) for seconds in (15, 30)),
    )
    found.append(
        Campaign(id="house", advertiser="house", domain="house.example", flight=FOREVER, line_items=(house,))
    )
    return found


def _line_item(chance: random.Random, campaign: str, name: str, categories: Sequence[str]) -> LineItem:
    targeting = Targeting(
        countries=tuple(chance.sample(COUNTRIES, chance.randint(1, 4))) if chance.random() < 0.7 else (),
        devices=(3, 7) if chance.random() < 0.3 else (),
        genres=tuple(chance.sample(GENRES, 3)) if chance.random() < 0.2 else (),
        without_genres=("Horror",) if chance.random() < 0.2 else (),
    )
    return LineItem(
        id=name,
        campaign=campaign,
        creatives=(_creative(f"{name}-a", chance.choice(LENGTHS)),),
        price=round(chance.lognormvariate(2.5, 0.5) * MICROS),
        budget=round(chance.uniform(2_000, 200_000)) * MICROS,
        goal="fast",
        categories=(chance.choice(categories),),
        targeting=targeting,
        caps=(Cap(count=2), Cap(count=6, seconds=86_400)) if chance.random() < 0.5 else (),
        child_safe=chance.random() < 0.1,
    )


def _creative(name: str, seconds: int) -> Creative:
    media = tuple(
        (f"https://media.example/{name}-{height}.mp4", "video/mp4", height * 16 // 9, height, rate)
        for height, rate in ((720, 3000), (1080, 8000))
    )
    return Creative(
        id=name, title=name, duration=float(seconds), media=media, click_through=f"https://{name}.example/"
    )


def catalogue(seed: int = 7) -> list[tuple[Title, list[Scene]]]:
    """Titles with a scene for every ten minutes."""
    chance = random.Random(seed)
    found = []
    for number in range(TITLES):
        name = f"title-{number}"
        title = Title(
            id=name,
            title=f"Title {number}",
            genres=tuple(chance.sample(GENRES, 2)),
            moods=(chance.choice(MOODS),),
        )
        scenes = [
            Scene(
                id=f"{name}/{place}",
                title_id=name,
                number=place,
                starts=600.0 * (place - 1),
                ends=600.0 * place,
                moods=(chance.choice(MOODS),),
                events=tuple(filter(None, (chance.choice(EVENTS),))),
            )
            for place in range(1, 10)
        ]
        found.append((title, scenes))
    return found


def requests(count: int, seed: int = 11) -> list[bytes]:
    """OpenRTB requests for pods of half a minute to two: viewers of fifteen countries, half of them with an
    identifier and leave to use it, in the scenes of `catalogue`."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        place = chance.randrange(len(COUNTRIES))
        agreed = COUNTRIES[place] == "US" and chance.random() < 0.8
        request = {
            "id": f"{seed}-{number}",
            "at": 1,
            "imp": [
                {
                    "id": "1",
                    "video": {
                        "mimes": ["video/mp4"],
                        "podid": "pod",
                        "poddur": chance.choice(BREAKS),
                        "maxseq": 4,
                        "startdelay": 600 * chance.randrange(9) + 5,
                        "plcmt": 1,
                        "protocols": [11, 13],
                        "w": 1920,
                        "h": 1080,
                    },
                    "bidfloor": chance.choice((0, 0, 2.0)),
                    "bidfloorcur": "EUR",
                }
            ],
            "app": {
                "bundle": "example.player",
                "content": {"id": f"title-{min(int(chance.expovariate(0.02)), TITLES - 1)}"},
            },
            "device": {
                "devicetype": chance.choice(DEVICES),
                "ua": "Player/1.0",
                "language": LANGUAGES[place],
                "geo": {"country": ALPHA_3[place]},
            },
            "user": {"id": f"viewer-{chance.randrange(100_000)}"} if agreed else {},
            "regs": {"us_privacy": "1YNN"} if agreed else {},
            "source": {"ext": {"stream": f"stream-{seed}-{number // 3}"}},
        }
        found.append(msgspec.json.encode(request))
    return found
