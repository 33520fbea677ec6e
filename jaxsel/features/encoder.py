"""An encoder, and how it is run: fixed batches, on as many devices as there are."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxsel.errors import UserError


class Encoder(NamedTuple):
    """A named function from images to features.

    Attributes:
      identity: everything that determines the rows, JSON-able; its hash names the
        cache folder.
      encode: uint8 `[b, h, w, c]` to float32 `[b, d]`, jitted.
      network: of an encoder with weights, `(apply, weights)` such that `encode` is
        `apply(weights, images)`; for those who change the weights.
    """

    identity: dict[str, Any]
    encode: Callable[[jax.Array], jax.Array]
    network: tuple[Callable[[Any, jax.Array], jax.Array], Any] | None = None


def network_encoder(
    identity: dict[str, Any],
    apply: Callable[[Any, jax.Array], jax.Array],
    weights: Any,
) -> Encoder:
    """The encoder `apply(weights, images)`."""
    return Encoder(identity, lambda images: apply(weights, images), (apply, weights))


def encode_stream(
    encoder: Encoder,
    batches: Iterable[np.ndarray],
    batch_size: int,
    first_row: int = 0,
) -> Iterator[np.ndarray]:
    """Encodes a stream of batches with one compiled program.

    With several devices every batch is dealt out to them. A batch is sent before the
    one ahead of it is fetched, so that a device need not wait for the host.

    Args:
      encoder: the encoder.
      batches: uint8 `[b, h, w, c]` with `b <= batch_size`; a shorter batch is padded
        with zeros, so that every call has the same shape.
      batch_size: rows of the compiled program, rounded up to a multiple of the devices.
      first_row: row of the first image, for the message.

    Yields:
      float32 `[b, d]` for every batch, in order.

    Raises:
      UserError: a feature is not finite.

    Example:
      >>> mean = Encoder({"encoder": "mean"}, jax.jit(lambda x: x.mean((1, 2))))
      >>> images = np.ones((5, 4, 4, 3), np.uint8)
      >>> [rows.shape for rows in encode_stream(mean, [images[:3], images[3:]], 3)]
      [(3, 3), (2, 3)]
    """
    devices = jax.local_device_count()
    rows = -(-batch_size // devices) * devices
    sharding = _sharding(PartitionSpec("batch"))
    ahead: tuple[jax.Array, int] | None = None
    row = first_row
    for batch in batches:
        padded = np.zeros((rows, *batch.shape[1:]), np.uint8)
        padded[: len(batch)] = batch
        coming = encoder.encode(jax.device_put(padded, sharding)), len(batch)
        if ahead is not None:
            yield _fetched(encoder, *ahead, row)
            row += ahead[1]
        ahead = coming
    if ahead is not None:
        yield _fetched(encoder, *ahead, row)


def _fetched(encoder: Encoder, out: jax.Array, size: int, first: int) -> np.ndarray:
    rows = np.asarray(out)[:size]
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise UserError(
            f"expected finite features from {encoder.identity['encoder']}, found NaN "
            f"or inf in row {first + int(np.flatnonzero(~finite)[0])}: check "
            "the encoder's weights, and in a config features.mean and std"
        )
    return rows


def on_all_devices(tree: Any) -> Any:
    """A copy of parameters on every device, so that no batch has to send them."""
    if jax.local_device_count() == 1:
        return tree
    return jax.device_put(tree, _sharding(PartitionSpec()))


def _sharding(spec: PartitionSpec) -> NamedSharding | None:
    """How an array lies on the devices of this process; with one there is no choice."""
    devices = jax.local_devices()
    if len(devices) == 1:
        return None
    mesh = Mesh(np.array(devices), ("batch",), axis_types=(AxisType.Auto,))
    return NamedSharding(mesh, spec)


def sha256_of_tree(tree: Any) -> str:
    """SHA-256 over the leaves of a pytree, in its order."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf).data)
    return digest.hexdigest()
