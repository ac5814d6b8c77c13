"""The small words of a wish: what negates, softens, points at a title or a person, and what says nothing.

Phrases are words in lower case without accents and apostrophes ("dont want"), `|` between them.
"""

# ruff: noqa: E501  (the phrases are tables)

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final, Literal

from falsework.catalogue.vocabularies import COUNTRIES, GENRES, LANGUAGES, MOODS, Term, folded

__all__ = [
    "ASKING",
    "DOUBT",
    "FILLERS",
    "FILM_WORDS",
    "KEPT",
    "LIKE",
    "LONGEST_PHRASE",
    "OPERATORS",
    "PERSON",
    "PERSON_SURE",
    "SERIES_WORDS",
    "UNLIKE",
    "UNLIKE_AFTER",
    "Meaning",
    "Operator",
    "compound",
    "meanings",
    "phrases",
]

Operator = Literal["exclude", "not", "mild", "wish", "ignore"]
Meaning = tuple[str, str]  # a field of the query and the value a phrase means there


def phrases(text: str) -> frozenset[str]:
    """The phrases of a table, `|` or the line's end between them."""
    return frozenset(" ".join(each.split()) for each in text.replace("\n", "|").split("|") if each.strip())


_OPERATORS: Final[dict[Operator, str]] = {
    # All that follows in the clause is unwanted.
    "exclude": """no|without|without any|nothing|none of|anything but|everything but|anything except|everything except|except|
        except for|excluding|other than|apart from|besides|minus|avoid|avoiding|skip|leave out|free of|hold the|no more|nor|
        dont want|dont want any|do not want|do not want any|dont need|dont like|do not like|dont enjoy|dont really enjoy|dont really like|didnt like|hate|i hate|
        hates|dislike|cant stand|can not stand|cannot stand|cant handle|sick of|tired of|fed up with|not into|not a fan of|
        not a big fan of|not big on|not fond of|not in the mood for|rather not|never|zero|remove|drop|take out|lose the|get rid of|exclude|
        but no|but not any|no more of|enough of|not about|isnt about|arent about|nothing about|doesnt involve|not involving""",
    # The next word only, and what "or" ties to it.
    "not": """not|not a|not an|not any|isnt|isnt a|arent|not be|not another|not one of|wasnt|non|cant be|shouldnt be|
        should not be|neither""",
    "mild": """not too|nothing too|isnt too|isnt so|isnt that|isnt really|arent too|arent very|isnt overly|wasnt too|not so|not very|not that|not overly|not super|not really|nothing very|nothing overly|
        nothing super|less|not much|not too much|not as|not extremely|not all that|without too much|without being too|not particularly|isnt very|not terribly|
        not crazy|no too|nothing that|not to|isnt overly|not incredibly""",
    "wish": """not without|not only|not just|nothing but|wouldnt mind|dont mind|do not mind|cant get enough of|no shortage of|not averse to|
        not against|dont hate|dont dislike|a little|a bit|a little bit|a bit of|a little bit of|slightly|somewhat|kind of|kinda|sort of|a touch of|some|a hint of|more|
        maybe|perhaps|preferably|ideally|just|only|also|something|lots of|plenty of|a lot of|full of""",
    "ignore": "not necessarily|doesnt have to be|dont have to be|does not have to be|doesnt need to be|dont care if|regardless of|whether|no matter|doesnt matter if|no need for|even if",
}

OPERATORS: Final[dict[str, Operator]] = {
    phrase: operator for operator, table in _OPERATORS.items() for phrase in phrases(table)
}

# A title follows that is asked for itself.
ASKING: Final = phrases(
    "do you have|have you got|has it got|what is|whats|where is|play|put on|find|find me|look up|search for|show me|watch|to watch|i want to watch|is|whats with|tell me about|where can i watch|where can i see|searching for"
)

