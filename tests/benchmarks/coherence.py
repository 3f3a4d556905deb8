"""Cross-modal coherence of generated digits, as papers on multimodal VAEs report it, judged by independent classifiers.

The judges are models of the system ``distilled`` with the teacher of the modality that they judge: classifiers with the
encoder's architecture that learnt from real data and labels, and share nothing with the generating model.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from model import locations
from model.data.corpora import find
from model.data.samples import Samples
from model.data.speech import SpeechFrontEnd, UnusableAudio
from model.evaluation.proportions import clopper_pearson
from model.generation.generator import Generator, draw_from_prior
from model.systems.distilled import DistilledSystem
from model.systems.model_io import load_model
from model.types import FloatArray, Modality
from tests.benchmarks.machine import about

Labels = np.ndarray
Judge = Callable[[FloatArray], Labels]


def judge_of(path: Path, modality: Modality) -> Judge:
    """The digits that a classifier sees in features."""
    system, _ = load_model(path)
    assert isinstance(system, DistilledSystem), f"{path} is not a model of the system distilled."
    assert system.recipe.teacher == modality.value, f"{path} has not learnt {modality} from labels."  # type: ignore[attr-defined]
    return lambda features: system.classify(modality, torch.from_numpy(features)).argmax(1).numpy()


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


def drawn(samples: Samples, count: int) -> tuple[torch.Tensor, Labels]:
    """Some samples and their labels, drawn with a fixed seed."""
    places = np.random.default_rng(0).permutation(len(samples.labels))[:count]
    return samples.features[places].float(), samples.labels[places].numpy()


def main() -> None:
    """Print JSON: accuracy of the judges on real inputs, and coherence across modalities and from the prior."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=locations.shipped_decoders(), help="a model with decoders")
    parser.add_argument("--image-judge", type=Path, required=True, help="a model of distilled, teacher image")
    parser.add_argument("--speech-judge", type=Path, required=True, help="a model of distilled, teacher speech")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--count", type=int, default=300, help="of each kind")
    parser.add_argument("--data-dir", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seen_by = judge_of(arguments.image_judge, Modality.IMAGE)
    heard_by = judge_of(arguments.speech_judge, Modality.SPEECH)
    system, header = load_model(arguments.model)
    generator = Generator(system, header)
    images, digits_shown = drawn(find("mnist")(arguments.data_dir).load(arguments.split), arguments.count)
    utterances, digits_said = drawn(find("fsdd")(arguments.data_dir).load(arguments.split), arguments.count)

    def coherence(embeddings: FloatArray) -> tuple[Labels, Labels, Labels]:
        """What is seen in pictures, and in filterbanks directly and as sounds."""
        filterbanks = generator.filterbanks(embeddings)
        sounds = heard(generator.sounds(embeddings), generator.sample_rate, heard_by)
        return seen_by(generator.pictures(embeddings)), heard_by(filterbanks), sounds

    of_image = system.encode(Modality.IMAGE, images).mean.numpy()
    of_speech = system.encode(Modality.SPEECH, utterances).mean.numpy()
    picture_of_speech, filterbank_of_speech, _ = coherence(of_speech)
    picture_of_image, filterbank_of_image, sound_of_image = coherence(of_image)
    picture, filterbank, sound = coherence(draw_from_prior(arguments.count, 0))
    found = {
        "machine": about(),
        "split": arguments.split,
        "judges_on_real": {
            "images": share(seen_by(images.numpy()) == digits_shown),
            "speech": share(heard_by(utterances.numpy()) == digits_said),
        },
        "speech_to_image": share(picture_of_speech == digits_said),
        "image_to_filterbank": share(filterbank_of_image == digits_shown),
        "image_to_sound": share(sound_of_image == digits_shown),
        "image_to_image": share(picture_of_image == digits_shown),
        "speech_to_filterbank": share(filterbank_of_speech == digits_said),
        "joint_from_prior": share(picture == filterbank),
        "joint_from_prior_as_sound": share(picture == sound),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
