"""Errors that a user can do something about, and how failures of long work are described to people."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # not every system knows quotas


class ModinvError(Exception):
    """Base of all errors that a user can do something about; the message says what happened and what to do."""


def describe_failure(error: BaseException) -> str:
    """One or two sentences on an error that ended a job."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return "No space left on the disk. Free some space, then resume: what was saved before is whole."
    if isinstance(error, ModinvError | OSError | ValueError):
        return str(error)
    if out_of_memory(error):
        return "Memory ran out. Use a smaller batch, fewer samples an input or another device, or close other programs."
    return f"An unexpected error occurred ({type(error).__name__}: {error}). What was saved before is whole."


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device's or the machine's memory does not suffice."""
    import torch  # late: a process that only lists failures needs no torch

    # On the CPU and on MPS it is a RuntimeError like any other but for its words.
    message = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in message or "out of memory" in message)
    )
