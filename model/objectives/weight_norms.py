"""Weight norms: the regulariser L_WD in Equation 5 of Leidal, Harwath and Glass 2017."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def weight_norms(module: nn.Module) -> Tensor:
    """Sum of the Frobenius norms, not squared, of all weight matrices and convolution kernels; biases are left out."""
    norms = [torch.linalg.vector_norm(weight) for weight in module.parameters() if weight.ndim > 1]
    return torch.stack(norms).sum()
