"""A sentence cut into words, with the names and titles in it marked as not to be translated."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from falsework.search.understanding.spanish.lexicon import Lexicon, fold

__all__ = ["Token", "famous_titles", "mark_names", "release_titles", "split"]

PIECES = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]+)*|\d+(?:[.,:]\d+)*|\.\.\.|[^\w\s]|_")
SENTENCE_ENDS = frozenset(".!?…¿¡:;...")
QUOTES = {"«": "»", "“": "”", '"': '"', "‘": "’", "'": "'", "‹": "›"}
LONGEST_QUOTE = 12  # words; a longer one is speech, not a title
CUES = frozenset(
    (
        "como", "tipo", "estilo", "parecida", "parecido", "parecidas", "parecidos", "similar",
        "similares", "vi", "visto", "vimos", "gusto", "encanto", "titulada", "llamada", "plan", "saga",
        "like",
    )
)  # fmt: skip
# between a cue and the title: "parecida a"
CUE_TAILS = frozenset(("a", "de", "que", "la", "el", "mucho", "the"))
CONNECTORS = frozenset(
    (
        "de", "del", "la", "las", "los", "el", "of", "the", "and", "in", "a", "al", "da", "von", "van",
        "to", "on", "for", "with", "&",
    )
)  # fmt: skip
ARTICLES = frozenset(
    (
        "el", "la", "los", "las", "un", "una", "unos", "unas", "del", "al", "este", "esta", "ese",
        "esa", "mi", "tu", "su",
    )
)  # fmt: skip
LONGEST_NAME = 6  # words
LONG_TITLE = 3  # words: a release title as long as this is meant where it begins a sentence
FILM_WORDS = frozenset(
    (
        "peli", "pelis", "pelicula", "peliculas", "serie", "series", "algo", "una", "otra", "comedia",
        "thriller", "visto",
    )
)  # fmt: skip


@dataclass(slots=True)
class Token:
    """`text` as typed, `plain` folded; `kept` is what stands for it in English if it is a name or a title."""

    text: str
    plain: str
    glued: bool = False  # no space before it
    kept: str | None = None

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()

    @property
    def word(self) -> bool:
        return self.text[:1].isalpha()


def split(text: str) -> list[Token]:
    tokens, end = [], 0
    for piece in PIECES.finditer(text):
        tokens.append(Token(piece.group(), fold(piece.group()), glued=piece.start() == end and end > 0))
        end = piece.end()
    return tokens


@lru_cache(maxsize=1)
def release_titles() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """By its first word: the words of a Spanish release title (folded), and the original title. Longest
    first."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    with files(__package__).joinpath("release_titles.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            words = tuple(token.plain for token in split(row["spanish"]) if token.text[0].isalnum())
            table.setdefault(words[0], []).append((words, row["original"]))
    for titles in table.values():
        titles.sort(key=lambda each: -len(each[0]))
    return table


def famous_titles() -> frozenset[str]:
    """Titles of well-known films and series, in English and in Spanish (folded)."""
    return frozenset(
        name
        for titles in release_titles().values()
        for words, original in titles
        for name in (" ".join(words), original)
    )


def mark_names(tokens: list[Token], known: Lexicon) -> list[Token]:
    """Tokens with each title and name made one token that is kept as it stands (a release title: as its
    original)."""
    words = [token for token in tokens if token.word and len(token.text) > 1]
    shouted = len(words) >= 3 and sum(token.capital for token in words) > 0.7 * len(words)
    marked: list[Token] = []
    place = 0
    while place < len(tokens):
        length, kept = _quoted(tokens, place)
        if not length:
            length, kept = _release_title(tokens, place, marked, shouted)
        if not length and (spanned := _glossary_name(tokens, place, known)):
            marked += tokens[place : place + spanned]
            place += spanned
            continue
        if not length and not shouted:
            length, kept = _name(tokens, place, marked, known)
        if length:
            first = tokens[place]
            text = _joined(tokens[place : place + length])
            marked.append(Token(text, fold(text), first.glued, kept or text))
            place += length
        else:
            marked.append(tokens[place])
            place += 1
    return marked


