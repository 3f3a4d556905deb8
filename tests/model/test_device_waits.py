"""Training reads no value from the device between two steps, where it would wait for the device to finish.

PyTorch's device "meta" stands in for a GPU: its tensors have shapes and no values, and reading one is an error.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import IMAGES, SPEECH, seeded, small

from model import systems
from model.data.pairs import PairSampler
from model.training.loop import take_step, trained_parameters

META = torch.device("meta")


@pytest.fixture(autouse=True)
def on_meta(small_encoders, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 (a fixture)
    """That device has neither generators nor mixed precision of its own."""
    stream = PairSampler._stream
    monkeypatch.setattr(
        PairSampler, "_stream", lambda self, kind, number, _device: stream(self, kind, number, torch.device("cpu"))
    )
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


@pytest.mark.parametrize("recipe", ["paper", "fast", "robust"])
@pytest.mark.parametrize("system", systems.BUILT_IN)
def test_a_step_of_any_system_reads_nothing_from_the_device(recipe: str, system: str) -> None:
    waveforms = np.zeros((20, 8000), np.float32)
    waveforms[:, :5000] = np.random.default_rng(0).normal(0, 0.1, (20, 5000))
    built = seeded(lambda: systems.build(small(recipe, system=system)))
    built.modules.to(META)
    optimiser = torch.optim.Adam(trained_parameters(built))  # not fused, as on a GPU: that does not know this device
    sampler = PairSampler(IMAGES, [replace(SPEECH, waveforms=waveforms)], 16, 0, META)
    for step in range(3):
        loss = take_step(step, built, optimiser, sampler)
        assert loss.total.device == META
    with pytest.raises(RuntimeError, match="meta"):
        loss.total.item()