# A title follows. "strong": whatever is typed, in whatever case; "weak": capitals, quotes or a year are needed.
LIKE: Final[dict[str, str]] = {
    **dict.fromkeys(
        phrases("""something like|anything like|movie like|movies like|film like|films like|show like|shows like|series like|one like|stuff like|things like|
        comedy like|comedies like|thriller like|thrillers like|horror like|drama like|dramas like|similar to|more like|a lot like|just like|exactly like|
        in the style of|in the vein of|along the lines of|reminiscent of|same vibe as|same vibes as|the vibe of|vibes of|vibe like|feel of|in the spirit of|
        same as|close to|a la|as good as|comparable to|akin to|kind of like|kinda like|sort of like|such as|flicks like|titles like|classics like|nothing like|
        not like|unlike|romances like|musicals like|mix of|mixture of|cross between|combination of|blend of|westerns like|documentaries like|documentary like|cartoon like|musical like|western like|romance like"""),
        "strong",
    ),
    **dict.fromkeys(
        phrases("""like|liked|likes|love|loved|loves|enjoy|enjoyed|adore|adored|really dig|dig|favorite is|favourite is|favorites are|favourites are|favorite movie is|
        favourite film is|favorite film is|fan of|watched|saw|seen|just finished|rewatched|hated|hate|disliked|didnt like|dont like|recommend|suggest|as|is it like|except|other than|apart from|besides|isnt|is not|not|prefer|obsessed with|than"""),
        "weak",
    ),
}
UNLIKE: Final = phrases(
    "nothing like|not like|unlike|hated|hate|disliked|didnt like|dont like|did not like|do not like|didnt enjoy|cant stand|not similar to|couldnt stand|not a fan of"
)
UNLIKE_AFTER: Final = phrases(
    "isnt my cup of tea|is not my cup of tea|wasnt for me|was boring|was bad|was terrible|was awful|bored me|is overrated|sucked"
)

# A person follows.
PERSON: Final = phrases(
    """with|starring|featuring|stars|directed by|by|from|made by|written by|director|actor|actress|of|star|starred|cast|and|or|than|fan of|like|love|loves|adore|acted by|played by"""
)
PERSON_SURE: Final = phrases(
    "starring|featuring|directed by|made by|written by|director|actor|actress|acted by|played by|fan of|movies by|films by|film by|movie by|something by|with|by"
)

DOUBT: Final = phrases(
    "maybe|perhaps|probably|possibly|i think|i guess|i believe|might|could be|around|about|circa|or so|ish|not sure|ideally|preferably|if possible|roughly|approximately|or something|somewhere"
)

FILM_WORDS: Final = phrases(
    "movie|movies|film|films|flick|flicks|picture|pictures|moovie|movei|moveis|movias|feature film|feature films|motion picture|feature length"
)
SERIES_WORDS: Final = phrases(
    "series|show|shows|tv show|tv shows|tv series|miniseries|mini series|limited series|sitcom|sitcoms|episodes|docuseries|docu series|soap opera|tv serial|k drama|k dramas|kdrama|kdramas|telenovela|telenovelas|seasons"
)

