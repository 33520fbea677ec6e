"""PNG and TIFF of more than 8 bits, written by their specifications: Pillow cannot."""

import pathlib
import struct
import zlib
from collections.abc import Mapping

import numpy as np


def write_png(
    path: pathlib.Path,
    pixels: np.ndarray,
    *,
    before: Mapping[bytes, bytes] = {},
    behind: Mapping[bytes, bytes] = {},
) -> None:
    """Grey, grey and alpha, RGB or RGBA of 16 bits, each line with another filter.

    Args:
      path: the file.
      pixels: uint16 `[h, w, c]`.
      before, behind: further chunks, before or after the pixels.
    """
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    lines = pixels.astype(">u2").tobytes()
    size = 2 * width * channels
    step, raw, last = 2 * channels, bytearray(), bytes(size)
    for row in range(height):
        line = lines[row * size : (row + 1) * size]
        left = bytes(step) + line[:-step]
        against = (bytes(size), left, last)[row % 3]  # none, Sub, Up
        raw += bytes([row % 3])
        raw += bytes((a - b) % 256 for a, b in zip(line, against, strict=True))
        last = line
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0),
        **before, b"IDAT": zlib.compress(bytes(raw)), **behind, b"IEND": b"",
    }  # fmt: skip
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + tag + body
            + struct.pack(">I", zlib.crc32(tag + body))
            for tag, body in chunks.items()
        )
    )  # fmt: skip


def write_tiff(
    path: pathlib.Path,
    pixels: np.ndarray,
    *,
    order: str = "<",
    planes: bool = False,
    deflate: bool = False,
    strips: int = 1,
    **tags: int,
) -> None:
    """A TIFF of any numbers, chunky or in planes.

    Args:
      path: the file.
      pixels: `[h, w, c]`.
      order: "<" or ">".
      planes: whether the channels lie one after the other.
      deflate: whether it is compressed.
      strips: how many, each of as many rows.
      tags: photometric, extra (samples), format (of samples), orientation.
    """
    height, width, channels = pixels.shape
    stored = pixels.astype(pixels.dtype.newbyteorder(order))
    parts = np.split(stored, strips)
    if planes:
        parts = [part[..., c] for c in range(channels) for part in parts]
    blocks = [part.tobytes() for part in parts]
    if deflate:
        blocks = [zlib.compress(block) for block in blocks]
    place, offsets = 8, []
    for block in blocks:
        offsets.append(place)
        place += len(block) + len(block) % 2
    values: dict[int, list[int]] = {
        256: [width], 257: [height], 258: [8 * pixels.dtype.itemsize] * channels,
        259: [8 if deflate else 1],
        262: [tags.get("photometric", 2 if channels >= 3 else 1)],
        273: offsets, 274: [tags.get("orientation", 1)], 277: [channels],
        278: [height // strips], 279: [len(block) for block in blocks],
        284: [2 if planes else 1],
    }  # fmt: skip
    if "extra" in tags:
        values[338] = [tags["extra"]]
    values[339] = [tags.get("format", 1)] * channels
    behind = place + 2 + 12 * len(values) + 4
    entries, arrays = b"", b""
    for tag, numbers in values.items():
        body = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(body) > 4:
            here = struct.pack(f"{order}I", behind + len(arrays))
            arrays += body
        else:
            here = body
        entries += struct.pack(f"{order}HHI", tag, 4, len(numbers)) + here
    mark = b"II*\0" if order == "<" else b"MM\0*"
    content = b"".join(block + bytes(len(block) % 2) for block in blocks)
    head = struct.pack(f"{order}I", place)
    count = struct.pack(f"{order}H", len(values))
    path.write_bytes(mark + head + content + count + entries + bytes(4) + arrays)
