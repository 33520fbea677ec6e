"""CSV as a source of features: what spreadsheets write, and what is refused."""

import pathlib

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.sources.opening import open_source
from jaxsel.sources.size import size_of
from jaxsel.sources.source import Source


def opened(tmp_path: pathlib.Path, text: str | bytes, **asked: str) -> Source:
    file = tmp_path / "table.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_source(file, progress=False, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "id,age,weight,label\n007,1.5,2,0\n008,2,3.5,1\n",
        "\ufeffid,age,weight,label\r\n007,1.5,2,0\r\n008,2,3.5,1\r\n",
        "id;age;weight;label\n007;1.5;2;0\n008;2;3.5;1\n",
        "id\tage\tweight\tlabel\n007\t1.5\t2\t0\n008\t2\t3.5\t1\n",
        '"id","age","weight","label"\n"007","1.5",2,"a, b"\n"008",2,3.5,"c ""d"""\n',
        "id, age, weight, label\n007, 1.5, 2, 0\n008, 2, 3.5, 1",
        ',id,age,weight,label\n0,007,1.5,2,"two\nlines"\n1,008,2,3.5,b\n',
    ],
)
def test_a_table_by_any_spreadsheet(tmp_path: pathlib.Path, text: str) -> None:
    source = opened(tmp_path, text)
    np.testing.assert_array_equal(source.features, [[1.5, 2], [2, 3.5]])
    assert source.ids.tolist() == ["007", "008"]
    assert source.roles is not None and source.roles.features == ("age", "weight")
    assert source.roles.left_out["label"] == "an answer"
    size = size_of(tmp_path / "table.csv")
    assert size[:3] == (2, 2, "float64") and size.roles == source.roles


def test_a_row_may_be_long(tmp_path: pathlib.Path) -> None:
    long = "word " * 500_000
    source = opened(tmp_path, f'a,note,b\n1,"{long}",2\n0.5,"{long}",3\n')
    np.testing.assert_array_equal(source.features, [[1, 2], [0.5, 3]])


def test_gaps_are_not_numbers(tmp_path: pathlib.Path) -> None:
    source = opened(tmp_path, "a,b\n1,2\n,4\n5,NaN\n")
    np.testing.assert_array_equal(source.features, [[1, 2], [np.nan, 4], [5, np.nan]])


def test_names_that_are_numbers(tmp_path: pathlib.Path) -> None:
    source = opened(tmp_path, ",0,1\n0,2.5,3\n1,5,6\n")  # as pandas writes a matrix
    np.testing.assert_array_equal(source.features, [[2.5, 3], [5, 6]])


def test_the_caller_chooses(tmp_path: pathlib.Path) -> None:
    text = "id,a1,a2,target\n1,2,3,4\n5,6,7,8\n"
    source = opened(tmp_path, text, columns="target", ids="a1")
    assert source.features is not None and source.features.tolist() == [[4], [8]]
    assert source.ids.tolist() == ["2", "6"]
    source = opened(tmp_path, text, columns="id")
    assert source.features is not None and source.features.tolist() == [[1], [5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names of columns in the first line"),
        ("a,b\n", "expected rows below"),
        ("0.5,1.5\n1,2\n", "found numbers"),
        ("a,a\n1,2\n", "'a' twice"),
        ("a,b\n1,2\n3\n", "found CSV parse error"),
        ("a;b\n1,5;2\n3,4;5\n", "decimal commas, as in '1,5'"),
        ("a,b\n1,2\nn.d.,4\n3,4\n", "'n.d.' among them"),
        ('id,emb\na,"[0.1, 0.2]"\n', "columns of numbers as features"),
        ('a,emb\n1,"[0.1, 0.2]"\n', "vectors written as text"),
        ('id,embedding\na,"[0.1, 0.2]"\n', "lists of numbers in column 'embedding'"),
        ("größe,b\n1,2\n".encode("latin-1"), "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-8"),
        ("id,a\nx,1\nx,2\n", "distinct ids"),
        ("id,a\nx,1\n,2\n", "an id in every row"),
    ],
)
def test_what_is_refused_in_one_line(
    tmp_path: pathlib.Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        opened(tmp_path, text)
    assert "\n" not in str(caught.value) and "table.csv" in str(caught.value)
