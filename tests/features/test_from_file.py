"""Features of one's own: joined by id, and every mistake in the file is named."""

import pathlib

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.features import store
from jaxsel.features.from_file import read_features

IDS = np.array(["a", "b", "c"])
ROWS = np.arange(6, dtype=np.float64).reshape(3, 2)


def read(path: pathlib.Path):
    return read_features(str(path), IDS, {"encoder": "file"})


def npz(tmp_path: pathlib.Path, ids: list, rows: np.ndarray) -> pathlib.Path:
    path = tmp_path / "rows.npz"
    np.savez(path, features=rows, ids=np.array(ids))
    return path


def test_npy_rows_are_taken_in_order(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS)
    found = read(tmp_path / "rows.npy")
    np.testing.assert_array_equal(found.rows, ROWS)
    assert found.rows.dtype == np.float32
    assert found.identity == {"encoder": "file", "sha256": found.sha256}


def test_npz_rows_are_joined_by_id_whatever_their_order(
    tmp_path: pathlib.Path,
) -> None:
    rows = np.array([[9, 9], [4, 5], [0, 1], [8, 8], [2, 3]])
    found = read(npz(tmp_path, ["spare", "c", "a", "other", "b"], rows))
    np.testing.assert_array_equal(found.rows, ROWS)
    assert found.ids.tolist() == IDS.tolist()


def test_another_content_is_another_identity(tmp_path: pathlib.Path) -> None:
    first = read(npz(tmp_path, list(IDS), ROWS)).identity
    assert read(npz(tmp_path, list(IDS), ROWS)).identity == first
    assert read(npz(tmp_path, list(IDS), ROWS + 1)).identity != first


@pytest.mark.parametrize(
    "ids, rows, message",
    [
        (IDS, np.where(ROWS == 3, np.nan, ROWS), "NaN or inf in 1 rows, .* id b"),
        (IDS, np.where(ROWS > 3, np.inf, ROWS), "NaN or inf in 1 rows, .* id c"),
        (IDS, np.where(ROWS > 3, 1e300, ROWS), "NaN or inf"),
        (["a", "x", "y"], ROWS, "none for 2 of 3 ids, the first 'b' .*write ids as"),
        ([], np.zeros((0, 2)), "none for 3 of 3 ids"),
        (["a", "b", "b", "c"], np.ones((4, 2)), "found 'b' 2 times: keep one"),
        (["a", "b"], ROWS, "one id a row"),
        (IDS, np.ones(3), r"shape \[n, d\] .* found \[3\]"),
        (IDS, np.ones((3, 2, 2)), r"shape \[n, d\] .* found \[3, 2, 2\]"),
        (IDS, ROWS + 1j, "real numbers .* complex"),
        (IDS, ROWS.astype(str), "real numbers"),
    ],
)
def test_a_mistake_in_the_arrays(
    tmp_path: pathlib.Path, ids: list, rows: np.ndarray, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(npz(tmp_path, ids, rows))
    assert "rows.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_too_few_without_ids(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS[:2])
    with pytest.raises(UserError, match=r"expected 3 rows .* found 2: store an \.npz"):
        read(tmp_path / "rows.npy")


@pytest.mark.parametrize("name", ["rows.npy", "rows.npz"])
def test_a_truncated_file(tmp_path: pathlib.Path, name: str) -> None:
    path = tmp_path / name
    if name == "rows.npy":
        np.save(path, ROWS)
    else:
        npz(tmp_path, list(IDS), ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"damaged or truncated .*write it again"):
        read(path)


def test_a_missing_file_and_missing_arrays(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.npz, found none: set config"):
        read(tmp_path / "nothing.npz")
    with pytest.raises(UserError, match="no path"):
        read_features("", IDS, {})
    np.savez(tmp_path / "rows.npz", x=ROWS)
    with pytest.raises(UserError, match=r"named features and ids .* found x"):
        read(tmp_path / "rows.npz")


def test_an_archive_under_another_name_is_still_an_archive(
    tmp_path: pathlib.Path,
) -> None:
    path = npz(tmp_path, list(IDS[::-1]), ROWS[::-1])
    other = path.rename(tmp_path / "rows.npy")
    np.testing.assert_array_equal(read(other).rows, ROWS)


ASKED = {"dataset": "toy", "split": "train", "fingerprint": "print", "encoder": "file"}


def stored(root: pathlib.Path, dtype: str = "float32", **changes: str) -> pathlib.Path:
    identity = store.with_dtype({**ASKED, "encoder": "rgb", **changes}, dtype)
    rows = ROWS.astype(np.float32)
    return store.save(
        root, store.Features(rows, IDS, store.sha256_of_rows(rows), identity)
    )


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_folder_of_ours_is_a_file_too(tmp_path: pathlib.Path, dtype: str) -> None:
    found = read_features(str(stored(tmp_path, dtype)), IDS, ASKED)
    np.testing.assert_array_equal(found.rows, ROWS)
    assert found.rows.dtype == np.float32
    assert found.identity == {**ASKED, "sha256": found.sha256}


@pytest.mark.parametrize("field", ["dataset", "split", "fingerprint"])
def test_a_folder_of_other_images_is_refused(
    tmp_path: pathlib.Path, field: str
) -> None:
    folder = stored(tmp_path, **{field: "other"})
    with pytest.raises(UserError, match=f"expected features of {field} .* found other"):
        read_features(str(folder), IDS, ASKED)


@pytest.mark.parametrize("name", ["features.npy", "ids.npy", "manifest.json"])
def test_a_damaged_folder_is_refused(tmp_path: pathlib.Path, name: str) -> None:
    folder = stored(tmp_path)
    data = bytearray((folder / name).read_bytes())
    data[-3 if name != "manifest.json" else 0] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(UserError, match=r"missing or damaged .* jaxsel features"):
        read_features(str(folder), IDS, ASKED)
    with pytest.raises(UserError, match="missing or damaged"):
        read_features(str(tmp_path), IDS, ASKED)
