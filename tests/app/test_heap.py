"""What large arrays took goes back to the system when they are freed, whatever was freed before."""

import platform
import subprocess
import sys

import pytest

_KEPT = """
import numpy as np, psutil
from modinv_app.shell.heap import return_large_blocks

if {wanted}:
    return_large_blocks()
process = psutil.Process()
np.ones(2**21)  # 16 MB: glibc now takes blocks of this size from its heap
before = process.memory_info().rss
arrays = [np.ones(2**20) for _ in range(12)]  # 8 MB each
last = arrays[-1]
del arrays
print((process.memory_info().rss - before) // 2**20)
"""


def kept(wanted):
    """Megabytes that stay after all but the last of twelve arrays of 8 MB were freed."""
    command = [sys.executable, "-c", _KEPT.format(wanted=wanted)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Other C libraries are left as they are.")
def test_freed_arrays_are_returned():
    assert kept(wanted=False) > 80, "else the test shows nothing"
    assert kept(wanted=True) < 12
