"""Gradient reversal: Ganin and Lempitsky 2015 (arXiv 1409.7495), as Saito et al. 2016 (DeMIAN) train encoders with."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, inputs: Tensor, weight: float) -> Tensor:
        context.weight = weight
        return inputs.view_as(inputs)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.weight * gradient, None


def reverse_gradient(inputs: Tensor, weight: float) -> Tensor:
    """The same values, whose gradient comes back multiplied by ``-weight``."""
    reversed_: Tensor = _Reversal.apply(inputs, weight)
    return reversed_


def reversal_schedule(progress: float) -> float:
    """Share of the weight in force when that share of the training is done, both in [0, 1]: 2 / (1 + e^(-10 p)) - 1.

    It keeps the encoders from following a discriminator that has learnt nothing yet.
    """
    return 2 / (1 + math.exp(-10 * progress)) - 1
