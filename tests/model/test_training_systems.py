"""Every system through the training loop: bit-identical resumption, and decoders on another model's encoders."""

import pytest
import torch
from tiny import SMALL
from tiny_runs import RECIPE, a_run, assert_same_state, collect, events, sampler, started_from

from model import systems
from model.recipes.recipe import named
from model.systems.model_io import load_model
from model.training.loop import TrainingFailed, train

pytestmark = pytest.mark.usefixtures("small_encoders")


@pytest.fixture
def other(tmp_path):
    """A model to start from."""
    events(tmp_path / "other")
    return (tmp_path / "other" / "model.safetensors").rename(tmp_path / "other.safetensors")


@pytest.mark.parametrize("system", systems.names())
def test_every_system_resumes_bit_by_bit(tmp_path, system):
    recipe = named("fast", **SMALL, system=system)
    pairs, seen = sampler(recipe), []
    list(train(a_run(tmp_path / "straight", recipe), pairs))
    collect(train(a_run(tmp_path / "twice", recipe), pairs, lambda: len(seen) == 2), seen)
    list(train(a_run(tmp_path / "twice", recipe), pairs))
    assert_same_state(tmp_path / "twice", tmp_path / "straight")


FROZEN = named("fast", **SMALL, system="generative", frozen_encoders=True)


def test_decoders_train_on_the_frozen_encoders_of_another_model_and_resume_bit_by_bit(tmp_path, other):
    data, pairs, seen = started_from(other), sampler(FROZEN), []
    run = a_run(tmp_path / "straight", FROZEN, data=data, start=other)
    ended = list(train(run, pairs))[-1]
    theirs = load_model(other)[0].modules.state_dict()
    for name, weight in ended.system.modules.state_dict().items():
        if name in theirs:
            assert torch.equal(theirs[name], weight), name
    fresh = systems.build(FROZEN).image_decoder.state_dict()
    assert not torch.equal(fresh["body.0.weight"], ended.system.image_decoder.state_dict()["body.0.weight"])
    collect(train(a_run(tmp_path / "twice", FROZEN, data=data, start=other), pairs, lambda: len(seen) == 2), seen)
    list(train(a_run(tmp_path / "twice", FROZEN, data=data, start=other), pairs))
    assert_same_state(tmp_path / "twice", tmp_path / "straight", frozen=("image", "speech"))


def test_frozen_encoders_need_a_model_to_start_from(tmp_path):
    with pytest.raises(TrainingFailed, match="model that training starts from") as error:
        list(train(a_run(tmp_path, FROZEN), sampler(FROZEN)))
    assert not error.value.resumable


def test_encoders_can_start_from_a_model_that_has_decoders_too(tmp_path, other):
    run = a_run(tmp_path / "decoders", FROZEN, data=started_from(other), start=other)
    list(train(run, sampler(FROZEN)))
    again = a_run(tmp_path / "again", data=started_from(run.model), start=run.model)
    ended = list(train(again, sampler(RECIPE), lambda: True))[-1]
    torch.testing.assert_close(ended.system.modules.state_dict(), load_model(other)[0].modules.state_dict())
