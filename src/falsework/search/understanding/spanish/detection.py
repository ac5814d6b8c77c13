"""Which language a short, informal wish is written in. A title inside it does not decide, the words around it do."""

from __future__ import annotations

from functools import lru_cache

from falsework.search.understanding.spanish.lexicon import Lexicon, fold
from falsework.search.understanding.spanish.morphology import readings
from falsework.search.understanding.spanish.tokens import Token

__all__ = ["language_of"]

# Words that hold a sentence together, the shared ones left out where they would tell nothing. Folded.
FUNCTION_WORDS = {
    "en": "the a an of and to in with is are was were that which who for from about like but not no something"
    " anything some any movie movies film films show shows series where when his her their its my me i i'm it's you"
    " want looking watch good best under over less than more on by at as it this these those very too really one"
    " starring funny scary without have has had be do does don't can would should or if into set during after"
    " before between kids family night old new similar sad happy dark recommend please find please someone",
    "es": "el los las un una unos unas de del y que con en es no por para pero como mas menos muy sin sobre algo alguna"
    " algun quiero busco peli pelis pelicula peliculas donde cuando su sus mi al lo le se ha hay fue era esta este"
    " tipo dos uno desde hasta tambien porque nada me ver quisiera dame ponme recomiendame las serie series mucho"
    " mucha ni si ya otra otro todo todos estan son tiene va la ella ellos",
    "pt": "o os um uma uns umas do da dos das no na nos nas e que com nao por para mas como mais menos muito sem sobre"
    " algo alguma algum quero procuro filme filmes onde quando seu sua meu minha ao pelo pela foi esta isso tambem"
    " porque nada ver em eu voce tem sao uma terror engracado engracada ele ela",
    "fr": "le les un une des du de la et que qui avec dans est pas ne pour mais comme plus moins tres sans sur quelque"
    " chose je cherche veux film films ou quand son sa ses mon ma au aux il elle ce cette aussi rien voir en c'est"
    " d'un d'une l'histoire drole peur",
    "it": "il lo gli un uno una di del della dei delle degli e che con nel nella non per ma come piu meno molto senza su"
    " qualcosa voglio cerco film dove quando suo sua mio mia al alla sono anche perche niente vedere in si da dal ha"
    " divertente paura",
    "de": "der die das ein eine einen einem einer und mit im in ist nicht kein keine fur aber wie mehr weniger sehr ohne"
    " uber etwas ich suche mochte will film filme wo wann sein ihr mein auch nichts sehen von zu zum zur den dem des"
    " oder lustig gruselig",
    "ca": "el els les un una uns unes de del i que amb en es no per pero com mes menys molt sense sobre alguna cosa"
    " vull busco pellicula on quan seu seva meu al als ha hi res veure aixo tambe",
}
WEIGHTS = {language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()}
SHARED_WITH_NAMES = frozenset(
    ["el", "la", "los", "las", "de", "del"]
)  # "El Mariachi", "La La Land": weak witnesses
ONLY_SPANISH = "ñ¿¡"
ONLY_OTHERS = {
    "ç": "fr",
    "ã": "pt",
    "õ": "pt",
    "ß": "de",
    "ä": "de",
    "ö": "de",
    "œ": "fr",
    "ê": "fr",
    "ò": "it",
}
ENOUGH = 4  # words without a verdict before the statistical model is asked


@lru_cache(maxsize=1)
def _english_words() -> frozenset[str]:
    """The words of the glossary's English side that no Spanish word is spelt like."""
    from falsework.search.understanding.spanish.lexicon import entries, lexicon

    known = lexicon()
    words = {word for entry in entries() for word in entry.english.lower().split()}
    return frozenset(word for word in words if word.isascii() and word not in known.folded)


def language_of(tokens: list[Token], known: Lexicon) -> str:
    """ISO 639-1 of the sentence; "en" where nothing speaks against it. Kept names and titles have no voice."""
    words = [token for token in tokens if token.word and token.kept is None]
    score = dict.fromkeys(WEIGHTS, 0.0)
    for token in words:
        _hear(token, score, known)
    best = max(score, key=lambda language: (score[language], language == "en", language == "es"))
    if score[best] <= 0.5:
        return _by_statistics(words) if len(words) >= ENOUGH else "en"
    if best != "es" and score["es"] >= 0.9 * score[best] and best in ("ca", "pt", "it"):
        return "es" if score["es"] > 2 * score["en"] else best
    return best


def _hear(token: Token, score: dict[str, float], known: Lexicon) -> None:
    plain = token.plain
    low = token.text.lower()
    for language, words in WEIGHTS.items():
        if plain in words:
            score[language] += 0.3 if plain in SHARED_WITH_NAMES else 1.0
    if any(one in ONLY_SPANISH for one in low):
        score["es"] += 1.0
    for character, language in ONLY_OTHERS.items():
        if character in low:
            score[language] += 1.0
    if len(plain) < 3:
        return
    spanish = bool(readings(low))
    english = plain in _english_words()
    if spanish and not english:
        score["es"] += 0.8
    elif english and not spanish:
        score["en"] += 0.8


def _by_statistics(words: list[Token]) -> str:
    """For a sentence none of whose words is known here. A tie of near neighbours is not told apart by it."""
    from py3langid.langid import classify

    language, _ = classify(" ".join(fold(token.text) for token in words))
    return str(language) if language in WEIGHTS and language != "es" else "en"
