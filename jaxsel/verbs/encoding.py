"""What selection sees of a source: its own features, or an encoder's, kept on disk."""

import os
import pathlib
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxsel.data.folders import cache_root
from jaxsel.errors import UserError
from jaxsel.experiment.progress import Foretold, Progress
from jaxsel.features.crop224 import RESIZED, SIDE
from jaxsel.features.efficientnet import AT_MOST, FEATURES, SMALL
from jaxsel.features.encoders import make_encoder
from jaxsel.features.representation import COMPONENTS, REPRESENTATIONS, represent
from jaxsel.files import hash_of, read_json, replacing, writable_folder
from jaxsel.roles import NOTHING, Asked
from jaxsel.sources.encoded import encode_folder
from jaxsel.sources.framing import Frame, by_size, square_of
from jaxsel.sources.images import from_folder, images_below, listed
from jaxsel.sources.opening import STORED, check_no_columns, open_source
from jaxsel.sources.source import Source
from jaxsel.sources.walk import Found
from jaxsel.verbs.encoding_time import time_before

DEFAULT = "efficientnet_lite0"
# Pixels a side that images are read at, None where an image's own size decides; DINO's
# network cuts 224 out of 256 itself.
SIDES: dict[str, int | None] = {
    DEFAULT: None,
    "dino_vits16": 256,
    "simclr": 32,
    "random_resnet18": 64,
    "random_vits16": 256,
    "rgb": 32,
}
# Features that they make of an image; those of the pixels depend on the side.
_WIDTHS = {
    DEFAULT: FEATURES,
    "random_resnet18": 512,
    "dino_vits16": 384,
    "random_vits16": 384,
}
_WEIGHTED = ("dino_vits16", "simclr")
LEARNED = (DEFAULT, *_WEIGHTED)
UNTRAINED = (
    "These features have learned nothing of images: they tell colours and coarse "
    "textures apart, not what is shown, so expect little more than of random picks; "
    f"leave --encoder out for {DEFAULT}, which has learned from ImageNet."
)
# How selection sees an encoder's features, where not as they are: what was best in
# benchmarks/results/representations. (See `jaxsel.features.representation`.)
_REPRESENTED = {DEFAULT: "components"}
# An image's layers stay in a core's cache at 16 to a call, and not at 64.
_BATCHES = {DEFAULT: 16}
_BATCH = 64


class Pool(NamedTuple):
    """What selection sees of a source.

    Attributes:
      rows: real numbers `[n, d]`.
      learned: whether the features have learned something; those that people bring
        count as such.
      encoder: the settings of the encoder, for the next round; empty for features.
      fingerprint: of the source, and of the encoder where there is one.
      made_by: what the encoder is: its name, the weights' checksum, and of published
        ones the revision and the licence; empty for features.
    """

    rows: np.ndarray
    learned: bool
    encoder: dict[str, Any]
    fingerprint: str
    made_by: Mapping[str, Any] = {}


def encoder_settings(
    encoder: str | None,
    weights: str | None,
    side: int | None,
    representation: str | None = None,
) -> dict[str, Any]:
    """The settings that `--encoder`, `--weights`, `--side` and so on stand for.

    Args:
      encoder: one of `SIDES`; without it DINO where weights are given, else
        EfficientNet-Lite0.
      weights: a file (DINO) or the folder of a trained encoder (SimCLR).
      side: pixels that images are read at; the encoder's own without it. For
        EfficientNet-Lite0 that is 96 where the shorter side has up to 64, else 224.
      representation: of `representation.REPRESENTATIONS`; the encoder's own without it.

    Returns:
      A config's `features` section, and `side`.

    Raises:
      UserError: no such encoder, weights for one that takes none, none where there
        must be, or a side outside 4 to 1024.

    Example:
      >>> encoder_settings(None, None, None)["encoder"]
      'efficientnet_lite0'
    """
    name = encoder or ("dino_vits16" if weights else DEFAULT)
    if name not in SIDES:
        raise UserError(
            f"expected an encoder of {', '.join(SIDES)}, found {name!r}: give one of "
            f"them, or none for {DEFAULT}"
        )
    if representation not in (None, *REPRESENTATIONS):
        raise UserError(
            f"expected a representation of {', '.join(REPRESENTATIONS)}, found "
            f"{representation!r}: give one of them, or none for the encoder's own"
        )
    if side is not None and not 4 <= side <= 1024:
        raise UserError(f"expected a side of 4 to 1024 pixels, found {side}")
    if weights and name not in _WEIGHTED:
        raise UserError(
            f"expected --weights with an encoder of {', '.join(_WEIGHTED)}, found "
            f"--encoder {name}: leave one of the two out"
        )
    if name == "simclr" and not weights:
        raise UserError(
            "expected --weights FOLDER of a trained SimCLR encoder, found none: give "
            "it, or another --encoder"
        )
    read_at = side or SIDES[name]
    return {
        "encoder": name,
        "weights": _weights(weights),
        "side": read_at,
        "seed": 0,
        "width": 64,
        "stem": "cifar" if read_at is not None and read_at <= 32 else "reference",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "batch_size": _BATCHES.get(name, _BATCH),
        "dtype": "float32",
        "representation": representation or _REPRESENTED.get(name, "raw"),
    }


