"""Networks compiled for this machine's processor: OpenVINO's one core, and the settings that all run with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from threading import Thread
from typing import Any

import openvino

__all__ = ["compiled"]


def compiled(output: Any, given: Sequence[Any], name: str, *, threads: int = 0, exact: bool = False) -> Any:
    """The graph from the parameters `given` to the node `output`: what OpenVINO's `compile_model` returns.

    Half precision (bfloat16) is used where the processor computes in it, unless `exact`. `threads`: 0 leaves
    their number to OpenVINO. The same input gives the same output bit for bit on one machine.
    """
    core = _core()
    halves = not exact and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "bf16" if halves else "f32",
    }
    return core.compile_model(openvino.Model([output], list(given), name), "CPU", settings)


@cache
def _core() -> Any:
    """The process's only core, made in a thread of its own.

    On processors with AMX each core's plugin for the processor gives the thread that makes it a stack for
    signals, and takes it back when the core goes. Of two cores that go in the wrong order the thread is left
    with a stack that is no more: the next signal that Python answers (Ctrl-C, SIGTERM) is a segmentation
    fault. So there is one core, and its stack is another thread's.
    """
    made: list[Any] = []

    def make() -> None:
        core = openvino.Core()
        core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")  # only now is the plugin made
        made.append(core)

    thread = Thread(target=make, name="falsework-inference")
    thread.start()
    thread.join()
    return made[0]
