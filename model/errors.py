"""Errors that users can fix, and messages for failed jobs."""

from __future__ import annotations

import errno

_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # not every system has quotas


class ModinvError(Exception):
    """Base class of errors that users can fix; the message says what happened and what to do."""


def describe_failure(error: BaseException) -> str:
    """One or two sentences about an error that ended a job."""
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return "No space left on the disk. Free some space, then resume: what was saved before is whole."
    if isinstance(error, ModinvError | OSError | ValueError):
        return str(error)
    if out_of_memory(error):
        return "Memory ran out. Use a smaller batch, fewer samples an input or another device, or close other programs."
    return f"An unexpected error occurred ({type(error).__name__}: {error}). What was saved before is whole."


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the memory of the device or the machine is exhausted."""
    import torch  # late: a process that only lists failures needs no torch

    # On the CPU and on MPS it is a plain RuntimeError, recognised by its message.
    message = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in message or "out of memory" in message)
    )
