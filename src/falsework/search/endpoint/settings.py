"""What is known of the endpoint: from a TOML file, and over it from the environment.

    FALSEWORK_LLM_BASE_URL         http://localhost:8000/v1
    FALSEWORK_LLM_MODEL            the model's name there
    FALSEWORK_LLM_API_KEY          optional for local servers
    FALSEWORK_LLM_TIMEOUT          seconds for a whole answer, retries included; 8 where it is not set
    FALSEWORK_LLM_EMBEDDING_MODEL  optional: the model that embeds titles and wishes
    FALSEWORK_LLM_SETTINGS         optional: a TOML file with these and all that has no variable

The names are those the brief's reading goes by.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from falsework.errors import FalseworkError
from falsework.settings import Finite, Settings

__all__ = ["Allowance", "CacheLimits", "EndpointSettings", "Patience", "read_settings"]

SETTINGS = "FALSEWORK_LLM_SETTINGS"
VARIABLES = {  # a variable of the environment, and where in the settings it goes
    "FALSEWORK_LLM_BASE_URL": ("base_url",),
    "FALSEWORK_LLM_MODEL": ("model",),
    "FALSEWORK_LLM_API_KEY": ("api_key",),
    "FALSEWORK_LLM_EMBEDDING_MODEL": ("embedding_model",),
    "FALSEWORK_LLM_TIMEOUT": ("patience", "total"),
}

Seconds = Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Patience(Settings):
    """How long is waited, in seconds, and how much is read.

    connect   until a connection stands
    total     for everything one search asks for, retries and the waits between them included
    retries   after a lost connection, and after 408, 409, 429 and 5xx
    bytes     of an answer's body, compressed or not; a longer one is not read on
    failures  in a row after which the endpoint is left alone
    rest      for how long it then is
    """

    connect: Seconds = 2.0
    total: Seconds = 8.0
    retries: Annotated[int, Field(ge=0, le=5)] = 2
    bytes: Annotated[int, Field(ge=1_000, le=64_000_000)] = 4_000_000
    failures: Annotated[int, Field(ge=1, le=100)] = 3
    rest: Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)] = 30.0


class Allowance(Settings):
    """What may be spent, in tokens and in the money the prices are in. Days are UTC's.

    Prices are for a million tokens, as sellers write them. What a request will cost is estimated before it is
    sent, and a request whose estimate does not fit is not sent.
    """

    prompt_price: Price = 0.0
    completion_price: Price = 0.0
    embedding_price: Price = 0.0
    request_tokens: Annotated[int, Field(ge=0)] = 24_000
    day_tokens: Annotated[int, Field(ge=0)] = 2_000_000
    request_money: Money | None = None
    day_money: Money | None = None

    @model_validator(mode="after")
    def _money_needs_prices(self) -> Allowance:
        limited = self.request_money is not None or self.day_money is not None
        if limited and not (self.prompt_price or self.completion_price or self.embedding_price):
            raise ValueError(
                "a limit in money needs prices (prompt_price, completion_price, embedding_price)"
            )
        return self


class CacheLimits(Settings):
    """How many answers are kept, and for how many days. No entries: nothing is kept."""

    entries: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    days: Annotated[float, Field(gt=0, le=365, allow_inf_nan=False)] = 7.0


class EndpointSettings(Settings):
    """Where the model is, and what it may cost.

    token_limit  the field that bounds an answer's length: OpenAI's newer models refuse `max_tokens`, some
                 compatible servers know nothing else
    temperature  "model" leaves it to the model: some take only their own
    embedding_dimensions  asked for where the model can shorten its vectors; left out: as long as they come
    folder       where the answers and the day's spending are kept; left out: the platform's folder for state
    """

    base_url: str
    model: Annotated[str, Field(min_length=1, max_length=200)]
    api_key: SecretStr = SecretStr("")
    embedding_model: Annotated[str, Field(max_length=200)] = ""
    embedding_dimensions: Annotated[int, Field(ge=1, le=16_384)] | None = None
    token_limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    temperature: Finite | Literal["model"] = 0.0
    folder: Path = Field(default_factory=lambda: _state_folder())
    patience: Patience = Patience()
    allowance: Allowance = Allowance()
    cache: CacheLimits = CacheLimits()

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, address: str) -> str:
        # What is secret goes into the key, which no log and no error shows; an address is shown by libraries.
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("an address such as https://llm.example.org/v1")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ValueError("an address without user, password, ? and #; what is secret goes into the key")
        return address

    @field_validator("api_key")
    @classmethod
    def _header_safe(cls, key: SecretStr) -> SecretStr:
        if not all("!" <= letter <= "~" for letter in key.get_secret_value()):
            raise ValueError("a key of letters, digits and signs in ASCII, without blanks")
        return key

    @property
    def host(self) -> str:
        """The address's host: all of it that is ever shown."""
        return urlsplit(self.base_url).hostname or ""


def read_settings(environment: Mapping[str, str] = os.environ) -> EndpointSettings | None:
    """The settings, or None where no endpoint is configured. A FalseworkError shows no value."""
    file = environment.get(SETTINGS, "").strip()
    given = _from_file(Path(file).expanduser()) if file else {}
    for variable, place in VARIABLES.items():
        if environment.get(variable, "").strip():
            section = given
            for name in place[:-1]:
                section = section.setdefault(name, {})
                if not isinstance(section, dict):
                    raise FalseworkError(f"{name} is not a table", where=file, todo=f"Write it as [{name}].")
            section[place[-1]] = environment[variable].strip()
    if not given.get("base_url"):
        return None
    try:
        return EndpointSettings.model_validate(given)
    except ValidationError as error:
        # Without the values, and with no chain to what holds them.
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(step) for step in fault["loc"]) or "allowance"
    variable = next((name for name, place in VARIABLES.items() if ".".join(place) == key), "")
    named = f"{key} ({variable})" if variable else key
    message = str(fault["msg"]).removeprefix("Value error, ")
    raise FalseworkError(
        f"the endpoint's {named} cannot be used: {message}",
        where=file or "the environment",
        todo="Correct it, or unset FALSEWORK_LLM_BASE_URL to search offline.",
    )


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        fault = error.strerror or type(error).__name__
    except tomllib.TOMLDecodeError as error:
        fault = str(error)  # names a line and a column, and quotes a single character at most
    except UnicodeDecodeError:
        fault = "not UTF-8"
    raise FalseworkError(
        f"could not be read ({fault})", where=path, todo=f"Correct the file, or unset {SETTINGS}."
    )


def _state_folder() -> Path:
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "falsework" / "endpoint"
