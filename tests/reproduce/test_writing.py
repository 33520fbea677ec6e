"""A figure's folder holds what came out, in forms that other programs read."""

import csv
import io
import json
import math
import pathlib

import numpy as np
import pytest
from ml_collections import ConfigDict

from jaxsel.errors import UserError
from jaxsel.evaluation.claims import OPEN, SUPPORTED, Claim, Verdict
from jaxsel.report.cover import Covered, cover_figure
from jaxsel.reproduce.figure import Figure, Part, Product
from jaxsel.reproduce.writing import csv_text, text_of, write

CLAIM = Claim("norm", "norm beats random", "better", "norm")
KNOWN = Verdict(CLAIM, "digits, raw", SUPPORTED, 0.012, 0.004, 0.02, "points", 10)
UNKNOWN = KNOWN._replace(word=OPEN, low=-math.inf, high=math.inf, n=1)
GRID = {
    "methods": ("random", "norm"),
    "budgets": (10, 20),
    "seeds": (0, 1, 2),
    "frameworks": ("linear_probe",),
}
MACHINE = {"cores": 2, "processor": "abacus"}
START = {"commit": "abc+", "started": "then", "machine": MACHINE}
STUDY = {"identity": {}, "starts": [START]}


def config(data: str = "digits") -> ConfigDict:
    return ConfigDict({**GRID, "data": {"name": data}})


def figure(name: str = "fig2", **changes: object) -> Figure:
    plain = Figure(
        name,
        f"{name}: a title",
        """Of what is shown,
        two lines.""",
        "accuracy",
        (Part("digits-rgb", config()), Part("digits-dino", config())),
        (CLAIM,),
    )
    return plain._replace(**changes)


def product(**changes: object) -> Product:
    drawing = cover_figure([Covered("rgb", np.ones((1, 2)))])
    plain = Product(
        {"": drawing, "covered": drawing},
        {"": [{"method": "norm", "accuracy": 0.5}], "runs": [{"seed": 0}]},
        [KNOWN, UNKNOWN],
        ["norm beats random.", "Nothing else."],
        {"digits-rgb": STUDY, "digits-dino": {"features": {}, "starts": [START]}},
    )
    return plain._replace(**changes)


def strictly(text: str) -> object:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "value, cell",
    [
        (None, ""),
        (7, "7"),
        (12_345_678_901, "12345678901"),
        (np.int64(12_345_678_901), "12345678901"),
        (np.int32(3), "3"),
        (True, "True"),
        (np.True_, "True"),
        (0.1, "0.1"),
        (1 / 3, "0.3333333"),
        (np.float32(0.1), "0.1"),
        (np.float64(2 / 3), "0.6666667"),
        (1e-12, "1e-12"),
        ("", ""),
        ("a, b", "a, b"),
        ('two\nlines "quoted"', 'two\nlines "quoted"'),
        (np.str_("norm"), "norm"),
    ],
)
def test_a_cell_is_read_back(value: object, cell: str) -> None:
    text = csv_text([{"before": "x", "value": value, "after": "y"}])
    header, row = csv.reader(io.StringIO(text))
    assert header == ["before", "value", "after"]
    assert row == ["x", cell, "y"]


def test_columns_are_those_of_any_row_and_lines_end_as_unixs() -> None:
    assert csv_text([{"a": 1}, {"b": 2, "a": 3}]) == "a,b\n1,\n3,2\n"


def test_the_folder_holds_everything(tmp_path: pathlib.Path) -> None:
    text = write(figure(), product(), tmp_path / "fig2", "cpu", 1.26)
    names = {path.name for path in (tmp_path / "fig2").iterdir()}
    stems = {"fig2.png", "fig2.svg", "fig2-covered.png", "fig2-covered.svg"}
    assert names == {*stems, "fig2.csv", "fig2-runs.csv", "manifest.json", "text.md"}
    assert (tmp_path / "fig2/fig2.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "fig2/text.md").read_text() == text
    manifest = strictly((tmp_path / "fig2/manifest.json").read_text())
    assert (manifest["scale"], manifest["data"]) == ("cpu", ["digits"])
    assert manifest["seconds"] == 1.3
    assert manifest["drawings"] == ["", "covered"]
    assert manifest["tables"] == ["", "runs"]
    assert manifest["drawn_by"]["versions"]["jax"]
    # Of the second part's grid nothing was run: no seeds are said of it.
    (grid,) = manifest["grids"]
    lists = {field: list(values) for field, values in GRID.items()}
    assert grid == {"study": "digits-rgb", **lists}
    known, unknown = manifest["verdicts"]
    assert known["claim"] == json.loads(json.dumps(CLAIM._asdict()))
    assert (known["low"], known["high"]) == (0.004, 0.02)
    assert (unknown["low"], unknown["high"]) == (None, None)


def test_no_number_keeps_the_manifest_from_being_json(tmp_path: pathlib.Path) -> None:
    numbers = [math.nan, math.inf, np.float32(0.5), np.int64(3), (1, -math.inf)]
    facts = {"study": {"numbers": numbers}}
    write(figure(parts=()), product(facts=facts), tmp_path, "cpu", 0.0)
    manifest = strictly((tmp_path / "manifest.json").read_text())
    assert manifest["studies"]["study"]["numbers"] == [None, None, 0.5, 3, [1, None]]


def test_the_text_says_what_is_shown_what_came_out_and_the_verdicts() -> None:
    shown, table, said, verdicts = text_of(
        figure(), product(shown="| a |\n| --- |\n| 1 |")
    ).split("\n\n")
    assert shown == "**fig2: a title.** Of what is shown, two lines."
    assert table.startswith("| a |")
    assert said == "- norm beats random.\n- Nothing else."
    assert verdicts.count("\n") == 4  # the header's two lines, two rows, the last end
    assert "**supported** | +1.2 [+0.4, +2.0] points, n = 10" in verdicts
    assert "at this scale** | +1.2 [?, ?] points, n = 1" in verdicts
    assert text_of(figure(), product(said=[], verdicts=[])) == f"{shown}\n"


@pytest.mark.parametrize(
    "data, scale, message",
    [
        ("digits", "gpu", "at scale gpu, found it at scale cpu"),
        ("cifar10", "cpu", "of cifar10, found it of digits"),
    ],
)
def test_another_scale_or_set_does_not_touch_what_is_there(
    tmp_path: pathlib.Path, data: str, scale: str, message: str
) -> None:
    write(figure(), product(), tmp_path, "cpu", 1.0)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    other = product(tables={"": [{"method": "other"}]}, said=["Something else."])
    with pytest.raises(UserError, match=message):
        write(figure(parts=(Part("x", config(data)),)), other, tmp_path, scale, 1.0)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    write(figure(), other, tmp_path, "cpu", 1.0)  # the same again replaces it
    assert "other" in (tmp_path / "fig2.csv").read_text()


def test_what_is_no_longer_drawn_goes(tmp_path: pathlib.Path) -> None:
    write(figure(), product(), tmp_path, "cpu", 1.0)
    whole = product()
    less = product(drawings={"": whole.drawings[""]}, tables={"": whole.tables[""]})
    write(figure(), less, tmp_path, "cpu", 1.0)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"fig2.png", "fig2.svg", "fig2.csv", "manifest.json", "text.md"}
