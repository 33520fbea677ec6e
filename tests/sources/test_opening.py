"""Feature files as sources: their numbers, their ids, and what is refused."""

import json
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxsel.errors import UserError
from jaxsel.features import store
from jaxsel.sources.images import read
from jaxsel.sources.opening import open_source

ROWS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
IDS = np.array(["c", "a", "ü\n", "b,", "="])


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "uint8", "int64", ">f4", "<u2"]
)
def test_npy_of_any_numbers_is_mapped(tmp_path: pathlib.Path, dtype: str) -> None:
    rows = np.arange(12).reshape(4, 3).astype(dtype)
    np.save(tmp_path / "a.npy", rows)
    source = open_source(tmp_path / "a.npy")
    assert source.features is not None and source.paths is None
    assert source.features.dtype.isnative
    assert source.features.dtype == rows.dtype.newbyteorder("=")
    np.testing.assert_array_equal(source.features, rows)
    assert source.ids.tolist() == ["0", "1", "2", "3"]
    assert not source.features.flags.writeable
    if rows.dtype.isnative:
        assert isinstance(source.features, np.memmap)


def test_npz_by_name_or_by_its_only_matrix(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, features=ROWS, ids=IDS, labels=np.arange(5), other=np.ones((2, 2)))
    source = open_source(str(file))
    np.testing.assert_array_equal(source.features, ROWS)
    assert source.ids.tolist() == IDS.tolist()
    np.savez(file, emb=ROWS, labels=np.arange(5))
    source = open_source(file)
    np.testing.assert_array_equal(source.features, ROWS)
    assert source.ids.tolist() == list("01234")
    np.savez_compressed(file, emb=ROWS, ids=np.arange(5, 10))
    assert open_source(file).ids.tolist() == ["5", "6", "7", "8", "9"]
    np.savez(file, features=ROWS, ids=np.array(["é".encode(), *b"a b c d".split()]))
    assert open_source(file).ids.tolist() == ["é", "a", "b", "c", "d"]


def test_fingerprints_are_of_content(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "a.npy", ROWS)
    np.savez(tmp_path / "a.npz", x=ROWS)
    np.save(tmp_path / "f.npy", np.asfortranarray(ROWS))
    same = {open_source(tmp_path / n).fingerprint for n in ("a.npy", "a.npz", "f.npy")}
    assert len(same) == 1
    changed = ROWS.copy()
    changed[4, 2] += 1e-3
    np.savez(tmp_path / "1.npz", x=changed)
    np.savez(tmp_path / "2.npz", features=ROWS, ids=IDS)
    np.savez(tmp_path / "3.npz", x=ROWS.astype(np.float64))
    np.savez(tmp_path / "4.npz", x=ROWS.reshape(3, 5))
    other = {open_source(tmp_path / f"{k}.npz").fingerprint for k in (1, 2, 3, 4)}
    assert len(same | other) == 5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_stored_folder_of_features(tmp_path: pathlib.Path, dtype: str) -> None:
    about = {"dataset": "toy", "split": "train", "encoder": "mine"}
    features = store.Features(
        ROWS, IDS, store.sha256_of_rows(ROWS), store.with_dtype(about, dtype)
    )
    folder = store.save(tmp_path, features)
    source = open_source(folder)
    assert source.ids.tolist() == IDS.tolist()
    np.testing.assert_allclose(
        source.features, ROWS, rtol=0 if dtype == "float32" else 2**-8
    )
    (folder / "features.npy").write_bytes(b"")
    with pytest.raises(UserError, match="damaged"):
        open_source(folder)


def save_table(file: pathlib.Path, columns: dict[str, Any]) -> pathlib.Path:
    pq.write_table(pa.table(columns), file)
    return file


def test_parquet_of_vectors(tmp_path: pathlib.Path) -> None:
    vectors = [row.tolist() for row in ROWS]
    file = tmp_path / "a.parquet"
    for columns, ids in (
        ({"id": IDS.tolist(), "embedding": vectors}, IDS.tolist()),
        ({"embedding": vectors, "label": [1] * 5}, list("01234")),
        ({"features": vectors, "filename": list("vwxyz")}, list("vwxyz")),
    ):
        source = open_source(save_table(file, columns))
        np.testing.assert_array_equal(source.features, ROWS)
        assert source.ids.tolist() == ids


