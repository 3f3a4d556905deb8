"""The whole road of a query, with a model of random weights."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from PIL import Image
from tiny import seeded

from model.checkpoints import Header
from model.data.corpora.mnist import Mnist
from model.data.images import UnusablePicture
from model.data.samples import Samples
from model.data.speech import FilterbankSettings, UnusableAudio
from model.recipes.recipe import FAST
from model.retrieval.confidence import Calibration, Confidence
from model.retrieval.gallery import Gallery, make_items
from model.retrieval.retriever import ItemEncoder, Retriever, build_gallery, encode_gallery
from model.systems import build
from model.types import Modality

HEADER = Header(FAST.to_dict(), FilterbankSettings().to_dict(), {}, 5, 6, "cpu", {})
WORDS = [f"kokoro_af_bella/plain/{name}.opus" for name in ("seven", "two", "nine")]


@pytest.fixture(scope="module")
def encoders():
    return seeded(lambda: build(FAST))


@pytest.fixture(scope="module")
def retriever(encoders):
    images = Mnist().load("test").only(range(12))
    speech = Samples(
        "voices",
        Modality.SPEECH,
        np.random.default_rng(0).standard_normal((15, 100, 80), np.float32),
        np.arange(15) % 10,
        tuple(f"Voice {i}" for i in range(15)),
        tuple(f"speaker {i}" for i in range(15)),
        (*WORDS, *(f"nobody/{i}.opus" for i in range(12))),
    )
    return Retriever(encoders, HEADER, build_gallery(encoders, HEADER, images, speech))


def check(answer, retriever, modality, count=10):
    """What is true of every answer, to a new query or to an item of the gallery."""
    gallery = retriever.gallery
    assert answer.modality is modality
    assert answer.features.shape == ((28, 28) if modality is Modality.IMAGE else (100, 80))
    posterior = retriever.encoder.encode(modality, answer.features[None])
    np.testing.assert_allclose(answer.mean, posterior.means[0], atol=1e-5)
    np.testing.assert_allclose(answer.log_variance, posterior.log_variances[0], atol=1e-5)
    assert answer.samples.shape == (16, 128)
    assert len(answer.matches) == count
    assert all(match.item.modality is modality.other for match in answer.matches)
    scores = [match.score for match in answer.matches]
    assert scores == sorted(scores, reverse=True)
    np.testing.assert_allclose(scores, [gallery.means[m.item.index] @ answer.mean for m in answer.matches], atol=1e-4)
    labels = [match.item.label for match in answer.matches]
    assert labels.count(answer.guess) == max(map(labels.count, labels))
    assert_margin(answer, gallery)
    assert answer.milliseconds > 0


def assert_margin(answer, gallery):
    """The guess's mean score less the best other digit's."""
    scores = {}
    for item in gallery.items:
        if item.modality is answer.modality.other:
            scores.setdefault(item.label, []).append(gallery.means[item.index] @ answer.mean)
    means = {digit: np.mean(values) for digit, values in scores.items()}
    own = means.pop(answer.guess)
    assert answer.runner_up == max(means, key=means.get)
    assert answer.margin == pytest.approx(own - means[answer.runner_up], abs=1e-3)


def drawing():
    picture = np.zeros((280, 280), np.uint8)
    picture[40:240, 130:150] = 255
    return picture


def test_a_picture_is_answered_with_utterances(retriever):
    answer = retriever.ask_picture(drawing(), count=4)
    check(answer, retriever, Modality.IMAGE, 4)
    assert 0 <= answer.features.min() < answer.features.max() <= 1


def test_a_sound_is_answered_with_images(retriever, word):
    check(retriever.ask_sound(*word()), retriever, Modality.SPEECH)


def test_an_item_is_answered_across_its_modality(retriever):
    for index in (0, 11, 12, 26):
        item = retriever.gallery.items[index]
        answer = retriever.ask_item(index, 3)
        check(answer, retriever, item.modality, 3)
        np.testing.assert_allclose(answer.mean, retriever.gallery.means[index], atol=1e-2)


def test_the_same_question_has_the_same_answer(retriever, word):
    for ask in (lambda: retriever.ask_picture(drawing()), lambda: retriever.ask_sound(*word())):
        first, again = ask(), ask()
        np.testing.assert_array_equal(first.samples, again.samples)
        assert first.matches == again.matches


def test_samples_lie_as_the_posterior_says(retriever):
    answer = retriever.ask_picture(drawing())
    standard = (answer.samples - answer.mean) / np.exp(answer.log_variance / 2)
    assert standard.mean() == pytest.approx(0, abs=4 / 2048**0.5)
    assert standard.std() == pytest.approx(1, abs=4 / 4096**0.5)


def test_files_are_told_apart_by_their_names(retriever, tmp_path, word):
    Image.fromarray(drawing()).save(tmp_path / "one.PNG")
    soundfile.write(tmp_path / "seven.wav", *word())
    seen = retriever.ask_file(tmp_path / "one.PNG")
    check(seen, retriever, Modality.IMAGE)
    np.testing.assert_array_equal(seen.mean, retriever.ask_picture(drawing()).mean)
    heard = retriever.ask_file(tmp_path / "seven.wav", 2)
    check(heard, retriever, Modality.SPEECH, 2)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_bad_pictures_are_unusable_pictures(retriever, tmp_path, suffix):
    path = tmp_path / f"strange{suffix}"
    with pytest.raises(UnusablePicture):
        retriever.ask_file(path)
    path.write_bytes(b"no picture")
    with pytest.raises(UnusablePicture):
        retriever.ask_file(path)


def test_blank_pictures_are_unusable_pictures(retriever):
    with pytest.raises(UnusablePicture):
        retriever.ask_picture(np.zeros((100, 100), np.uint8))


@pytest.mark.parametrize("suffix", [".wav", ".m4a", ".txt", ""])
def test_bad_sounds_are_unusable_sounds(retriever, tmp_path, suffix):
    path = tmp_path / f"strange{suffix}"
    with pytest.raises(UnusableAudio, match="does not exist"):
        retriever.ask_file(path)
    path.write_bytes(b"no sound")
    with pytest.raises(UnusableAudio, match="can't be read"):
        retriever.ask_file(path)


def test_silence_is_an_unusable_sound(retriever):
    with pytest.raises(UnusableAudio, match="silent"):
        retriever.ask_sound(np.zeros(8000, np.float32), 8000)


def test_warming_up_changes_no_answer(retriever, word):
    before = retriever.ask_sound(*word())
    retriever.warm_up()
    np.testing.assert_array_equal(retriever.ask_sound(*word()).mean, before.mean)


# Galleries


def test_a_gallery_holds_images_then_utterances(retriever):
    gallery = retriever.gallery
    assert [item.index for item in gallery.items] == list(range(27))
    assert [item.modality for item in gallery.items] == [Modality.IMAGE] * 12 + [Modality.SPEECH] * 15
    assert [item.label for item in gallery.items[:5]] == [7, 2, 1, 0, 4]
    assert [item.label for item in gallery.items[12:]] == [i % 10 for i in range(15)]
    assert (gallery.items[0].source, gallery.items[0].speaker) == ("MNIST test 0", "")
    assert (gallery.items[13].source, gallery.items[13].speaker) == ("Voice 1", "speaker 1")
    assert gallery.key(12) == f"voices:{WORDS[0]}"
    np.testing.assert_allclose(gallery.features(3), Mnist().load("test").features[3], atol=1e-6)
    assert gallery.model == {"recipe": "fast", "lambda_ig": FAST.lambda_ig, "seed": 5, "step": 6}


def test_another_model_sees_the_same_items_otherwise(retriever):
    other = seeded(lambda: build(FAST), 1)
    seen = encode_gallery(other, HEADER, retriever.gallery)
    assert seen.items == retriever.gallery.items
    features = retriever.gallery.features(20)[None]
    np.testing.assert_allclose(seen.means[20], other.encode(Modality.SPEECH, features).means[0], atol=1e-5)
    assert not np.allclose(seen.means, retriever.gallery.means, atol=1e-2)


def test_an_image_has_no_recording(retriever):
    assert retriever.gallery.key(12) == f"voices:{WORDS[0]}"
    with pytest.raises(IndexError, match="is an image"):
        retriever.gallery.key(3)


# Galleries with the user's own takes


def own_items(gallery: Gallery, places: list[int]) -> Gallery:
    """Some items of a gallery as if they were somebody's takes."""
    images = [place for place in places if place < len(gallery.image_features)]
    spoken = [place - len(gallery.image_features) for place in places if place >= len(gallery.image_features)]
    items = [gallery.items[place] for place in places]
    return Gallery(
        make_items(len(images), [i.label for i in items], ["mine"] * len(items), ["Ann"] * len(items)),
        gallery.image_features[images],
        gallery.speech_features[spoken],
        gallery.means[places],
        gallery.log_variances[places],
        tuple(f"my-speech:{place}" for place in spoken),
        gallery.model,
        {},
        gallery.similarity,
    )


