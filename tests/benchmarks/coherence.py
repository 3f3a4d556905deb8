"""Cross-modal coherence of generated digits, as papers on multimodal VAEs report it, judged by independent classifiers.

The judges are models of the system ``distilled`` with the teacher of the modality that they judge: classifiers with the
encoder's architecture that learnt from real data and labels, and share nothing with the generating model.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from model import locations
from model.bench.measuring import about
from model.data.corpora import find
from model.data.samples import Samples
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio
from model.evaluation.proportions import clopper_pearson
from model.generation.generator import draw_from_prior
from model.generation.waveform import to_waveform
from model.systems.distilled import DistilledRecipe, DistilledSystem
from model.systems.generative import GenerativeSystem
from model.systems.model_io import load_model
from model.types import FloatArray, Modality

Labels = np.ndarray
Judge = Callable[[FloatArray], Labels]


def judge_of(path: Path, modality: Modality) -> Judge:
    """The digits that a classifier sees in features."""
    system, _ = load_model(path)
    recipe = system.recipe
    assert isinstance(system, DistilledSystem), f"{path} is not a model of the system distilled."
    assert isinstance(recipe, DistilledRecipe)
    assert recipe.teacher == modality.value, f"{path} has not learnt {modality} from labels."
    return lambda features: system.classify(modality, features).argmax(1)


def heard(sounds: list[FloatArray], rate: int, judge: Judge) -> Labels:
    """The digits in sounds, through the front end as a microphone's; -1 where no speech is detected."""
    front_end, digits = SpeechFrontEnd(), []
    for sound in sounds:
        try:
            filterbank = front_end.filterbank(front_end.trim(np.pad(sound, rate // 5), rate))
        except UnusableAudio:
            digits.append(-1)
        else:
            digits.append(int(judge(np.asarray(filterbank, np.float32)[None])[0]))
    return np.array(digits)


def share(right: np.ndarray) -> dict[str, object]:
    """A share of right ones with its 95 % interval."""
    low, high = clopper_pearson(int(right.sum()), len(right))
    return {"share": round(float(right.mean()), 4), "low": round(low, 4), "high": round(high, 4), "of": len(right)}


def drawn(samples: Samples, count: int) -> tuple[FloatArray, Labels]:
    """Some samples and their labels, drawn with a fixed seed."""
    places = np.random.default_rng(0).permutation(len(samples.labels))[:count]
    return samples.features[places], samples.labels[places]


@dataclass(frozen=True)
class Generating:
    """What generates: features to means and standard deviations, embeddings to features in the same form."""

    encode: Callable[[Modality, FloatArray], tuple[FloatArray, FloatArray]]
    decode: Callable[[Modality, FloatArray], FloatArray]


def coherence(model: Generating, arguments: argparse.Namespace) -> dict[str, object]:
    """Accuracy of the judges on real inputs, and coherence across modalities and from the prior."""
    seen_by = judge_of(arguments.image_judge, Modality.IMAGE)
    heard_by = judge_of(arguments.speech_judge, Modality.SPEECH)
    images, shown = drawn(find("mnist")(arguments.data_dir).load(arguments.split), arguments.count)
    utterances, said = drawn(find("fsdd")(arguments.data_dir).load(arguments.split), arguments.count)

    def judged(embeddings: FloatArray) -> tuple[Labels, Labels, Labels]:
        """What is seen in pictures, and heard in filterbanks directly and as sounds."""
        filterbanks = model.decode(Modality.SPEECH, embeddings)
        sounds = [to_waveform(filterbank) for filterbank in filterbanks]
        heard_in_sounds = heard(sounds, FilterbankSettings().sample_rate, heard_by)
        return seen_by(model.decode(Modality.IMAGE, embeddings)), heard_by(filterbanks), heard_in_sounds

    (spoken, spoken_width), (seen, seen_width) = (
        model.encode(modality, features)
        for modality, features in ((Modality.SPEECH, utterances), (Modality.IMAGE, images))
    )
    picture_of_speech, filterbank_of_speech, _ = judged(spoken)
    picture_of_image, filterbank_of_image, sound_of_image = judged(seen)
    noise = draw_from_prior(arguments.count, 0)
    picture, filterbank, sound = judged(noise)
    # The aggregated posterior: half of the samples from images, half from speech.
    half = arguments.count // 2
    drawn_digits = np.concatenate([(seen + seen_width * noise)[:half], (spoken + spoken_width * noise)[half:]])
    random_picture, random_filterbank, random_sound = judged(drawn_digits)
    return {
        **about(),
        "split": arguments.split,
        "judges_on_real": {
            "images": share(seen_by(images) == shown),
            "speech": share(heard_by(utterances) == said),
        },
        "speech_to_image": share(picture_of_speech == said),
        "image_to_filterbank": share(filterbank_of_image == shown),
        "image_to_sound": share(sound_of_image == shown),
        "image_to_image": share(picture_of_image == shown),
        "speech_to_filterbank": share(filterbank_of_speech == said),
        "joint_from_prior": share(picture == filterbank),
        "joint_from_prior_as_sound": share(picture == sound),
        "joint_from_posteriors": share(random_picture == random_filterbank),
        "joint_from_posteriors_as_sound": share(random_picture == random_sound),
    }


def parser(description: str) -> argparse.ArgumentParser:
    """Options of judges and data."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--image-judge", type=Path, required=True, help="a model of distilled, teacher image")
    found.add_argument("--speech-judge", type=Path, required=True, help="a model of distilled, teacher speech")
    found.add_argument("--split", choices=["validation", "test"], default="validation")
    found.add_argument("--count", type=int, default=300, help="of each kind")
    found.add_argument("--data-dir", type=Path)
    return found


def main() -> None:
    """Print JSON about a model with decoders."""
    options = parser("Cross-modal coherence of generated digits, judged by independent classifiers.")
    options.add_argument("--model", type=Path, default=locations.shipped_decoders(), help="a model with decoders")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    system, _ = load_model(arguments.model)
    assert isinstance(system, GenerativeSystem), f"{arguments.model} has no decoders."

    def encode(modality: Modality, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        means, log_variances = system.encode(modality, features)
        return means, np.exp(log_variances / 2)

    model = Generating(
        encode,
        system.decode,
    )
    print(json.dumps(coherence(model, arguments), indent=2))


if __name__ == "__main__":
    main()
