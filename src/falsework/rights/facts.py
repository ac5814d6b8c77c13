"""What a named person may declare: each fact left out is unknown, and unknown never clears anything."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from falsework.settings import Settings

__all__ = ["FILE_FACTS", "FileReference", "IngredientFacts", "ShotFacts"]

Words = Annotated[str, Field(min_length=1, max_length=2000)]


def _reference(text: str) -> str:
    if not text.strip():
        raise ValueError('a file by path, or its hash as "sha256:" and 64 hexadecimal digits')
    return text


# A path that starts from production.toml's folder, a pattern with * in it, or "sha256:" and 64 digits.
FileReference = Annotated[str, AfterValidator(_reference)]


class ShotFacts(Settings):
    """Facts of a whole production, or of one of its shots."""

    # What it is made with
    generative_ai: bool | None = None  # a generative model made or changed any of it, ingredients included
    key_visual: bool | None = None  # it shows a key visual, a main character or a main setting
    prominent: bool | None = None  # what was generated is what the audience looks at
    human_authorship: Words | None = None  # where the log of human choices and edits is kept
    # Who is in it
    depicts_performer: bool | None = None  # a performer can be recognised, seen or heard
    digital_replica: bool | None = None  # a person's likeness or voice is recreated or altered digitally
    synthetic_performer: bool | None = None  # a generated human plays a part and is nobody's replica
    # What it shows, and how it could be taken
    depicts_real_place: bool | None = None
    depicts_real_person: bool | None = None
    depicts_real_event: bool | None = None
    mistakable_for_real: bool | None = None  # seen in its place, it could pass for a record of a real event
    evidently_artistic: bool | None = None  # evidently part of a work of art or fiction
    disclosure: Words | None = None  # the words in the credits that say it is artificial
    disclosure_visible: bool | None = None  # those words are seen when it is first shown
    # Who wrote it
    literary_material: bool | None = None  # a script or other writing of a writer's is used
    ai_written_script: bool | None = None  # a model wrote or rewrote any of that
    ai_material_disclosed: bool | None = None  # a writer who was given something by a model was told so
    writers_made_to_use_ai: bool | None = None
    # Whose work it is
    displaces_union_work: bool | None = None
    director_consulted: bool | None = None
    ai_disclosed_at_hiring: bool | None = None
    crew_notified: bool | None = None
    crew_consulted: bool | None = None
    prompts_displace_crew: bool | None = None  # prompts do what a crew member would be engaged for
    strike: bool | None = None  # a strike of the performers' union is on
    # Where else it goes
    interactive: bool | None = None  # it is also used in a game or another interactive work
    covered_material_for_training: bool | None = None  # covered material is licensed to train commercial AI
    publishes_model: bool | None = None  # a model trained or used here is made public
    insurer_answers_checked: bool | None = None  # a person compared the insurer's questions with this ledger


class IngredientFacts(Settings):
    """Facts of single files: samples, models, replicas, plates."""

    scraped: bool | None = None  # taken from the web without asking
    tdm_opt_out: bool | None = None  # its site kept text and data mining to itself when it was taken
    tdm_snapshot: FileReference | None = None  # robots.txt, TDMRep or ai.txt of that day
    covered: bool | None = None  # made under a guild's agreement
    personal: bool | None = None  # shows or identifies people who did not agree
    proprietary: bool | None = None  # somebody's confidential material
    generative: bool | None = None  # a model: it makes pictures, sound or words
    general_purpose: bool | None = None  # a model: made for no one task (AI Act, Article 3(63))
    # A model: the published summary of what trained it, and its provider's copyright policy; false: none
    training_summary: FileReference | Literal[False] | None = None
    copyright_policy: FileReference | Literal[False] | None = None
    talent: bool | None = None  # a model of one person
    production: Words | None = None  # the production a replica or a talent's model was made for
    performer: Words | None = None  # a replica: whose likeness or voice it is, a party of [[parties]]
    deceased: bool | None = None  # a replica of somebody dead
    as_scripted: bool | None = None  # a replica: it does what the performer did or the script says
    unsafe_for_humans: bool | None = None  # a replica: it does what nobody could do safely
    unrecognisable: bool | None = None  # a replica: nobody can tell who it is
    scanned: bool | None = None  # a replica: made from a scan of the performer
    access_log: FileReference | None = None  # a replica: who could reach it
    generated_human: bool | None = None  # it shows a generated person


# The facts of IngredientFacts that name a file.
FILE_FACTS = ("tdm_snapshot", "training_summary", "copyright_policy", "access_log")
