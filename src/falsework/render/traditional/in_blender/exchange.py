"""How a script inside Blender hears its work and says how far it is: standard library, NumPy where there.

A script begins so, since Blender does not look beside a script for what it imports:

    import sys
    from pathlib import Path
    sys.path.insert(0, str(Path(__file__).parent))
    import exchange

    def main():
        folder, job = exchange.begin()
        ...
        exchange.say(3, 24)
        exchange.finish({"frames": 24}, files=[folder / "motion.safetensors"])

or, kept alive for many requests: `exchange.serve(handler)`, `handler(request) -> answer`.
"""

import contextlib
import ctypes
import json
import math
import os
import signal
import struct
import sys
import time
from array import array
from pathlib import Path

__all__ = [
    "begin",
    "breathe",
    "clear_scene",
    "finish",
    "read_arrays",
    "read_flat",
    "refuse",
    "say",
    "serve",
    "set_frame_rate",
    "write_arrays",
    "write_flat",
]

PARENT = "FALSEWORK_PROCESS"
BREATH = 5.0  # seconds between signs of life
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux' prctl(2)
# safetensors' types: NumPy's names, and the letters of the standard library's arrays ("" where it has none).
TYPES = {
    "F64": ("float64", "d"),
    "F32": ("float32", "f"),
    "F16": ("float16", ""),
    "I64": ("int64", "q"),
    "I32": ("int32", "i"),
    "I16": ("int16", "h"),
    "I8": ("int8", "b"),
    "U64": ("uint64", "Q"),
    "U32": ("uint32", "I"),
    "U16": ("uint16", "H"),
    "U8": ("uint8", "B"),
    "BOOL": ("bool", "B"),
}

_breathed = 0.0


def begin():
    """The folder to work in and what `job.json` in it asks for ({} where there is none)."""
    _end_with_parent()
    folder = Path(sys.argv[-1])
    job = folder / "job.json"
    return folder, json.loads(job.read_text(encoding="utf-8")) if job.exists() else {}


def clear_scene():
    """An empty scene, whatever the user's own start-up file holds."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.app.handlers.render_stats.append(breathe)  # some Blenders draw for an hour without a word
    return bpy.context.scene


def set_frame_rate(scene, fps):
    """Blender's two numbers for a frame rate: a whole one over a base; 23.976 is 24 over 1.001."""
    scene.render.fps = max(1, math.ceil(fps - 1e-6))
    scene.render.fps_base = scene.render.fps / fps


def say(done, total):
    """How far the work is."""
    _tell({"done": int(done), "total": int(total)})
    if _orphaned():
        os._exit(1)


def breathe(*_):
    """A sign of life, for loops that take long and have no count to tell; cheap enough for every turn."""
    global _breathed
    if time.monotonic() - _breathed >= BREATH:
        _breathed = time.monotonic()
        _tell({"alive": True})
        if _orphaned():
            os._exit(1)


def refuse(what, todo=""):
    """End with a sentence for the user instead of a traceback: what is wrong, and what to do about it."""
    _tell({"fault": {"what": what, "todo": todo}})
    sys.stdout.flush()
    os._exit(4)


def finish(answer, files=()):
    """Leave the answer and end, at once: some Blenders crash while they tidy up. The sizes of `files` (below
    the folder) are noted in the answer, so that one cut short is noticed."""
    folder = Path(sys.argv[-1])
    part = folder / "answer.json.part"
    with part.open("w", encoding="utf-8") as file:
        json.dump({**answer, **_sizes(folder, files)}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, folder / "answer.json")
    _leave()


def serve(handler):
    """Answer requests, a JSON object a line on standard input, until it closes. `handler(request)` returns
    the answer; under "files" it may list files it wrote (below the folder), whose sizes are then noted."""
    folder, _ = begin()
    _tell({"ready": True})
    for line in sys.stdin:
        if line.strip():
            answer = dict(handler(json.loads(line)))
            answer.update(_sizes(folder, answer.pop("files", ())))
            _tell({"answer": answer})
    _leave()


def _leave():
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _sizes(folder, files):
    named = {os.path.relpath(str(path), str(folder)): os.path.getsize(str(path)) for path in files}
    return {"files": named} if named else {}


def _tell(message):
    # Straight to the descriptor and on a line of its own: what Blender's own C code has printed so far may
    # stand in the midst of a line.
    data = ("\nfalsework " + json.dumps(message) + "\n").encode()
    sys.stdout.flush()
    while data:
        data = data[os.write(1, data) :]


def _end_with_parent():
    """Die with falsework, however that dies. Elsewhere than on Linux at the next thing said."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if _orphaned():
        os._exit(1)


def _orphaned():
    try:
        os.kill(int(os.environ.get(PARENT, os.getpid())), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


# ---- arrays, as falsework.media.arrays writes and reads them (safetensors) --------------------------------


def read_arrays(path):
    """Arrays by name (NumPy), and the plain values beside them."""
    import numpy as np

    parts, values = _read(path)
    return {
        name: np.frombuffer(data, dtype=TYPES[kind][0]).reshape(shape).copy()
        for name, (kind, shape, data) in parts.items()
    }, values


def read_flat(path):
    """`read_arrays` without NumPy: (shape, flat array.array) by name, and the values."""
    parts, values = _read(path)
    flat = {}
    for name, (kind, shape, data) in parts.items():
        letter = TYPES[kind][1]
        if not letter:
            raise ValueError(f"{path}: {name} is {kind}, which Python has no array of")
        flat[name] = (tuple(shape), array(letter, data))
    return flat, values


def write_arrays(path, arrays, **values):
    """Write NumPy arrays and JSON-able values; the file appears whole."""
    import numpy as np

    kinds = {numpy: kind for kind, (numpy, _) in TYPES.items()}
    whole = {name: np.ascontiguousarray(one) for name, one in arrays.items()}
    _write(
        path,
        {name: (kinds[one.dtype.name], list(one.shape), one.tobytes()) for name, one in whole.items()},
        values,
    )


def write_flat(path, arrays, **values):
    """`write_arrays` without NumPy, from (shape, array.array) by name."""
    kinds = {letter: kind for kind, (_, letter) in reversed(TYPES.items()) if letter}
    kinds["B"] = "U8"
    if array("l").itemsize == 8:
        kinds["l"] = "I64"
    parts = {
        name: (kinds[flat.typecode], list(shape), flat.tobytes()) for name, (shape, flat) in arrays.items()
    }
    _write(path, parts, values)


def _read(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    values = json.loads(header.pop("__metadata__", {}).get("values", "{}"))
    body = memoryview(data)[8 + length :]
    parts = {}
    for name, note in header.items():
        start, end = note["data_offsets"]
        if end > len(body):
            raise ValueError(f"{path} is cut short")
        parts[name] = (note["dtype"], note["shape"], body[start:end].tobytes())
    return parts, values


def _write(path, parts, values):
    header = {"__metadata__": {"values": json.dumps(values)}}
    place = 0
    # Widest types first, as the format wants every array at a multiple of its item's size.
    ordered = sorted(
        parts, key=lambda name: (-int("".join(c for c in parts[name][0] if c.isdigit()) or 8), name)
    )
    for name in ordered:
        kind, shape, data = parts[name]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, place + len(data)]}
        place += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for name in ordered:
            file.write(parts[name][2])
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
