"""The feature store: what is read is what was written, or it is computed anew."""

import json
import pathlib

import numpy as np
import pytest
from absl import logging

from jaxsel.errors import UserError
from jaxsel.features import store
from jaxsel.features.dtypes import rounded
from jaxsel.features.extract import features_of

IDS = np.array(["a", "b", "c"])
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
IDENTITY = {"dataset": "toy", "split": "train", "encoder": "rgb", "seed": 0}


class Silent:
    """A meter that nobody reads."""

    def start_at(self, amount: int) -> None: ...

    def advance(self, amount: int) -> None: ...


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: said.append(text % a))
    return said


def features(**identity: object) -> store.Features:
    return store.Features(
        ROWS, IDS, store.sha256_of_rows(ROWS), {**IDENTITY, **identity}
    )


def test_a_round_trip(tmp_path: pathlib.Path, warnings: list[str]) -> None:
    assert store.load(tmp_path, IDENTITY, IDS) is None
    folder = store.save(tmp_path, features())
    assert folder.name.startswith("toy-train-rgb-")
    found = store.load(tmp_path, IDENTITY, IDS)
    assert found is not None
    np.testing.assert_array_equal(found.rows, ROWS)
    assert found.rows.dtype == np.float32
    assert found.ids.tolist() == IDS.tolist()
    assert (found.sha256, found.identity) == (features().sha256, IDENTITY)
    assert warnings == []
    assert list(tmp_path.iterdir()) == [folder], "no temporary folder is left"


@pytest.mark.parametrize("name", ["features.npy", "ids.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "empty"])
def test_damage_is_noticed_and_said(
    tmp_path: pathlib.Path, warnings: list[str], name: str, damage: str
) -> None:
    folder = store.save(tmp_path, features())
    path = folder / name
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "flipped":
        data[-3 if name != "manifest.json" else 0] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"")
    assert store.load(tmp_path, IDENTITY, IDS) is None
    assert len(warnings) == 1
    assert str(folder) in warnings[0]
    assert "damaged" in warnings[0]
    store.save(tmp_path, features())
    assert store.load(tmp_path, IDENTITY, IDS) is not None


def test_other_ids_are_noticed(tmp_path: pathlib.Path, warnings: list[str]) -> None:
    store.save(tmp_path, features())
    assert store.load(tmp_path, IDENTITY, IDS[::-1]) is None
    assert "other ids: computed anew" in warnings[0]


def test_another_identity_has_another_folder(tmp_path: pathlib.Path) -> None:
    first = store.save(tmp_path, features())
    other = store.save(tmp_path, features(seed=1))
    assert first != other
    assert store.load(tmp_path, IDENTITY, IDS) is not None
    assert store.load(tmp_path, {**IDENTITY, "seed": 2}, IDS) is None


def test_features_are_encoded_once_and_again_after_damage(
    tmp_path: pathlib.Path, warnings: list[str]
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 2, 3), np.uint8)
    calls: list[int] = []

    def batches(rows: np.ndarray | None, size: int) -> list[np.ndarray]:
        assert rows is None
        calls.append(size)
        return [images[:2], images[2:]]

    def read() -> store.Features:
        settings = {"encoder": "rgb", "batch_size": 2, "dtype": "float32"}
        return features_of(
            settings, "train", "toy", "print", IDS, batches, tmp_path, Silent()
        )

    first = read()
    np.testing.assert_allclose(first.rows, images.reshape(3, 12) / 255, rtol=2e-7)
    np.testing.assert_array_equal(read().rows, first.rows)
    assert calls == [2]
    (folder,) = tmp_path.iterdir()
    (folder / "features.npy").write_bytes(b"")
    np.testing.assert_array_equal(read().rows, first.rows)
    assert calls == [2, 2]
    assert len(warnings) == 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_what_is_read_back(
    tmp_path: pathlib.Path, dtype: str
) -> None:
    rows = np.random.default_rng(0).normal(0, 9, (3, 4)).astype(np.float32)
    bits = 10 if dtype == "float16" else 7
    found = {}
    for name in (dtype, "float32"):
        identity = store.with_dtype(IDENTITY, name)
        kept = rounded(rows, name)
        store.save(
            tmp_path, store.Features(kept, IDS, store.sha256_of_rows(kept), identity)
        )
        found[name] = store.load(tmp_path, identity, IDS)
        np.testing.assert_array_equal(found[name].rows, kept)
    error = np.abs(found[dtype].rows / rows - 1)
    assert 0 < error.max() <= 2.0 ** -(bits + 1)
    assert found["float32"].identity == IDENTITY
    folder = store.folder_of(tmp_path, found[dtype].identity)
    stored = store.open_folder(folder)
    assert isinstance(stored.rows.base, np.memmap) or isinstance(stored.rows, np.memmap)
    assert str(stored.rows.dtype) == dtype
    assert (folder / "features.npy").stat().st_size == 128 + 2 * rows.size
    manifest = json.loads((folder / "manifest.json").read_text())
    norms = np.linalg.norm(found[dtype].rows, axis=1)
    assert manifest["dtype"] == dtype
    assert manifest["norm_quantiles"]["0.5"] == pytest.approx(np.median(norms))


def test_what_half_precision_cannot_hold_is_refused() -> None:
    rows = np.array([[1, 2], [3, -70_000]], np.float32)
    assert rounded(rows, "bfloat16")[1, 1] == -70_144
    with pytest.raises(UserError, match=r"up to 65504\), found 70000 in row 9: use"):
        rounded(rows, "float16", first_row=8)


def test_a_folder_that_was_moved_is_noticed(
    tmp_path: pathlib.Path, warnings: list[str]
) -> None:
    folder = store.save(tmp_path, features(seed=1))
    folder.rename(store.folder_of(tmp_path, IDENTITY))
    assert store.load(tmp_path, IDENTITY, IDS) is None
    assert "another identity" in warnings[0]
