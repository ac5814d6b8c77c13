"""What is read of an endpoint's answers: the protocol's fields that are needed, nothing taken on trust."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from falsework.search.endpoint.errors import EndpointError

__all__ = [
    "Chunk",
    "Completion",
    "Embeddings",
    "Usage",
    "answer_of",
    "check_finish",
    "parsed",
    "usage_of",
]

Count = Annotated[int, Field(ge=0, le=100_000_000)]
Model = TypeVar("Model", bound=BaseModel)


class _Lenient(BaseModel):
    """Servers send more fields than the protocol has; those that are read are checked."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Usage(_Lenient):
    prompt_tokens: Count
    completion_tokens: Count = 0


class Message(_Lenient):
    content: str | None = None
    refusal: str | None = None


class Choice(_Lenient):
    message: Message
    finish_reason: str | None = None


class Completion(_Lenient):
    """`usage` stays unread here: one that makes no sense must not cost an answer that does."""

    choices: Annotated[list[Choice], Field(min_length=1)]
    usage: Any = None


class Delta(_Lenient):
    content: str | None = None
    refusal: str | None = None


class ChunkChoice(_Lenient):
    delta: Delta = Delta()
    finish_reason: str | None = None


class Chunk(_Lenient):
    choices: list[ChunkChoice] = []
    usage: Any = None


class Embedding(_Lenient):
    index: Count
    embedding: list[float]


class Embeddings(_Lenient):
    data: list[Embedding]
    usage: Any = None


def parsed(body: bytes | str, model: type[Model], what: str = "its answer") -> Model:
    """`body` as a `model`; an EndpointError where it is not JSON, or not of that form.

    Nulls count as left out: servers without a strict mode write them for empty lists.
    """
    try:
        value = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise EndpointError(f"sent broken JSON as {what}") from None
    if isinstance(value, dict):
        value = {name: each for name, each in value.items() if each is not None}
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError):
        raise EndpointError(f"sent {what} in the wrong form") from None


def _no_number(name: str) -> float:
    raise ValueError(name)


def usage_of(value: Any) -> Usage | None:
    """What was used, where the server says so in a form that makes sense."""
    try:
        return Usage.model_validate(value)
    except ValidationError:
        return None


def answer_of(completion: Completion) -> str:
    """The text of a finished answer; an EndpointError where the model refused, was cut off or was silent."""
    choice = completion.choices[0]
    check_finish(choice.finish_reason, choice.message.refusal, completion.usage)
    if not (choice.message.content or "").strip():
        raise EndpointError("sent an empty answer", usage=completion.usage)
    return choice.message.content or ""


def check_finish(reason: str | None, refusal: str | None, usage: Any) -> None:
    """An EndpointError where an answer's end was not its own."""
    if refusal or reason == "content_filter":
        raise EndpointError("refused", trips=False, usage=usage)
    if reason == "length":
        raise EndpointError("was cut off before its answer was whole", trips=False, usage=usage)
