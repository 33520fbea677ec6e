"""The Fréchet inception distance's own features, of images of any size."""

from typing import Any

import jax

from jaxsel.features.encoder import Encoder, on_all_devices, sha256_of_tree
from jaxsel.features.inception_weights import inception_file, read_inception
from jaxsel.models.inception import Inception


def inception_fid(weights: str, network: Inception | None = None) -> Encoder:
    """The last average of the Inception-v3 that the distance is defined by.

    Images are stretched to 299 × 299 bilinearly, small ones too; the features are 2048
    non-negative numbers, not normalised.

    Args:
      weights: path of the published file or of a safetensors file with its names;
        nothing for the published file, which is downloaded once.
      network: another size of network, for files that hold one.

    Returns:
      The encoder, uint8 `[b, h, w, 3]` of any size to float32 `[b, 2048]`.

    Raises:
      UserError: the weights are not there, cannot be downloaded, are damaged, or are
        those of another network.

    Source: Heusel et al. (2017), arXiv 1706.08500; table 2 of Bar & Giryes, arXiv
    2406.01086. `jaxsel.evaluation.frechet` has the distance.
    """
    network = network or Inception()
    read = read_inception(inception_file(weights), network)
    identity = {"encoder": "inception_fid", "weights": sha256_of_tree(read)}
    params, state = on_all_devices(jax.device_put(read))

    @jax.jit
    def apply(params: Any, state: Any, images: jax.Array) -> jax.Array:
        return network.embed(params, state, images)

    return Encoder(identity, lambda images: apply(params, state, images))
