"""The brief read by a language model, where an OpenAI-compatible endpoint is configured.

    FALSEWORK_LLM_BASE_URL   http://localhost:8000/v1
    FALSEWORK_LLM_MODEL      the model's name there
    FALSEWORK_LLM_API_KEY    optional for local servers
    FALSEWORK_LLM_TIMEOUT    seconds, 8 where it is not set

The answer is held to a JSON schema made from the same models that check shot.toml, checked by them again, and
must quote the brief for every setting. Whatever goes wrong, the grammar's answer is given and a note says so.
Where the brief may have left this process the answer says who got it, used or not. The key, and whatever else
in the address could be secret, is in no answer and no note.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, cast
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from falsework.rights.records import canonical
from falsework.shots.brief import Finding, Interpretation, read_brief
from falsework.shots.brief_reader import BriefReaderSettings, host_of
from falsework.shots.brief_scan import fold

__all__ = ["BRIEF_KEYS", "answer_schema", "read_brief_anywhere"]

TIMEOUT = 8.0
# What a brief may set; everything else is the plate's or the artist's.
BRIEF_KEYS = (
    "seed",
    "fps",
    "frames",
    "facades.storeys",
    "light.azimuth",
    "light.elevation",
    "light.sun_sky_ratio",
    "building.material",
    "building.roof",
    "fracture.fragments",
    "fracture.size_exponent",
    "collapse.kind",
    "collapse.from_storey",
    "collapse.side",
    "collapse.start",
    "collapse.timing",
    "collapse.strength",
    "collapse.direction",
    "dust.amount",
    "dust.reach",
    "dust.wind_speed",
    "dust.wind_direction",
    "dust.debris",
    "render.shutter",
    "render.dust_colour",
    "render.dust_density",
    "comp.grain",
    "comp.slate",
)

INSTRUCTIONS = """\
You read a film director's brief for a shot in which a building collapses, and fill in settings.
Set only what the brief says; leave everything else null. For each setting quote, in "words", the exact
words of the brief it comes from. List words of the brief that no setting expresses in "not_understood".
Never guess.
Floors: the ground floor is 0, "third floor" and "tercer piso" are 3. Frames start at 1001, 24 a second.
collapse.timing: pairs (fraction across the building from the side it begins at, seconds after the start), for
instance slow [[0,0],[1,2.4]], slow at first [[0,0],[0.3,1.4],[1,2]], sudden [[0,0],[1,0.1]].
Directions are degrees clockwise from the view's direction: 90 right, 180 towards the camera, 270 left;
the wind's is where it blows to. dust.amount: 0 none, 0.4 little, 2 heavy, 4 enormous. Colours are
linear RGB albedos."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


@lru_cache(maxsize=1)
def _answer_model() -> type[BaseModel]:
    """For each key of BRIEF_KEYS null, or its value (as the shot's own model types it) and the words."""
    fields: dict[str, Any] = {}
    for key in BRIEF_KEYS:
        said = create_model(
            "Said_" + key.replace(".", "_"), __base__=_Strict, value=(_annotation(key), ...), words=(str, ...)
        )
        fields[key.replace(".", "__")] = (said | None, None)
    settings = create_model("BriefSettings", __base__=_Strict, **fields)
    return create_model(
        "BriefAnswer",
        __base__=_Strict,
        settings=(settings, ...),
        not_understood=(list[str], Field(default_factory=list)),
    )


def _annotation(key: str) -> Any:
    """The type of a setting with its bounds, from the room's own model."""
    from falsework.plate.settings import FacadeSettings
    from falsework.shots.spec import Shot

    section, _, name = key.rpartition(".")
    model: Any = Shot
    if section == "facades":
        model = FacadeSettings
    elif section:
        model = Shot.model_fields[section].annotation
    field = model.model_fields[name]
    return _annotated(field)


def _annotated(field: Any) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def answer_schema() -> dict[str, Any]:
    """The JSON schema of the answer in the strict dialect: every property required, nothing else allowed."""
    schema = _answer_model().model_json_schema()
    return _strict(schema)  # type: ignore[no-any-return]


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _strict(value) for name, value in node.items() if name not in ("default", "title")}
    if "prefixItems" in kept:  # strict mode knows lists of one type only
        kept["items"] = kept.pop("prefixItems")[0]
    if kept.get("type") == "object":
        kept["additionalProperties"] = False
        kept["required"] = list(kept.get("properties", {}))
    return kept


