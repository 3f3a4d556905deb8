"""Weight norms: the regulariser L_WD in Equation 5 of Leidal, Harwath and Glass 2017."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Norm(torch.autograd.Function):
    """The Frobenius norm, whose gradient takes one pass over the weights; PyTorch's takes three."""

    @staticmethod
    def forward(context: Any, weight: Tensor) -> Tensor:
        norm: Tensor = torch.linalg.vector_norm(weight)
        context.save_for_backward(weight, norm)
        return norm

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        weight, norm = context.saved_tensors
        direction: Tensor = weight * torch.where(norm > 0, gradient / norm, 0.0)
        return direction


def weight_norms(module: nn.Module) -> Tensor:
    """Sum of the Frobenius norms, not squared, of all weight matrices and convolution kernels; biases are left out."""
    norms = [_Norm.apply(weight) for weight in module.parameters() if weight.ndim > 1]
    return torch.stack(norms).sum()
