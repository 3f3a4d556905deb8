"""Training: it learns, it resumes bit by bit, and it never ruins what it had."""

import errno
import os
import stat

import pytest
import torch
from tiny import IMAGES, SMALL, SPEECH, seeded, spoilt
from tiny_runs import CPU, RECIPE, a_run, assert_same_state, collect, events, sampler, started_from

from model.checkpoints import UnusableCheckpoint, read, write_atomically
from model.data.pairs import PairSampler
from model.networks import architecture
from model.networks.precision import has_bfloat16
from model.recipes.recipe import named
from model.similarity import similarity_matrix
from model.systems import build
from model.systems.model_io import load_model
from model.training import loop as training
from model.training.loop import Ended, Saved, Stepped, TrainingFailed, train

pytestmark = pytest.mark.usefixtures("small_encoders")

WHOLE = architecture.HIDDEN_UNITS
EXACT = named("paper", **SMALL, batch_norm=False)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The events and the folder of an uninterrupted run, by recipe."""
    runs = {}

    def finished(recipe):
        if recipe not in runs:
            folder = tmp_path_factory.mktemp(f"{recipe.name}-{recipe.system}")
            runs[recipe] = events(folder, recipe), folder
        return runs[recipe]

    return finished


def test_events_come_in_order(straight):
    seen, folder = straight(RECIPE)
    assert [type(event) for event in seen] == [Stepped] * 4 + [Saved, Ended]
    assert [event.step for event in seen] == [1, 2, 3, 4, 4, 4]
    for event in seen[:4]:
        assert event.steps == 4
        assert event.learning_rate == RECIPE.learning_rate_at(event.step - 1)
        assert event.loss.weights == {"lambda_ig": RECIPE.lambda_ig_at(event.step - 1)}
        values = event.loss.values()
        assert values["total"] == pytest.approx(
            values["similarity"]
            + event.loss.weights["lambda_ig"] * values["information_gain"]
            + 1e-6 * values["weight_norms"]
        )
        assert not event.loss.total.requires_grad
    assert seen[4].path == folder / "resume.safetensors"
    assert seen[5].complete
    assert seen[5].model == folder / "model.safetensors"
    assert not seen[5].system.modules.training


def test_the_written_model_is_the_trained_one(straight):
    seen, _ = straight(RECIPE)
    loaded, header = load_model(seen[-1].model)
    assert (header.step, header.seed, header.recipe["name"]) == (4, 0, "fast")
    assert header.data == {"images": ["bars"], "speech": ["bars"]}
    assert set(header.versions) == {"torch", "torchaudio", "numpy"}
    for name, weight in seen[-1].system.modules.state_dict().items():
        assert torch.equal(loaded.modules.state_dict()[name], weight.half().float())


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("variational", {}),
        ("deterministic", {}),
        ("adversarial", {}),
        ("divergence", {"learning_rate": 1e-3, "steps": 40}),
        ("contrastive", {}),
        ("generative", {}),
    ],
)
def test_the_loss_falls_and_the_pairs_are_found(tmp_path, monkeypatch, name, changes):
    """The loss: the system's first term after the total."""
    monkeypatch.setattr(architecture, "HIDDEN_UNITS", WHOLE)
    recipe = named("fast", **{"system": name, "steps": 24, "batch_size": 10, "learning_rate": 3e-4, **changes})
    recipe = recipe.changed(samples_per_input=4)
    seen = events(tmp_path, recipe)
    system = seen[-1].system
    losses = [event.loss.terms[system.terms[1].name].item() for event in seen if isinstance(event, Stepped)]
    assert sum(losses[-4:]) < 0.65 * sum(losses[:4])
    encoded = (system.encode(samples.modality, samples.features) for samples in (IMAGES, SPEECH))
    found = similarity_matrix(system.similarity, *encoded)
    assert (SPEECH.labels[found.argmax(1)] == IMAGES.labels).all()
    assert (IMAGES.labels[found.argmax(0)] == SPEECH.labels).all()


def test_a_student_learns_from_its_teacher(tmp_path, monkeypatch):
    monkeypatch.setattr(architecture, "HIDDEN_UNITS", WHOLE)
    recipe = named("fast", system="distilled", steps=60, batch_size=10, learning_rate=1e-3)
    system = events(tmp_path, recipe)[-1].system
    for samples in (IMAGES, SPEECH):
        assert (system.classify(samples.modality, samples.features).argmax(1) == samples.labels).all()


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(EXACT, id="float32"),
        pytest.param(
            RECIPE, id="bfloat16", marks=pytest.mark.skipif(not has_bfloat16(CPU), reason="this CPU has no bfloat16")
        ),
    ],
)
def test_a_resumed_run_ends_as_if_it_had_never_stopped(tmp_path, straight, recipe):
    first = events(tmp_path, recipe, stop_after=2)
    assert [type(event) for event in first] == [Stepped, Stepped, Saved, Ended]
    assert not first[-1].complete
    assert load_model(tmp_path / "model.safetensors")[1].step == 2
    rest = events(tmp_path, recipe)
    assert [event.step for event in rest] == [3, 4, 4, 4]
    assert rest[-1].complete
    assert_same_state(tmp_path, straight(recipe)[1])


