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
    ],
)
def test_a_directors_brief_is_none(sentence: str) -> None:
    assert asks_for_writing(sentence) == ""
    refuse_writing(sentence)
