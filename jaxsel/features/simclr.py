"""SimCLR's features: a ResNet-18 that was trained on the images without labels."""

import pathlib

import jax

from jaxsel.errors import UserError
from jaxsel.features.encoder import Encoder, network_encoder, on_all_devices
from jaxsel.pretraining.embed import make_embed
from jaxsel.pretraining.settings import OF_THE_NETWORK
from jaxsel.pretraining.simclr import SimCLR
from jaxsel.pretraining.weights import load_encoder


def simclr(folder: str) -> Encoder:
    """A trained encoder: average-pooled, post-ReLU, before the projection head.

    The features are `8 width` non-negative numbers in evaluation mode, not normalised
    to length 1: their norms mean something.

    Args:
      folder: with `encoder.npz` and `manifest.json`, as
        `jaxsel.pretraining.pretrain.pretrain` leaves it.

    Returns:
      The encoder, uint8 `[b, h, w, 3]` to float32 `[b, 8·width]`.

    Raises:
      UserError: no finished or a damaged encoder.

    Source: the features of Bar & Giryes, arXiv 2406.01086, for CIFAR, Tiny-ImageNet
    and OrganAMNIST.
    """
    weights, manifest = load_encoder(pathlib.Path(folder))
    stated = manifest["identity"]["settings"]
    if stated.keys() != set(SimCLR._fields):
        raise UserError(
            f"expected the settings {', '.join(SimCLR._fields)} in {folder}, found "
            f"{', '.join(stated)}: train the encoder again"
        )
    settings = SimCLR._make(
        tuple(value) if isinstance(value, list) else value
        for value in (stated[name] for name in SimCLR._fields)
    )
    embed, weights = make_embed(settings), on_all_devices(jax.device_put(weights))
    identity = {
        "encoder": "simclr",
        **{name: stated[name] for name in OF_THE_NETWORK},
        "simclr": {n: v for n, v in stated.items() if n not in OF_THE_NETWORK},
        "trained_on": manifest["identity"]["fingerprint"],
        "weights": manifest["sha256"],
    }
    return network_encoder(identity, embed, weights)
