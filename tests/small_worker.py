"""The worker process with a tenth of the weights, for tests in which it trains: steps and checkpoints take moments.

Only models of its own size can be read by it, or what it leaves by others; see the fixture ``small_encoders``.
"""

from pathlib import Path

from model.processes import python

SMALL_UNITS = 8
"""Hidden units of either encoder."""

_FOLDER = str(Path(__file__).parent)
COMMAND = python("-c", f"import sys; sys.path.insert(0, {_FOLDER!r}); import small_worker; small_worker.main()")
"""Starts it, in place of ``model.jobs.worker``."""


def main() -> None:
    from model.jobs import worker
    from model.networks import encoders

    encoders.HIDDEN_UNITS = SMALL_UNITS
    worker._NICENESS = 0  # nobody is at the window, and other tests would keep it waiting
    worker.main()
