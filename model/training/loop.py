"""The training loop, a generator of events: its caller decides what to show, and when to stop."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.checkpoints import Header, UnusableCheckpoint, checked, read, write_atomically
from model.data.augmentation import augment
from model.data.pairs import PairSampler
from model.data.speech import FilterbankSettings
from model.errors import ModinvError, out_of_memory
from model.networks import data_parallel
from model.recipes.recipe import Recipe
from model.systems import build
from model.systems.base import Batch, Loss, System
from model.systems.model_header import filterbank_of, header_and_recipe
from model.systems.model_io import fill, save_model, to_arrays
from model.types import Modality

SAVE_SECONDS = 60.0
"""Seconds between checkpoints: the work that a crash can cost."""

_CHECK_EVERY = 10
"""Steps between checks that the loss is finite: each check synchronises with the device."""


class TrainingFailed(ModinvError, RuntimeError):
    """Training can't continue; the message says why and what to do. The last checkpoint is intact.

    Attributes
    ----------
    resumable
        Whether resuming the run, on another device or later, can help.
    """

    def __init__(self, message: str, resumable: bool = True) -> None:
        super().__init__(message)
        self.resumable = resumable


@dataclass(frozen=True, slots=True, eq=False)
class Stepped:
    """One step was done.

    Attributes
    ----------
    step, steps
        Steps done, and steps in all.
    loss
        Detached tensors: reading their values synchronises with the device.
    learning_rate
        Learning rate of the step.
    system
        The system in training mode; it must not be changed, and changes itself with the next step.
    """

    step: int
    steps: int
    loss: Loss
    learning_rate: float
    system: System


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint was written, from which the run can resume."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """The run has ended: ``complete``, or stopped and resumable."""

    step: int
    complete: bool
    model: Path
    system: System
    header: Header


Event = Stepped | Saved | Ended


@dataclass(frozen=True, slots=True)
class Run:
    """One training run: what determines it, and its folder.

    Attributes
    ----------
    folder
        Contains ``model.safetensors`` (the weights so far) and ``resume.safetensors`` (with the optimiser's state).
    recipe, seed
        With the data, they determine the result on a given device.
    data
        :meth:`model.training.config.TrainingConfig.data`.
    device
        Device to train on.
    start
        File of a model whose weights to start from, identified by ``data["started_from"]``; may be ``None``.
    """

    folder: Path
    recipe: Recipe
    seed: int
    data: dict[str, Any]
    device: torch.device
    start: Path | None = None

    @property
    def model(self) -> Path:
        """The file of the model."""
        return self.folder / "model.safetensors"

    @property
    def resume(self) -> Path:
        """The file with weights in full precision and the optimiser's state."""
        return self.folder / "resume.safetensors"

    def header(self, step: int) -> Header:
        """The header of a checkpoint at a step."""
        return Header(
            recipe=self.recipe.to_dict(),
            filterbank=FilterbankSettings().to_dict(),
            data=self.data,
            seed=self.seed,
            step=step,
            device=str(self.device),
            versions={name: version(name) for name in ("torch", "torchaudio", "numpy")},
        )


def train(run: Run, sampler: PairSampler, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train until the recipe's last step or until ``stop`` returns true; resumes from the folder's checkpoint.

    On the CPU a run that was stopped and resumed ends with exactly the weights of an uninterrupted one. Of processes
    that train together (:mod:`model.networks.data_parallel`), all run this loop, and the first one writes.

    Parameters
    ----------
    run
        What to train, and the folder.
    sampler
        Source of pairs, on the run's device.
    stop
        Called before each step; true saves a checkpoint and ends the run.

    Raises
    ------
    TrainingFailed
        If the loss is not finite, or memory runs out, or the system can't be trained by several processes. The last
        checkpoint is kept.
    UnusableCheckpoint
        If the folder holds another run, or the model to start from is unusable or has changed.
    OSError
        If a checkpoint can't be written.
    """
    recipe = run.recipe
    run.folder.mkdir(
        parents=True, exist_ok=True
    )  # not with each save: if the folder is removed meanwhile, that is an error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        system = build(recipe)
    _check_data_parallel(system)
    system.modules.to(run.device).train()
    optimiser = optimiser_of(system)
    done = 0
    if run.resume.exists():
        done = _restore(run, system, optimiser)
    elif run.start is not None:
        _start_from(run.start, run.data.get("started_from"), system)
    elif getattr(recipe, "frozen_encoders", False):
        raise TrainingFailed(
            "Frozen encoders need a model that training starts from, else they would stay untrained. Choose one to "
            "start from, or let the encoders train.",
            resumable=False,
        )
    saved = time.monotonic()
    step = done
    try:
        while step < recipe.steps and not data_parallel.any_of(stop()):
            loss = take_step(step, system, optimiser, sampler)
            step += 1
            if (step % _CHECK_EVERY == 0 or step in (1, recipe.steps)) and not torch.isfinite(loss.total):
                raise diverged(step)
            yield Stepped(step, recipe.steps, loss, recipe.learning_rate_at(step - 1), system)
            if data_parallel.is_first() and time.monotonic() - saved > SAVE_SECONDS:
                _save(run, system, optimiser, step)
                done, saved = step, time.monotonic()
                yield Saved(step, run.resume)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise TrainingFailed(
            f"{run.device} ran out of memory. Use a smaller batch, fewer samples an input or another device."
        ) from error
    if data_parallel.is_first() and (step > done or not run.model.exists()):
        _save(run, system, optimiser, step)
        yield Saved(step, run.resume)
    system.modules.eval()
    yield Ended(step, step >= recipe.steps, run.model, system, run.header(step))


def optimiser_of(system: System) -> torch.optim.Optimizer:
    """Adam with the settings of a system's recipe; the modules must be on their device already."""
    parameters, recipe = trained_parameters(system), system.recipe
    fused = parameters[0].device.type != "mps"
    return torch.optim.Adam(parameters, recipe.learning_rate, recipe.betas, recipe.epsilon, fused=fused)


def trained_parameters(system: System) -> list[torch.nn.Parameter]:
    """The weights that training changes: all but those that a system has frozen."""
    return [parameter for parameter in system.modules.parameters() if parameter.requires_grad]


def take_step(step: int, system: System, optimiser: torch.optim.Optimizer, sampler: PairSampler) -> Loss:
    """Do one step, counted from 0: draw pairs, compute the loss, update the weights."""
    recipe, generator = system.recipe, sampler.generator(step)
    batch = Batch(*sampler.batch(step, generator, recipe.distorted_at(step)))
    if recipe.augments_at(step):
        batch = batch._replace(filterbanks=augment(batch.filterbanks, recipe, generator))
    loss = system.loss(batch, step, generator)
    for group in optimiser.param_groups:
        group["lr"] = recipe.learning_rate_at(step)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss.total)
    data_parallel.average_gradients(trained_parameters(system))
    optimiser.step()
    return loss.detached()


def _check_data_parallel(system: System) -> None:
    """Raise :class:`TrainingFailed` if several processes train together a system that they can't divide."""
    if data_parallel.size() == 1:
        return
    why = ""
    if not getattr(system, "data_parallel", False):
        why = f"The loss of the system {system.recipe.system} needs more than the posteriors of a batch"
    elif system.recipe.batch_norm:
        why = "With batch norm (--set batch_norm=false), an utterance's posterior depends on the whole batch"
    if why:
        raise TrainingFailed(
            f"{why}, which several processes can't divide. Train it without torchrun.", resumable=False
        )


def diverged(step: int) -> TrainingFailed:
    """The error to raise if weights or loss are not finite; resuming would repeat the same steps."""
    return TrainingFailed(
        f"The loss is not finite at step {step}. Use a lower learning rate or another seed; the last checkpoint is "
        "intact.",
        resumable=False,
    )


def _start_from(path: Path, known: Any, system: System) -> None:
    """Load the weights of another model, whose name and digest are known; the optimiser starts afresh.

    Networks that only one of the two systems has, such as decoders or another kind of speech encoder, keep their
    initialisation or are ignored.
    """
    arrays, values = read(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not isinstance(known, dict) or known.get("sha256") != digest:
        raise UnusableCheckpoint(f"{path}, from which this run started, has changed since. Begin a new run.")
    try:
        _, began = header_and_recipe(values)
    except (TypeError, ValueError, UnusableCheckpoint) as error:
        raise UnusableCheckpoint(f"No run can start from {path.name}. {error}") from error
    own = to_arrays(system.modules)
    shared = {_module(name) for name in own} & {_module(name) for name in arrays}
    if began.speech_encoder != system.recipe.speech_encoder:
        shared.discard(Modality.SPEECH.value)
    try:
        if not shared:
            raise UnusableCheckpoint("It has no network of this system.")
        kept = {name: array for name, array in own.items() if _module(name) not in shared}
        fill(system.modules, {**kept, **{name: array for name, array in arrays.items() if _module(name) in shared}})
    except UnusableCheckpoint as error:
        raise UnusableCheckpoint(
            f"The weights in {path.name} don't fit these networks. Start from another model, or with its batch norm "
            "and its kind of posteriors."
        ) from error


def _module(name: str) -> str:
    """The network that a weight belongs to."""
    return name.split(".")[0]


def _save(run: Run, system: System, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Write the model, then the state to resume from: if the second fails, the run repeats the steps since the last."""
    if not all(weight.isfinite().all() for weight in system.modules.parameters()):
        raise diverged(step)
    arrays = {f"weights/{name}": array for name, array in to_arrays(system.modules).items()}
    for number, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            arrays[f"optimiser/{number}/{name}"] = value.detach().cpu().numpy()
    header = run.header(step)
    save_model(run.model, system, header, make_folder=False)
    write_atomically(run.resume, arrays, header.to_dict(), make_folder=False)


def _restore(run: Run, system: System, optimiser: torch.optim.Optimizer) -> int:
    """Load the state in the run's folder; returns the number of steps already done."""
    arrays, values = read(run.resume)
    header = Header.from_dict(values)
    try:
        recipe = Recipe.from_dict(header.recipe)
        filterbank_of(header)
    except (TypeError, ValueError) as error:
        raise UnusableCheckpoint(f"{run.folder} holds a run of another version of modinv: {error}") from error
    for what, kept, wanted in (
        ("recipe", recipe, run.recipe),
        ("seed", header.seed, run.seed),
        ("data", header.data, run.data),
    ):
        if kept != wanted:
            raise UnusableCheckpoint(
                f"{run.folder} holds a run with another {what} ({kept}). Choose another folder, or delete that one."
            )
    prefix = "weights/"
    fill(system.modules, {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)})
    state: dict[int, dict[str, torch.Tensor]] = {}
    try:
        if not 0 <= header.step <= recipe.steps:
            raise ValueError(f"it is of step {header.step}")
        for number, parameter in enumerate(trained_parameters(system) if header.step else ()):
            shapes = {"step": (1,), "exp_avg": tuple(parameter.shape), "exp_avg_sq": tuple(parameter.shape)}
            state[number] = {
                entry: torch.from_numpy(checked(arrays, f"optimiser/{number}/{entry}", np.float32, shape))
                for entry, shape in shapes.items()
            }
            if parameter.dim() == 4:  # fused Adam needs moments in the memory format of the weights
                for entry in ("exp_avg", "exp_avg_sq"):
                    state[number][entry] = torch.empty_like(parameter, device="cpu").copy_(state[number][entry])
    except ValueError as error:
        raise UnusableCheckpoint(f"{run.resume} is damaged: {error}. Begin a new run.") from error
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return header.step
