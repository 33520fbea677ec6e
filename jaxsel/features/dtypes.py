"""Number formats of stored features, and the way to them from float32 and back."""

import ml_dtypes
import numpy as np

from jaxsel.errors import UserError

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = ("float32", "float16", "bfloat16")


def pack(rows: np.ndarray, dtype: str, first_row: int = 0) -> np.ndarray:
    """Rounds rows to a format, as an array that `.npy` files can hold.

    Args:
      rows: float32 `[n, d]`, finite.
      dtype: one of `DTYPES`. The .npy format has no bfloat16: its bits are held as
        uint16.
      first_row: number of the first row, for the message.

    Returns:
      float32, float16 or uint16 `[n, d]`.

    Raises:
      UserError: a number is too large for the format, and would become inf.

    Example:
      >>> pack(np.array([[1.0, 3.14159]], np.float32), "bfloat16").dtype
      dtype('uint16')
    """
    if dtype == "float32":
        return rows
    kind = _BFLOAT16 if dtype == "bfloat16" else np.dtype(np.float16)
    with np.errstate(over="ignore"):  # inf is refused below, with more to say
        packed = rows.astype(kind)
    fits = np.isfinite(packed).all(axis=1)
    if not fits.all():
        bad = int(np.flatnonzero(~fits)[0])
        raise UserError(
            f"expected features that fit {dtype} (up to {_largest(kind):.6g}), found "
            f"{np.abs(rows[bad]).max():.6g} in row {first_row + bad}: use "
            "config.features.dtype=float32"
        )
    return packed.view(np.uint16) if kind == _BFLOAT16 else packed


def unpack(packed: np.ndarray, dtype: str) -> np.ndarray:
    """The rows in their own format, without a copy: uint16 bits become bfloat16.

    Args:
      packed: `[n, d]`, as from `pack`; may be memory-mapped.
      dtype: one of `DTYPES`.

    Returns:
      `[n, d]`, float32, float16 or bfloat16 (of ml_dtypes, as JAX uses it).

    Raises:
      ValueError: the array is not of the format.

    Example:
      >>> unpack(pack(np.array([[3.14159]], np.float32), "bfloat16"), "bfloat16").item()
      3.140625
    """
    expected = "uint16" if dtype == "bfloat16" else dtype
    if dtype not in DTYPES or str(packed.dtype) != expected:
        raise ValueError(f"an array of {packed.dtype} cannot hold {dtype}")
    return packed.view(_BFLOAT16) if dtype == "bfloat16" else packed


def rounded(rows: np.ndarray, dtype: str, first_row: int = 0) -> np.ndarray:
    """Rows as they are after having been stored in a format; float32 `[n, d]`."""
    if dtype == "float32":
        return rows
    return unpack(pack(rows, dtype, first_row), dtype).astype(np.float32)


def _largest(kind: np.dtype) -> float:
    return float(ml_dtypes.finfo(kind).max)
