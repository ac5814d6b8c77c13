"""Whether a shot keeps what the product promises, as a table.

    python bench/acceptance.py examples/lyon_corner/shot.toml [--preview] [--only N ...] [--kills N]

Works on copies of the shot's folder, which it throws away. A whole check makes the shot about four times.
Points 1 to 5 and 7; point 6, time and memory, is `bench/stages.py`. Ends with exit code 1 where one fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from shot_laws import (
    KEPT_BY_DUST_COLOUR,
    KEPT_BY_GRAIN,
    Law,
    Made,
    another_seed_another_collapse,
    copy_shot,
    help_is_quick,
    killed_and_started_again,
    make,
    movie_within_codec_error,
    only_what_depends_is_redone,
    same_seed_same_pictures,
    untouched_before_the_trigger,
    untouched_outside_the_matte,
)

POINTS = (1, 2, 3, 4, 5, 7)


class Acceptance:
    """The points one by one; the undisturbed run they compare with is made when first asked for."""

    def __init__(self, shot: Path, scratch: Path, preview: bool, kills: int, seed: int) -> None:
        self.shot, self.scratch, self.kills, self.seed = shot, scratch, kills, seed
        self.options = ("--preview",) if preview else ()
        self.seconds = 0.0

    @cached_property
    def reference(self) -> Made:
        began = time.perf_counter()
        made = make(copy_shot(self.shot, self.scratch / "reference"), *self.options)
        self.seconds = time.perf_counter() - began
        return made

    def before_the_trigger(self) -> list[Law]:
        return [untouched_before_the_trigger(self.reference)]

    def outside_the_matte(self) -> list[Law]:
        return [untouched_outside_the_matte(self.reference), movie_within_codec_error(self.reference)]

    def seeds(self) -> list[Law]:
        twin = make(copy_shot(self.shot, self.scratch / "twin"), *self.options)
        same = same_seed_same_pictures(self.reference, twin)
        seed = str(twin.shot.seed + 1)
        other = make(twin.path, *self.options, "--until", "collapse", "--seed", seed)
        return [same, another_seed_another_collapse(self.reference, other)]

    def killed(self) -> list[Law]:
        reference = self.reference
        shot = copy_shot(self.shot, self.scratch / "killed")
        return killed_and_started_again(shot, reference, self.seconds, self.kills, self.seed)

    def changes(self) -> list[Law]:
        made = make(copy_shot(self.shot, self.scratch / "changed"), *self.options)
        return [
            only_what_depends_is_redone(
                made, "render", "dust_colour", "[0.5, 0.3, 0.2]", KEPT_BY_DUST_COLOUR
            ),
            only_what_depends_is_redone(made, "comp", "grain", "0.5", KEPT_BY_GRAIN),
        ]

    def help(self) -> list[Law]:
        return [help_is_quick()]

    def points(self) -> dict[int, Callable[[], list[Law]]]:
        return {
            1: self.before_the_trigger,
            2: self.outside_the_matte,
            3: self.seeds,
            4: self.killed,
            5: self.changes,
            7: self.help,
        }


def table(name: str, laws: list[Law]) -> str:
    rows = [
        f"| {law.point} | {law.measured} | {law.figure} | {'yes' if law.holds else '**NO**'} |"
        for law in laws
    ]
    head = [f"### {name}", "", "| point | what was measured | figure | holds |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shot", type=Path)
    parser.add_argument("--preview", action="store_true")
    parser.add_argument("--only", type=int, nargs="+", choices=POINTS, metavar="N", help="these points only")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which runs are killed")
    parser.add_argument("--table", type=Path, help="write the Markdown table here as well")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="falsework-acceptance-") as scratch:
        acceptance = Acceptance(given.shot, Path(scratch), given.preview, given.kills, given.seed)
        laws: list[Law] = []
        for number, point in acceptance.points().items():
            if number in (given.only or POINTS):
                print(f"point {number} ...", file=sys.stderr)
                laws += point()
    text = table(given.shot.resolve().parent.name + (" (preview)" if given.preview else ""), laws)
    print(text)
    if given.table:
        given.table.write_text(text)
    return 0 if all(law.holds for law in laws) else 1


if __name__ == "__main__":
    sys.exit(main())