def _joined(tokens: list[Token]) -> str:
    return "".join(
        ("" if token.glued or not place else " ") + token.text for place, token in enumerate(tokens)
    )


def _quoted(tokens: list[Token], place: int) -> tuple[int, str]:
    closing = QUOTES.get(tokens[place].text)
    if closing is None:
        return 0, ""
    for end in range(place + 2, min(place + LONGEST_QUOTE + 2, len(tokens))):
        if tokens[end].text == closing:
            inside = tokens[place + 1 : end]
            length, original = _title_at(inside, 0)
            return end - place + 1, original if length == len(inside) else _joined(inside)
    return 0, ""


def _title_at(tokens: list[Token], place: int) -> tuple[int, str]:
    """The longest release title that begins here: how many tokens it takes, and the original."""
    for words, original in release_titles().get(tokens[place].plain, ()):
        end, matched = place, 0
        while matched < len(words) and end < len(tokens):
            if tokens[end].text[0].isalnum():
                if tokens[end].plain != words[matched]:
                    break
                matched += 1
            elif tokens[end].text not in ",:-¡!¿?":
                break
            end += 1
        if matched == len(words):
            return end - place, original
    return 0, ""


def _release_title(tokens: list[Token], place: int, before: list[Token], shouted: bool) -> tuple[int, str]:
    """A release title that begins here, if it is meant: after "como", "he visto" …, in capitals, or alone."""
    length, original = _title_at(tokens, place)
    if not length:
        return 0, ""
    alone = not before and all(not token.word for token in tokens[length:])
    capital = tokens[place].capital and not shouted
    if alone or _after_cue(before, single=length == 1 and not capital):
        return length, original
    starts = _starts_sentence(before)
    within = any(token.capital for token in tokens[place + 1 : place + length])
    end = tokens[place + length].plain if place + length < len(tokens) else ""
    if capital and (not starts or within or length >= LONG_TITLE or end in ("pero", ",", "o", "y", ".")):
        return length, original
    return 0, ""


def _after_cue(before: list[Token], *, single: bool) -> bool:
    """Whether words that point at a title come before; a `single` small word needs more than "como"."""
    for back, token in enumerate(reversed(before[-4:])):
        if token.plain in CUES:
            compares = token.plain in ("como", "tipo", "estilo") and len(before) > back + 1
            pointed = compares and before[-back - 2].plain in FILM_WORDS
            return (
                not single
                or pointed
                or token.plain.startswith(("parecid", "similar", "vi", "gust", "encant"))
            )
        if token.plain not in CUE_TAILS:
            return False
    return False


def _starts_sentence(before: list[Token]) -> bool:
    return not before or before[-1].text in SENTENCE_ENDS or before[-1].text in QUOTES


def _name(tokens: list[Token], place: int, before: list[Token], known: Lexicon) -> tuple[int, str]:
    """A run of capitals inside a sentence ("Tom Hanks"), unless the glossary has it as a name."""
    first = tokens[place]
    if not (first.word and first.capital):
        return 0, ""
    end = place + 1
    while end < len(tokens):
        if (tokens[end].word and tokens[end].capital) or (
            tokens[end].text.isdigit() and len(tokens[end].text) <= 2
        ):
            end += 1
        elif tokens[end].plain in CONNECTORS and end + 1 < len(tokens) and tokens[end + 1].capital:
            end += 2
        else:
            break
    starts = _starts_sentence(before)
    known_word = first.text.lower() in known.words or first.plain in known.tree
    if starts and (known_word or end - place == 1):
        return 0, ""
    if end - place == 1 and known_word and before and before[-1].plain in ARTICLES:
        return 0, ""  # "la Policía"
    return end - place, _joined(tokens[place:end])


def _glossary_name(tokens: list[Token], place: int, known: Lexicon) -> int:
    """How many words a name takes that the glossary has: "Navidad", "Segunda Guerra Mundial"; 0 if none
    begins."""
    length = int(any(entry.part == "name" for entry in known.folded.get(tokens[place].plain, ())))
    node = known.tree
    for offset, token in enumerate(tokens[place : place + LONGEST_NAME]):
        node = node.get(token.plain, {})
        if "" in node and node[""].part == "name":
            length = offset + 1
    return length
