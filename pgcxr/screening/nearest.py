"""The nearest image that a model's GAN of normals makes, for who wants to see that one."""

from collections.abc import Callable

import numpy as np

from pgcxr.anomaly import maps
from pgcxr.errors import ArgumentError
from pgcxr.images import from_uint8
from pgcxr.screening.model import ScreeningModel

# As evaluate.anomaly searches by default.
BANK, ITERATIONS, LEARNING_RATE, SEED, AT_ONCE = 2048, 60, 0.3, 0, 32


def gan_reconstruction(model: ScreeningModel) -> Callable:
    """(squares, said) -> (nearest [N, S, S], differences [N, S, S]); see `ScreeningModel.ask`.

    Raises:
        ArgumentError: the model has no GAN.
    """
    if model.generator is None:
        expected = "this model holds no GAN; make one from a RUN of train.gan, or use pca"
        raise ArgumentError("reconstruction", expected, received="gan")
    from pgcxr.latent.features import generator_with_offsets
    from pgcxr.latent.inversion import Inverter
    from pgcxr.latent.starts import make_bank
    from pgcxr.losses.residuals import LOSSES
    from pgcxr.sampling.generation import latents, load_generator

    generator = load_generator(model.folder)
    with_offsets = generator_with_offsets(generator)

    def generate(z):
        return with_offsets(z, ())

    known = latents(SEED, BANK, generator.latent_size, purpose=4)
    inverter = Inverter(generate, make_bank(generate, known, AT_ONCE), LOSSES["mpse"], 1, AT_ONCE)

    def reconstruct(squares: dict[int, np.ndarray], said) -> tuple[np.ndarray, np.ndarray]:
        images = from_uint8(squares[generator.resolution])[..., None]
        found = inverter.invert(images, iterations=ITERATIONS, learning_rate=LEARNING_RATE).images
        return np.asarray(found)[..., 0], maps.differences(images, np.asarray(found))

    return reconstruct
