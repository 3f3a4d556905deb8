"""Margin ranking loss: Equation 1 of Leidal, Harwath and Glass 2017, after Harwath, Torralba and Glass 2016."""

from __future__ import annotations

import torch
from torch import Tensor

from model.recipes.recipe import Impostors


def margin_similarity(
    images: Tensor,
    speech: Tensor,
    impostors: Impostors = "pair",
    margin: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Margin ranking loss over matched embeddings (Eq. 1; Harwath et al. 2016), mean over the pairs.

    .. math::
        L_{Sim} = \frac1N \sum_i \max(0, m - v_i \cdot a_i + v_i \cdot a_j) + \max(0, m - v_i \cdot a_i + v_k \cdot a_i)

    where impostors j, k are other pairs of the batch, or one other pair, of any digit: excluding the same digit would
    need labels.

    Parameters
    ----------
    images, speech
        Matched embeddings, ``(N, z)`` each; row i of one co-occurs with row i of the other.
    impostors
        ``"pair"`` draws one other pair for each, uniformly from the other N - 1, so that j = k: "selecting one of
        the other 2,047 sample pairs in the batch", says the paper. ``"one"`` draws j and k independently, as
        Harwath's later code does. ``"all"`` takes the mean over all of them, which is the expectation of either:
        the same objective with less noise.
    generator
        Source of j and k; on the device of the embeddings.

    Returns
    -------
    Tensor
        A scalar, at least 0.

    Raises
    ------
    ValueError
        With fewer than two pairs there is no impostor.
    """
    if impostors == "all":
        return margin_ranking(images @ speech.T, impostors, margin)
    j, k = _draw_impostors(len(images), impostors, generator, images.device)
    return _hinges((images * speech).sum(-1), (images * speech[j]).sum(-1), (images[k] * speech).sum(-1), margin).mean()


def margin_ranking(
    similarity: Tensor,
    impostors: Impostors = "pair",
    margin: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """:func:`margin_similarity` of any similarity: ``(N, N)``, images in rows, utterances in columns."""
    count, own = len(similarity), similarity.diagonal()
    if impostors == "all":
        _require_impostors(count)
        gap = margin - own
        hinges = (gap.unsqueeze(1) + similarity).relu() + (gap.unsqueeze(0) + similarity).relu()
        return (hinges.sum() - hinges.diagonal().sum()) / (count * (count - 1))
    j, k = _draw_impostors(count, impostors, generator, similarity.device)
    pairs = torch.arange(count, device=similarity.device)
    return _hinges(own, similarity[pairs, j], similarity[k, pairs], margin).mean()


def _hinges(own: Tensor, wrong_speech: Tensor, wrong_image: Tensor, margin: float) -> Tensor:
    gap = margin - own
    return (gap + wrong_speech).relu() + (gap + wrong_image).relu()


def _draw_impostors(
    count: int, impostors: Impostors, generator: torch.Generator | None, device: torch.device
) -> tuple[Tensor, Tensor]:
    _require_impostors(count)
    # Adding 1 .. N-1 to the own index modulo N is uniform over the others.
    draws = (1 if impostors == "pair" else 2, count)
    others = torch.randint(1, count, draws, generator=generator, device=device)
    j, k = ((torch.arange(count, device=device) + others) % count).expand(2, -1)
    return j, k


def _require_impostors(count: int) -> None:
    if count < 2:
        raise ValueError("The margin loss needs at least two pairs, else no pair has an impostor.")
