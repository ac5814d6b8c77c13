"""The one core that networks run on: a process that has run some still answers signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import numpy as np
from openvino import opset13 as ops

from falsework.inference import compiled

COMES_AND_GOES = textwrap.dedent("""
    import faulthandler, gc, os, signal
    faulthandler.enable()  # its stack for signals is the one that must stay
    import numpy as np
    from openvino import opset13 as ops
    from falsework.inference import compiled

    def network():
        given = ops.parameter([2], np.float32)
        return compiled(ops.add(given, given), [given], "twice")

    kept = [network() for _ in range(3)]
    while kept:  # the oldest first
        kept.pop(0)
        gc.collect()
    signal.signal(signal.SIGTERM, lambda *_: print("answered", flush=True))
    os.kill(os.getpid(), signal.SIGTERM)
    print("lives", flush=True)
""")


def test_a_graph_is_compiled_and_computes() -> None:
    given = ops.parameter([3], np.float32)
    twice = compiled(ops.add(given, given), [given], "twice", threads=1, exact=True)
    assert list(twice([np.array([1, 2, 4], np.float32)])[0]) == [2, 4, 8]


def test_signals_are_answered_after_networks_came_and_went() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMES_AND_GOES], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, signal.strsignal(-done.returncode) if done.returncode < 0 else done.stderr
    assert done.stdout.split() == ["answered", "lives"]
