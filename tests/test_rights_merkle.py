"""The tree against RFC 6962's definitions, known roots, and every proof of small trees."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.rights.merkle import (
    EMPTY_ROOT,
    Peaks,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# Leaves and roots that Certificate Transparency's own implementations are tested with.
CONTENTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(content) for content in CONTENTS]


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


def test_known_inclusion_proofs() -> None:
    assert inclusion_proof(LEAVES[:1], 0) == ()
    assert [one.hex() for one in inclusion_proof(LEAVES, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in inclusion_proof(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_shape_of_the_rfcs_example() -> None:
    """RFC 6962, 2.1.3: the proofs of its tree of seven leaves, by the names it gives the nodes."""
    a, b, c, d, e, f, j = leaves_of(7)
    g, h, i = root([a, b]), root([c, d]), root([e, f])
    k = root([a, b, c, d])
    l = root([e, f, j])  # noqa: E741
    seven = [a, b, c, d, e, f, j]
    assert inclusion_proof(seven, 0) == (b, h, l)
    assert inclusion_proof(seven, 3) == (c, g, l)
    assert inclusion_proof(seven, 4) == (f, j, k)
    assert inclusion_proof(seven, 6) == (i, k)
    assert consistency_proof(seven, 3) == (c, d, g, l)
    assert consistency_proof(seven, 4) == (l,)
    assert consistency_proof(seven, 6) == (i, j, k)


@given(st.integers(0, 300))
def test_root_is_as_defined(size: int) -> None:
    assert root(leaves_of(size)) == by_definition(leaves_of(size))


def test_every_proof_of_small_trees_holds() -> None:
    for size in range(1, 34):
        leaves = leaves_of(size)
        whole = root(leaves)
        for index in range(size):
            proof = inclusion_proof(leaves, index)
            assert verify_inclusion(leaves[index], index, size, proof, whole)
        for old in range(size + 1):
            proof = consistency_proof(leaves, old)
            assert verify_consistency(old, root(leaves[:old]), size, whole, proof)


@given(st.data())
def test_a_changed_inclusion_proof_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 200))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    whole, proof = root(leaves), list(inclusion_proof(leaves, index))
    other = data.draw(st.integers(0, size + 5).filter(lambda number: number != index))
    assert not verify_inclusion(leaves[index], other, size, proof, whole)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, whole)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(b"other"))
    assert not verify_inclusion(leaves[index], index, size, proof[:-1], whole)
    assert not verify_inclusion(leaves[index], index, size, [*proof, whole], whole)
    place = data.draw(st.integers(0, len(proof) - 1))
    proof[place] = bytes(32)
    assert not verify_inclusion(leaves[index], index, size, proof, whole)


@given(st.data())
def test_a_changed_consistency_proof_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 200))
    old = data.draw(st.integers(1, size - 1))
    leaves = leaves_of(size)
    before, whole = root(leaves[:old]), root(leaves)
    proof = list(consistency_proof(leaves, old))
    assert not verify_consistency(old, leaf_hash(b"other"), size, whole, proof)
    assert not verify_consistency(old, before, size, leaf_hash(b"other"), proof)
    assert not verify_consistency(old, before, size, whole, proof[:-1])
    assert not verify_consistency(old, before, size, whole, [*proof, whole])
    # A history written anew: one of the old leaves is another.
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*leaves[:changed], leaf_hash(b"other"), *leaves[changed + 1 :]]
    assert not verify_consistency(old, before, size, root(rewritten), consistency_proof(rewritten, old))


@given(st.integers(0, 200), st.integers(0, 100))
def test_peaks_grow_and_copies_are_their_own(first: int, more: int) -> None:
    leaves = leaves_of(first + more)
    peaks = Peaks(leaves[:first])
    copy = peaks.copy()
    for leaf in leaves[first:]:
        copy.add(leaf)
    assert (peaks.size, peaks.root()) == (first, root(leaves[:first]))
    assert (copy.size, copy.root()) == (first + more, root(leaves))


def test_out_of_range() -> None:
    leaves = leaves_of(3)
    for bad in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(leaves, bad)
    for bad in (-1, 4):
        with pytest.raises(IndexError):
            consistency_proof(leaves, bad)
    assert not verify_inclusion(leaves[0], -1, 3, [], EMPTY_ROOT)
    assert not verify_inclusion(leaves[0], 0, 0, [], EMPTY_ROOT)
    assert not verify_consistency(2, root(leaves[:2]), 1, root(leaves[:1]), [])
    assert verify_consistency(0, EMPTY_ROOT, 3, root(leaves), [])
    assert not verify_consistency(0, leaves[0], 3, root(leaves), [])
