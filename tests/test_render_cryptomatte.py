"""Cryptomatte: ids as other programs compute them, coverage as the samples say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.render.cryptomatte import (
    DEBRIS_BIT,
    RANKS,
    CoverageTally,
    float_id,
    fragment_name,
    id_bits,
    manifest,
    murmur3_32,
)
from scenes import brick_tower


@pytest.mark.parametrize(
    ("data", "seed", "expected"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"\xff\xff\xff\xff", 0, 0x76293B50),
        (b"\x21\x43\x65\x87", 0, 0xF55B516B),
        (b"\x21\x43\x65", 0, 0x7E4A8634),
        (b"\x21\x43", 0, 0xA0F7B07A),
        (b"\x21", 0, 0x72661CF4),
        (b"Hello, world!", 0x9747B28C, 0x24884CBA),
        (b"hello", 0, 0x248BFA47),
    ],
)
def test_murmur3_matches_published_vectors(data: bytes, seed: int, expected: int) -> None:
    assert murmur3_32(data, seed) == expected


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_ids_are_plain_numbers(name: str) -> None:
    value = float_id(name)
    assert np.isfinite(value)
    assert abs(value) >= np.finfo(np.float32).tiny


def test_manifest_names_every_fragment_and_the_debris() -> None:
    names = manifest(brick_tower())
    assert len(names) == len(brick_tower()) + 1
    assert names[fragment_name(12)] == f"{id_bits('fragment_00012'):08x}"
    assert "debris" in names


@settings(deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=8))
def test_ranks_are_the_samples_counts(samples: list[int]) -> None:
    # Two faces to each object, four objects and the debris.
    tally = CoverageTally(4, np.repeat(np.arange(4), 2), 1, 1)
    for sample in samples:
        face = DEBRIS_BIT + 5 if sample == 4 else 2 * sample + 2 if sample >= 0 else 0
        tally.add(np.array([[face]], np.uint32))
    ranked = tally.ranked()[0, 0].reshape(RANKS, 2)
    names = [float_id(fragment_name(i)) for i in range(4)] + [float_id("debris")]
    counts = sorted((samples.count(i) for i in range(5) if i in samples), reverse=True)[:RANKS]
    assert ranked[: len(counts), 1] == pytest.approx([count / len(samples) for count in counts])
    assert not ranked[len(counts) :].any()
    for value, coverage in ranked[: len(counts)]:
        assert samples.count(names.index(value)) / len(samples) == pytest.approx(coverage)
