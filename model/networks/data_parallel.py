"""Data-parallel training: several processes, each of which encodes its part of every batch.

All processes have the same weights, draw the same batch and the same random numbers, and compute the same loss of all
posteriors, which they gather; only the encoders' work is divided. So a run has one loss curve, whatever the number of
processes, up to rounding. Without such processes everything here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn


def size() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if _together() else 1


def is_first() -> bool:
    """Whether this process is the one that writes the run's folder."""
    return not _together() or distributed.get_rank() == 0


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Within it, this process trains together with the others that ``torchrun`` has started with it, if it has.

    Parameters
    ----------
    device
        ``"cpu"`` takes gloo. Otherwise each process takes the GPU of its number, and NCCL, where there are GPUs.

    Yields
    ------
    str
        The device of this process; without others the one that was asked for.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield device
        return
    number = int(os.environ["LOCAL_RANK"])
    if device != "cpu" and number < torch.cuda.device_count():
        torch.cuda.set_device(number)
        backend, device = "nccl", f"cuda:{number}"
    else:
        backend, device = "gloo", "cpu"
    distributed.init_process_group(backend)
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def meet() -> None:
    """Wait for all processes."""
    if _together():
        distributed.barrier()


def any_of(flag: bool) -> bool:
    """Whether the flag is set in any of the processes."""
    if not _together():
        return flag
    on_gpu = distributed.get_backend() == "nccl"
    flags = torch.tensor([float(flag)], device="cuda" if on_gpu else "cpu")
    distributed.all_reduce(flags)
    return bool(flags.item())


def own_part(batch: Tensor) -> Tensor:
    """The rows of a batch that this process encodes: as many in all processes, so that some rows may come twice."""
    if not _together():
        return batch
    each = -(-len(batch) // size())
    first = distributed.get_rank() * each
    return batch[torch.arange(first, first + each, device=batch.device) % len(batch)]


def gathered(part: Tensor, count: int) -> Tensor:
    """The rows of all processes, ``(count, ...)``, from what each made of its `own_part`; gradients flow to all."""
    if not _together():
        return part
    rows: Tensor = _Gathering.apply(part.contiguous())
    return rows[:count]


class _Gathering(torch.autograd.Function):
    """All processes compute the same loss of the rows, so that each part gets the sum of equal gradients."""

    @staticmethod
    def forward(context: Any, part: Tensor) -> Tensor:
        context.each = len(part)
        parts = [torch.empty_like(part) for _ in range(size())]
        distributed.all_gather(parts, part)
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        first = distributed.get_rank() * context.each
        return size() * gradient[first : first + context.each]


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace all gradients by their means over the processes, which are those of the loss of the whole batch.

    Each process has computed the whole loss, and a part has got the sum of their gradients through `gathered`.
    """
    if not _together():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= size()
    for gradient, mean in zip(gradients, torch.split(flat, [gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
