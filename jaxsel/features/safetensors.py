"""The safetensors format: named tensors in one file that runs no code when read.

Eight bytes hold the length of a JSON header; the header gives each tensor's dtype,
shape and place among the bytes that follow, which are little-endian and in C order.
"""

import json
import math
import pathlib
import struct
from typing import Any

import ml_dtypes
import numpy as np

from jaxsel.errors import UserError

_DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "U8": np.dtype("u1"),
}
_LENGTH = 8
# As large as the format allows; a longer header is another kind of file.
_LONGEST_HEADER = 100_000_000


def read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads all tensors of a file.

    Args:
      path: the file.

    Returns:
      Arrays by name, in their own dtypes, read-only.

    Raises:
      UserError: the file is not there, is cut off, or is of another format.

    Source: the format's definition, github.com/huggingface/safetensors.

    Example:
      >>> import tempfile
      >>> header = b'{"x": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}'
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "two.safetensors"
      >>> data = struct.pack("<Q", len(header)) + header + bytes([7, 9])
      >>> _ = path.write_bytes(data)
      >>> read_safetensors(path)["x"].tolist()
      [7, 9]
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"expected a safetensors file at {path}, found: {error.strerror}; give the "
            "path of a file"
        ) from error
    try:
        (length,) = struct.unpack("<Q", data[:_LENGTH])
        if length > min(len(data) - _LENGTH, _LONGEST_HEADER):
            raise ValueError("the header is longer than the file")
        header = json.loads(data[_LENGTH : _LENGTH + length])
        body = memoryview(data)[_LENGTH + length :]
        return {
            name: _tensor(name, entry, body)
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise UserError(
            f"expected a whole safetensors file, found {path} damaged, cut off or of "
            f"another format ({error}): get it again"
        ) from error


def _tensor(name: str, entry: dict[str, Any], body: memoryview) -> np.ndarray:
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"{name} has the dtype {entry['dtype']}")
    dtype, shape = _DTYPES[entry["dtype"]], tuple(entry["shape"])
    start, end = entry["data_offsets"]
    size = math.prod(shape) * dtype.itemsize
    if not 0 <= start <= end <= len(body) or end - start != size:
        raise ValueError(f"{name} does not lie in the file")
    return np.frombuffer(body[start:end], dtype).reshape(shape)
