"""What the report and the contact sheet show, gathered from the finished stages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import falsework
from falsework.collapse.motion import Motion
from falsework.delivery.contact import pick_frames
from falsework.delivery.report import ReportData, StageTime, collapse_plots
from falsework.dust.field import DustField
from falsework.errors import FalseworkError
from falsework.models.registry import read_notes
from falsework.shots.brief import Interpretation, read_brief
from falsework.shots.spec import Shot
from falsework.shots.stages import frame_file
from falsework.shots.traditional_stages import blender_notes

__all__ = ["comp_picture", "frame_label", "report_data", "shown_frames"]


def comp_picture(folder: Path, frame: int) -> npt.NDArray[np.uint8]:
    """The picture for viewing that comp left beside the EXR, (H, W, 3), red first."""
    path = frame_file(folder, frame, ".png")
    picture = cv2.imread(str(path))
    if picture is None:
        raise FalseworkError(
            "is not a readable picture", where=path, todo="Delete the folder it lies in and run again."
        )
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)


def shown_frames(shot: Shot, frames: Sequence[int]) -> list[int]:
    """Eight of the frames there are that tell the shot."""
    wanted = pick_frames(frames[0], frames[-1], shot.collapse.start)
    return sorted({min(frames, key=lambda have: abs(have - frame)) for frame in wanted})


def frame_label(shot: Shot, frame: int) -> str:
    """The frame's number and its time after the first support went."""
    return f"{frame}   {(frame - shot.collapse.start) / shot.fps:+.2f} s"


def report_data(
    shot: Shot,
    folders: Mapping[str, Path],
    *,
    frames: Sequence[int],
    seconds: Mapping[str, float],
    run_seconds: float,
    reused: Sequence[str],
    versions: Mapping[str, str],
) -> ReportData:
    motion = Motion.load(folders["collapse"])
    understood = read_brief(shot.brief)
    pictures = [
        (frame_label(shot, frame), comp_picture(folders["comp"], frame))
        for frame in shown_frames(shot, frames)
    ]
    height, width = pictures[0][1].shape[:2]
    solve = json.loads((folders["solve"] / "solve.json").read_bytes())
    return ReportData(
        title=shot.name,
        brief=shot.brief,
        facts=[
            ("size", f"{width} x {height}"),
            ("frames", f"{frames[0]} to {frames[-1]} ({len(frames)})"),
            ("rate", f"{shot.fps:g} a second"),
            ("seed", str(shot.seed)),
            ("fragments", str(motion.position.shape[1])),
            ("falsework", falsework.__version__),
            *_blender(folders),
            *_networks(folders["render"]),
        ],
        frames=pictures,
        settings=_settings(shot),
        stages=[StageTime(name, spent, name in reused) for name, spent in seconds.items()],
        plots=collapse_plots(
            motion.curves,
            _dust_curves(folders["dust"]),
            fps=shot.fps,
            start=(shot.collapse.start - shot.frames[0]) / shot.fps,
        ),
        checks=motion.checks,
        camera=_camera(solve),
        warnings=[
            f"Check “{name}” failed: {check['means']} ({check['value']:.4g}, wanted {check['limit']})"
            for name, check in motion.checks.items()
            if not check["passed"]
        ],
        understood=[
            (finding.words, f"{key} = {json.dumps(finding.value)}")
            for key, finding in understood.settings.items()
        ],
        instead=_instead(shot, understood),
        read_by=_read_by(shot),
        not_understood=understood.not_understood,
        versions=versions,
        run_seconds=run_seconds,
    )


def _dust_curves(folder: Path) -> Mapping[str, npt.NDArray[np.float32]]:
    """How the dust's mass went, falsework's own or Mantaflow's."""
    if blender_notes({"dust": folder}):
        from falsework.render.traditional.smoke import Smoke

        return Smoke.load(folder).curves
    return DustField.load(folder).curves


def _blender(folders: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Which Blender made which stages, where any did."""
    stages: dict[str, list[str]] = {}
    for stage, version in blender_notes(folders).items():
        stages.setdefault(version, []).append(stage)
    return (
        [("Blender", "; ".join(f"{one} ({', '.join(made)})" for one, made in stages.items()))]
        if stages
        else []
    )


def _networks(render: Path) -> list[tuple[str, str]]:
    """Which networks drew, where any did: an audience may have to be told."""
    drawn_by = [f"{one['name']} {one['version']} ({one['standing']})" for one in read_notes(render)]
    return [("networks", "; ".join(drawn_by))] if drawn_by else []


def _instead(shot: Shot, understood: Interpretation) -> dict[str, str]:
    """Where the shot has another value than the brief's words say: their setting, as shown, to its own."""
    values = shot.model_dump(mode="json")
    found = {}
    for key, finding in understood.settings.items():
        section, _, name = key.rpartition(".")
        if section == "facades":  # a brief speaks of the house, whose walls have a table each
            has = list(dict.fromkeys(wall[name] for wall in values["facades"]))
        else:
            has = [values[section][name] if section else values[name]]
        said = json.loads(json.dumps(finding.value))  # lists, as the shot's
        if any(one != said for one in has):
            found[f"{key} = {json.dumps(finding.value)}"] = " and ".join(map(_text, has))
    return found


def _read_by(shot: Shot) -> str:
    """Who was sent the brief, where that was a language model outside."""
    reader = shot.brief_read_by
    if reader is None:
        return ""
    sent = f"The brief was sent to {reader.model} at {reader.endpoint}"
    if not reader.used:
        return f"{sent}; its answer was not used."
    return f"{sent}, which made the first settings. Below is how the built-in grammar reads it."


def _settings(shot: Shot) -> dict[str, dict[str, str]]:
    """By section of the shot file, as text; lists of tables as one section each."""
    sections: dict[str, dict[str, str]] = {"shot": {}}
    for key, value in shot.model_dump(mode="json", exclude={"brief", "brief_read_by"}).items():
        if isinstance(value, dict):
            sections[key] = {name: _text(item) for name, item in value.items()}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for entry in value:
                sections[f"{key}: {entry['name']}"] = {
                    name: _text(item) for name, item in entry.items() if name != "name"
                }
        else:
            sections["shot"][key] = _text(value)
    return sections


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _camera(solve: Mapping[str, Any]) -> list[tuple[str, str]]:
    camera, light = solve["camera"], solve["light"]
    return [
        (
            "focal length",
            f"{solve['measures']['focal_35mm']:.1f} mm on full frame, of the plate's whole file",
        ),
        ("pitch", f"{camera['pitch_degrees']:.2f}°"),
        ("roll", f"{camera['roll_degrees']:.2f}°"),
        ("height above ground", f"{camera['position'][2]:.2f} m"),
        ("sun", f"{light['azimuth_degrees']:.0f}° from the view, {light['elevation_degrees']:.0f}° high"),
    ]
