"""Distillation across modalities: Aytar, Vondrick and Torralba 2017 (arXiv 1706.00932)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import log_softmax


def distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """KL divergence of the student's prediction from the teacher's, KL(teacher, student) in nats; mean over the batch.

    Parameters
    ----------
    student, teacher
        Logits ``(n, classes)`` of co-occurring inputs. Nothing flows back into the teacher's.
    """
    target, predicted = log_softmax(teacher.detach(), -1), log_softmax(student, -1)
    return (target.exp() * (target - predicted)).sum(-1).mean()
