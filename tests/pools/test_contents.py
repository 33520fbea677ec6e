"""The hashes of a pool's rows: what they are by definition, and what they notice."""

import ml_dtypes
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.pools.contents import GROUP, Contents
from jaxsel.pools.opening import open_pool

N = 700


def opened(folder, dtype, d):
    """A pool of N rows in two files, and its rows padded to whole groups."""
    rows = (np.random.default_rng(d).normal(size=(N, d)) * 20).astype(dtype)
    for i, part in enumerate(np.split(rows, [600])):
        np.save(folder / f"{i}.npy", part)
    pool = open_pool(str(folder / "*.npy"))
    padded = np.zeros((768, d), pool.dtype)
    padded[:N] = pool.read(0, N)
    return pool, padded


def hashes(pool, rows, size=768):
    found = Contents(pool)
    for at in range(0, N, size):
        found.check(at, min(size, N - at), rows[at : at + size])
    return found.hashes


SHAPES = [
    *((dtype, d) for dtype in ("float32", "int8") for d in (1, 2, 3, 12, 130)),
    *((dtype, d) for dtype in ("float16", ml_dtypes.bfloat16) for d in (1, 4)),
]


@pytest.mark.parametrize(("dtype", "d"), SHAPES)
def test_by_definition_and_for_every_size_of_block(tmp_path, dtype, d):
    pool, rows = opened(tmp_path, dtype, d)
    found = Contents(pool)
    weights = [
        int(over) * int(weight)
        for over in found._over[: found._per_segment]
        for weight in found._weights
    ]
    expected = []
    for at in range(0, 768, GROUP):
        group = rows[at : at + GROUP].tobytes()
        words = [
            int.from_bytes(group[k : k + 8], "little") for k in range(0, len(group), 8)
        ]
        assert len(words) == len(weights) and all(weight % 2 for weight in weights)
        terms = (w * (x ^ (x >> 33)) for w, x in zip(weights, words, strict=True))
        expected.append(sum(terms) % 2**64)
    assert hashes(pool, rows).tolist() == expected
    assert hashes(pool, rows, GROUP).tolist() == expected
    assert hashes(pool, rows, 512).tolist() == expected


@pytest.mark.parametrize(("dtype", "d"), SHAPES)
def test_signs_and_the_order_of_rows_are_noticed(tmp_path, dtype, d):
    pool, rows = opened(tmp_path, dtype, d)
    before = hashes(pool, rows)
    for column in (*range(d), slice(None)):
        turned = rows.copy()
        turned[:, column] = -turned[:, column]
        assert np.all(hashes(pool, turned) != before), column
    assert np.all(hashes(pool, rows[::-1].copy())[:2] != before[:2])
    # In one place, and in the last row of all.
    for row in (300, N - 1):
        other = rows.copy()
        other[row, d - 1] += 1
        assert (hashes(pool, other) != before).tolist() == [
            at == row // GROUP for at in range(3)
        ]


def test_what_changed_is_named_by_file_and_row(tmp_path):
    pool, rows = opened(tmp_path, "float32", 3)
    found = Contents(pool)
    with pytest.raises(AssertionError, match="no pass"):
        found.digest()
    found.check(0, N, rows)
    other = rows.copy()
    other[650] += 1
    across = r"row 512 of '.*0\.npy' to row 99 of '.*1\.npy' \(rows 512 to 699 of"
    with pytest.raises(UserError, match=f"while they are read, between {across}"):
        found.check(0, N, other)
    later = Contents(pool, found.hashes)
    with pytest.raises(UserError, match="since the checkpoint"):
        later.check(512, N - 512, other[512:])
    later.check(0, 512, other[:512])
    assert later.digest() == found.digest() != Contents(pool, 0 * found.hashes).digest()
