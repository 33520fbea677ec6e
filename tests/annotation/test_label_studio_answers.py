"""Every answer of Label Studio becomes a label or is counted."""

import csv
import io
import json
import pathlib

import pytest
from label_studio_shapes import BOX, SPAN, answer, export_to, task
from pool_of_five import PICKS

from jaxsel.annotation.answers import Imported
from jaxsel.annotation.labels import UNUSABLE
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.tools import read_back
from jaxsel.errors import UserError

A, B, C = (pick.id for pick in PICKS[:3])


@pytest.fixture
def read(tmp_path: pathlib.Path):
    def call(*tasks: dict, **options: object) -> Imported:
        file = export_to(tmp_path / "p.json", *tasks)
        return read_back("label-studio", file, PICKS, ImportOptions(**options))

    return call


@pytest.mark.parametrize(
    ("result", "label"),
    [
        (answer("choices", choices=["cat"]), "cat"),
        (answer("choices", choices=[["animal", "cat"]]), "animal/cat"),
        (answer("taxonomy", taxonomy=[["animal", "cat"]]), "animal/cat"),
        (answer("taxonomy", taxonomy=[["animal"]]), "animal"),
        (answer("rating", rating=4), "4"),
        (answer("number", number=4.0), "4"),
        (answer("number", number=-0.5), "-0.5"),
        (answer("pairwise", selected="left"), "left"),
        (answer("textarea", text=["a word "]), "a word"),
        (answer("datetime", datetime="2024-01-01"), "2024-01-01"),
        (answer("rectanglelabels", **BOX, rectanglelabels=["cell"]), "cell"),
        (answer("rectanglelabels", **BOX, labels=["cell"]), "cell"),
        (answer("polygonlabels", points=[[1, 2]], polygonlabels=["cell"]), "cell"),
        (answer("keypointlabels", x=1, y=2, keypointlabels=["cell"]), "cell"),
        (answer("ellipselabels", x=1, radiusX=2, ellipselabels=["cell"]), "cell"),
        (answer("brushlabels", format="rle", rle=[1], brushlabels=["cell"]), "cell"),
        (answer("labels", **SPAN, labels=["PER"]), "PER"),
        (answer("hypertextlabels", **SPAN, hypertextlabels=["PER"]), "PER"),
        (answer("timelinelabels", ranges=[{"start": 1}], timelinelabels=["a"]), "a"),
        (answer("videorectangle", sequence=[{"frame": 1}], labels=["man"]), "man"),
    ],
)
def test_what_names_a_class_is_the_label(read, result: dict, label: str) -> None:
    found = read(task(A, [result]))
    assert found.labels == {A: label} and not found.left_out


@pytest.mark.parametrize(
    ("result", "counted"),
    [
        (answer("choices", choices=None), "choices of 'c' without a class"),
        (answer("choices", choices=[""]), "choices of 'c' without a class"),
        (answer("choices"), "choices of 'c' without a class"),
        ({"type": "choices", "from_name": "c", "value": None},
         "choices of 'c' without a class"),
        (answer("taxonomy", taxonomy=[[]]), "taxonomy of 'c' without a class"),
        (answer("number", number=float("nan")), "number of 'c' without a class"),
        (answer("rating", rating=True), "rating of 'c' without a class"),
        (answer("rectanglelabels", **BOX), "rectanglelabels of 'c' without a class"),
        (answer("ranker", ranker={"a": []}), "ranker of 'c', which names no class"),
        (answer("rectangle", **BOX), "rectangle of 'c', which names no class"),
        (answer("holography", depth=3), "holography of 'c', which names no class"),
        ({"type": "relation", "from_id": "q", "to_id": "p"},
         "relation, which names no class"),
        ("text", "damaged result, which names no class"),
        ({}, "result without a type, which names no class"),
    ],
)  # fmt: skip
def test_what_names_none_is_counted(read, result: object, counted: str) -> None:
    found = read(task(A, [result]))
    assert found.labels == {} and found.left_out == {counted: 1}


def test_a_region_without_a_class_keeps_no_other_from_its_own(read) -> None:
    region = answer("rectanglelabels", **BOX, rectanglelabels=["cell"])
    bare = {**answer("rectanglelabels", **BOX), "id": "r"}
    found = read(task(A, [bare, region]), task(B, [region]))
    assert found.labels == {A: "cell", B: "cell"}
    assert found.left_out == {"rectanglelabels of 'c' without a class": 1}
    # An outline whose class is a result of its own is no second region.
    outline = answer("rectangle", "box", **BOX)
    labelled = answer("labels", "kind", **BOX, labels=["cell"])
    found = read(task(A, [outline, labelled]))
    assert found.labels == {A: "cell"} and not found.left_out


def test_controls_of_the_file_are_named(read) -> None:
    eye, quality = (answer("choices", name, choices=[name]) for name in ("eye", "q"))
    order = answer("ranker", "order", ranker={})
    with pytest.raises(UserError, match=r"found 'eyes', which no item has: .*'eye'"):
        read(task(A, [eye]), control="eyes")
    with pytest.raises(UserError, match="one control with labels, found eye, q;"):
        read(task(A, [eye]), task(B, [quality]))
    with pytest.raises(UserError, match="'order', which holds ranker"):
        read(task(A, [eye, order]), control="order")
    found = read(task(A, [eye, quality]), task(B, [eye]), control="q")
    assert found.labels == {A: "q"}
    assert found.left_out == {"choices of 'eye', as another control was read": 2}
    both = read(task(A, [eye]), task(B, [quality]), control=("eye", "q"))
    assert both.labels == {A: "eye", B: "q"}
    assert read(task(A), control="eyes").labels == {}  # nobody has answered yet