def test_parquet_of_columns(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "a.parquet"
    # Eleven numbered columns, stored out of order: 10 comes after 9.
    wide = np.arange(55, dtype=np.float32).reshape(5, 11)
    order = [3, 10, 0, 1, 2, 9, 4, 5, 8, 7, 6]
    numbered = {f"embedding_{k}": wide[:, k] for k in order}
    source = open_source(
        save_table(file, {"filename": list("abcde"), "label": [1] * 5, **numbered})
    )
    np.testing.assert_array_equal(source.features, wide)
    assert source.features is not None and source.features.dtype == np.float32
    assert source.ids.tolist() == list("abcde")
    plain = {"x": ROWS[:, 0], "y": np.arange(5), "z": ROWS[:, 2].astype(np.float64)}
    source = open_source(save_table(file, plain))
    assert source.features is not None and source.features.dtype == np.float64
    np.testing.assert_array_equal(
        source.features, np.stack([plain[k] for k in "xyz"], axis=1)
    )
    assert source.ids.tolist() == list("01234")


TEXTS = pa.array(IDS.tolist())


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (TEXTS.dictionary_encode(), IDS.tolist()),
        (TEXTS.cast(pa.string_view()), IDS.tolist()),
        (TEXTS.cast(pa.binary()), IDS.tolist()),
        (pa.array([7.0, 8, 9, 10, 11]), ["7", "8", "9", "10", "11"]),
        (pa.array([19000, 1, 2, 3, 4], pa.date32()), None),
    ],
)
def test_ids_in_the_spellings_of_arrow(
    tmp_path: pathlib.Path, ids: Any, expected: list[str] | None
) -> None:
    table = {"id": ids, "embedding": ROWS.tolist()}
    found = open_source(save_table(tmp_path / "a.parquet", table)).ids.tolist()
    assert found == (expected or [str(day) for day in ids.to_pylist()])


def test_tensors_of_one_shape_are_vectors(tmp_path: pathlib.Path) -> None:
    flat = pa.FixedSizeListArray.from_arrays(pa.array(ROWS.ravel()), 3)
    for shape in ([3], [1, 3]):
        kind = pa.fixed_shape_tensor(pa.float32(), shape)
        tensors = pa.ExtensionArray.from_storage(kind, flat)
        file = save_table(tmp_path / "a.parquet", {"clip": tensors})
        np.testing.assert_array_equal(open_source(file).features, ROWS)


def test_what_the_caller_names_is_read(tmp_path: pathlib.Path) -> None:
    vectors = ROWS.tolist()
    columns = {"id": list("abcde"), "key": IDS.tolist(), "embedding": vectors}
    columns |= {"bbox": [[0.0, 1.0]] * 5, "age": [1, 2, 3, 4, None]}
    file = save_table(tmp_path / "a.parquet", columns)
    assert open_source(file).features.shape == (5, 3)  # type: ignore[union-attr]
    source = open_source(file, features="bbox", ids="key")
    assert source.features.tolist() == [[0.0, 1.0]] * 5  # type: ignore[union-attr]
    assert source.ids.tolist() == IDS.tolist()
    source = open_source(file, columns=["age"])
    np.testing.assert_array_equal(source.features, [[1], [2], [3], [4], [np.nan]])
    np.savez(tmp_path / "a.npz", train=ROWS, test=ROWS[:2], files=IDS)
    source = open_source(tmp_path / "a.npz", features="train", ids="files")
    np.testing.assert_array_equal(source.features, ROWS)
    assert source.ids.tolist() == IDS.tolist()
    np.save(tmp_path / "a.npy", ROWS)
    for name, asked, message in (
        ("a.parquet", {"columns": ["ages"]}, "did you mean 'age'"),
        ("a.parquet", {"columns": ["key"]}, "found 'key' with text"),
        ("a.parquet", {"features": "age"}, "'age' holds numbers"),
        ("a.parquet", {"ids": "bbox"}, "text or whole numbers"),
        ("a.npz", {"columns": ["train"]}, "--features"),
        ("a.npz", {"features": "files"}, "'files'"),
        ("a.npy", {"ids": "id"}, "no names"),
    ):
        with pytest.raises(UserError, match=message):
            open_source(tmp_path / name, **asked)


def test_names_that_do_not_tell_rows_apart_are_no_ids(tmp_path: pathlib.Path) -> None:
    columns = {"path": list("aabbc"), "scan_id": [3, 1, 4, 5, 9], "x": ROWS[:, 0]}
    source = open_source(save_table(tmp_path / "a.parquet", columns))
    assert source.ids.tolist() == ["3", "1", "4", "5", "9"]
    assert source.roles is not None and "path (does not tell" in source.roles.sentence()


def test_an_array_of_objects_that_is_not_asked_for_is_no_mistake(
    tmp_path: pathlib.Path,
) -> None:
    odd = np.array([{}] * 5, object)
    np.savez(tmp_path / "a.npz", emb=ROWS, paths=IDS, meta=odd)
    source = open_source(tmp_path / "a.npz")
    assert source.ids.tolist() == IDS.tolist()


def test_a_table_of_pandas_keeps_its_index_out(tmp_path: pathlib.Path) -> None:
    file = save_table(
        tmp_path / "a.parquet",
        {"u": ROWS[:, 0], "v": ROWS[:, 1], "__index_level_0__": np.arange(5)},
    )
    assert open_source(file).features.shape == (5, 2)  # type: ignore[union-attr]


