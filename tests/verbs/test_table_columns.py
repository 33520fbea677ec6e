"""What `select`, `doctor` and `plan` read of a table, say of it, and write down."""

import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import jaxsel
from jaxsel.annotation.labels import LabelRow, write_labels
from jaxsel.annotation.picks import read_picks
from tests.verbs.console import Run

SAID = (
    "2 features (age, weight); ids from 'scan'; left out: row (names the rows), "
    "target (an answer), note (text); --columns, --features and --ids choose otherwise"
)


@pytest.fixture
def table(tmp_path: pathlib.Path) -> pathlib.Path:
    """30 measured rows with names, row numbers, answers and remarks, in a CSV."""
    rows = np.random.default_rng(1).normal(size=(30, 2))
    lines = [f"{k},s{k},{a},{w},{k % 2},b" for k, (a, w) in enumerate(rows)]
    file = tmp_path / "table.csv"
    file.write_text("\n".join(["row,scan,age,weight,target,note", *lines]))
    return file


def manifest(folder: str) -> dict:
    return json.loads((pathlib.Path(folder) / "manifest.json").read_text())


def test_one_line_says_what_was_read(run: Run, table: pathlib.Path) -> None:
    for verb, words in (
        ("doctor", ()),
        ("plan", ("-b", 3)),
        ("select", ("-b", 3, "-m", "norm", "-o", "out")),
    ):
        said = run(verb, table, *words)
        assert said.code == 0 and said.err.splitlines()[0] == SAID
    told = manifest("out")["table"]
    assert told["features"] == ["age", "weight"] and told["ids"] == "scan"
    assert told["left_out"]["target"] == "an answer"
    picks = read_picks(pathlib.Path("out/picks.csv"))
    assert [pick.id for pick in picks] == [f"s{pick.index}" for pick in picks]
    for verb, words in (("doctor", ("--json",)), ("plan", ("-b", 3, "--json"))):
        said = run(verb, table, *words)
        assert said.err == "" and said.found["columns"] == told


def test_columns_that_were_asked_for_stay_for_later_rounds(
    run: Run, table: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    asked = ("--columns", "age,target", "--ids", "row", "-m", "norm")
    assert run("select", table, "-b", 3, *asked, "-o", "one").code == 0
    assert manifest("one")["features"] == [30, 2]
    assert manifest("one")["table"]["features"] == ["age", "target"]
    assert run("verify", "one").code == 0
    said = run("select", table, "-b", 5, "--continue", "one", "-o", "two")
    assert said.code == 0 and manifest("two")["table"] == manifest("one")["table"]
    first = read_picks(pathlib.Path("one/picks.csv"))[0]
    labels = tmp_path / "labels.csv"
    write_labels(labels, [LabelRow(first.id, first.index, "unusable")])
    assert run("backfill", "one", "--labels", labels, "-o", "three").code == 0
    assert manifest("three")["table"] == manifest("one")["table"]
    assert run("verify", "three").code == 0
    # Another choice makes another pool of it.
    words = ("select", table, "-b", 5, "--continue", "one", "-o", "four")
    assert run(*words, "--columns", "age").code == 2


def test_the_function_does_what_the_command_does(run: Run, table: pathlib.Path) -> None:
    assert run("select", table, "-b", 3, "-m", "norm", "-o", "a").code == 0
    with pytest.warns(UserWarning, match="left out: row") as caught:
        jaxsel.select_round(table, 3, "norm", out="b")
    assert caught[0].filename == __file__
    for name in ("picks.csv", "round.json"):
        assert (
            pathlib.Path("a", name).read_text() == pathlib.Path("b", name).read_text()
        )
    done = jaxsel.select_round(table, 3, "norm", out="c", columns=["age"], ids="row")
    assert [pick.id for pick in done.picks] == [str(p.index) for p in done.picks]
    with pytest.raises(jaxsel.UserError, match="seed must be a whole number"):
        jaxsel.select_round(table, 3, "norm", out="d", columns=["age"], seed=True)


def test_embeddings_beside_other_lists(run: Run, tmp_path: pathlib.Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    file = tmp_path / "rows.parquet"
    columns = {"image_emb": rows.tolist(), "text_emb": rows[:, :2].tolist()}
    pq.write_table(pa.table(columns), file)
    for verb, words in (
        ("select", ("-b", 3, "-m", "norm", "-o", "out")),
        ("stream", ("-b", 3, "-m", "norm", "-o", "out")),
        ("doctor", ()),
        ("plan", ("-b", 3)),
    ):
        said = run(verb, file, *words)
        assert said.code == 2 and "choose one with --features" in said.err
        assert said.err.count("\n") == 1
        said = run(verb, file, *words, "--features", "text_emb", "--json")
        assert said.code == 0, said.err
        if verb in ("select", "stream"):
            assert manifest("out")["table"]["features"] == ["text_emb"]
            for left in pathlib.Path("out").iterdir():
                left.unlink()


@pytest.mark.parametrize("verb", ["select", "doctor", "plan", "stream"])
def test_mistakes_in_names_are_one_line(
    run: Run, table: pathlib.Path, matrix: pathlib.Path, verb: str
) -> None:
    words = () if verb == "doctor" else ("-b", 3)
    given = [
        (matrix, ("--ids", "id"), "no names"),
        (matrix, ("--columns", ","), "none"),
    ]
    if verb != "stream":
        given += [
            (table, ("--columns", "age,wieght"), "did you mean 'weight'"),
            (table, ("--columns", "age", "--features", "x"), "found both"),
            (table, ("--columns", "note"), "'note' with text"),
        ]
    if verb in ("select", "doctor"):
        given += [(table, ("--ids", "target"), "'0' in rows 0 and 2")]
    for source, asked, message in given:
        said = run(verb, source, *words, *asked)
        assert said.code == 2 and message in said.err, said.err
        assert said.err.count("\n") == 1
