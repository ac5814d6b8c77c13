"""A small catalogue's names, with the titles that are ordinary words among them."""

from __future__ import annotations

from falsework.search.understanding import Names

TITLES = """
It|1990
It|2017
Us|2019
Her|2013
Up|2009
Big|1988
Home|2015
Heat|1995
Heat|1986
The Heat|2013
Ronin|1998
Collateral|2004
Alien|1979
Scream|1996
Scary Movie|2000
Seven|1995
Oldboy|2003
Gremlins|1984
Taken|2008
Taken 2|2012
Funny People|2009
Jurassic Park|1993
Super Troopers|2001
Avengers: Infinity War|2018
The Avengers|2012
The Shawshank Redemption|1994
The Exorcist|1973
The Godfather|1972
The Godfather Part II|1974
Pulp Fiction|1994
Blade Runner|1982
Zoolander|2001
Guardians of the Galaxy|2014
Guardians of the Galaxy Vol. 2|2017
Superbad|2007
Pineapple Express|2008
Fast & Furious|2009
The Texas Chain Saw Massacre|1974
12 Angry Men|1957
Kill Bill: Volume 1|2003
Kill Bill: Volume 2|2004
Spider-Man|2002
Mamma Mia!|2008
Crouching Tiger, Hidden Dragon|2000
2001: A Space Odyssey|1968
E.T. the Extra-Terrestrial|1982
Rosemary's Baby|1968
Past Lives|2023
"""

PEOPLE = {
    "Al Pacino": 45,
    "Tom Hanks": 60,
    "Colin Hanks": 8,
    "Meg Ryan": 30,
    "Steven Spielberg": 35,
    "Adam Sandler": 40,
    "Stanley Kubrick": 13,
    "George Clooney": 40,
    "Rosemary Clooney": 6,
    "Arnold Schwarzenegger": 38,
    "Drew Barrymore": 30,
    "Leonardo DiCaprio": 28,
    "Penélope Cruz": 25,
    "Tom Cruise": 40,
    "Jack White": 2,
}


def small_names() -> Names:
    rows = [line.rsplit("|", 1) for line in TITLES.split("\n") if line]
    titles = [(f"t{number}", title, int(year), None) for number, (title, year) in enumerate(rows)]
    return Names.of(titles, [name for name, count in PEOPLE.items() for _ in range(count)])
