"""Decoders for the shared embedding: the convolutional VAE of Hsu, Zhang and Glass 2017 (arXiv 1704.04222), in two
modalities.

An embedding sampled from the posterior of either modality is decoded to both: its own (reconstruction) and the other
(generation across modalities), with a Bernoulli likelihood of pixels and a Gaussian likelihood of filterbank energies.
With the KL term that is the evidence lower bound of Kingma and Welling 2014, once for each path, as in the MMVAE of
Shi et al. 2019 (arXiv 1911.03393) without its importance weights; the margin loss of Leidal, Harwath and Glass 2017 is
kept. Hsu et al. have speech alone, and predict a variance for each energy; here one variance is learnt for all.

Either everything is trained together, or, with ``frozen_encoders``, the decoders alone: training then starts from a
model whose encoders stay exactly as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from model.recipes.fields import Group
from model.recipes.recipe import Recipe, lambda_text
from model.systems.base import INFORMATION_GAIN, SIMILARITY, TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.encoder_system import EncoderSystem
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    import torch

_DECODERS = Group("Decoders")


@dataclass(frozen=True, slots=True)
class GenerativeRecipe(Recipe):
    """Recipes of systems with decoders."""

    lambda_reconstruction: float = _DECODERS.number(
        1e-3, "λ_Rec", "Weight of the negative log-likelihood of images and speech", 0, 10, shown=lambda_text
    )
    frozen_encoders: bool = _DECODERS.switch(
        False, "Frozen encoders", "Train the decoders alone, for the encoders of the model that training starts from"
    )


class GenerativeSystem(EncoderSystem[GenerativeRecipe]):
    """Gaussian encoders, a decoder for each modality, and the paths between them."""

    name: ClassVar[str] = "generative"
    recipe_type: ClassVar[type[Recipe]] = GenerativeRecipe
    data_parallel: ClassVar[bool] = False  # each process would decode all of the batch
    terms: ClassVar[tuple[Term, ...]] = (
        TOTAL,
        SIMILARITY,
        INFORMATION_GAIN,
        Term("image_own", "Image from image", "Negative log-likelihood of an image, given itself.", unit="nats"),
        Term("image_crossed", "Image from speech", "The same, given an utterance of its digit.", unit="nats"),
        Term("speech_own", "Speech from speech", "Negative log-likelihood of a filterbank, given itself.", unit="nats"),
        Term("speech_crossed", "Speech from image", "The same, given an image of its digit.", unit="nats"),
        WEIGHT_NORMS,
    )

    def __init__(self, recipe: GenerativeRecipe) -> None:
        from model.networks.decoders import ImageDecoder, SpeechDecoder

        super().__init__(recipe)
        self.image_decoder = self.modules.image_decoder = ImageDecoder()
        self.speech_decoder = self.modules.speech_decoder = SpeechDecoder()
        if recipe.frozen_encoders:
            for encoder in (self.modules.image, self.modules.speech):
                encoder.requires_grad_(False)

    def decode(self, modality: Modality, embeddings: FloatArray) -> FloatArray:
        """See :meth:`model.systems.base.Decoder.decode`."""
        import torch

        self.modules.eval()
        with torch.inference_mode():
            inputs = torch.from_numpy(embeddings).to(self.modules.device, torch.float32)
            decoded = (
                self.image_decoder(inputs).sigmoid() if modality is Modality.IMAGE else self.speech_decoder(inputs)
            )
            features: FloatArray = decoded.squeeze(1).cpu().numpy()
            return features

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """L = L_Sim + lambda_IG L_IG + lambda_Rec (NLL of both modalities on both paths) + lambda_WD L_WD.

        With frozen encoders similarity and information gain are measured, but are no part of the total.
        """
        import torch

        from model.networks.precision import autocast
        from model.objectives.information_gain import information_gain
        from model.objectives.margin import margin_similarity
        from model.objectives.reconstruction import bernoulli_nll, gaussian_nll
        from model.objectives.weight_norms import weight_norms

        recipe = self.recipe
        if recipe.frozen_encoders:
            self.modules.image.eval()
            self.modules.speech.eval()
        images, speech = self.posteriors(batch)
        seen, spoken = (side.sample(recipe.samples_per_input, generator) for side in (images, speech))
        similarity = margin_similarity(seen.flatten(0, 1), spoken.flatten(0, 1), recipe.impostors, generator=generator)
        gain, norms = information_gain(images, speech), weight_norms(self.modules)
        # One sample an input: decoders are as dear as encoders, and the batch averages already.
        embeddings = torch.cat([seen[:, 0], spoken[:, 0]])
        with autocast(embeddings.device, recipe.bfloat16):
            pictures, sounds = self.image_decoder(embeddings), self.speech_decoder(embeddings)
        image_own, image_crossed = (bernoulli_nll(part, batch.images) for part in pictures.float().chunk(2))
        speech_crossed, speech_own = (
            gaussian_nll(part, self.speech_decoder.log_variance, batch.filterbanks) for part in sounds.float().chunk(2)
        )
        lambda_ig = recipe.lambda_ig_at(step)
        total = recipe.lambda_reconstruction * (image_own + image_crossed + speech_own + speech_crossed)
        total = total + recipe.lambda_wd * norms
        if not recipe.frozen_encoders:
            total = total + similarity + lambda_ig * gain
        return Loss(
            total,
            {
                "similarity": similarity,
                "information_gain": gain,
                "image_own": image_own,
                "image_crossed": image_crossed,
                "speech_own": speech_own,
                "speech_crossed": speech_crossed,
                "weight_norms": norms,
            },
            {"lambda_ig": lambda_ig},
        )
