"""Features of an image folder: an encoder by name, its rows kept for the next call."""

import pathlib
from typing import Any, NamedTuple

import numpy as np

from jaxsel.data.folders import cache_root
from jaxsel.errors import UserError
from jaxsel.experiment.progress import Progress
from jaxsel.features.extract import features_of
from jaxsel.files import hash_of, read_json
from jaxsel.sources.images import batches
from jaxsel.sources.source import Source

# Pixels a side that images are read at; DINO's network cuts 224 out of 256 itself.
SIDES = {
    "random_resnet18": 64,
    "rgb": 32,
    "simclr": 32,
    "dino_vits16": 256,
    "random_vits16": 256,
}
# Features that they make of an image; those of the pixels depend on the side.
_WIDTHS = {"random_resnet18": 512, "dino_vits16": 384, "random_vits16": 384}
LEARNED = ("dino_vits16", "simclr")
UNTRAINED = (
    "These features have learned nothing of images: they tell colours and coarse "
    "textures apart, not what is shown, so expect little more than of random picks; "
    "give DINO's weights with --weights FILE.safetensors for better."
)
_BATCH = 64


class Pool(NamedTuple):
    """What selection sees of a source.

    Attributes:
      rows: real numbers `[n, d]`.
      learned: whether the features have learned something; those that people bring
        count as such.
      encoder: the settings of the encoder, for the next round; empty for features.
      fingerprint: of the source, and of the encoder where there is one.
    """

    rows: np.ndarray
    learned: bool
    encoder: dict[str, Any]
    fingerprint: str


def encoder_settings(
    encoder: str | None, weights: str | None, side: int | None
) -> dict[str, Any]:
    """The settings that `--encoder`, `--weights` and `--side` stand for.

    Args:
      encoder: one of `SIDES`; without it DINO where weights are given, else an
        untrained ResNet-18.
      weights: a file (DINO) or the folder of a trained encoder (SimCLR).
      side: pixels that images are read at; the encoder's own without it.

    Returns:
      A config's `features` section, and `side`.

    Raises:
      UserError: weights for an encoder that has none, or none where there must be.

    Example:
      >>> encoder_settings(None, None, None)["encoder"]
      'random_resnet18'
    """
    name = encoder or ("dino_vits16" if weights else "random_resnet18")
    if weights and name not in LEARNED:
        raise UserError(
            f"expected --weights with an encoder of {', '.join(LEARNED)}, found "
            f"--encoder {name}: leave one of the two out"
        )
    if name == "simclr" and not weights:
        raise UserError(
            "expected --weights FOLDER of a trained SimCLR encoder, found none: give "
            "it, or another --encoder"
        )
    return {
        "encoder": name,
        "weights": _weights(weights),
        "side": side or SIDES[name],
        "seed": 0,
        "width": 64,
        "stem": "cifar" if (side or SIDES[name]) <= 32 else "reference",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "batch_size": _BATCH,
        "dtype": "float32",
    }


def width_of(settings: dict[str, Any]) -> int:
    """How many features an encoder makes of an image.

    Args:
      settings: of `encoder_settings`.

    Raises:
      UserError: a SimCLR encoder's folder does not say.

    Example:
      >>> width_of(encoder_settings("rgb", None, 8))
      192
    """
    name = settings["encoder"]
    if name == "rgb":
        return 3 * settings["side"] ** 2
    if name != "simclr":
        return _WIDTHS[name]
    file = pathlib.Path(settings["weights"]) / "manifest.json"
    try:
        return 8 * int(read_json(file)["identity"]["settings"]["width"])
    except (OSError, KeyError, TypeError) as error:
        raise UserError(
            f"expected the folder of a trained SimCLR encoder, found no width in "
            f"{str(file)!r}: give another --weights"
        ) from error


def _weights(given: str | None) -> str:
    """Where weights lie, from any folder: a later round reads them again."""
    file = pathlib.Path(given or "")
    return str(file.resolve()) if given and file.exists() else given or ""


def pool_of(source: Source, settings: dict[str, Any] | None) -> Pool:
    """Features of a source: its own, or an encoder's, from the store where they are.

    Args:
      source: images or features.
      settings: of `encoder_settings`; `None` for a source with features.

    Returns:
      The pool.

    Raises:
      UserError: features and an encoder, weights that cannot be had, or features that
        are not finite.
    """
    if source.features is not None:
        if settings is not None:
            raise UserError(
                f"expected --encoder with a folder of images, found it with features "
                f"in {str(source.path)!r}: leave --encoder, --weights and --side out"
            )
        return Pool(source.features, True, {}, source.fingerprint)
    if settings is None:
        raise UserError(f"expected an encoder for the images of {str(source.path)!r}")
    side = settings["side"]

    def read(rows: np.ndarray | None, size: int):
        return batches(source, side, rows, size)

    with Progress("features", len(source.ids), "image") as progress:
        features = features_of(
            settings,
            "pool",
            "images",
            # The same files at another size are other images to an encoder.
            hash_of([source.fingerprint, side], length=64),
            source.ids,
            read,
            cache_root(None) / "features",
            progress,
        )
    whole = hash_of([source.fingerprint, features.identity], length=64)
    return Pool(features.rows, settings["encoder"] in LEARNED, settings, whole)
