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
    ],
)
def test_a_directors_brief_is_none(sentence: str) -> None:
    assert asks_for_writing(sentence) == ""
    refuse_writing(sentence)
