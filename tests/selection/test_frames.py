"""Tables, columns and tensors of other libraries are their numbers, or are refused."""

from typing import Any

import numpy as np
import pytest

import jaxsel
from jaxsel.arrays import check_same_index, features_of, matrix_of, values_of
from jaxsel.roles import asked_of
from jaxsel.selection.query import QueryStrategy

POOL = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
NAMES = ["a", "b", "c"]


def tables() -> dict[str, Any]:
    """The pool as each library's table; those that are not installed are left out."""
    found = {}
    try:
        import pandas as pd

        frame = pd.DataFrame(POOL, columns=NAMES, index=range(100, 124))
        found["pandas"] = frame
        found["pandas with gaps"] = frame.astype("Float32")
    except ImportError:
        pass
    try:
        import polars as pl

        found["polars"] = pl.DataFrame(POOL, schema=NAMES)
    except ImportError:
        pass
    try:
        import pyarrow as pa

        found["arrow"] = pa.table(dict(zip(NAMES, POOL.T, strict=True)))
    except ImportError:
        pass
    return found


TABLES = tables()


class Tensor:
    """What a tensor shows of itself, and nothing else."""

    def __init__(self, array: np.ndarray, requires_grad: bool = False) -> None:
        self.array, self.requires_grad = array, requires_grad

    def __dlpack__(self, **options: Any) -> Any:
        if self.requires_grad:
            raise RuntimeError("it is in a graph")
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self.requires_grad:
            raise RuntimeError("it is in a graph")
        return self.array


class Index:
    """Labels of rows that go by equality, as those of pandas."""

    def __init__(self, *labels: int) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def equals(self, other: "Index") -> bool:
        return self.labels == other.labels

    def get_indexer(self) -> None: ...


class Column:
    """A named type and values; missing ones are None."""

    def __init__(self, values: list, dtype: str, index: Index | None = None) -> None:
        self.values, self.dtype, self.index = values, dtype, index

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.values, dtype)

    def to_numpy(self) -> np.ndarray:
        return np.array(self.values)

    def is_null(self) -> list[bool]:
        return [value is None for value in self.values]


class Table:
    """Columns by `get_columns`, as those of polars."""

    def __init__(self, index: Index | None = None, **columns: Column) -> None:
        self.index, self._columns = index, columns

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    def get_columns(self) -> list[Column]:
        return list(self._columns.values())


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_of_numbers_is_its_matrix(kind: str) -> None:
    table = TABLES[kind]
    np.testing.assert_array_equal(matrix_of(table), POOL)
    chosen = jaxsel.select(table, 5, "norm", seed=1)
    expected = jaxsel.select(POOL, 5, "norm", seed=1)
    np.testing.assert_array_equal(chosen.indices, expected.indices)
    assert [f.code for f in jaxsel.examine(table)] == [
        f.code for f in jaxsel.examine(POOL)
    ]


def test_a_table_longer_than_a_block_is_whole() -> None:
    values = 3 * np.arange(10_000)
    table = Table(
        a=Column(values.tolist(), "i8"), b=Column((values / 2).tolist(), "f8")
    )
    rows = matrix_of(table)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, np.stack([values, values / 2], axis=1))


def test_columns_that_are_no_features_are_named() -> None:
    number, text = Column([1.0, 2.0], "f8"), Column(["x", "y"], "U1")
    flag, ids = Column([True, False], "bool"), Column([7, 8], "i8")
    table = Table(a=number, file=text, note=text, seen=flag, Id=ids, target=ids)
    with pytest.warns(UserWarning) as caught:
        chosen = jaxsel.select(table, 1, "norm")
    (said,) = [str(warning.message) for warning in caught]
    assert said == (
        "1 feature (a); rows by number; left out: file, Id (names the rows), note "
        "(text), seen (true or false), target (an answer); columns= chooses otherwise"
    )
    assert caught[0].filename == __file__
    assert chosen.info["columns"]["features"] == ["a"]
    assert chosen.info["columns"]["left_out"]["target"] == "an answer"
    with pytest.raises(jaxsel.UserError, match=r"'file'.*names the rows") as refused:
        jaxsel.select(Table(file=text, seen=flag), 1)
    assert "\n" not in str(refused.value)


def test_named_columns_are_the_features_and_nothing_is_said() -> None:
    columns = {"a": POOL[:, 0], "b": POOL[:, 1], "label": POOL[:, 2]}
    table = Table(**{n: Column(v.tolist(), "f4") for n, v in columns.items()})
    for given in (["a", "label"], ["a", "lab*"]):
        chosen = jaxsel.select(table, 5, "norm", columns=given)
        expected = jaxsel.select(POOL[:, [0, 2]], 5, "norm")
        np.testing.assert_array_equal(chosen.indices, expected.indices)
    assert jaxsel.examine(table, columns="a")
    rows = QueryStrategy("norm", columns=["a", "label"]).query(table, batch_size=5)
    np.testing.assert_array_equal(rows, expected.indices)
    for given, message in (
        (["c"], "a column 'c' in the table"),
        (["a", "a"], "'a' twice"),
        ([], "found none"),
        ([1], "found 1"),
    ):
        with pytest.raises(jaxsel.UserError, match=message):
            jaxsel.select(table, 5, "norm", columns=given)
    with pytest.raises(jaxsel.UserError, match=r"expected a table .* found ndarray"):
        jaxsel.select(POOL, 5, "norm", columns=["a"])


