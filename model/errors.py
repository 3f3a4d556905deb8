"""What went wrong in long work, in words for people: what happened, and what to do."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # not every system knows quotas


def describe_failure(error: BaseException) -> str:
    """One or two sentences on an error that ended a job."""
    from model.training.loop import out_of_memory  # late: whoever lists failures needs no torch

    if isinstance(error, OSError) and error.errno in _FULL:
        return "No space left on the disk. Free some space, then resume: what was saved before is whole."
    if isinstance(error, OSError | ValueError) or type(error).__module__.startswith("model."):
        return str(error)  # ours, or the system's: they say what they mean
    if out_of_memory(error):
        return "Memory ran out. Use a smaller batch, fewer samples an input or another device, or close other programs."
    return f"Nobody expected this to go wrong ({type(error).__name__}: {error}). What was saved before is whole."
