"""How long the images of a folder would take to encode: a few are tried."""

import contextlib
import pathlib
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image

from jaxsel.doctor.finding import counted
from jaxsel.features.crop224 import RESIZED
from jaxsel.features.efficientnet_weights import PROVENANCE
from jaxsel.files import read_json, sha256_of_file
from jaxsel.planning.encoding import (
    Encoding,
    Network,
    Sample,
    forecast_encoding,
    network_of,
    stored_bytes,
)
from jaxsel.planning.forecast import words_of_bytes, words_of_seconds
from jaxsel.planning.machine import Machine, machine
from jaxsel.sources.decode import FORMATS
from jaxsel.sources.framing import Frame
from jaxsel.sources.known import known_before
from jaxsel.sources.looks import kept_reading
from jaxsel.sources.reading import Reading
from jaxsel.sources.refusal import Refused
from jaxsel.sources.walk import Found

_MOST = 16  # images that are tried
_SECONDS = 2.0  # after which no other is
_GOLDEN = 0.618
# A command that encodes fewer images, or not for so long, does not say how long first.
_MANY, _LONG = 1_000, 5.0
Files = tuple[tuple[str, pathlib.Path], ...]


class Outlook(NamedTuple):
    """What encoding a folder would take.

    Attributes:
      encoder: its name.
      images: how many the folder has, by their names.
      known: how many of them are encoded already; `None` where that depends on weights
        that would have to be read first.
      sample: those of the others that were tried; `None` where there are no others.
      forecast: of encoding the others; `None` where no image of the sample can be read,
        unless these are all the others.
    """

    encoder: str
    images: int
    known: int | None
    sample: Sample | None
    forecast: Encoding | None


def outlook(
    folder: pathlib.Path,
    found: Found,
    settings: dict[str, Any],
    frame: Frame,
    width: int,
    here: Machine,
    root: pathlib.Path,
) -> Outlook:
    """Predicts what encoding a folder takes, without what is encoded already.

    Args:
      folder: of images.
      found: what is in it.
      settings: of `encoding.encoder_settings`.
      frame: how the encoder's images are read.
      width: features of an image.
      here: the machine.
      root: the folder of all journals; nothing is written there.
    """
    name, made_by = settings["encoder"], _made_by(settings)
    images = len(found.images)
    known: frozenset[str] | None = None
    if made_by is not None:
        known = known_before(folder, found, made_by, settings["side"], root)
    missing = tuple(pair for pair in found.images if pair[0] not in (known or ()))
    count = None if known is None else len(known)
    tried = None
    if missing:
        reading = kept_reading(folder, found, root)
        tried = sample(missing, frame, settings["side"] or RESIZED, reading)
    # What could not be read the last time is in no journal, and is tried at every call.
    bad = tried.unreadable if tried else 0
    if tried is None or (known and bad == len(missing)):
        size = stored_bytes(images - bad, width)
        nothing = Encoding(0.0, 0.0, 0.0, size, (("features", size),))
        return Outlook(name, images, count, tried, nothing)
    if not tried.sides:
        return Outlook(name, images, count, tried, None)
    forecast = _forecast(tried, settings, len(missing), images, width, here)
    return Outlook(name, images, count, tried, forecast)


