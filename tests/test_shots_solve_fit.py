"""What a solve says of itself."""

from __future__ import annotations

import json
from pathlib import Path

from falsework.shots.solve_fit import fit_words


def test_a_bad_fit_is_said_with_what_to_do(tmp_path: Path) -> None:
    def words(error: float) -> str:
        said = {"camera": {"width": 1920}, "measures": {"reprojection_error": error}}
        (tmp_path / "solve.json").write_text(json.dumps(said))
        return fit_words(tmp_path)

    assert "bad fit" not in words(1.8)
    assert "corners in shot.toml" in words(33.7)
