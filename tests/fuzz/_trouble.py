"""What the harness has to notice; for its own tests."""

import os
import time

from . import harness


def cases(count, _seed):
    for number in range(count):
        if number == 1 and os.environ["MODINV_TROUBLE"] == "unmade":
            raise ValueError("no such case")
        yield "trouble", os.environ["MODINV_TROUBLE"] if number == 1 else "nothing"


def use(content):
    if content == "traceback":
        raise ValueError(content)
    if content == "hang":
        time.sleep(10 * harness.PATIENCE_SECONDS)
    if content == "loop":
        end = time.process_time() + float(os.environ["MODINV_TROUBLE_SECONDS"])
        while time.process_time() < end:
            pass
    if content == "crash":
        os.abort()
    if content == "memory":
        held = []
        while True:
            held.append(b"x" * 2**24)
    if content == "spike":
        b"x" * (harness.LARGEST_BYTES * 5 // 4)
    return content