def test_a_remark_beside_a_choice_is_no_second_label(read) -> None:
    choice = answer("choices", "kind", choices=["cat"])
    remark = answer("textarea", "remark", text=["blurred", "dark"])
    found = read(task(A, [choice, remark]))
    assert found.labels == {A: "cat"}
    assert found.left_out == {"textarea of 'remark', as another control was read": 1}
    named = read(task(A, [choice, remark]), control="remark", separator="+")
    assert named.labels == {A: "blurred+dark"}


def test_skipped_drafted_and_predicted_items_are_told_apart(read) -> None:
    cat = [answer("choices", choices=["cat"])]
    drafted = {**task(C), "drafts": [{"result": cat}], "predictions": [{}, {}]}
    other = {"data": {"image": "y.png"}, "annotations": [{"result": cat}]}
    found = read(task(A, None), task(B, None, cat), drafted, other)
    assert found.labels == {A: UNUSABLE, B: "cat"}
    assert found.left_out == {
        "draft that was not submitted": 1,
        "prediction of a model": 2,
        "task without data.jaxsel_id": 1,
        "skipped annotation of a pick that has another": 1,
    }
    with pytest.raises(UserError, match="expected tasks with a jaxsel_id, found none"):
        read(other)
    for damaged in (None, {}, [3]):
        with pytest.raises(UserError, match=r"task 1: expected .* list of annotations"):
            read({"data": {"jaxsel_id": A}, "annotations": damaged})


@pytest.mark.parametrize(
    ("disagree", "labels"),
    [
        ("majority", {A: "cat", C: "dog"}),
        ("first", {A: "dog", B: "cat", C: "dog"}),
        ("skip", {C: "dog"}),
    ],
)
def test_annotators_who_disagree(read, disagree: str, labels: dict) -> None:
    cat, dog = ([answer("choices", choices=[name])] for name in ("cat", "dog"))
    tasks = (
        task(A, dog, cat, cat), task(B, cat), task(B, dog), task(C, dog, dog, []),
    )  # fmt: skip
    found = read(*tasks, disagree=disagree)
    assert found.labels == labels
    assert [(one.id, one.labels, one.taken) for one in found.disagreements] == [
        (A, {"dog": 1, "cat": 2}, labels.get(A)),
        (B, {"cat": 1, "dog": 1}, labels.get(B)),
    ]
    with pytest.raises(UserError, match=r"disagree on 2 picks .*--disagree majority"):
        read(*tasks)
    with pytest.raises(UserError, match="expected disagree to be one of"):
        read(*tasks, disagree="last")


# As label-studio-sdk 2.1.2 converts a project with these answers.
FLAT = [
    {"ch": "a", "tax": [{"taxonomy": [["animal", "cat"]]}], "rate": [{"rating": 4}],
     "num": [{"number": 3.0}], "txt": "hello", "dt": [{"datetime": "2024-01-01"}],
     "box": [{**BOX, "rectanglelabels": ["cell"], "original_width": 10}],
     "pw": [{"selected": "left"}], "annotation_id": 10},
    {"ch": {"choices": ["a", "b"], "original_width": 10}, "annotation_id": 20},
    {"annotation_id": None},
]  # fmt: skip


@pytest.mark.parametrize("kind", ["json", "csv", "tsv"])
@pytest.mark.parametrize(
    ("control", "label"),
    [("ch", "a"), ("tax", "animal/cat"), ("rate", "4"), ("num", "3"), ("txt", "hello"),
     ("dt", "2024-01-01"), ("box", "cell"), ("pw", "left")],
)  # fmt: skip
def test_json_min_and_csv_are_read(
    tmp_path: pathlib.Path, kind: str, control: str, label: str
) -> None:
    path = tmp_path / f"export.{kind}"
    rows = [
        {"id": 7 + k, "image": "x.png", "jaxsel_id": name, "site": "north", **row}
        for k, (name, row) in enumerate(zip((A, B, C), FLAT, strict=True))
    ]
    if kind == "json":
        path.write_text(json.dumps(rows))
    else:
        buffer = io.StringIO()
        names = sorted({name for row in rows for name in row})
        delimiter = "," if kind == "csv" else "\t"
        writer = csv.DictWriter(
            buffer, names, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC
        )
        writer.writeheader()
        for row in rows:
            cells = {
                name: value if isinstance(value, str | int) else json.dumps(value)
                for name, value in row.items()
                if value is not None
            }
            writer.writerow(cells)
        path.write_text(buffer.getvalue(), encoding="utf-8-sig")
    options = ImportOptions(control=control, separator="|")
    found = read_back("label-studio", path, PICKS, options)
    both = {B: "a|b"} if control == "ch" else {}
    assert found.labels == {A: label} | both
    assert f"those of '{control}'" in found.notes[0] and "skipped" in found.notes[0]
    # `site` came with the tasks: it stands in the row that nobody annotated.
    with pytest.raises(UserError, match="labels, found box, ch, num, pw, rate, tax, "):
        read_back("label-studio", path, PICKS)
