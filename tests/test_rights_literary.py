"""Scripts are human: what is refused, and what is only a brief."""

from __future__ import annotations

import pytest

from falsework.errors import FalseworkError
from falsework.rights.literary import asks_for_writing, refuse_writing
from falsework.shots.brief import read_brief


@pytest.mark.parametrize(
    "sentence",
    [
        "rewrite the third scene's dialogue so that the tower falls earlier",
        "Write me a short script in which a house falls",
        "summarise this screenplay and replace it",
        "reescribe el diálogo de la escena",
        "Escribe un guión para el derrumbe",
        "generate a script in which a house falls",
        "create a screenplay about the tower",
        "create a story about a falling house",
        "improve this dialogue",
        "translate the script into French",
        "compose a monologue for the mayor",
        "the script: please rewrite it",
        "The script is too long. Shorten it.",
        "take the dialogue and improve it",
        "the screenplay needs polishing",
        "this synopsis should be rewritten",
        "have the script rewritten",
        "genera un guión para la escena",
        "crea un diálogo entre los dos",
        "mejora el guion",
        "tradúceme el guión",
        "el guión: reescríbelo",
        "mira este diálogo y mejóralo",
        "write me a story about a falling house",
        "write two stories about the tower",
        "rewrite the whole story",
        "rewrite the ending of the story",
        "summarise the first story and replace it",
        "the story of the house: rewrite it",
        "create a short story about dust",
        "improve our story",
        "improve the ending of the story",
        "take the story and improve it",
        "this story is too long, shorten it",
        "the story should be rewritten",
        "the story needs improving",
        "improve the storyline",
        "polish the script",
        "draft a scene's dialogue for the mayor",
        "write the first draft of the script",
        "resume el guion y reemplázalo",
        "pule el diálogo",
        "escribe una historia sobre la torre",
        "mejora nuestra historia",
        "inventa una historia corta",
        "la historia de la casa: reescríbela",
    ],
)
def test_asking_for_a_scripts_words_is_refused_with_the_reason(sentence: str) -> None:
    with pytest.raises(FalseworkError, match="does not write") as refused:
        refuse_writing(sentence)
    assert "Article 72" in refused.value.todo
    with pytest.raises(FalseworkError):
        read_brief(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "the corner folds from the third story, slowly at first, then straight down",
        "as the script says, the tower implodes from the ground floor, no dust",
        "la torre implosiona desde la planta baja, sin polvo",
        "heavy dust, the story of the house ends here",
        "the third story collapses",
        "as the script says, the tower falls",
        "create dust",
        "as written in the script, the tower falls",
        "improve the fall",
        "create dust as the script says",
        "the script says the tower falls, so create dust and improve it",
        "generate more debris from the second story down",
        "create cracks in the top story, then let it fall",
        "as in the script, the tower falls; improve it",
        "create dust. The script is by Ana",
        "improve the surface treatment of the wall",
        "translate the camera to the left",
        "compose it like the story board",
        "crea polvo según el guion",
        "mejora la caída, como dice el guion",
        "la torre cae, genera más polvo en la tercera planta",
        "the story of the house: it collapses; improve it",
        "create a 3-story building that falls",
        "a two-story house, improve it",
        "the 12-story tower: it topples, edit it to ninety frames",
        "create cracks in the story above the shop",
        "improve the collapse of the story",
        "fix the story height at four metres",
        "the building goes down story by story; improve it",
        "generate dust from every story",
        "improve the story's windows before they break",
        "correct the top story, it folds too late",
        "write 'SALE' on the story above the shop",
        "resume the fall at the second story",
        "resume where the script says it stops",
        "the latest draft of the script says the tower falls to the left",
        "polished marble on the ground story, it cracks first",
        "a draft blows the dust through the third story",
        "the shot tells the story of a house; create more dust",
        "twenty stories collapse one after the other, shorten it to three seconds",
        "the writing on the second story stays sharp",
        "the upper stories shear off and compose a ramp of rubble",
        "la historia de la casa: se derrumba; mejora el polvo",
        "resume la caída desde el segundo piso",
        "improve the fall so the story shears off",
        "create more dust, the story slides to the left",
        "create a house of many stories",
        "compose the shot around the story",
        "the walls fold story by story, improve that",
    ],
)
def test_a_directors_brief_is_none(sentence: str) -> None:
    assert asks_for_writing(sentence) == ""
    refuse_writing(sentence)