def test_a_finished_run_goes_no_further(straight):
    _, folder = straight(RECIPE)
    before = (folder / "resume.safetensors").read_bytes()
    again = events(folder)
    assert [type(event) for event in again] == [Ended]
    assert again[0].complete
    assert (folder / "resume.safetensors").read_bytes() == before


def test_seeds_end_differently(tmp_path, straight):
    events(tmp_path, seed=2, stop_after=1)
    ours = read(tmp_path / "resume.safetensors")[0]
    theirs = read(straight(RECIPE)[1] / "resume.safetensors")[0]
    assert ours["weights/image.head.weight"].tobytes() != theirs["weights/image.head.weight"].tobytes()


def test_a_run_that_is_stopped_at_once_leaves_a_model(tmp_path):
    seen = events(tmp_path, stop_after=0)
    assert [type(event) for event in seen] == [Saved, Ended]
    assert load_model(tmp_path / "model.safetensors")[1].step == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"recipe": named("fast", **SMALL, lambda_ig=1.0)}, "recipe"),
        ({"seed": 1}, "seed"),
        ({"data": {"images": ["bars"], "speech": ["other"]}}, "data"),
    ],
)
def test_another_run_in_the_folder_is_refused_and_kept(straight, change, word):
    _, folder = straight(RECIPE)
    before = (folder / "resume.safetensors").read_bytes()
    with pytest.raises(UnusableCheckpoint, match=f"another {word}"):
        events(folder, **change)
    assert (folder / "resume.safetensors").read_bytes() == before


def test_a_damaged_state_is_refused(tmp_path):
    (tmp_path / "resume.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(UnusableCheckpoint, match=r"resume\.safetensors"):
        events(tmp_path)


def test_a_state_of_another_version_is_refused(tmp_path):
    header = a_run(tmp_path).header(3).to_dict()
    header["recipe"] = {**header["recipe"], "dropout": 0.5}
    write_atomically(tmp_path / "resume.safetensors", {}, header)
    with pytest.raises(UnusableCheckpoint, match=r"another version.*dropout"):
        events(tmp_path)


def test_training_leaves_the_global_random_state_and_the_threads_alone(tmp_path):
    torch.manual_seed(123)
    before = torch.random.get_rng_state(), torch.get_num_threads()
    events(tmp_path, stop_after=1)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert torch.get_num_threads() == before[1]


def assert_finite_state(folder, step):
    arrays, header = read(folder / "resume.safetensors")
    assert header["step"] == step
    assert all(torch.from_numpy(array).isfinite().all() for array in arrays.values())
    system, about = load_model(folder / "model.safetensors")
    assert about.step == step
    assert all(weight.isfinite().all() for weight in system.modules.parameters())


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_state(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_SECONDS", -1.0)  # a checkpoint after every step
    seen = []
    with pytest.raises(TrainingFailed, match="The loss is not finite at step 3") as failure:
        collect(train(a_run(tmp_path), sampler(RECIPE, images=spoilt(2))), seen)
    assert not failure.value.resumable
    assert [event.step for event in seen if isinstance(event, Saved)] == [1, 2]
    assert_finite_state(tmp_path, 2)


def test_the_last_step_looks_whether_the_loss_is_a_number(tmp_path):
    with pytest.raises(TrainingFailed, match="at step 4"):
        collect(train(a_run(tmp_path), sampler(RECIPE, images=spoilt(3))), [])
    assert not list(tmp_path.iterdir())


def test_stopping_after_the_loss_went_wrong_keeps_the_last_good_state(tmp_path):
    events(tmp_path, stop_after=2)
    seen = []
    with pytest.raises(TrainingFailed, match="at step 3"):
        collect(train(a_run(tmp_path), sampler(RECIPE, images=spoilt(2)), lambda: len(seen) == 1), seen)
    assert_finite_state(tmp_path, 2)


def test_a_full_disk_keeps_the_former_state_and_the_run_resumes(tmp_path, monkeypatch, straight):
    events(tmp_path, stop_after=2)
    before = (tmp_path / "resume.safetensors").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="space"):
            events(tmp_path)
    assert (tmp_path / "resume.safetensors").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "resume.safetensors"]
    events(tmp_path)
    assert_same_state(tmp_path, straight(RECIPE)[1])


@pytest.mark.parametrize("file", [1, 2])
def test_a_disk_that_fills_between_the_two_files_loses_no_step(tmp_path, monkeypatch, straight, file):
    events(tmp_path, stop_after=2)
    calls = []

    def fills_up(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            return
        calls.append(1)
        if len(calls) == file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fills_up)
        with pytest.raises(OSError, match="space"):
            events(tmp_path)
    events(tmp_path)
    assert_same_state(tmp_path, straight(RECIPE)[1])


