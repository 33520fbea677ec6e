"""An encoder with the smallest of its weights set to zero."""

from jaxsel.errors import UserError
from jaxsel.features.encoder import Encoder, network_encoder
from jaxsel.models.pruning import magnitude_prune


def pruned_encoder(encoder: Encoder, sparsity: float) -> Encoder:
    """The same network after global magnitude pruning, without any training after it.

    Normalisation keeps its statistics, those of the whole network.

    Args:
      encoder: with a network of its own.
      sparsity: the share of the kernels' weights to set to 0, in [0, 1].

    Returns:
      The encoder; its identity is the old one with `sparsity`.

    Raises:
      UserError: the encoder has no weights, or the sparsity is not in [0, 1].

    Source: Appendix F of Bar & Giryes, arXiv 2406.01086.

    Example:
      >>> from jaxsel.features.encoders import rgb
      >>> pruned_encoder(rgb(), 0.5)
      Traceback (most recent call last):
      ...
      jaxsel.errors.UserError: expected an encoder with weights to prune, found rgb
    """
    if encoder.network is None:
        raise UserError(
            "expected an encoder with weights to prune, found "
            f"{encoder.identity['encoder']}"
        )
    apply, weights = encoder.network
    identity = {**encoder.identity, "sparsity": sparsity}
    return network_encoder(identity, apply, magnitude_prune(weights, sparsity))
