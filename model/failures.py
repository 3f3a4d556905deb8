"""What went wrong in long work, in words for people: what happened, and what to do."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows knows no quotas by that name


def what_to_do(error: BaseException) -> str:
    """One or two sentences on an error that ended a job."""
    from model.training import TrainingFailed, out_of_memory  # late: this module is wanted before torch is

    if isinstance(error, OSError) and error.errno in _FULL:
        return "No space left on the disk. Free some space, then resume: what was saved before is whole."
    if out_of_memory(error) and not isinstance(error, TrainingFailed):
        return "Memory ran out. Use a smaller batch, fewer samples an input or another device, or close other programs."
    if isinstance(error, OSError | ValueError | TrainingFailed):
        return str(error)  # ours, or the system's: they say what they mean
    return (
        f"Something went wrong that nobody expected ({type(error).__name__}: {error}). What was saved before is whole."
    )
