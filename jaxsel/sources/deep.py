"""Pixels of more than 8 bits, whole, as the numbers that the file holds.

Pillow has no mode for colour of 16 bits: it keeps the upper byte of each number. Yet it
decodes all of the file, and its raw modes say which byte is kept: what `RGB;16B` takes
for the upper byte, `RGB;16L` takes for the lower one. So such a file is decoded twice,
and the bytes are put together. That costs a second decoding of rare files, and no
dependency: the packages that read 16-bit colour in one go (imagecodecs, OpenCV) are
tens of megabytes. A Pillow that no longer has these raw modes, or has others, is
noticed (`Refused`): eight of sixteen bits are never taken for the whole.
"""

import pathlib
import sys
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxsel.sources.refusal import Refused

_GREY = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
# The raw mode whose upper byte is the other's lower one. "N" is this machine's order.
_LITTLE = sys.byteorder == "little"
_OTHER = {"B": "L", "L": "B", "N": "B" if _LITTLE else "L"}
_COLOUR = ("RGB;16", "RGBX;16", "RGBA;16", "RGBa;16")
# Ink is a share of all the ink there can be, so its upper eight bits are right.
_SHARES = ("CMYK;16",)
# TIFF's tags.
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 262, 277
_PLANES, _EXTRA, _FORMAT = 284, 338, 339
_SIGNED = 2


class Counts(NamedTuple):
    """A picture's numbers before they are made 8-bit levels.

    Attributes:
      values: integers or floating point, `[h, w]` grey or `[h, w, 3]` colour.
      alpha: how opaque each pixel is, from 0 to 1, float32 `[h, w]`; None: wholly.
      multiplied: whether `values` were multiplied by `alpha` already.
      inverted: whether the smallest number is white.
      kind: whose line the numbers share (`levels`); empty for what their type says.
    """

    values: np.ndarray
    alpha: np.ndarray | None = None
    multiplied: bool = False
    inverted: bool = False
    kind: str = ""


def counts_of(image: Any, path: pathlib.Path) -> Counts | None:
    """The numbers of an image of more than 8 bits.

    Args:
      image: as `Image.open` gives it, not loaded yet; it is loaded here unless 8 bits
        are all that there are.
      path: its file, which is opened once more for colour.

    Returns:
      The numbers; None where 8 bits are all. What the image's EXIF data says of its
      orientation afterwards is still to be done.

    Raises:
      Refused: colour of 16 bits that cannot be read whole.
      Exception: what Pillow raises on damaged files.
    """
    if not is_deep(image):
        return None
    if image.mode in _GREY:
        return _grey(image)
    if _is_signed_byte(image):
        return Counts(np.asarray(image).view(np.int8))
    raws = {_raw(tile) for tile in image.tile}
    raw = raws.pop() if len(raws) == 1 else ""
    if raw == "LA;16B":  # four bytes a pixel, which are an 8-bit image's channels too
        return _with_alpha(_paired(_loaded(image, "RGBA")), False)
    if raw[:-1] in _COLOUR and not _is_planar(image):
        plain = raw.replace("RGBa", "RGBA")  # else Pillow divides by alpha
        upper = _loaded(image, plain).astype(np.uint16)
        with Image.open(path, formats=(image.format,)) as again:
            whole = upper << 8 | _loaded(again, plain[:-1] + _OTHER[plain[-1]])
        if whole.shape[2] == 4:
            return _with_alpha(whole, raw != plain)
        return Counts(whole, _but_one_colour(whole, image.info.get("transparency")))
    if _is_planar(image) and {tile[0] for tile in image.tile} == {"raw"}:
        return _of_planes(image, path)
    raise Refused(
        "colour of more than 8 bits in a layout that is not read whole: save it as a "
        "PNG or an uncompressed TIFF"
    )