# What is said around a wish and means nothing for it.
FILLERS: Final = phrases("""
    hi|hello|hey|hiya|hey there|hi there|hello there|good evening|good morning|good afternoon|greetings|aloha|how are you|how are you today|how are you doing|how is it going|hows it going|
    im good|im fine|im great|thanks|thank you|please|pls|yes please|thanks for asking|thank you in advance|ok|okay|yes|no thanks|wow|cool|awesome|great|haha|lol
    i want|i want to watch|i want to see|want|want to watch|wanna watch|wanna see|i wanna|i would like|i would like to watch|i would like to see|id like|id like to watch|id like to see|i d like|would like|would love|id love|id love to watch|i would love
    i am looking for|im looking for|looking for|look for|searching for|i am searching for|i search|find me|find|show me|give me|get me|play|put on|recommend me|recommend|recommendation|recommendations|suggest me|suggest|suggestion|suggestions
    can you recommend|could you recommend|can you suggest|could you suggest|can you find|do you have|do you know|have you got|what would you recommend|what do you recommend|any recommendations|any suggestions|any ideas|got any|is there|are there|there is
    im in the mood for|i am in the mood for|in the mood for|in a mood for|i feel like|feel like watching|i feel like watching|feel like|in mood for|i need|need|i need to watch|lets watch|let us watch|lets see|i fancy|fancy|i prefer|prefer|i enjoy|i like|i love|i really like|i really love|i like to watch|i like watching|i love watching|i really enjoy
    something|anything|somethin|some|any|one|ones|stuff|thing|things|someone|everything|good|nice|great|best|top|favorite|favourite|interesting|decent|a|an|the|of|to|for|with|and|or|but|in|on|at|by|from|as|it|its|that|thats|is|are|be|was|which|who|me|my|i|im|we|us|our|you|your|this|these|those|so|then|than|too|also|more|very|really|quite|just|only|maybe|perhaps|possibly|preferably|ideally|about|set|kind|kinda|sort|type|style|like|such|watch|watching|to watch|see|seeing|tonight|today|this evening|this weekend|right now|now|movie night|date|evening|weekend
    can|could|would|should|might|will|do|does|did|have|has|had|if|not|no|without|nothing|please|help|other|another|else|up|out|all|both|either|well|oh|let|lot|lots|bit|little|few|couple|pretty|super|rather|though|although|since|because|when|what|how|why|where|there|here|been|being|am
    with the whole|something with|where there is|recommended|suggestions please|entertaining|worth watching|to see|made|released|came out|coming out|made in|based|spoken|dubbed|audio|language|shot in|filmed in|production|productions|
    i have seen|i have not seen|i havent seen|ive seen|have you seen|have seen|not seen|havent seen|seen it|never heard of|i have heard|ive heard|heard of|i think|do you think|you think|i guess|i know|you know|i dont know|i will|i am open to|im open to|open to|open to any
    one of my favorites|one of my favourites|my favorites|my favourites|of all time|all time favorite|my favorite|all kinds of|all sorts of|all kinds|types of|type of|kinds of|what kind of|the type of|any genre|any type|not picky|im not picky|as long as|looking forward to|looking forward|check it out|i will check it out|ill check it out|what it is about|what is it about
    seen|liked|loved|watched|heard|think|know|thought|say|says|going|gonna|get|got|look|check|open|sure|yeah|yep|yup|nope|ill|ive|ill|youre|whats|hes|shes|theres|theyre|weve|youve|dont|doesnt|didnt|havent|hasnt|hadnt|isnt|arent|wasnt|werent|cant|couldnt|wont|wouldnt|shouldnt|dunno|know of|id
    he|she|they|him|her|them|his|their|hers|theirs|himself|herself|themselves|each other|kinds|sorts|types|mood|moods|genre|genres|option|options|especially|mostly|definitely|actually|honestly|basically|highly|recommended|sorry|hmm|omg|yay|ah|eh|hiii|meet you|nice to meet you|friend|thinking|wondering|hoping|make|makes|making|many|much|any other|lately|recently|excellent|amazing|awesome|sometime|sometimes|enough|each|every|after all
    new one|popular|famous|well known|acclaimed|award winning
""")

