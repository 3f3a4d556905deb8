"""Memory that libraries have freed goes back to the system."""

from __future__ import annotations

import ctypes
import platform

_M_MMAP_THRESHOLD = -3  # of mallopt, as malloc.h has it
_LARGE = 2**20  # bytes; arrays of a query are smaller


def return_large_blocks() -> None:
    """Have the C library take large blocks from the system one by one, and return each when it is freed.

    By default glibc raises its threshold with each large block that is freed, up to 32 MB, and takes later ones from a
    heap that only shrinks from its end: each model that was loaded left the window tens of megabytes larger. Other
    C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
