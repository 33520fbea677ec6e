"""DINO ViT-S/16: the paper's features of ImageNet, and the same network untrained.

What to know before sampling by norm: the last LayerNorm gives every class token the
norm √384 ≈ 19.6 before its scale γ and bias β act, so raw norms differ only by which
channels are large. They lie in a narrow band, and sampling in proportion to the norm is
nearly uniform. The histogram of norms in a study's report shows how narrow; the
manifest of the stored features has the quantiles. Rows are stored raw, not at unit
length: the reference's own k-NN script normalises before it writes its files, and on
those all norms are 1.
"""

import pathlib
from typing import Any

import jax

from jaxsel.features.crop224 import central_crop, normalised
from jaxsel.features.dino_weights import tree_from_hub
from jaxsel.features.encoder import Encoder, on_all_devices, sha256_of_tree
from jaxsel.features.hub import weights_file
from jaxsel.features.weight_files import read_weights
from jaxsel.models.vit import ViT

PUBLISHED = "facebook/dino-vits16"


def dino_vits16(weights: str, network: ViT | None = None) -> Encoder:
    """The class token of a ViT-S/16 trained with DINO on ImageNet, not normalised.

    Args:
      weights: path of a safetensors file or of PyTorch's (`.pth`), with DINO's own or
        the hub's names, which may stand under those of a wrapper; or a name on the hub,
        which is downloaded once; nothing for `facebook/dino-vits16`.
      network: another size of network, for files that hold one.

    Returns:
      The encoder, uint8 `[b, h, w, 3]` of any size to float32 `[b, 384]`.

    Raises:
      UserError: the weights are not there, cannot be downloaded, are damaged, or are
        those of another network.

    Source: Caron et al. (2021), arXiv 2104.14294; used by Bar & Giryes, arXiv
    2406.01086, for ImageNet.
    """
    network = network or ViT()
    file: pathlib.Path = weights_file(weights or PUBLISHED)
    params = tree_from_hub(read_weights(file), network)
    identity = {"encoder": "dino_vits16", "weights": sha256_of_tree(params)}
    return _encoder(network, params, identity)


def random_vits16(*, seed: int, network: ViT | None = None) -> Encoder:
    """The same network and images, with parameters that have learned nothing.

    Args:
      seed: of the parameters.
      network: another size of network.

    Returns:
      The encoder, uint8 `[b, h, w, 3]` of any size to float32 `[b, 384]`.
    """
    network = network or ViT()
    params = network.start(jax.random.key(seed))
    weights = sha256_of_tree(params)
    return _encoder(
        network, params, {"encoder": "random_vits16", "seed": seed, "weights": weights}
    )


def _encoder(network: ViT, params: Any, identity: dict[str, Any]) -> Encoder:
    params = on_all_devices(jax.device_put(params))

    @jax.jit
    def apply(params: Any, images: jax.Array) -> jax.Array:
        return network.embed(params, normalised(central_crop(images)))

    return Encoder(identity, lambda images: apply(params, images))