def read_brief_anywhere(
    brief: str, environment: Mapping[str, str] = os.environ, *, at: datetime | None = None
) -> Interpretation:
    """The endpoint's reading where one is configured and answers well, else the grammar's.

    at   the moment that is written down where the brief is sent; left out: now
    """
    offline = read_brief(brief)
    base_url, model = (
        environment.get("FALSEWORK_LLM_BASE_URL", ""),
        environment.get("FALSEWORK_LLM_MODEL", ""),
    )
    if not base_url or not brief.strip():
        return offline
    if not model:
        return _fallen_back(offline, "FALSEWORK_LLM_MODEL is not set")
    key = environment.get("FALSEWORK_LLM_API_KEY", "")
    reader: BriefReaderSettings | None = None
    try:
        timeout = float(environment.get("FALSEWORK_LLM_TIMEOUT", TIMEOUT))
        reader = BriefReaderSettings(
            endpoint=host_of(base_url),
            model=model,
            at=(at or datetime.now(UTC)).replace(microsecond=0),
            prompt_sha256=hashlib.sha256(canonical(_messages(brief))).hexdigest(),
        )
        answer = _ask(brief, base_url, model, key, timeout)
        return replace(_checked(brief, offline.language, model, answer), read_by=reader)
    except ValidationError as error:
        if reader is None:  # an address without a host: nothing was sent
            return _fallen_back(offline, "FALSEWORK_LLM_BASE_URL or FALSEWORK_LLM_MODEL is no usable value")
        why = f"its answer does not fit the schema ({error.error_count()} faults)"
        return _fallen_back(offline, why, reader)
    except Exception as error:  # a network has endless ways to fail, and none of them may stop the work
        summary = (str(error).strip().splitlines() or ["no answer"])[0]
        why = _without_secrets(f"{type(error).__name__}: {summary}", base_url, key)
        return _fallen_back(offline, why, None if _never_sent(error) else reader)


def _fallen_back(
    offline: Interpretation, why: str, reader: BriefReaderSettings | None = None
) -> Interpretation:
    note = f"The endpoint's reading could not be used ({why[:200]}); this is the built-in grammar's."
    sent = reader.model_copy(update={"used": False}) if reader is not None else None
    return replace(offline, notes=(*offline.notes, note), read_by=sent)


def _never_sent(error: BaseException) -> bool:
    """Whether it is certain that nothing reached anybody: no client, or no connection."""
    # By name: the client's own library for HTTP is another in its older versions.
    before = {"ConnectError", "ConnectTimeout", "UnsupportedProtocol", "InvalidURL"}
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ImportError) or type(link).__name__ in before:
            return True
        link = link.__cause__
    return False


def _without_secrets(text: str, base_url: str, key: str) -> str:
    """A server's or client's words without the key, and of the address no more than its host: they enter
    shot.toml as a comment."""
    text = text.replace(base_url, host_of(base_url))
    try:
        parts = urlsplit(base_url)
        secrets = [key, parts.username or "", parts.password or "", parts.query, parts.fragment]
    except ValueError:
        return "the address is not valid"
    secrets += [value for pair in parts.query.split("&") for value in pair.split("=")[1:]]
    secrets += [step for step in parts.path.split("/") if len(step) > 8]  # some gateways take a token there
    for secret in sorted({*secrets, *map(unquote, secrets)}, key=len, reverse=True):
        text = text.replace(secret, "…") if secret else text
    return text


def _messages(brief: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": brief}]


def _ask(brief: str, base_url: str, model: str, key: str, timeout: float) -> str:
    """The endpoint's answer. Waits no longer than `timeout` seconds in all: the client's own time-out starts
    again with every byte, so that a server that trickles could hold it for ever."""
    from openai import DefaultHttpxClient, OpenAI

    client = OpenAI(
        base_url=base_url,
        api_key=key or "none",
        timeout=timeout,
        max_retries=0,
        # The brief goes to the host that is written down, and is not passed on to another.
        http_client=DefaultHttpxClient(follow_redirects=False),
    )
    heard: list[str] = []
    faults: list[Exception] = []

    def ask() -> None:
        try:
            answer = client.chat.completions.create(
                model=model,
                messages=cast("Any", _messages(brief)),
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "brief", "strict": True, "schema": answer_schema()},
                },
                temperature=0,
            )
            heard.append(answer.choices[0].message.content or "")
        except Exception as error:
            faults.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout)
    if faults:
        raise faults[0]
    if not heard:
        raise TimeoutError(f"no answer within {timeout:g} s")
    return heard[0]


def _checked(brief: str, language: str, model: str, answer: str) -> Interpretation:
    """The answer as settings: valid one by one, and only with words that stand in the brief."""
    parsed: Any = _answer_model().model_validate(json.loads(answer))
    folded = fold(brief)
    settings: dict[str, Finding] = {}
    notes: list[str] = []
    for key in BRIEF_KEYS:
        said = getattr(parsed.settings, key.replace(".", "__"))
        if said is None:
            continue
        words = " ".join(said.words.split())
        place = folded.find(fold(words)) if words else -1
        if place < 0:
            notes.append(f"The endpoint's {key} is left out: its words, “{words}”, do not stand in the brief")
            continue
        value = TypeAdapter(_annotation(key)).dump_python(said.value, mode="json")
        settings[key] = Finding(value, brief[place : place + len(words)], (place, place + len(words)))
    missed = tuple(
        words for words in parsed.not_understood if words.strip() and fold(words.strip()) in folded
    )
    ordered = dict(sorted(settings.items(), key=lambda entry: entry[1].span))
    return Interpretation(brief, language, ordered, missed, tuple(notes), source=model)
