"""Pools on disk for the benchmark of scale, written block by block."""

import pathlib

import numpy as np

# Rows made at a time.
ROWS = 1 << 16
CLUSTERS = 200


def write(
    path: pathlib.Path,
    n: int,
    d: int,
    dtype: str,
    clusters: int = CLUSTERS,
    *,
    even: bool = False,
) -> None:
    """Writes a mixture of directions of uneven sizes and lengths as one `.npy` file.

    Row i depends on i's block and the other arguments but `n` and `dtype`: a smaller
    pool is the start of a larger.

    Args:
      path: the file; it appears under its name when it is whole.
      n, d: its shape.
      dtype: "float32", "float16", or "int8": the same rows times 16, rounded.
      clusters: how many centres.
      even: whether a row comes from any of them alike; the i-th has a share of 1 / i
        else.
    """
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((clusters, d), np.float32)
    share = np.ones(clusters) if even else 1 / np.arange(1, clusters + 1)
    share = np.cumsum(share / share.sum())
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
            "fortran_order": False,
            "shape": (n, d),
        }
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n, ROWS):
            rng = np.random.default_rng([1, start])
            ids = np.searchsorted(share, rng.random(ROWS)).clip(0, clusters - 1)
            rows = rng.standard_normal((ROWS, d), np.float32)
            rows = centres[ids] + 0.6 * rows
            rows *= rng.gamma(4, 0.25, (ROWS, 1)).astype(np.float32)
            if dtype == "int8":
                rows = np.rint(16 * rows).clip(-127, 127)
            file.write(rows[: n - start].astype(dtype).tobytes())
    part.replace(path)
