"""What is delivered besides the frames, made in the store from finished stages: scene, movie, plates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import falsework
from falsework.shots.sources import source_hash
from falsework.shots.spec import Shot
from falsework.shots.stages import delivered_view
from falsework.shots.store import Store, settings_key

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["made_once", "make_plate_pictures", "make_review", "make_scene"]

HERE = ("falsework.shots.products",)
TEMPORARY = "TEMPORARY, NOT CLEARED"


def made_once(store: Store, name: str, content: Mapping[str, Any]) -> tuple[Path, Path | None]:
    """Folder of a product in the store, and the folder to make it in where it is not there yet."""
    key = settings_key(content)
    if store.done(name, key) is not None:
        return store.folder(name, key), None
    return store.folder(name, key), store.begin(name, key)


def make_scene(shot: Shot, store: Store, folders: Mapping[str, Path], keys: Mapping[str, str]) -> Path:
    """Folder with motion.usd."""
    content = {
        "code": source_hash(("falsework.delivery.usd",), HERE),
        "solve": keys["solve"],
        "collapse": keys["collapse"],
        "name": shot.name,
    }
    folder, part = made_once(store, "usd", content)
    if part is not None:
        from falsework.building.fragments import Fragments
        from falsework.collapse.motion import Motion
        from falsework.delivery.usd import write_usd

        plate = delivered_view(folders["solve"], None)
        write_usd(
            part / "motion.usd",
            Fragments.load(folders["fracture"]),
            Motion.load(folders["collapse"]),
            plate.camera,
            plate.set_planes,
            fps=shot.fps,
            first_frame=shot.frames[0],
            name=shot.name,
        )
        store.finish("usd", folder.name, part, {})
    return folder


def make_plate_pictures(
    shot: Shot, store: Store, folders: Mapping[str, Path], keys: Mapping[str, str], height: int | None
) -> Path:
    """Folder with the pictures that stand still: plate, clean plate, facade, occluders, grain."""
    content = {
        "code": source_hash(("falsework.delivery.plate_exr",), HERE),
        "solve": keys["solve"],
        "height": height,
        "grain": shot.comp.grain,
        "seed": shot.seed,
        "name": shot.name,
    }
    folder, part = made_once(store, "plate", content)
    if part is not None:
        from falsework.comp.plate_pictures import plate_pictures
        from falsework.delivery.plate_exr import write_plate_pictures

        view = delivered_view(folders["solve"], height)
        write_plate_pictures(part, plate_pictures(view, shot.comp, seed=shot.seed), name=shot.name)
        store.finish("plate", folder.name, part, {})
    return folder


def make_review(
    shot: Shot,
    store: Store,
    folders: Mapping[str, Path],
    keys: Mapping[str, str],
    frames: Sequence[int],
    fps: float,
    *,
    temporary: bool = False,
) -> Path:
    """Folder with movie and contact sheet, from the pictures comp left for viewing.

    `temporary` burns into the movie that it is not cleared.
    """
    rooms = ("falsework.delivery.contact", "falsework.media.movie", "falsework.comp.slate")
    content = {
        "code": source_hash(rooms, (*HERE, "falsework.shots.report_data")),
        "comp": keys["comp"],
        "frames": [frames[0], frames[-1], len(frames)],
        "fps": fps,
        "slate": [shot.brief, shot.seed, falsework.__version__] if shot.comp.slate else None,
        "start": shot.collapse.start,
        "temporary": temporary,
    }
    folder, part = made_once(store, "review", content)
    if part is not None:
        from falsework.comp.slate import burn_in
        from falsework.delivery.contact import write_contact
        from falsework.media.movie import write_movie
        from falsework.shots.report_data import comp_picture, frame_label, shown_frames

        def picture(frame: int) -> npt.NDArray[np.uint8]:
            return comp_picture(folders["comp"], frame)

        def pictures() -> Iterator[npt.NDArray[np.uint8]]:
            if shot.comp.slate:
                card = _slate(shot, frames, fps, *first.shape[:2])
                for _ in range(max(round(fps), 1)):
                    yield card
            for frame in frames:
                shown = picture(frame)
                yield burn_in(shown, f"{TEMPORARY}  {shot.name}  {frame}") if temporary else shown

        first = picture(frames[0])
        size = (first.shape[1], first.shape[0])
        comment = f"{TEMPORARY}: a take of {shot.name}" if temporary else ""
        write_movie(part / "review.mp4", pictures(), fps, size, comment=comment)
        chosen = shown_frames(shot, frames)
        write_contact(
            part / "contact.png",
            [picture(frame) for frame in chosen],
            [frame_label(shot, frame) for frame in chosen],
            title=shot.name,
        )
        store.finish("review", folder.name, part, {})
    return folder


def _slate(shot: Shot, frames: Sequence[int], fps: float, height: int, width: int) -> npt.NDArray[np.uint8]:
    from falsework.comp.slate import draw_slate

    lines = [
        ("frames", f"{frames[0]}-{frames[-1]}"),
        ("rate", f"{fps:g} fps"),
        ("seed", str(shot.seed)),
        ("brief", shot.brief),
        ("falsework", falsework.__version__),
    ]
    return draw_slate(width, height, shot.name, lines)
