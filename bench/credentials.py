"""Seconds and bytes that Content Credentials cost, and a thousand flipped bytes for each form.

    python bench/credentials.py [--movie FILE.mp4] [--frames 24] [--megabytes 4] [--flips 0]

Without a movie a noisy one is made. A sequence is signed by its sidecar and, to compare, as a stored ZIP,
the one collection that the signing library can bind by itself.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from falsework.rights import reading
from falsework.rights.certificates import Credentials, make_test_chain
from falsework.rights.signing import sign, sign_sequence
from falsework.rights.verification import verify
from signing_cases import ingredient, manifest, write_picture


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result, wall-clock seconds, and processor seconds of this process and its children."""

    def spent() -> float:
        return sum(
            used.ru_utime + used.ru_stime
            for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    began, used = time.perf_counter(), spent()
    result = work()
    return result, time.perf_counter() - began, spent() - used


def row(name: str, size: int, grown: int, *figures: float) -> None:
    print(f"{name:<28}{size / 1e6:>9.1f} MB{grown:>9} B" + "".join(f"{figure:>10.3f}" for figure in figures))


def as_zip(files: list[Path], credentials: Credentials) -> tuple[int, float, float]:
    """Size, and seconds to sign and to check, of the library's own way with a collection."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            archive.write(path, path.name)
    plain = held.getvalue()
    words = {
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {"action": "c2pa.created", "digitalSourceType": manifest().source_type},
                    ]
                },
            }
        ]
    }
    settings = reading.context(credentials.root)
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(credentials.algorithm, credentials.chain.encode(), credentials.key(), None)
    )
    signed = io.BytesIO()
    builder = c2pa.Builder(words, settings)
    _, signing, _ = timed(lambda: builder.sign(signer, "zip", io.BytesIO(plain), signed))
    _, checking, _ = timed(lambda: reading.read_stream(io.BytesIO(signed.getvalue()), "zip"))
    return len(plain), signing, checking


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--movie", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--megabytes", type=float, default=4.0)
    parser.add_argument("--flips", type=int, default=0)
    given = parser.parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        credentials = make_test_chain(folder / "credentials", at=now)
        plate = sign(
            write_picture(folder / "p.png"), folder / "plate.png", manifest(), credentials, at=now
        ).path
        words = manifest(ingredient(plate))
        print(f"{'':<28}{'size':>12}{'grown by':>11}{'sign':>10}{'(cpu)':>10}{'verify':>10}{'(cpu)':>10}")
        sources = [given.movie] if given.movie else [write_picture(folder / "movie.mp4")]
        picture = np.random.default_rng(1).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
        for suffix in (".png", ".jpg", ".tif"):
            sources.append(folder / f"still{suffix}")
            cv2.imwrite(str(sources[-1]), cv2.GaussianBlur(picture, (0, 0), 2))
        for source in sources:
            out = folder / f"signed_{source.name}"
            _, *signing = timed(lambda source=source, out=out: sign(source, out, words, credentials, at=now))
            seen, *checking = timed(lambda out=out: verify(out, anchors=credentials.root))
            assert seen.state == "trusted"
            size = source.stat().st_size
            row(source.name[:27], size, out.stat().st_size - size, *signing, *checking)
        frames = folder / "exr"
        frames.mkdir()
        chance = np.random.default_rng(2)
        files = [frames / f"shot.{1001 + index}.exr" for index in range(given.frames)]
        for path in files:
            path.write_bytes(chance.bytes(int(given.megabytes * 1e6)))
        sidecar = frames / "shot.c2pa"
        _, *signing = timed(lambda: sign_sequence(frames, sidecar, words, credentials, at=now))
        seen, *checking = timed(lambda: verify(frames, anchors=credentials.root))
        assert seen.state == "trusted"
        total = sum(path.stat().st_size for path in files)
        row(f"{given.frames} EXR, sidecar", total, sidecar.stat().st_size, *signing, *checking)
        size, signing_zip, checking_zip = as_zip(files, credentials)
        row(f"{given.frames} EXR, in a ZIP", size, 0, signing_zip, 0.0, checking_zip, 0.0)
        if given.flips:
            flips(given.flips, folder, sources, credentials, now)


def flips(number: int, folder: Path, sources: list[Path], credentials: Credentials, now: datetime) -> None:
    """Random single-byte flips on payload bytes of small files of each form."""
    from signing_cases import write_sequence
    from test_rights_flips import excluded, flips_missed, sequence_flips_missed

    print(f"\n{number} flipped bytes each: missed; what the standard leaves out of the hash")
    for suffix in (".mp4", ".mov", ".png", ".jpg", ".tif"):
        source = write_picture(folder / f"small{suffix}")
        signed = sign(source, folder / f"small_signed{suffix}", manifest(), credentials, at=now).path
        missed = flips_missed(signed, folder / f"flipped{suffix}", credentials.root, number)
        left_out = ", ".join(f"{why} {end - start} B at {start}" for why, start, end in excluded(signed))
        print(f"  {suffix:<6}{len(missed):>4} missed   {left_out}")
    write_sequence(folder / "small")
    sign_sequence(folder / "small", folder / "small" / "shot.c2pa", manifest(), credentials, at=now)
    missed_of = sequence_flips_missed(folder / "small", credentials.root, number)
    print(f"  EXR   {len(missed_of):>4} missed   nothing of the files or their list")


if __name__ == "__main__":
    main()
