"""The bench's figures as words for a terminal."""

from __future__ import annotations

from falsework.bench.search.running import SearchBench

__all__ = ["HEAD", "figures", "remarks"]

HEAD = ("queries", "system", "number", "recall@10", "MRR", "nDCG@10")
MEGABYTE = 1e6


def figures(bench: SearchBench) -> list[tuple[str, ...]]:
    """One row for each system on each file, in the columns of `HEAD`."""
    return [
        (
            row.file,
            row.system + (f" (trained on {row.trained} of these)" if row.trained else ""),
            str(row.queries),
            *(f"{row.measures[measure]:.3f}" for measure in HEAD[3:]),
        )
        for row in bench.rows
    ]


def remarks(bench: SearchBench) -> list[str]:
    """What to know beside the table: how to read it, time and memory."""
    indexing, serving = bench.indexing, bench.serving
    said = []
    if any(row.trained for row in bench.rows):
        said.append(
            "Some of these queries were in the training of the shipped order: for them read the row that"
            f" is cross-validated. Its weights were learned from {bench.folds - 1} of {bench.folds} folds,"
            " none of which shares a title with the queries they rank."
        )
    if indexing.refused:
        said.append(f"{indexing.refused} rows of the catalogue could not be read.")
    said += [
        f"{file}: {count} of the answers are no titles of the catalogue, which nothing can find."
        for file, count in bench.absent.items()
        if count
    ]
    return [
        *said,
        f"index: {indexing.titles} titles, import {indexing.import_seconds:.1f} s, build"
        f" {indexing.index_seconds:.1f} s with {indexing.encoded} texts to encode,"
        f" peak {indexing.peak_bytes / MEGABYTE:.0f} MB",
        f"search: p50 {serving.p50_ms:.1f} ms, p95 {serving.p95_ms:.1f} ms, p99 {serving.p99_ms:.1f} ms,"
        f" opening {serving.opening_ms:.0f} ms, peak {serving.peak_bytes / MEGABYTE:.0f} MB",
    ]