def test_a_column_of_a_table_may_be_the_ids() -> None:
    names = [f"{k:02d}" for k in np.random.default_rng(1).permutation(24)]
    columns = dict(zip(NAMES, (Column(v.tolist(), "f4") for v in POOL.T), strict=True))
    table = Table(**columns, scan=Column(names, "U2"))
    chosen = jaxsel.select(table, 5, "norm", ids="scan")
    expected = jaxsel.select(POOL, 5, "norm", ids=names)
    np.testing.assert_array_equal(chosen.indices, expected.indices)
    assert chosen.info["columns"]["ids"] == "scan"


def test_vectors_beside_other_columns(recwarn: pytest.WarningsRecorder) -> None:
    pa = pytest.importorskip("pyarrow")
    flat = pa.FixedSizeListArray.from_arrays(pa.array(POOL.ravel()), 3)
    tensors = pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float32(), [3]), flat
    )
    for column in (flat, tensors, pa.array(POOL.tolist(), pa.list_(pa.float32()))):
        np.testing.assert_array_equal(matrix_of(column), POOL)
        np.testing.assert_array_equal(matrix_of(pa.table({"clip": column})), POOL)
    pl = pytest.importorskip("polars")
    series = pl.Series(POOL.tolist(), dtype=pl.Array(pl.Float32, 3))
    np.testing.assert_array_equal(matrix_of(series), POOL)
    frame = pl.DataFrame({"width": [1] * 24, "emb": series})
    np.testing.assert_array_equal(matrix_of(frame), POOL)
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"width": 1, "emb": list(POOL), "bbox": [[1, 2]] * 24})
    np.testing.assert_array_equal(matrix_of(frame), POOL)
    boxes = features_of(frame, asked_of("bbox"))[0]
    np.testing.assert_array_equal(boxes, [[1, 2]] * 24)


def test_columns_of_pandas_that_are_no_plain_numbers() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(POOL, columns=NAMES)
    odd = frame.assign(
        seen=True,
        kind=pd.Categorical(["u", "v"] * 12),
        size=pd.Categorical([1, 2] * 12),
        when=pd.Timestamp("2020"),
        span=pd.Timedelta(1),
    )
    rows, roles = features_of(odd)
    np.testing.assert_array_equal(rows, POOL)
    assert roles is not None and set(roles.left_out) == set(odd) - set(NAMES)
    np.testing.assert_array_equal(matrix_of(frame.astype(object)), POOL)
    rows, _ = features_of(odd, asked_of(["a", "seen"]))
    np.testing.assert_array_equal(rows[:, 1], np.ones(24))
    twice = pd.concat([frame, frame], axis=1)
    with pytest.raises(jaxsel.UserError, match="'a' twice"):
        matrix_of(twice)
    with pytest.raises(jaxsel.UserError, match="numbers written as text"):
        matrix_of(frame.assign(b=["1", "2"] * 12))
    deep = pd.DataFrame(
        POOL, columns=pd.MultiIndex.from_tuples([("u", "a"), ("u", "b"), ("label", "")])
    )
    np.testing.assert_array_equal(matrix_of(deep), POOL[:, :2])


def test_a_structured_array_is_a_table() -> None:
    table = np.zeros(24, [("id", "i8"), ("a", "f4"), ("b", "f4")])
    table["a"], table["b"] = POOL[:, 0], POOL[:, 1]
    np.testing.assert_array_equal(matrix_of(table), POOL[:, :2])


def test_a_sparse_matrix_is_to_be_made_dense() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    for given in (sparse.csr_matrix(POOL), sparse.coo_array(POOL)):
        for door in (lambda x: jaxsel.select(x, 2, "norm"), jaxsel.examine):
            with pytest.raises(jaxsel.UserError, match=r"pass features\.toarray\(\)"):
                door(given)


@pytest.mark.parametrize("kind", sorted({"pandas", "polars"} & set(TABLES)))
def test_missing_numbers_and_text_of_real_tables(kind: str) -> None:
    library = pytest.importorskip(kind)
    gap = library.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, 3]})
    with pytest.raises(jaxsel.UserError, match=r"NaN or infinity in 1 row.* row 1"):
        jaxsel.select(gap, 1)
    words = library.DataFrame({"a": [1.0], "file": ["x"]})
    for door in (lambda table: jaxsel.select(table, 1, "norm"), jaxsel.examine):
        with pytest.warns(UserWarning, match="left out: file"):
            door(words)


