"""Strokes of a hand that is faster than the window, on a real X server: which of their corners the canvas got, as JSON.

``xvfb-run -a python tests/app/fast_strokes.py``; ``test_fast_strokes.py`` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "xcb"
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from desk import pause, until  # noqa: E402

from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.canvas import Canvas  # noqa: E402

SIDE = 400
ZIGZAG = [(40 + 16 * step, 60 if step % 2 else 340) for step in range(21)]
"""Corners in pixels: whoever misses one of them draws something else."""


def lost(canvas: Canvas) -> int:
    """How many corners lie farther than three pixels from every point of the drawing."""
    points = [(SIDE * x, SIDE * y) for stroke in canvas.sheet.strokes for x, y in stroke.points]
    return sum(min(max(abs(x - a), abs(y - b)) for a, b in points) > 3 for x, y in ZIGZAG)


def main() -> None:
    make_application(sys.argv[:1])
    canvas = Canvas()
    canvas.resize(SIDE, SIDE)
    canvas.show()
    pause(0.5)
    corner = canvas.mapToGlobal(canvas.rect().topLeft())
    moves = [["mousemove", str(corner.x() + x), str(corner.y() + y)] for x, y in ZIGZAG]
    stroke = ["xdotool", *moves[0], "mousedown", "1", *chain(*moves[1:]), "mouseup", "1"]
    found = {}
    for name in ("at leisure", "busy"):
        canvas.clear()
        lifted: list[bool] = []
        canvas.pen_lifted.connect(lambda lifted=lifted: lifted.append(True))
        subprocess.run(["xdotool", *moves[0]], check=True)
        until(canvas.underMouse, "the pointer on the canvas")
        hand = subprocess.Popen(stroke)
        if name == "busy":
            hand.wait()  # and the window stands still meanwhile
        until(lambda lifted=lifted: lifted, "the end of the stroke")
        hand.wait()
        found[name] = lost(canvas)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