def test_out_of_memory_says_what_to_do(tmp_path):
    class Greedy(PairSampler):
        def batch(self, *_):
            raise torch.OutOfMemoryError

    greedy = Greedy(IMAGES, [SPEECH], 4, 0, CPU)
    with pytest.raises(TrainingFailed, match=r"out of memory.*smaller batch"):
        list(train(a_run(tmp_path), greedy))


def test_running_out_of_the_machines_memory_says_what_to_do(tmp_path):
    class Greedy(PairSampler):
        def batch(self, *_):
            torch.empty(1 << 55)

    with pytest.raises(TrainingFailed, match=r"out of memory.*smaller batch") as failure:
        list(train(a_run(tmp_path), Greedy(IMAGES, [SPEECH], 4, 0, CPU)))
    assert failure.value.resumable


# Starting from a model


@pytest.fixture
def other(straight, tmp_path):
    """A model to start from."""
    path = tmp_path / "other.safetensors"
    path.write_bytes((straight(EXACT)[1] / "model.safetensors").read_bytes())
    return path


def test_a_run_starts_from_the_weights_of_a_model(tmp_path, other):
    run = a_run(tmp_path, data=started_from(other), start=other)
    ended = list(train(run, sampler(RECIPE), lambda: True))[-1]
    theirs, _ = load_model(other)
    for name, weight in ended.system.modules.state_dict().items():
        assert torch.equal(theirs.modules.state_dict()[name], weight), name
    assert load_model(run.model)[1].data["started_from"]["name"] == "other.safetensors"


def test_a_run_from_a_model_resumes_bit_by_bit_though_the_model_is_gone(tmp_path, other):
    data, pairs = started_from(other), sampler(RECIPE)
    list(train(a_run(tmp_path / "straight", data=data, start=other), pairs))
    seen = []
    collect(train(a_run(tmp_path / "twice", data=data, start=other), pairs, lambda: len(seen) == 2), seen)
    other.unlink()
    list(train(a_run(tmp_path / "twice", data=data, start=other), pairs))
    assert_same_state(tmp_path / "twice", tmp_path / "straight")


def test_a_model_that_has_changed_since_is_refused(tmp_path, other, straight):
    data = started_from(other)
    other.write_bytes((straight(RECIPE)[1] / "model.safetensors").read_bytes())
    with pytest.raises(UnusableCheckpoint, match="has changed since"):
        list(train(a_run(tmp_path, data=data, start=other), sampler(RECIPE)))


def change_filterbank(path):
    arrays, header = read(path)
    write_atomically(path, arrays, {**header, "filterbank": {**header["filterbank"], "sample_rate": 16_000}})


def test_a_model_of_other_filterbanks_is_refused(tmp_path, other):
    change_filterbank(other)
    with pytest.raises(UnusableCheckpoint, match=r"other\.safetensors.*other filterbanks.*sample_rate 16000"):
        list(train(a_run(tmp_path, data=started_from(other), start=other), sampler(RECIPE)))


def test_a_run_of_other_filterbanks_does_not_resume(tmp_path):
    events(tmp_path, stop_after=1)
    change_filterbank(tmp_path / "resume.safetensors")
    with pytest.raises(UnusableCheckpoint, match=r"other filterbanks.*sample_rate 16000"):
        events(tmp_path)


def test_a_model_with_other_layers_is_refused(tmp_path, other):
    recipe = named("fast", **SMALL, batch_norm=True)
    with pytest.raises(UnusableCheckpoint, match="batch norm"):
        list(train(a_run(tmp_path, recipe, data=started_from(other), start=other), sampler(recipe)))


def test_with_another_speech_encoder_only_the_image_encoder_goes_on(tmp_path, other):
    recipe = named("fast", **SMALL, speech_encoder="pretrained")
    fresh = list(train(a_run(tmp_path / "fresh", recipe), sampler(recipe), lambda: True))[-1]
    run = a_run(tmp_path / "started", recipe, data=started_from(other), start=other)
    ended = list(train(run, sampler(recipe), lambda: True))[-1]
    theirs, own = load_model(other)[0].modules.state_dict(), fresh.system.modules.state_dict()
    for name, weight in ended.system.modules.state_dict().items():
        assert torch.equal(weight, (theirs if name.startswith("image.") else own)[name]), name


def test_a_run_with_the_pretrained_encoder_resumes_bit_by_bit(tmp_path):
    recipe = named("fast", **SMALL, speech_encoder="pretrained")
    pairs, seen = sampler(recipe), []
    list(train(a_run(tmp_path / "straight", recipe), pairs))
    collect(train(a_run(tmp_path / "twice", recipe), pairs, lambda: len(seen) == 2), seen)
    list(train(a_run(tmp_path / "twice", recipe), pairs))
    ours, theirs = (load_model(tmp_path / name / "model.safetensors")[0] for name in ("straight", "twice"))
    begun = seeded(lambda: build(recipe))
    for name, weight in ours.modules.state_dict().items():
        assert torch.equal(theirs.modules.state_dict()[name], weight), name
        trained = begun.modules.get_parameter(name).requires_grad
        assert trained is not torch.equal(begun.modules.state_dict()[name].half().float(), weight), name
