"""The verbs as functions do what the commands do, and refuse what they refuse."""

import csv
import pathlib

import numpy as np
import pytest

import jaxsel
from tests.verbs.console import NAMES, Run, contents

RGB = {"encoder": "rgb", "side": 4}


def test_every_name_is_there() -> None:
    assert all(callable(getattr(jaxsel, name)) for name in set(jaxsel.__all__[1:]))
    assert set(jaxsel.__all__) <= set(dir(jaxsel))


def test_a_round_is_that_of_the_command(run: Run, matrix: pathlib.Path) -> None:
    known = [3, 17]
    np.save("known.npy", known)
    words = ("-b", 5, "-m", "norm", "--seed", 2, "--labelled", "known.npy")
    assert run("select", matrix, *words, "-o", "a").code == 0
    mask = np.isin(np.arange(30), known)
    for out, labelled in (("b", "known.npy"), ("c", known), ("d", mask)):
        done = jaxsel.select_round(
            matrix, 5, "norm", out=out, seed=2, labelled=labelled
        )
        assert [pick.index for pick in done.picks] == np.load("a/picks.npy").tolist()
        for name in ("picks.csv", "round.json"):
            assert (
                contents(pathlib.Path(out))[name] == contents(pathlib.Path("a"))[name]
            )


def test_from_a_folder_to_labels_and_on(folder: pathlib.Path, tmp_path) -> None:
    first = tmp_path / "first"
    with pytest.warns(UserWarning) as told:
        done = jaxsel.select_round(folder, 4, "norm", out=first, **RGB)
    said = " ".join(str(warning.message) for warning in told)
    assert "broken.png" in said and "learned nothing" in said
    assert {pick.id for pick in done.picks} <= set(NAMES)
    (sheet,) = jaxsel.export_round(first, "csv", tmp_path / "queue").files
    with sheet.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with sheet.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        words = ["cat", "blurred", "", "dog"]
        writer.writerows(
            {**row, "label": word} for row, word in zip(rows, words, strict=True)
        )
    labels = tmp_path / "labels.csv"
    back = jaxsel.import_round(sheet, "csv", first, labels, unusable=["Blurred"])
    assert [(row.index, row.label) for row in back] == [
        (pick.index, word)
        for pick, word in zip(done.picks, ["cat", "unusable", "", "dog"], strict=True)
        if word
    ]
    with pytest.raises(jaxsel.UserError, match="--merge"):
        jaxsel.import_round(sheet, "csv", first, labels)
    filled = jaxsel.backfill_round(first, labels, tmp_path / "filled")
    assert filled is not None and filled.added == 1
    again = jaxsel.backfill_round(tmp_path / "filled", labels, tmp_path / "none")
    assert again is None and not (tmp_path / "none").exists()
    with pytest.warns(UserWarning):
        last = jaxsel.select_round(
            folder, 6, out=tmp_path / "last", earlier=tmp_path / "filled"
        )
    assert last.added == 2 and len({pick.id for pick in last.picks}) == 7


def test_what_is_refused_leaves_nothing(matrix: pathlib.Path, tmp_path) -> None:
    out = tmp_path / "out"
    for given, message in (
        ({"budget": 31}, "at most 30 picks"),
        ({"budget": 3, "labelled": [30]}, "must lie in 0..29"),
        ({"budget": 3, "method": "best"}, "unknown method 'best'"),
        ({"budget": 3, "encoder": "rgb"}, "leave --encoder"),
        ({"budget": 3, "earlier": tmp_path}, "round.json"),
    ):
        with pytest.raises(jaxsel.UserError, match=message):
            jaxsel.select_round(matrix, out=out, **given)
    assert not out.exists()
    with pytest.raises(jaxsel.UserError, match="expected a tool of"):
        jaxsel.select_round(matrix, 3, "norm", out=out)
        jaxsel.export_round(out, "paper", tmp_path / "queue")