def test_a_joined_gallery_holds_both_in_order(retriever):
    base = retriever.gallery
    images = len(base.image_features)
    own = own_items(base, [3, images + 5, images + 6])
    gallery, order = base.joined(own)
    assert [item.index for item in gallery.items] == list(range(len(base.items) + 3))
    assert gallery.items[images].source == "mine"
    assert [gallery.items[-2].label, gallery.items[-1].label] == [item.label for item in own.items[1:]]
    assert gallery.key(len(gallery.items) - 1) == "my-speech:6"
    assert np.array_equal(gallery.features(images), base.features(3))
    assert np.array_equal(gallery.means, np.concatenate([base.means, own.means])[order])
    assert gallery.key(images + 1) == base.key(images), "the shipped ones come first"


def test_matches_are_restricted_only_where_all_ten_digits_are_there(retriever):
    base = retriever.gallery
    images = len(base.image_features)
    first = {item.label: item.index for item in reversed(base.items[images:])}
    gallery, order = base.joined(own_items(base, [0, *(first[digit] for digit in range(10))]))
    own = order >= len(base.items)
    mine = retriever.over(gallery, gallery.complete_among(own))
    spoken = next(item.index for item in base.items if item.modality is Modality.SPEECH)
    picture = base.features(4)
    answer = mine.ask_features(Modality.IMAGE, picture)
    assert [match.item.speaker for match in answer.matches] == 10 * ["Ann"]
    among_all = retriever.over(gallery).ask_features(Modality.IMAGE, picture)
    assert (answer.nearest, answer.confidence) == (among_all.nearest, among_all.confidence)
    found = mine.ask_features(Modality.SPEECH, base.features(spoken)).matches
    assert len(found) == 10, "one drawing of one digit is no gallery"


