"""The Merkle tree of RFC 6962 (Certificate Transparency): one hash for a whole log, short proofs about it.

Leaves are given as their hashes (`leaf_hash`), 32 bytes each, in the order of the log. `root` is the hash
of the tree over them. An inclusion proof shows with log2(n) hashes that one leaf is in the tree of a root;
a consistency proof that a smaller tree is the beginning of a larger one. Both are checked without the log,
by the algorithms of RFC 9162, 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "Peaks",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf; the zero byte keeps leaves and nodes apart."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Peaks:
    """The full subtrees of a growing tree, largest first: enough to add leaves and to know the root.

    A tree of n leaves has one peak for each set bit of n, so that it takes at most 64 hashes whatever n is.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._size = 0
        self._peaks: list[bytes] = []
        for leaf in leaves:
            self.add(leaf)

    @property
    def size(self) -> int:
        return self._size

    def copy(self) -> Peaks:
        other = Peaks()
        other._size, other._peaks = self._size, list(self._peaks)
        return other

    def add(self, leaf: bytes) -> None:
        """Add the next leaf; equal subtrees at the end are joined as a binary counter carries."""
        carry = self._size
        while carry & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            carry >>= 1
        self._peaks.append(leaf)
        self._size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        whole = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            whole = node_hash(peak, whole)
        return whole


def root(leaves: Iterable[bytes]) -> bytes:
    """The hash of the tree over these leaves (RFC 6962, 2.1)."""
    return Peaks(leaves).root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes beside the way from leaf `index` up to the root, lowest first (RFC 6962, 2.1.1)."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    proof: list[bytes] = []
    start, stop = 0, len(leaves)
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(root(leaves[middle:stop]))
            stop = middle
        else:
            proof.append(root(leaves[start:middle]))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(leaves: Sequence[bytes], old: int) -> tuple[bytes, ...]:
    """The hashes that show the first `old` leaves to be the beginning of all (RFC 6962, 2.1.2)."""
    if not 0 <= old <= len(leaves):
        raise IndexError(f"a tree of {old} leaves in one of {len(leaves)}")
    if old in (0, len(leaves)):
        return ()
    proof: list[bytes] = []
    start, stop = 0, len(leaves)
    # As long as the right edge of the old tree coincides with the left edge of the new one the verifier knows
    # that subtree already: it is the old root.
    known = True
    while stop != old:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(root(leaves[middle:stop]))
            stop = middle
        else:
            proof.append(root(leaves[start:middle]))
            start, known = middle, False
    if not known:
        proof.append(root(leaves[start:stop]))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is number `index` of the tree of `size` leaves with this root."""
    if not 0 <= index < size:
        return False
    place, last, whole = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            whole = node_hash(beside, whole)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            whole = node_hash(whole, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and whole == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the tree of `old_root` is the beginning of the tree of `new_root`."""
    if not 0 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _split(count: int) -> int:
    """The largest power of two below `count` (which is at least 2)."""
    return 1 << (count - 1).bit_length() - 1