@pytest.mark.parametrize("kind", sorted({"pandas", "polars"} & set(TABLES)))
def test_a_column_of_vectors_is_a_matrix(kind: str) -> None:
    library = pytest.importorskip(kind)
    column = library.Series(POOL.tolist())
    np.testing.assert_allclose(matrix_of(column), POOL)
    with pytest.raises(jaxsel.UserError, match=r"found the shapes \(1,\), \(2,\)"):
        jaxsel.select(library.Series([[1.0], [1.0, 2.0]]), 1)


@pytest.mark.parametrize("kind", sorted({"pandas", "polars"} & set(TABLES)))
def test_series_say_what_arrays_say(kind: str) -> None:
    series = pytest.importorskip(kind).Series
    names = np.random.default_rng(1).permutation([f"{k:02d}" for k in range(24)])
    known = np.arange(24) % 5 == 0
    lengths = np.linalg.norm(POOL, axis=1)
    plain = jaxsel.select(
        POOL, 5, "norm", ids=names, labelled=known, input_norms=lengths
    )
    for labelled in (series(known), series(np.flatnonzero(known))):
        chosen = jaxsel.select(
            POOL,
            5,
            "norm",
            ids=series(names.tolist()),
            labelled=labelled,
            input_norms=series(lengths),
        )
        np.testing.assert_array_equal(chosen.indices, plain.indices)
    with pytest.raises(jaxsel.UserError, match="labelled must have a value everywhere"):
        jaxsel.select(POOL, 5, labelled=series([None, *known[1:].tolist()]))
    answers = series([None if k % 2 else "cat" for k in range(24)])
    rows = QueryStrategy("random").query(POOL, answers, batch_size=12)
    assert sorted(rows.tolist()) == list(range(1, 24, 2))


def test_labels_of_an_index_are_not_positions() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(POOL, index=range(23, -1, -1))
    known = pd.Series(np.arange(24) < 6, index=frame.index)
    chosen = jaxsel.select(frame, 18, "random", labelled=known).indices
    assert sorted(chosen.tolist()) == list(range(6, 24))
    with pytest.raises(jaxsel.UserError, match="labels are not positions"):
        jaxsel.select(frame, 5, labelled=frame.index[:6])
    moved = known.sort_index()
    for given in ({"labelled": moved}, {"ids": pd.Series(range(24))}):
        with pytest.raises(jaxsel.UserError, match="index of the features"):
            jaxsel.select(frame, 5, **given)
    with pytest.raises(jaxsel.UserError, match="y must have the index"):
        QueryStrategy("random").query(frame, moved.astype(float), batch_size=1)
    # Positions of rows have an index of their own, which means nothing.
    jaxsel.select(frame, 5, "random", labelled=pd.Series([0, 3]))


def test_an_index_is_compared_where_both_have_one() -> None:
    table = Table(Index(4, 5), a=Column([1, 2], "i8"))
    same = Column([1, 2], "i8", Index(4, 5))
    check_same_index(table, {"x": same, "y": [1, 2], "z": None})
    check_same_index(POOL, {"x": same})
    with pytest.raises(jaxsel.UserError, match="x must have the index"):
        check_same_index(table, {"x": Column([1, 2], "i8", Index(5, 4))})


def test_tensors_with_a_gradient_are_refused() -> None:
    expected = jaxsel.select(POOL, 5, "norm").indices
    for features in (POOL, Tensor(POOL)):
        chosen = jaxsel.select(features, 5, "norm", labelled=Tensor(POOL[:, 0] > 99))
        np.testing.assert_array_equal(chosen.indices, expected)
    with pytest.raises(jaxsel.UserError, match=r"pass features\.detach\(\)"):
        jaxsel.select(Tensor(POOL, requires_grad=True), 5)
    with pytest.raises(jaxsel.UserError, match=r"pass input_norms\.detach\(\)"):
        norms = Tensor(np.ones(24), requires_grad=True)
        jaxsel.select(POOL, 5, "norm", input_norms=norms)


def test_tensors_of_torch() -> None:
    torch = pytest.importorskip("torch")
    expected = jaxsel.select(POOL, 5, "norm").indices
    tensor = torch.tensor(POOL)
    chosen = jaxsel.select(tensor, 5, "norm", ids=torch.arange(24))
    np.testing.assert_array_equal(chosen.indices, expected)
    with pytest.raises(jaxsel.UserError, match=r"pass features\.detach\(\)"):
        jaxsel.select(torch.nn.Parameter(tensor), 5)


def test_masked_numbers_are_no_numbers() -> None:
    masked = np.ma.masked_greater(POOL, 1)
    with pytest.raises(jaxsel.UserError, match=f"found {masked.mask.sum()} masked"):
        jaxsel.select(masked, 5)
    whole = np.ma.masked_greater(POOL, 99)
    np.testing.assert_array_equal(matrix_of(whole), POOL)
    with pytest.raises(jaxsel.UserError, match="ids must have a value everywhere"):
        values_of("ids", np.ma.masked_equal(np.arange(24), 3))


def test_a_lazy_table_is_to_be_collected() -> None:
    class Lazy:
        def collect(self) -> None: ...

    with pytest.raises(jaxsel.UserError, match=r"pass features\.collect\(\)"):
        jaxsel.select(Lazy(), 1)