_KIND_FILM, _KIND_SERIES = ("kind", "film"), ("kind", "series")
KEPT: Final = phrases("""zombies|zombie|vampires|vampire|haunted house|ghost story|ghosts|haunting|cops|cop|police|heist|heists|mafia|mob|gangster|gangsters|wizards|dragons|magic|aliens|spaceships|robots|time travel|baseball|basketball|boxing|soccer|football movie|racing|
    dancing|ballet|samurai|ninja|karate|kung fu|wuxia|cowboys|cowboy|christmas|christmassy|xmas|halloween|pixar|marvel|dc comics|concert|detective|detectives|whodunit|whodunnit|cyberpunk|space opera|dystopian|dystopia|politics|treasure|quest|manga|claymation|stop motion|
    secret agent|secret agents|gay|lesbian|queer|transgender|world war ii movie|ww2 movie|bollywood|k drama|kdrama|k dramas|kdramas|hollywood|nollywood|coming of age|true crime|period piece|paranormal|occult|body horror|drugs|drug|stoner|weed|friendship|strong female lead|strong women|
    spaghetti western|mini series|miniseries|limited series|creature feature|slapstick|spoof|parody|twist ending|plot twist|plot twists|true story|true stories|christian|religious|biblical|courtroom|game show|concert film|wildlife|history|military|family|feminist|childhood|murder mystery|neo noir|based on a true story""")


def _of(terms: tuple[Term, ...], field: str, *, spanish: bool) -> list[tuple[str, Meaning]]:
    found = []
    for term in terms:
        names = (*term.english, *term.spanish) if spanish else term.english
        if len(term.name) > 2 and term.name != "Short":  # a code is no word, and "short" is a length
            names = (term.name, *names)
        found += [(folded(name), (field, term.name)) for name in names]
    return found


@cache
def meanings(*, spanish: bool = False) -> dict[str, tuple[Meaning, ...]]:
    """Every phrase of the vocabularies with all it means: "romantic comedy" is two genres.

    With `spanish` the vocabularies' Spanish words too, for those a translation left as they were."""
    table: dict[str, list[Meaning]] = {}
    listed = [
        *_of(GENRES, "genres", spanish=spanish),
        *_of(MOODS, "moods", spanish=spanish),
        *_of(LANGUAGES, "languages", spanish=spanish),
        *_of(COUNTRIES, "countries", spanish=spanish),
        *((word, _KIND_FILM) for word in FILM_WORDS),
        *((word, _KIND_SERIES) for word in SERIES_WORDS),
    ]
    for phrase, meaning in listed:
        have = table.setdefault(phrase, [])
        if meaning not in have:
            have.append(meaning)
    for phrase, found in table.items():
        if " " in phrase and phrase.rpartition(" ")[2] in FILM_WORDS and _KIND_FILM not in found:
            found.append(_KIND_FILM)
    genres = {phrase: found for phrase, found in table.items() if any(key == "genres" for key, _ in found)}
    named = {folded(each.name) for each in GENRES}  # "live action" is one genre, and no action film
    for phrase, found in table.items():
        last = phrase.rpartition(" ")
        if (
            last[0]
            and phrase not in named
            and (more := genres.get(last[2]))
            and any(key in ("genres", "moods") for key, _ in found)
        ):
            found += [each for each in more if each not in found and each[0] == "genres"]
    return {phrase: tuple(found) for phrase, found in table.items()}


_CALLED: Final = phrases(
    "comedy|drama|thriller|documentary|romance|musical|western|horror|animation|cartoon|com|romcom|mystery|fantasy"
)


@lru_cache(maxsize=512)
def compound(phrase: str) -> tuple[str, ...]:
    """What one phrase means together: genres and moods ("rom coms", "dark comedies"), or a plain word and the
    genre behind it ("medical dramas"). None where it means one thing, or one under two names ("romantic")."""
    words = folded(phrase).split()
    if not words:
        return ()
    last = words[-1].removesuffix("ies") + "y" if words[-1].endswith("ies") else words[-1].removesuffix("s")
    if last not in _CALLED:
        return ()
    table = meanings()
    for at in range(len(words)):
        for tail in (words[at:], [*words[at:-1], last]):
            parts = tuple(value for key, value in table.get(" ".join(tail), ()) if key in ("genres", "moods"))
            if parts:
                together = (" ".join(words[:at]), *parts) if at else parts
                return together if len(together) > 1 else ()
    return ()


LONGEST_PHRASE: Final = 6  # words
