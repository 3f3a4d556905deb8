"""The shipped model keeps its guess for digits and rejects what is not a digit."""

import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model import locations
from model.checkpoints import UnusableCheckpoint
from model.data.corpora.mnist import Mnist
from model.data.corpora.voices import Voices
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever
from model.systems.model_io import load_model, save_model
from model.types import Modality


@pytest.fixture(scope="module")
def shipped():
    return (*load_model(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))


@pytest.fixture(scope="module")
def retriever(shipped):
    return Retriever(*shipped)


@pytest.fixture(scope="module")
def spoken():
    """Every fourth test utterance of the synthetic voices: to compute the filterbanks of all takes many seconds."""
    clips = Voices._clips
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Voices, "_clips", lambda *arguments: clips(*arguments)[::4])
        return Voices().load("test")


def scribble(rng):
    sheet = Image.new("L", (280, 280))
    ImageDraw.Draw(sheet).line(rng.uniform(30, 250, (9, 2)).ravel().tolist(), 255, 16, "curve")
    return np.asarray(sheet)


def letter(name):
    sheet = Image.new("L", (280, 280))
    ImageDraw.Draw(sheet).text((140, 140), name, 255, ImageFont.load_default(180), "mm", stroke_width=3)
    return np.asarray(sheet)


def test_scribbles_are_rejected_with_a_reason_and_keep_their_matches(retriever):
    rng = np.random.default_rng(0)
    answers = [retriever.ask_picture(scribble(rng)) for _ in range(20)]
    rejected = [answer for answer in answers if answer.rejected]
    assert len(rejected) >= 18
    assert all(answer.guess is None and "digit" in answer.reason for answer in rejected)
    assert all(answer.nearest in range(10) and len(answer.matches) == 10 for answer in rejected)


def test_letters_are_rejected(retriever):
    rejected = [name for name in "AEFHKMNRTWXY" if retriever.ask_picture(letter(name)).rejected]
    assert len(rejected) >= 9, rejected


def test_digits_keep_their_guess(retriever, spoken):
    mnist = Mnist().load("test")
    answers = [retriever.ask_features(Modality.IMAGE, one) for one in mnist.features[:200]]
    assert np.mean([answer.guess == label for answer, label in zip(answers, mnist.labels[:200], strict=True)]) > 0.93
    spoken = spoken.only(list(range(0, 198, 3)))
    answers = [retriever.ask_features(Modality.SPEECH, one) for one in spoken.features]
    assert np.mean([answer.guess == label for answer, label in zip(answers, spoken.labels, strict=True)]) > 0.85


def test_words_that_are_no_digits_are_rejected_more_often_than_digits(retriever, spoken):
    spoken = spoken.only([place for place in range(0, len(spoken.labels), 2) if spoken.labels[place] != 9])  # “nine”
    rejected = {True: [], False: []}
    for one in spoken.features:
        frames = 1 + int(np.flatnonzero(one.any(axis=1))[-1])
        backwards = np.concatenate([one[:frames][::-1], one[frames:]])
        for turned, features in ((False, one), (True, backwards)):
            rejected[turned].append(retriever.ask_features(Modality.SPEECH, features).rejected)
    assert np.mean(rejected[True]) > 0.4
    assert np.mean(rejected[True]) > 4 * np.mean(rejected[False])


def test_the_parameters_survive_the_file(shipped, retriever, tmp_path):
    system, header, gallery = shipped
    assert header.confidence
    save_model(tmp_path / "copy.safetensors", system, header)
    _system, again = load_model(tmp_path / "copy.safetensors")
    assert Retriever(system, again, gallery).confidence == retriever.confidence


def test_without_parameters_nothing_is_rejected(shipped):
    system, header, gallery = shipped
    retriever = Retriever(system, dataclasses.replace(header, confidence={}), gallery)
    answer = retriever.ask_picture(scribble(np.random.default_rng(0)))
    assert not answer.rejected
    assert answer.guess == answer.nearest
    assert 0 <= answer.confidence <= 1


def test_damaged_parameters_are_said(shipped):
    system, header, gallery = shipped
    with pytest.raises(UnusableCheckpoint, match="header"):
        Retriever(system, dataclasses.replace(header, confidence={"image": 7}), gallery)