def opacity(alpha: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """An alpha channel's counts as shares, by the bits that it uses.

    Opaque is `2^k - 1`. That is 65,535, unless the largest count is itself `2^j - 1`
    with j of 8 to 15, or needs as many bits, fewer than 16, as the colours do: cameras
    of 12 bits write alpha of 12 bits.

    Args:
      alpha: uint16 `[h, w]`.
      colour: uint16 `[h, w, …]`.

    Returns:
      float32 `[h, w]`, from 0 to 1.

    Example:
      >>> opacity(np.array([[4095, 0]], np.uint16), np.zeros((1, 2), np.uint16))
      array([[1., 0.]], dtype=float32)
    """
    most = int(alpha.max())
    bits = max(8, most.bit_length())
    full = most == (1 << bits) - 1
    same = bits == max(8, int(colour.max()).bit_length())
    opaque = (1 << (bits if full or same else 16)) - 1
    return alpha.astype(np.float32) / np.float32(opaque)


def _grey(image: Image.Image) -> Counts:
    image.load()
    values = np.asarray(image)
    inverted = False
    if image.format == "TIFF":
        inverted = _white_is_zero(image)
        # Pillow has no unsigned numbers of 32 bits and takes them for signed ones.
        if image.mode == "I" and _tag(image, _BITS) == 32 and not _is_signed(image):
            values = values.view(np.uint32)
    empty = image.info.get("transparency")
    return Counts(values, _but_one_colour(values, empty), inverted=inverted)


def _with_alpha(whole: np.ndarray, multiplied: bool) -> Counts:
    """Grey or colour with alpha behind it, `[h, w, 2]` or `[h, w, 4]`."""
    colour = whole[..., 0] if whole.shape[2] == 2 else whole[..., :3]
    return Counts(colour, opacity(whole[..., -1], colour), multiplied)


def _but_one_colour(values: np.ndarray, empty: Any) -> np.ndarray | None:
    """Opaque but for the one colour that a PNG may declare to be transparent."""
    if not isinstance(empty, int | tuple):
        return None
    there = values != np.array(empty)
    return (there.any(axis=2) if values.ndim == 3 else there).astype(np.float32)


def _paired(bytes_: np.ndarray) -> np.ndarray:
    """Numbers out of their upper and lower bytes, which alternate."""
    return bytes_[..., 0::2].astype(np.uint16) << 8 | bytes_[..., 1::2]


def _loaded(image: Any, raw: str) -> np.ndarray:
    """The bytes of a file as one raw mode takes them."""
    image.tile = [
        tile._replace(args=raw if isinstance(tile[3], str) else (raw, *tile[3][1:]))
        for tile in image.tile
    ]
    image.load()
    return np.array(image)


def _of_planes(image: Any, path: pathlib.Path) -> Counts:
    """Uncompressed colour whose channels lie one after the other."""
    planes = int(_tag(image, _SAMPLES))
    each, rest = divmod(len(image.tile), planes)
    width, height = int(_tag(image, _WIDTH)), int(_tag(image, _HEIGHT))
    kind = np.dtype("<u2" if image.tag_v2.prefix == b"II" else ">u2")
    extra = image.tag_v2.get(_EXTRA, (2,))
    if rest or planes not in (3, 4):
        raise Refused("colour in separate planes that are not whole")
    whole = np.zeros((height, width, planes), np.uint16)
    with path.open("rb") as stream:
        for number, (_, (x, y, right, below), offset, args) in enumerate(image.tile):
            line = args[1] or (right - x) * kind.itemsize
            stream.seek(offset)
            block = stream.read(line * (below - y))
            if len(block) < line * (below - y):
                raise Refused("image file is truncated")
            rows = np.frombuffer(block, np.uint8).reshape(below - y, line)
            part = np.ascontiguousarray(rows[:, : (right - x) * kind.itemsize])
            whole[y:below, x:right, number // each] = part.view(kind)
    if planes == 3 or extra[:1] == (0,):
        return Counts(whole[..., :3])
    return _with_alpha(whole, extra[:1] == (1,))


def _raw(tile: Any) -> str:
    return tile[3] if isinstance(tile[3], str) else str((tile[3] or ("",))[0])


def is_deep(image: Any) -> bool:
    """Whether an image has numbers that 8 bits do not hold.

    Args:
      image: as `Image.open` gives it, not loaded yet.
    """
    if image.mode in _GREY:
        return True
    raws = {_raw(tile) for tile in image.tile}
    if image.format == "PNG":
        return any(";16" in raw for raw in raws) or _png_bits(image) > 8
    if image.format != "TIFF":
        return False
    if _is_signed_byte(image):
        return True
    bits = int(_tag(image, _BITS) or 1)
    return bits > 8 and not all(raw[:-1] in _SHARES for raw in raws)


def _png_bits(image: Any) -> int:
    """The bit depth in a PNG's head."""
    stream = image.fp
    assert stream is not None
    where = stream.tell()
    stream.seek(0)
    head = stream.read(25)
    stream.seek(where)
    return head[24] if head[12:16] == b"IHDR" else 8


def _tag(image: Image.Image, tag: int) -> Any:
    """A TIFF's tag, of several numbers the largest."""
    value = image.tag_v2.get(tag)  # type: ignore[attr-defined]
    return max(value) if isinstance(value, tuple) and value else value


def _is_planar(image: Image.Image) -> bool:
    return image.format == "TIFF" and _tag(image, _PLANES) == 2


def _white_is_zero(image: Image.Image) -> bool:
    # Of 8 bits and fewer Pillow inverts them itself.
    return _tag(image, _PHOTOMETRIC) == 0 and (_tag(image, _BITS) or 1) > 8


def _is_signed(image: Image.Image) -> bool:
    return _tag(image, _FORMAT) == _SIGNED


def _is_signed_byte(image: Image.Image) -> bool:
    return (
        image.format == "TIFF"
        and image.mode == "L"
        and _is_signed(image)
        and _tag(image, _BITS) == 8
    )
