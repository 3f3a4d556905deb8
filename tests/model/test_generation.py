"""Pictures and sounds that are generated, from files, between two inputs and from the prior."""

from itertools import product

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from tiny import SMALL
from typer.testing import CliRunner

from model import locations, systems
from model.checkpoints import Header
from model.cli.main import app
from model.data.speech import FilterbankSettings, SpeechFrontEnd
from model.generation.generator import Generator, NoDecoders, draw_from_prior, walk
from model.generation.waveform import PEAK, to_waveform
from model.recipes.recipe import named
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever
from model.systems.model_io import load_model, save_model
from model.types import WORDS, Modality

runner = CliRunner()

DATA = {"images": [], "speech": []}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with decoders that has learnt nothing."""
    path = tmp_path_factory.mktemp("generative") / "model.safetensors"
    torch.manual_seed(0)
    system = systems.build(named("fast", **SMALL, system="generative"))
    save_model(path, system, Header(system.recipe.to_dict(), FilterbankSettings().to_dict(), DATA, 0, 0, "cpu", {}))
    return path


@pytest.fixture
def seven(tmp_path):
    """A picture of a digit."""
    path = tmp_path / "seven.png"
    Image.fromarray(Gallery.load(locations.shipped_gallery()).image_features[0]).save(path)
    return path


def generate(model, *arguments):
    return runner.invoke(app, ["generate", "--model", str(model), *map(str, arguments)])


# The sound of a filterbank


def test_the_sound_of_a_word_is_understood_again(word):
    """The shipped model hears in the sounds the digits of the recordings whose filterbanks they were made from."""
    retriever = Retriever(*load_model(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))
    again, likeness = [], []
    for voice, name in product(("af_bella", "af_sarah", "am_adam"), WORDS):
        original = retriever.ask_sound(*word(f"kokoro_{voice}/plain/{name}.opus"))
        sound = to_waveform(original.features)
        heard = retriever.ask_sound(np.pad(sound, 1600), FilterbankSettings().sample_rate)
        again.append(heard.nearest == original.nearest)
        overlap = min(len(part) for part in map(spoken, (original.features, heard.features)))
        pairs = np.corrcoef(original.features[:overlap].ravel(), heard.features[:overlap].ravel())
        likeness.append(pairs[0, 1])
    assert np.mean(again) >= 0.9
    assert np.median(likeness) > 0.5, "of words that are trimmed alike"


def spoken(filterbank):
    return filterbank[filterbank.std(axis=1) > 0]


def test_a_sound_begins_and_ends_softly_and_does_not_clip(word):
    settings = FilterbankSettings()
    front_end = SpeechFrontEnd(settings)
    samples = to_waveform(front_end.filterbank(front_end.trim(*word())))
    assert samples.dtype == np.float32
    assert np.abs(samples).max() == pytest.approx(PEAK)
    assert np.abs(samples[[0, -1]]).max() < 1e-6
    assert np.abs(np.diff(samples[:20])).max() < 0.05
    assert abs(samples.mean()) < 0.01
    np.testing.assert_array_equal(samples, to_waveform(front_end.filterbank(front_end.trim(*word()))))


def test_padding_makes_no_sound(word):
    front_end = SpeechFrontEnd(FilterbankSettings())
    filterbank = front_end.filterbank(front_end.trim(*word()))
    frames = len(spoken(filterbank))
    assert frames < 100
    assert len(to_waveform(filterbank)) == pytest.approx(80 * frames, abs=400)
    silence = to_waveform(np.zeros((100, 80), np.float32))
    assert len(silence)
    assert not silence.any()


# Embeddings


def test_a_walk_goes_straight_from_one_end_to_the_other():
    path = walk(np.zeros(128, np.float32), np.full(128, 2, np.float32), 5)
    np.testing.assert_allclose(path[:, 7], [0, 0.5, 1, 1.5, 2])
    assert path.dtype == np.float32


def test_samples_of_the_prior_are_those_of_the_seed():
    drawn = draw_from_prior(2000, 3)
    np.testing.assert_array_equal(drawn[:5], draw_from_prior(2000, 3)[:5])
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(1, abs=0.01)


def test_random_digits_are_drawn_and_spoken_alike():
    """What the shipped decoders draw and say of a sample is the same digit far more often than with the prior."""
    generator, gallery = Generator.load(locations.shipped_decoders()), Gallery.load(locations.shipped_gallery())
    system, _ = load_model(locations.shipped_model())
    labels = np.array([item.label for item in gallery.items])

    def digits(modality, features):
        return labels[(system.encode(modality, features).means @ gallery.means.T).argmax(1)]

    def agreement(embeddings):
        drawn = digits(Modality.IMAGE, generator.pictures(embeddings))
        spoken = digits(Modality.SPEECH, generator.filterbanks(embeddings))
        return (drawn == spoken).mean(), set(drawn)

    embeddings = generator.draw_from_posteriors(gallery, 60, 0)
    np.testing.assert_array_equal(embeddings, generator.draw_from_posteriors(gallery, 60, 0))
    share, found = agreement(embeddings)
    assert share > 0.5 > agreement(draw_from_prior(60, 0))[0]
    assert len(found) == 10


# Whose decoders


def test_decoders_are_used_with_exactly_the_encoders_they_were_trained_on(tmp_path):
    torch.manual_seed(0)
    decoding = systems.build(named("fast", **SMALL, system="generative"))
    encoding = systems.build(named("fast", **SMALL))
    theirs = decoding.modules.state_dict()
    encoding.modules.load_state_dict({name: theirs[name] for name in encoding.modules.state_dict()})
    settings = FilterbankSettings().to_dict()
    header = Header(encoding.recipe.to_dict(), settings, DATA, 0, 0, "cpu", {})
    decoders, alone = tmp_path / "decoders.safetensors", tmp_path / "alone.safetensors"
    save_model(decoders, decoding, Header(decoding.recipe.to_dict(), settings, DATA, 0, 0, "cpu", {}))
    save_model(alone, encoding, header)
    embeddings = draw_from_prior(2, 0)
    expected = Generator.load(decoders).pictures(embeddings)
    found = Generator.of_model(alone, decoders)
    np.testing.assert_array_equal(found.pictures(embeddings), expected)

    encoding.modules.speech.head.bias.data[0] += 0.01
    save_model(alone, encoding, header)
    with pytest.raises(NoDecoders, match="has no decoders"):
        Generator.of_model(alone, decoders)


def test_a_model_with_decoders_needs_no_others(model, tmp_path):
    found = Generator.of_model(model, tmp_path / "missing.safetensors")
    embeddings = draw_from_prior(2, 0)
    np.testing.assert_array_equal(found.pictures(embeddings), Generator.load(model).pictures(embeddings))


def test_the_shipped_decoders_are_those_of_the_shipped_model():
    Generator.of_model(locations.shipped_model(), locations.shipped_decoders())


# The command


def test_a_picture_becomes_a_sound_and_a_picture(model, seven, tmp_path):
    for name in ("seven.wav", "seven.flac", "seven.ogg"):
        answer = generate(model, "--from", seven, "--to", tmp_path / name)
        assert answer.exit_code == 0, answer.output
        samples, rate = soundfile.read(tmp_path / name)
        assert rate == 8000
        assert len(samples)
    assert generate(model, "--from", seven, "--to", tmp_path / "again.png").exit_code == 0
    generator = Generator.load(model)
    expected = generator.pictures(generator.embed_file(seven)[None])[0]
    with Image.open(tmp_path / "again.png") as picture:
        assert picture.size == (112, 112)
        found = np.asarray(picture.resize((28, 28), Image.Resampling.BOX)) / 255
    assert np.abs(found - expected).mean() < 0.05


def test_a_walk_and_random_digits_fill_a_sheet(model, seven, tmp_path):
    for arguments, size in (
        (("--walk", 3, seven, "--steps", 5), (5 * 112, 112)),
        (("--prior", 12, "--seed", 1), (10 * 112, 2 * 112)),
        (("--random", 12), (10 * 112, 2 * 112)),
    ):
        answer = generate(model, *arguments, "--to", tmp_path / "sheet.png")
        assert answer.exit_code == 0, answer.output
        with Image.open(tmp_path / "sheet.png") as picture:
            assert picture.size == size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "a.png"], "Choose one of"),
        (["--prior", "1", "--walk", "3", "8", "--to", "a.png"], "Choose one of"),
        (["--prior", "1", "--to", "a.txt"], "ends with"),
        (["--from", "missing.png", "--to", "a.png"], "cannot be opened: No such file"),
        (["--walk", "3", "missing.wav", "--to", "a.png"], "missing.wav"),
    ],
)
def test_what_can_not_be_generated_is_said(model, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    answer = generate(model, *arguments)
    assert answer.exit_code in (1, 2)
    assert message in " ".join(answer.output.split())
    assert not list(tmp_path.iterdir())


def test_a_model_without_decoders_says_how_to_get_them():
    with pytest.raises(NoDecoders, match="modinv train --system generative"):
        Generator.load(locations.shipped_model())
