"""Vectors of texts: kept, so that no text is encoded twice; and of words alone, where there is no encoder."""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.media.atomic import write_bytes

__all__ = ["DIGEST", "Encode", "Encoded", "by_words"]

# Texts to vectors (n, dimensions) of length 1, float32.
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]

DIGEST = 16  # bytes of a text's name
AT_ONCE = 64  # texts that are encoded, and written down, at a time
MOST = 60_000  # vectors in memory and in the file: some 90 MB of 384 dimensions
WORDS = 512  # dimensions of `by_words`
WORD = re.compile(r"[^\W\d_]{4,}")  # shorter ones say little
SAY_NOTHING = frozenset(
    ("that", "this", "with", "from", "your", "they", "dans", "avec", "pour", "para", "eine")
)


class Encoded:
    """`encode`, asked once for each text. `file` keeps what it said from one start to the next; one that
    cannot be read is made anew, and one that cannot be written costs time and nothing else."""

    def __init__(self, encode: Encode, file: Path | None = None) -> None:
        self._encode, self._file, self._new = encode, file, 0
        self._known: dict[bytes, npt.NDArray[np.float32]] = {}
        if file is not None and file.exists():
            self._known = _read(file)

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        names = [
            hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=DIGEST).digest() for text in texts
        ]
        new = list(
            {name: text for name, text in zip(names, texts, strict=True) if name not in self._known}.items()
        )
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            for (name, _), vector in zip(some, self._encode([text for _, text in some]), strict=True):
                self._known[name] = vector
            self._new += len(some)
            if self._new >= AT_ONCE or len(new) > 1:
                self._save()
        found = np.array([self._known[name] for name in names], np.float32)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return found

    def _save(self) -> None:
        self._new = 0
        if self._file is None:
            return
        packed = io.BytesIO()
        names = np.frombuffer(b"".join(self._known), np.uint8).reshape(-1, DIGEST)
        np.savez(packed, names=names, vectors=np.array(list(self._known.values()), np.float32))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._file, packed.getvalue())
        except OSError:
            self._file = None  # not asked again for every text


def by_words(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Each text's words, hashed into `WORDS` dimensions: two texts are near where they share words, and only
    there. Accents and the last letters of long words are looked over."""
    found = np.zeros((len(texts), WORDS), np.float32)
    for row, text in enumerate(texts):
        for word in set(WORD.findall(_plain(text))) - SAY_NOTHING:
            digest = hashlib.blake2b(word[:6].encode(), digest_size=4).digest()
            place = int.from_bytes(digest, "little")
            found[row, place % WORDS] += 1.0 if place >> 31 else -1.0
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    np.divide(found, lengths, out=found, where=lengths > 0)
    return found


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def _read(file: Path) -> dict[bytes, npt.NDArray[np.float32]]:
    try:
        with np.load(file, allow_pickle=False) as told:
            names, vectors = told["names"], told["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if names.ndim != 2 or names.shape[1] != DIGEST or names.dtype != np.uint8:
        return {}
    if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(names):
        return {}
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=0.02):
        return {}
    return {name.tobytes(): vector for name, vector in zip(names, vectors, strict=True)}