def width_of(settings: dict[str, Any]) -> int:
    """How many features of an image selection sees.

    Args:
      settings: of `encoder_settings`.

    Raises:
      UserError: a SimCLR encoder's folder does not say.

    Example:
      >>> width_of(encoder_settings("rgb", None, 8))
      192
    """
    width = _encoded_width(settings)
    if settings["representation"] == "components":
        return min(width, COMPONENTS)
    return width


def _encoded_width(settings: dict[str, Any]) -> int:
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


def holds_images(where: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder that is not one of stored features."""
    folder = pathlib.Path(where).expanduser()
    return folder.is_dir() and not all((folder / name).exists() for name in STORED)


Settings = Callable[[bool], dict[str, Any] | None]


def open_with_features(
    where: str | os.PathLike[str],
    settings: Settings,
    *,
    strict: bool = False,
    reading: Asked = NOTHING,
    check: Callable[[Source], object] | None = None,
) -> tuple[Source, Pool]:
    """Opens what is to be selected from, with its own features or an encoder's.

    Images are decoded once, as they are encoded, and not at all where they are as they
    were the last time.

    Args:
      where: a folder of images, or what holds features.
      settings: asked whether they are images; of `encoder_settings`, or `None`.
      strict: whether an image that cannot be read is an error; all are decoded before
        anything is encoded then.
      reading: what the caller says of the columns of a table.
      check: refuses what the names of images alone rule out, before any is encoded.

    Returns:
      The examples, without images that cannot be read, and their features.

    Raises:
      UserError: nothing there, features and an encoder, weights that cannot be had, or
        features that are not finite.
    """
    if holds_images(where):
        folder = pathlib.Path(where).expanduser()
        check_no_columns(reading, folder)
        if strict:
            open_source(where, strict=True)
        found = images_below(folder)
        if check is not None:
            _checked_by_name(folder, found, check)
        return encoded(folder, settings(True), found)
    source = open_source(where, strict=strict, **reading.given)
    if settings(False) is not None or source.features is None:
        raise UserError(
            f"expected --encoder with a folder of images, found it with features "
            f"in {str(source.path)!r}: leave --encoder, --weights and --side out"
        )
    return source, Pool(source.features, True, {}, source.fingerprint)


def _checked_by_name(
    folder: pathlib.Path, found: Found, check: Callable[[Source], object]
) -> None:
    """Checks what names tell, and where that refuses, the images that can be read.

    A table of groups, say, need not have a line for an image that is damaged.
    """
    try:
        check(listed(folder, found))
    except UserError:
        check(from_folder(folder))
        # They suffice: the images that cannot be read were what was wrong.


def encoded(
    folder: pathlib.Path, settings: dict[str, Any] | None, found: Found | None = None
) -> tuple[Source, Pool]:
    """A folder of images and an encoder's features of them.

    Args:
      folder: of images.
      settings: of `encoder_settings`.
      found: what is in it, where that is known already.

    Raises:
      UserError: as `open_with_features`.
    """
    if settings is None:
        raise UserError(f"expected an encoder for the images of {str(folder)!r}")
    found = found or images_below(folder)
    encoder, side = make_encoder(settings), settings["side"]
    frame = frame_of(settings)

    def said_before(missing: int) -> str:
        return time_before(found, settings, frame, missing)

    with Progress("features", len(found.images), "image") as progress:
        source, rows, _ = encode_folder(
            folder,
            found,
            encoder,
            frame,
            side,
            settings["batch_size"],
            cache_root(None) / "images",
            Foretold(progress, len(found.images), said_before),
        )
    # The same files at another size are other images to an encoder.
    about = {
        "dataset": "images",
        "split": "pool",
        "fingerprint": hash_of([source.fingerprint, side], length=64),
        **encoder.identity,
    }
    whole = hash_of([source.fingerprint, about], length=64)
    # Rounds of before had no representation: they saw the features as they are.
    form = settings.get("representation", "raw")
    if form != "raw":
        whole = hash_of([whole, form, COMPONENTS], length=64)
        rows = _represented(folder, rows, form, whole)
    learned = settings["encoder"] in LEARNED
    made_by = {**encoder.identity, "representation": form}
    return source, Pool(rows, learned, settings, whole, made_by)


def _represented(
    folder: pathlib.Path, rows: np.ndarray, form: str, fingerprint: str
) -> np.ndarray:
    """Rows in another form, kept for the next call; one file per folder and form."""
    place = cache_root(None) / "forms"
    file = place / f"{hash_of([str(folder.resolve()), form])}.npz"
    try:
        with np.load(file, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) == fingerprint:
                return kept["rows"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # made again below
    found = represent(rows, form)
    writable_folder(place)
    with replacing(file) as part, part.open("wb") as stream:
        np.savez(stream, fingerprint=np.str_(fingerprint), rows=found)
    return found


def frame_of(settings: dict[str, Any]) -> Frame:
    """How the encoder's images are read."""
    if settings["side"] is not None:
        return square_of(settings["side"])
    return by_size(AT_MOST, SMALL, RESIZED, SIDE)


def features_line(pool: Pool) -> str:
    """Which encoder the features are by."""
    name, learned = pool.encoder["encoder"], pool.made_by.get("network")
    form = pool.made_by.get("representation", "raw")
    what = {"raw": "", "centred": "centred unit rows, "}.get(form, "main components, ")
    return (
        f"features by {name}{f': {learned}' if learned else ''}, "
        f"{what}{pool.rows.shape[1]:,} per image"
    )