def sample(files: Files, frame: Frame, shortest: int, reading: Reading) -> Sample:
    """Reads up to 16 images, spread evenly, as the encoder would.

    Seconds are those of the processor: those of waiting for a disk are not counted.

    Args:
      files: ids and paths.
      frame: how they are read.
      shortest: the shorter side that is looked at, in pixels.
      reading: what is known of the folder's images of more than 8 bits.
    """
    size = min(_MOST, len(files))
    # Where reading is slow some are left out: those that are read stay spread.
    order = sorted(range(size), key=lambda place: place * _GOLDEN % 1)
    sides, seconds, held, unreadable = list[int](), 0.0, 0, 0
    began, warm = time.monotonic(), False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `images._side_by_side`
        for place in order:
            if sides and time.monotonic() - began > _SECONDS:
                break
            path = files[place * (len(files) - 1) // max(1, size - 1)][1]
            try:
                if not warm:  # a format's first image loads its decoder
                    frame(path, reading.levels)
                    warm = True
                start = time.thread_time()
                sha256_of_file(path)
                sides.append(frame(path, reading.levels).shape[0])
                seconds += time.thread_time() - start
                held = max(held, _picture_bytes(path, shortest))
            except (OSError, Refused):
                unreadable += 1
    return Sample(tuple(sides), seconds / max(1, len(sides)), held, unreadable)


def time_before(
    found: Found,
    settings: dict[str, Any],
    frame: Frame,
    missing: int,
    measured: Callable[[], Machine] = machine,
) -> str:
    """A line on how long encoding may take, where that is long; else nothing.

    Args:
      found: what is in the folder.
      settings: of `encoding.encoder_settings`.
      frame: how the encoder's images are read.
      missing: how many images are to be encoded.
      measured: measures this machine, which is not asked for few images.
    """
    if missing < _MANY:
        return ""
    tried = sample(found.images, frame, settings["side"] or RESIZED, Reading())
    if not tried.sides:
        return ""
    images = len(found.images)
    seconds = _forecast(tried, settings, missing, images, 0, measured()).seconds
    if seconds < _LONG:
        return ""
    return (
        f"encoding {counted(missing, 'image')} by {settings['encoder']}: some "
        f"{words_of_seconds(seconds)} by forecast"
    )


def as_found(outlook: Outlook) -> dict[str, Any]:
    """The outlook for programs, JSON-able."""
    tried, forecast = outlook.sample, outlook.forecast
    sides = Counter(tried.sides if tried else ())
    return {
        "encoder": outlook.encoder,
        "images": outlook.images,
        "known": outlook.known,
        "seconds": forecast and round(forecast.seconds, 2),
        "decode_seconds": forecast and round(forecast.decode_seconds, 2),
        "network_seconds": forecast and round(forecast.network_seconds, 2),
        "peak_bytes": forecast and forecast.peak_bytes,
        "parts": forecast and dict(forecast.parts),
        "sampled": len(tried.sides) + tried.unreadable if tried else 0,
        "unreadable": tried.unreadable if tried else 0,
        "sides": {str(side): sides[side] for side in sorted(sides)},
    }


def sentence(outlook: Outlook) -> str:
    """The outlook for people, in one sentence."""
    images, by = counted(outlook.images, "image"), f"by {outlook.encoder}"
    tried, forecast = outlook.sample, outlook.forecast
    if tried is None:
        what = "the image is" if outlook.images == 1 else f"all {images} are"
        return f"Encoding {by} takes no time: {what} known from before."
    if outlook.known and not tried.sides and forecast:
        return (
            f"Encoding {by} takes no time: {outlook.known:,} of {images} are known "
            f"from before, and the other {tried.unreadable:,} cannot be read."
        )
    if forecast is None:
        return (
            f"How long encoding {by} takes is not known: of {images}, "
            f"{counted(tried.unreadable, 'was', 'were')} tried and cannot be read."
        )
    missing = outlook.images - (outlook.known or 0)
    whole = f"{missing:,} of {images}" if outlook.known else images
    kept = (
        f"; the other {outlook.known:,} are known from before" if outlook.known else ""
    )
    if outlook.known is None:
        kept = "; what is known from before takes no time, and was not looked for"
    sides = Counter(tried.sides)
    read = " and ".join(f"{sides[side]:,} at {side}" for side in sorted(sides))
    bad = f", {tried.unreadable:,} cannot be read" if tried.unreadable else ""
    return (
        f"Encoding {whole} {by} takes some {words_of_seconds(forecast.seconds)} and "
        f"{words_of_bytes(forecast.peak_bytes)} at its peak{kept} (tried: {read} "
        f"pixels{bad})."
    )


def _forecast(
    tried: Sample,
    settings: dict[str, Any],
    missing: int,
    images: int,
    width: int,
    here: Machine,
) -> Encoding:
    return forecast_encoding(
        tried,
        lambda side: _network(settings, side),
        missing=missing,
        images=images,
        features=width,
        batch=settings["batch_size"],
        machine=here,
    )


def _made_by(settings: dict[str, Any]) -> dict[str, Any] | None:
    """What tells an encoder's features from others'; `None` without reading weights."""
    name = settings["encoder"]
    of = {
        "efficientnet_lite0": (),
        "rgb": (),
        "random_vits16": ("seed",),
        "random_resnet18": ("seed", "width", "stem", "mean", "std"),
    }
    if name == "simclr":
        digest = _manifest(settings).get("sha256")
        return {"encoder": name, "weights": digest} if digest else None
    if name not in of:
        return None
    # The frame is named by the journal in its own way.
    known = PROVENANCE if name == "efficientnet_lite0" else {}
    return {"encoder": name, **known, **{key: settings[key] for key in of[name]}}


def _network(settings: dict[str, Any], side: int) -> Network:
    name = settings["encoder"]
    stated = settings
    if name == "simclr":
        identity = _manifest(settings).get("identity", {})
        stated = {"stem": "cifar", "width": 64, **identity.get("settings", {})}
    return network_of(name, side, width=int(stated["width"]), stem=stated["stem"])


def _manifest(settings: dict[str, Any]) -> dict[str, Any]:
    """Of a SimCLR encoder, whose folder `encoding.width_of` has looked into."""
    found: dict[str, Any] = read_json(
        pathlib.Path(settings["weights"]) / "manifest.json"
    )
    return found


def _picture_bytes(path: pathlib.Path, shortest: int) -> int:
    """Of a decoded picture and its copy in RGB; 0 for DICOM, which is not asked."""
    with contextlib.suppress(Exception), Image.open(path, formats=FORMATS) as image:
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (2 * shortest, 2 * shortest))
        return 2 * 3 * image.width * image.height
    return 0