def test_what_somebody_has_said_before_is_recognised(retriever):
    """Even what the model rejects, as it does not understand that person; drawings are guessed as before."""
    base = retriever.gallery
    images = len(base.image_features)
    spoken = base.items[images]
    plain = retriever.ask_features(Modality.SPEECH, base.features(images))
    meant = (plain.nearest + 1) % 10
    takes = own_items(base, [images] * 3)
    takes = replace(takes, items=tuple(replace(item, label=meant) for item in takes.items))
    gallery, order = base.joined(takes)
    own = order >= len(base.items)
    mine = retriever.over(gallery, takes=own)
    mine.confidence = {modality: RejectsAll() for modality in Modality}
    assert spoken.label != meant
    answer = mine.ask_features(Modality.SPEECH, base.features(images))
    assert (answer.guess, answer.rejected, answer.overruled) == (meant, False, plain.nearest)
    assert [match.item.label for match in answer.matches] == [match.item.label for match in plain.matches]
    drawn = mine.ask_features(Modality.IMAGE, base.features(3))
    assert drawn.nearest == retriever.over(gallery).ask_features(Modality.IMAGE, base.features(3)).nearest
    assert drawn.rejected
    assert plain.overruled is drawn.overruled is None


class RejectsAll(Confidence):
    """A fitted confidence to which nothing is a digit."""

    def __init__(self):
        super().__init__(Calibration(0.0, 1.0))

    def rejected(self, margins, queries, modality, guesses):  # noqa: ARG002
        return np.ones(len(queries.means), bool)


def test_items_are_encoded_once(retriever):
    base = retriever.gallery
    images = len(base.image_features)
    encoder = ItemEncoder(retriever.encoder)
    own = own_items(base, [2, images, images + 1])
    means, log_variances = encoder.encode(own)
    assert np.allclose(means, own.means, atol=1e-2)
    assert np.allclose(log_variances, own.log_variances, atol=1e-2)
    asked = []

    class Watched:
        def encode(self, modality, features):
            asked.append((modality, len(features)))
            return retriever.encoder.encode(modality, features)

    encoder._encoder = Watched()
    more = own_items(base, [2, 5, images, images + 1])
    assert len(encoder.encode(more).means) == 4
    assert asked == [(Modality.IMAGE, 1)]
