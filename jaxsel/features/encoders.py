"""Encoders: batches of uint8 images to raw feature rows."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError
from jaxsel.models.conv import default_lowering
from jaxsel.models.resnet import ResNet18


class Encoder(NamedTuple):
    """A named function from images to features.

    Attributes:
      identity: everything that determines the rows, JSON-able; its hash names the
        cache folder.
      encode: uint8 `[b, h, w, c]` to float32 `[b, d]`, jitted.
    """

    identity: dict[str, Any]
    encode: Callable[[jax.Array], jax.Array]


def random_resnet18(
    *,
    seed: int,
    width: int,
    stem: str,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    channels: int = 3,
) -> Encoder:
    """A ResNet-18 that has learned nothing: Kaiming start, identity statistics.

    The features are the average-pooled, post-ReLU output of the last block, `8 width`
    non-negative numbers, with batch normalisation in evaluation mode at mean 0 and
    variance 1.

    Args:
      seed: of the initialisation.
      width: channels of the first stage; 64 is the paper's, giving 512 features.
      stem: "cifar" (no max-pool), "tiny" or "reference"; see `ResNet18`.
      mean: of the pixels in [0, 1], a number a channel, subtracted first.
      std: of the pixels in [0, 1], a number a channel, divided by.
      channels: of the images.

    Returns:
      The encoder.

    Source: the "random initialisation" of Bar & Giryes, arXiv 2406.01086, Fig. 4a.
    """
    network = ResNet18(
        num_classes=1,
        width=width,
        stem=stem,
        dropout=0.0,
        lowering=default_lowering(looped=False),
    )
    # The parameters do not depend on the image size: every layer is convolutional.
    example = jnp.zeros((1, 32, 32, channels), jnp.float32)
    params, state = jax.jit(network.start)(jax.random.key(seed), example)

    @jax.jit
    def apply(params: Any, state: Any, images: jax.Array) -> jax.Array:
        x = (images.astype(jnp.float32) / 255.0 - jnp.array(mean)) / jnp.array(std)
        return network.embed(params, state, x)

    identity = {
        "encoder": "random_resnet18",
        "seed": seed,
        "width": width,
        "stem": stem,
        "mean": list(mean),
        "std": list(std),
        # A seed gives the same weights only as long as nothing below changes.
        "weights": _sha256_of_tree((params, state)),
    }
    return Encoder(identity, lambda images: apply(params, state, images))


def _sha256_of_tree(tree: Any) -> str:
    """SHA-256 over the leaves of a pytree, in its order."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf).data)
    return digest.hexdigest()


def rgb() -> Encoder:
    """The pixels themselves, scaled to [0, 1] and laid in a row.

    Source: the raw-RGB ablation of Bar & Giryes, arXiv 2406.01086, appendix B.

    Example:
      >>> import numpy as np
      >>> rgb().encode(np.full((2, 4, 4, 3), 255, np.uint8)).shape
      (2, 48)
    """

    @jax.jit
    def apply(images: jax.Array) -> jax.Array:
        return images.astype(jnp.float32).reshape(images.shape[0], -1) / 255.0

    return Encoder({"encoder": "rgb"}, apply)


ENCODERS = ("random_resnet18", "rgb", "file")


def make_encoder(settings: dict[str, Any]) -> Encoder:
    """The encoder of a config's `features` section.

    Args:
      settings: `encoder` and, for a network, `seed`, `width`, `stem`, `mean`, `std`.

    Raises:
      UserError: an unknown name; the message lists the known ones.
    """
    name = settings["encoder"]
    if name == "random_resnet18":
        return random_resnet18(
            seed=settings["seed"],
            width=settings["width"],
            stem=settings["stem"],
            mean=tuple(settings["mean"]),
            std=tuple(settings["std"]),
        )
    if name == "rgb":
        return rgb()
    raise UserError(
        f"expected config.features.encoder to be one of {', '.join(ENCODERS)}, "
        f"found {name!r}"
    )


def encode_batches(
    encoder: Encoder,
    batches: Any,
    total: int,
    batch_size: int,
    advance: Callable[[int], None],
) -> np.ndarray:
    """Encodes a stream of batches with one compiled program.

    Args:
      encoder: the encoder.
      batches: an iterable of uint8 `[b, h, w, c]` with `b <= batch_size`; a shorter
        batch is padded with zeros, so that every call has the same shape.
      total: how many images there are in all.
      batch_size: rows of the compiled program.
      advance: called with the number of images done, after each batch.

    Returns:
      float32 `[total, d]`, in the order of the stream.

    Raises:
      UserError: the stream held another number of images, or a feature is not finite.
    """
    rows: list[np.ndarray] = []
    done = 0
    for batch in batches:
        size = batch.shape[0]
        padded = np.zeros((batch_size, *batch.shape[1:]), np.uint8)
        padded[:size] = batch
        out = np.asarray(encoder.encode(jnp.asarray(padded)))[:size]
        if not np.isfinite(out).all():
            bad = done + int(np.flatnonzero(~np.isfinite(out).all(axis=1))[0])
            raise UserError(
                f"expected finite features from {encoder.identity['encoder']}, found "
                f"NaN or inf in row {bad}: check config.features.mean and std"
            )
        rows.append(out)
        done += size
        advance(size)
    if done != total:
        raise UserError(
            f"expected {total} images to encode, found {done}: the data set changed "
            "while it was read; start again"
        )
    return np.concatenate(rows)
