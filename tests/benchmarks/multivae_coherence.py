"""The coherence of MMVAE (Shi et al. 2019) and MoPoE (Sutter et al. 2021) on the same data with the same networks.

They are those of the package ``multivae``, which nothing else here needs: ``pip install multivae`` first. Encoders,
decoders, pairs, batches, optimiser and learning rates are those of the recipe; the objectives are theirs.
"""

import json
from typing import Any

import torch
from torch import Tensor, nn

from model.data.corpora import find
from model.data.pairs import PairSampler
from model.networks.architecture import EMBEDDING_SIZE
from model.networks.decoders import ImageDecoder, SpeechDecoder
from model.networks.encoders import GaussianHead, ImageEncoder, SpeechEncoder
from model.recipes.recipe import Recipe, named
from model.types import FloatArray, Modality
from tests.benchmarks.coherence import Generating, coherence, parser

SHAPES = {Modality.IMAGE: (1, 28, 28), Modality.SPEECH: (1, 100, 80)}


def build(kind: str) -> Any:
    """A model of multivae with our encoders and decoders; both have a standard Gaussian as prior."""
    from multivae.data.datasets.base import MultimodalBaseDataset  # noqa: F401 (fails early where it is missing)
    from multivae.models import MMVAE, MMVAEConfig, MoPoE, MoPoEConfig
    from multivae.models.base import BaseDecoder, BaseEncoder, ModelOutput

    class Encoding(BaseEncoder):  # type: ignore[misc]
        def __init__(self, encoder: nn.Module) -> None:
            super().__init__()
            self.latent_dim = EMBEDDING_SIZE
            self.encoder = encoder

        def forward(self, inputs: Tensor) -> Any:
            posterior = self.encoder(inputs)
            return ModelOutput(embedding=posterior.mean, log_covariance=posterior.log_variance)

    class Decoding(BaseDecoder):  # type: ignore[misc]
        def __init__(self, decoder: nn.Module) -> None:
            super().__init__()
            self.latent_dim = EMBEDDING_SIZE
            self.decoder = decoder

        def forward(self, embeddings: Tensor) -> Any:
            return ModelOutput(reconstruction=self.decoder(embeddings))

    encoders = {"image": Encoding(ImageEncoder(GaussianHead)), "speech": Encoding(SpeechEncoder(head=GaussianHead))}
    decoders = {"image": Decoding(ImageDecoder()), "speech": Decoding(SpeechDecoder())}
    common = {
        "n_modalities": 2,
        "latent_dim": EMBEDDING_SIZE,
        "input_dims": {str(modality): shape for modality, shape in SHAPES.items()},
        "decoders_dist": {"image": "bernoulli", "speech": "normal"},
        "uses_likelihood_rescaling": True,  # 8,000 energies would drown 784 pixels
    }
    if kind == "mmvae":
        config = MMVAEConfig(**common, K=1, prior_and_posterior_dist="normal", learn_prior=False, loss="iwae_looser")
        return MMVAE(config, encoders, decoders)
    return MoPoE(MoPoEConfig(**common), encoders, decoders)


def train(model: Any, recipe: Recipe, sampler: PairSampler, seed: int) -> None:
    """As the training loop does, with the loss of the model."""
    from multivae.data.datasets.base import DatasetOutput

    torch.manual_seed(seed)
    torch.distributions.Distribution.set_default_validate_args(False)  # pixels are probabilities, not 0 or 1
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), recipe.learning_rate, recipe.betas, recipe.epsilon)
    for step in range(recipe.steps):
        images, filterbanks, _ = sampler.batch(step, sampler.generator(step))
        loss = model(DatasetOutput(data={"image": images, "speech": filterbanks})).loss
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate_at(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 100.0)
        optimiser.step()


def main() -> None:
    """Print JSON about both models."""
    options = parser("Coherence of MMVAE and MoPoE of the package multivae, with the same networks and data.")
    options.add_argument("--steps", type=int, default=600)
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--learning-rate", type=float, default=1e-3)
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    recipe = named("fast", steps=arguments.steps, batch_size=arguments.batch_size).changed(
        learning_rate=arguments.learning_rate
    )
    images, speech = (find(name)(arguments.data_dir).load("train") for name in ("mnist", "fsdd"))
    report = {}
    for kind in ("mmvae", "mopoe"):
        torch.manual_seed(arguments.seed)
        model = build(kind)
        sampler = PairSampler(images, [speech], recipe.batch_size, arguments.seed, torch.device("cpu"))
        train(model, recipe, sampler, arguments.seed)
        model.eval()
        report[kind] = coherence(generating(model), arguments)
    print(json.dumps(report, indent=2))


def generating(model: Any) -> Generating:
    """Unimodal posteriors, and the means of what is decoded."""

    @torch.inference_mode()
    def encode(modality: Modality, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        posterior = model.encoders[str(modality)](torch.from_numpy(features.reshape(-1, *SHAPES[modality])))
        return posterior.embedding.numpy(), (posterior.log_covariance / 2).exp().numpy()

    @torch.inference_mode()
    def decode(modality: Modality, embeddings: FloatArray) -> FloatArray:
        decoded = model.decoders[str(modality)](torch.from_numpy(embeddings)).reconstruction.squeeze(1)
        features: FloatArray = (decoded.sigmoid() if modality is Modality.IMAGE else decoded).numpy()
        return features

    return Generating(encode, decode)


if __name__ == "__main__":
    main()
