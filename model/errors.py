"""Errors that users can fix, and messages for failed jobs."""

from __future__ import annotations

import errno
import sys

from model.processes import bundled

_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # not every system has quotas


FOR_TRAINING = frozenset({"torch", "torchaudio", "tensorboard", "pyarrow"})
"""Packages of the extra ``train``: answering queries needs none of them."""


class ModinvError(Exception):
    """Base class of errors that users can fix; the message says what happened and what to do."""


def describe_failure(error: BaseException) -> str:
    """One or two sentences about an error that ended a job."""
    if for_training(error):
        what = "is not installed: queries are answered without it, training and evaluation are not possible."
        if bundled():
            return (
                f"This needs PyTorch, which {what} It can't be added to this application; install modinv with Python "
                "instead: pip install 'modinv[train]'"
            )
        return f"This needs PyTorch, which {what} Install it with: pip install 'modinv[train]'"
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return "No space left on the disk. Free some space, then resume: what was saved before is whole."
    if isinstance(error, ModinvError | OSError | ValueError):
        return str(error)
    if out_of_memory(error):
        return "Memory ran out. Use a smaller batch, fewer samples an input or another device, or close other programs."
    return f"An unexpected error occurred ({type(error).__name__}: {error}). What was saved before is whole."


def for_training(error: BaseException) -> bool:
    """Whether an error means that a package of the extra ``train`` is not installed."""
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in FOR_TRAINING


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the memory of the device or the machine is exhausted."""
    torch = sys.modules.get("torch")  # without it nothing has computed
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    # On the CPU and on MPS it is a plain RuntimeError, recognised by its message.
    message = str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in message or "out of memory" in message)
    )
