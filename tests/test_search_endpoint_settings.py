"""The endpoint's settings: from a file and the environment, and never shown where they are secret."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.search.endpoint.settings import read_settings

URL = "https://llm.example.org/v1"
ENVIRONMENT = {"FALSEWORK_LLM_BASE_URL": URL, "FALSEWORK_LLM_MODEL": "small"}
TOML = """\
base_url = "http://localhost:8000/v1"
model = "large"
api_key = "from-the-file"
token_limit = "max_tokens"
temperature = "model"

[patience]
total = 3
retries = 1

[allowance]
prompt_price = 0.15
completion_price = 0.6
day_money = 2.5
"""


def test_nothing_configured_is_no_endpoint() -> None:
    assert read_settings({}) is None
    assert read_settings({"FALSEWORK_LLM_MODEL": "small", "FALSEWORK_LLM_BASE_URL": " "}) is None


def test_the_environment_alone() -> None:
    settings = read_settings(ENVIRONMENT | {"FALSEWORK_LLM_API_KEY": "sk-1", "FALSEWORK_LLM_TIMEOUT": "3.5"})
    assert settings is not None
    assert (settings.base_url, settings.model, settings.host) == (URL, "small", "llm.example.org")
    assert settings.api_key.get_secret_value() == "sk-1"
    assert settings.patience.total == 3.5
    assert settings.patience.retries == 2


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "endpoint.toml"
    file.write_text(TOML)
    settings = read_settings({"FALSEWORK_LLM_SETTINGS": str(file), "FALSEWORK_LLM_MODEL": "small"})
    assert settings is not None
    assert (settings.host, settings.model) == ("localhost", "small")
    assert settings.api_key.get_secret_value() == "from-the-file"
    assert (settings.patience.total, settings.patience.retries) == (3, 1)
    assert settings.allowance.day_money == 2.5


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FALSEWORK_LLM_MODEL": ""}, "model"),
        ({"FALSEWORK_LLM_TIMEOUT": "soon"}, "FALSEWORK_LLM_TIMEOUT"),
        ({"FALSEWORK_LLM_TIMEOUT": "nan"}, "FALSEWORK_LLM_TIMEOUT"),
        ({"FALSEWORK_LLM_TIMEOUT": "-1"}, "FALSEWORK_LLM_TIMEOUT"),
        ({"FALSEWORK_LLM_TIMEOUT": "600"}, "FALSEWORK_LLM_TIMEOUT"),
        ({"FALSEWORK_LLM_BASE_URL": "llm.example.org"}, "an address such as"),
        ({"FALSEWORK_LLM_BASE_URL": "file:///etc/passwd"}, "an address such as"),
        ({"FALSEWORK_LLM_BASE_URL": "https://[::1/v1"}, "an address such as"),
        ({"FALSEWORK_LLM_BASE_URL": "https://me:hidden-value@llm.example.org"}, "without user"),
        ({"FALSEWORK_LLM_BASE_URL": "https://llm.example.org/?key=hidden-value"}, "without user"),
        ({"FALSEWORK_LLM_API_KEY": "hidden-value\nInjected: header"}, "FALSEWORK_LLM_API_KEY"),
        ({"FALSEWORK_LLM_API_KEY": "hidden-välue"}, "FALSEWORK_LLM_API_KEY"),
        ({"FALSEWORK_LLM_SETTINGS": "/nowhere/at/all.toml"}, "could not be read"),
    ],
)
def test_a_fault_is_a_sentence_that_shows_no_value(environment: dict[str, str], words: str) -> None:
    with pytest.raises(FalseworkError) as caught:
        read_settings(ENVIRONMENT | environment)
    assert words in caught.value.sentence()
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("model = ", "could not be read"),
        ("modle = 'a'", "modle"),
        ("[patience]\ntotal = 'hidden'", "patience.total"),
        ("patience = 3", "patience"),
        ("[allowance]\nday_money = 3.0", "needs prices"),
        ("[allowance]\nprompt_price = inf", "prompt_price"),
        ("[cache]\nentries = -1", "cache.entries"),
        ("api_key = ['hidden']", "api_key"),
    ],
)
def test_a_fault_in_the_file_names_the_file(tmp_path: Path, toml: str, words: str) -> None:
    file = tmp_path / "endpoint.toml"
    file.write_text(toml)
    with pytest.raises(FalseworkError) as caught:
        read_settings(ENVIRONMENT | {"FALSEWORK_LLM_SETTINGS": str(file)})
    assert words in caught.value.sentence()
    assert str(file) in caught.value.sentence()
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "endpoint.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FalseworkError, match="not UTF-8"):
        read_settings(ENVIRONMENT | {"FALSEWORK_LLM_SETTINGS": str(file)})


def test_a_table_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "endpoint.toml"
    file.write_text("patience = 3")
    with pytest.raises(FalseworkError, match="not a table"):
        read_settings(ENVIRONMENT | {"FALSEWORK_LLM_SETTINGS": str(file), "FALSEWORK_LLM_TIMEOUT": "3"})
