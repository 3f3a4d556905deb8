"""Threads and processes that report to objects which are destroyed meanwhile.

``python -m tests.benchmarks.thread_stress`` makes executors (`modinv_app.jobs.executor`) and clients of worker
processes (`modinv_app.jobs.client`) and destroys them and their owners while they report, for ``--seconds`` in each
of five ways: closed (``close``), closed without waiting (``close0``; of executors alone), or not closed at all
(``drop``). Each way runs in a process of its own. Prints JSON: how many were made, the exit status, and what was said
on standard error; this script's own status is 0 if none crashed and nothing was said.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WAYS = ("lane close", "lane close0", "lane drop", "client close", "client drop")

_CHATTER = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
while True:
    print('{"say": "ready", "devices": []}', flush=True)
"""


def stress(kind: str, end: str, seconds: float) -> int:
    """Make and destroy for a while; how many there were."""
    from PySide6.QtCore import QCoreApplication, QObject

    from modinv_app.jobs.client import JobClient
    from modinv_app.jobs.executor import SerialExecutor

    application = QCoreApplication([])
    chance = random.Random(0)
    made, told, finish = 0, [0], time.monotonic() + seconds

    def take(*_what: object) -> None:
        told[0] += 1

    def make(owner: QObject, jobs: int) -> SerialExecutor | JobClient:
        if kind == "lane":
            lane = SerialExecutor("stress", owner)
            for _ in range(jobs):
                lane.submit(int, take, take)
            return lane
        client = JobClient(owner, (sys.executable, "-S", "-c", _CHATTER))
        client.devices_found.connect(take)
        client.prepare()
        return client

    while time.monotonic() < finish:
        many = chance.random() < 0.5  # many that have hardly begun, or a few that are busy
        owners = [QObject() for _ in range(8 if many else 2)]
        those = [make(owner, 20 if many else 300) for owner in owners]
        made += len(those)
        if kind == "client" and not many:  # one whose processes speak
            before, patience = told[0], time.monotonic() + 10
            while told[0] == before and time.monotonic() < patience:
                application.processEvents()
        time.sleep(chance.uniform(0, 0.004))
        if chance.random() < 0.5:
            application.processEvents()
        if end != "drop":
            _close(those, *([0] if end == "close0" else []))
        del owners, those
    assert told[0], "nothing was ever told"
    return made


def _close(those: list[Any], *timeout: float) -> None:
    for it in those:
        it.close(*timeout)


def one_way(way: str, seconds: float) -> dict[str, object]:
    """Stress one of `WAYS` in a process of its own."""
    kind, end = way.split()
    code = (
        "import os; from tests.benchmarks.thread_stress import stress; "
        f"print(stress({kind!r}, {end!r}, {seconds}), flush=True); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=seconds + 120,
    )
    return {"made": int(done.stdout or 0), "status": done.returncode, "errors": done.stderr[-3000:]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Threads that report to objects which are destroyed meanwhile.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--ways", default=",".join(WAYS))
    options = parser.parse_args()
    found = {way: one_way(way, options.seconds) for way in options.ways.split(",")}
    print(json.dumps(found, indent=2))
    return 0 if all(way["status"] == 0 and not way["errors"] for way in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