def test_an_index_of_pandas_names_the_rows(tmp_path: pathlib.Path) -> None:
    pd = pytest.importorskip("pandas")
    file = tmp_path / "a.parquet"
    frame = pd.DataFrame(ROWS, columns=list("uvw"))
    for index in (pd.Index(IDS), pd.Index(IDS, name="weight")):
        frame.set_index(index).to_parquet(file)
        source = open_source(file)
        assert source.ids.tolist() == IDS.tolist()
        assert source.features.shape == (5, 3)  # type: ignore[union-attr]
    numbers = [3, 1, 4, 5, 9]
    levels = pd.MultiIndex.from_arrays([list("aabbb"), numbers], names=["u1", "u2"])
    frame.set_index(levels).to_parquet(file)
    assert open_source(file).features.shape == (5, 3)  # type: ignore[union-attr]
    assert open_source(file, ids="u2").ids.tolist() == list(map(str, numbers))


def test_classes_of_hugging_face_are_no_features(tmp_path: pathlib.Path) -> None:
    kinds = {"kind": {"_type": "ClassLabel", "names": ["a"]}, "u": {"_type": "Value"}}
    told = json.dumps({"info": {"features": kinds}}).encode()
    table = pa.table({"kind": [0] * 5, "u": ROWS[:, 0]})
    pq.write_table(
        table.replace_schema_metadata({b"huggingface": told}), tmp_path / "a.parquet"
    )
    source = open_source(tmp_path / "a.parquet")
    assert source.roles is not None and source.roles.left_out == {"kind": "an answer"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["x"], "note": ["y"]}, r"found 'id' \(names the rows\), 'note' \(text"),
        ({"emb_0": [1], "emb_1": [1], "pc1": [2], "pc2": [2]}, "'emb_' and 'pc'"),
        ({"embedding": [[1.0], [1.0, 2.0]]}, "vectors of one length.*lengths 1 to 2"),
        ({"embedding": [[1.0], None]}, "1 empty rows and 0 empty numbers"),
        ({"embedding": [[1.0]], "features": [[1.0]]}, "'embedding' and 'features'"),
        ({"embedding": ["[0.1, 0.2]"]}, "lists of numbers in column 'embedding'"),
        ({"age": ["1.5", "n/a", "3"], "b": [1, 2, 3]}, "'age'.*'n/a' among them"),
        ({"id": ["a", None], "x": [1.0, 2.0]}, "an id in every row.*1 empty"),
        ({"id": ["a", ""], "x": [1.0, 2.0]}, "an id in every row.*1 empty"),
        ({"id": ["a", "a"], "x": [1.0, 2.0]}, "'a' in rows 0 and 1"),
        ({"id": ["a"], "ids": ["b"], "x": [1.0]}, "one column of ids"),
        ({"id": [0.5], "x": [1.0]}, "text or whole numbers"),
        ({"embedding": [["a"]]}, "lists of numbers in column 'embedding'"),
    ],
)
def test_parquet_that_is_not_clear(
    tmp_path: pathlib.Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        open_source(save_table(tmp_path / "a.parquet", columns))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": ROWS, "ids": np.array(list("abcab"))}, "'a' in rows 0 and 3"),
        ({"features": ROWS, "ids": IDS[:4]}, r"expected 5 ids.*\[4\]"),
        ({"features": ROWS, "ids": np.arange(5) / 2}, "text or whole numbers"),
        ({"features": ROWS, "ids": np.array([b"\xff"] * 5)}, "text or whole numbers"),
        ({"features": ROWS[0]}, r"shape \[n, d\].*\[3\]"),
        ({"features": ROWS[:0]}, r"found \[0, 3\]"),
        ({"features": ROWS > 0}, "found bool"),
        ({"features": ROWS + 1j}, "found complex64"),
        ({"a": ROWS, "b": ROWS}, "found 'a' and 'b': choose one with --features"),
        ({"features": ROWS, "ids": np.array(["a"] * 5, object)}, "np.array.names, str"),
        ({"labels": np.arange(3)}, "no matrix among labels"),
        ({"features": np.array([["a", 1]], object)}, "damaged or of another kind"),
    ],
)
def test_npz_that_is_not_clear(
    tmp_path: pathlib.Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=message):
        open_source(tmp_path / "a.npz")


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_damaged_files(tmp_path: pathlib.Path, suffix: str, share: float) -> None:
    file = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(file, ROWS)
    elif suffix == "npz":
        np.savez(file, features=ROWS)
    else:
        save_table(file, {"a": ROWS[:, 0]})
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match="damaged"):
        open_source(file)


def test_paths_that_lead_nowhere_or_elsewhere(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(UserError, match=r"found \.txt"):
        open_source(tmp_path / "a.txt")
    with pytest.raises(UserError, match="found nothing"):
        open_source(tmp_path / "absent.npy")
    with pytest.raises(UserError, match="found nothing"):
        open_source("")
    np.save(tmp_path / "a.npy", ROWS)
    with pytest.raises(UserError, match="nothing to look at"):
        read(open_source(tmp_path / "a.npy"), None, 8)
