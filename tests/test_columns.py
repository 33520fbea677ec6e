"""The rule of columns: by name and type, what is a feature, an id, or neither."""

import numpy as np
import pytest

from jaxsel.column_names import is_answer, row_name_rank
from jaxsel.columns import roles_of
from jaxsel.errors import UserError
from jaxsel.roles import (
    CATEGORY,
    DATE,
    FLAG,
    NUMBER,
    TEXT,
    VECTOR,
    Column,
    asked_of,
    split_names,
)
from jaxsel.tables import is_run, text_of_numbers


def table(**kinds: str) -> list[Column]:
    return [Column(name, kind) for name, kind in kinds.items()]


def numbers(*names: str) -> list[Column]:
    return [Column(name, NUMBER) for name in names]


ROW_NAMES = """id ids ID Id IDs uuid index idx row key keys name image_id imageId
ImageID sample_id sampleID patient-id record.id objectid imageid file_name fileName
filename filenames filepath file_path image_path img_path paths path url image_url
row_index row_number rownames image_key sample_no sample patient # |Unnamed: 0|
__index_level_0__ level_0 No Nr |S. No.| |Row ID| site_id""".replace("\n", " ")
MEASURED = """age row_height rows_per_inch class_score key_pressure body_mass_index
refractive_index path_length file_size n_files num_ids name_length acid humid grid NO
NO2 image_width indexed cases x y2k level level_3 number paid width_idx""".split()
ANSWERS = """label labels Label LABEL target targets class Class category y_true split
fold label_id class_name fine_label coarse-label targetClass label_3 class2 outcome
ground_truth groundtruth gt is_train prediction diagnosis cv_fold annotation""".split()
NO_ANSWERS = """class_score label_width n_classes num_labels target_distance pclass
classify split_ratio y ytd labelled train_speed""".split()


def listed(text: str) -> list[str]:
    """Words apart from those between bars, which have spaces."""
    parts = text.split("|")
    return [w for at, part in enumerate(parts) for w in
            ([part] if at % 2 else part.split())]  # fmt: skip


@pytest.mark.parametrize("name", listed(ROW_NAMES))
def test_names_of_rows_are_no_features(name: str) -> None:
    assert row_name_rank(name) is not None
    roles = roles_of(numbers("a", name, "b"))
    assert roles.features == ("a", "b") and roles.left_out == {name: "names the rows"}


@pytest.mark.parametrize("name", MEASURED)
def test_measurements_are_features(name: str) -> None:
    assert row_name_rank(name) is None and not is_answer(name)
    assert roles_of(numbers("a", name)).features == ("a", name)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_no_features(name: str) -> None:
    assert is_answer(name)
    for kind in (NUMBER, VECTOR, TEXT, FLAG):
        roles = roles_of([*numbers("a"), Column(name, kind)])
        assert roles.features == ("a",) and roles.left_out == {name: "an answer"}
        assert roles.ids == ()


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_words_that_only_contain_an_answer(name: str) -> None:
    assert not is_answer(name)


def test_y_is_an_answer_unless_x_stands_beside_it() -> None:
    for names, features in (
        ("a y", "a"),
        ("x0 x1 x2 y", "x0 x1 x2"),
        ("x0 x1 y0", "x0 x1"),
        ("x y", "x y"),
        ("X Y area", "X Y area"),
        ("x_1 y_1 x_2 y_2", "x_1 y_1 x_2 y_2"),
    ):
        assert roles_of(numbers(*names.split())).features == tuple(features.split())


def test_numbered_columns_hide_no_others_unless_they_are_a_vector() -> None:
    family = [f"x{k}" for k in range(12)]
    roles = roles_of(numbers("age", *family, "serum1"))
    assert roles.features == ("age", *family, "serum1") and not roles.left_out
    # In the order of their numbers, whatever that of the table.
    spread = [f"embedding_{k}" for k in (2, 10, 0, 1, 3, 4, 5, 6, 7, 8, 9)]
    roles = roles_of(numbers("age", *spread))
    assert roles.features == tuple(f"embedding_{k}" for k in range(11))
    assert roles.left_out == {"age": "beside the features"}
    assert roles_of(numbers("age", "embedding_7")).features == ("age", "embedding_7")
    asked = asked_of(features="x")
    assert roles_of(numbers("age", *family), asked).features == tuple(family)
    with pytest.raises(UserError, match="'emb' and 'pc'"):
        roles_of(numbers("emb0", "emb1", "pc0", "pc1"))


def test_vectors_by_their_names() -> None:
    both = table(embedding=VECTOR, bbox=VECTOR, age=NUMBER)
    assert roles_of(both).features == ("embedding",)
    assert roles_of(table(clip=VECTOR, logits=VECTOR)).features == ("clip",)
    assert roles_of(table(clip=VECTOR, dino_emb=VECTOR)).features == ("dino_emb",)
    # A list that is rather something else does not hide measurements.
    assert roles_of(table(bbox=VECTOR, age=NUMBER)).features == ("age",)
    assert roles_of(both, asked_of(features="bbox")).features == ("bbox",)
    assert roles_of(both, asked_of("bbox")).vector
    for columns, message in (
        (table(bbox=VECTOR), "'bbox': choose one with --features"),
        (table(a=VECTOR, b=VECTOR), "'a' and 'b': choose one with --features"),
        (table(image_emb=VECTOR, text_emb=VECTOR), "'image_emb' and 'text_emb'"),
        (table(embedding=TEXT, age=NUMBER), "lists of numbers in column 'embedding'"),
        (table(id=NUMBER, label=NUMBER), r"'id' \(names the rows\), 'label' \(an ans"),
    ):
        with pytest.raises(UserError, match=message):
            roles_of(columns)


def test_the_best_names_come_first() -> None:
    columns = table(patient=TEXT, site_id=NUMBER, key=TEXT, image_path=TEXT, a=NUMBER)
    assert roles_of(columns).ids == ("image_path", "key", "site_id", "patient")
    assert roles_of([*columns, Column("id", NUMBER)]).ids[0] == "id"
    index = Column("weight", TEXT, is_index=True)
    assert roles_of([*numbers("a"), index]).ids == ("weight",)
    # Text in the plural names rows; numbers of cases are counts.
    assert roles_of(table(a=NUMBER, images=TEXT)).ids == ("images",)
    assert roles_of(table(a=NUMBER, cases=NUMBER)).ids == ()
    assert roles_of(columns, asked_of(ids="a", columns="site_id")).ids == ("a",)
    with pytest.raises(UserError, match="found id and ids: choose one with --ids"):
        roles_of(table(id=TEXT, ids=TEXT, a=NUMBER))


def test_what_is_left_out_is_said() -> None:
    columns = table(
        a=NUMBER, t=TEXT, f=FLAG, d=DATE, c=CATEGORY, n=NUMBER, target=FLAG, path=TEXT
    )
    roles = roles_of(columns, numbers_rows=lambda name: name == "n").named_by("path")
    assert roles.sentence() == (
        "1 feature (a); ids from 'path'; left out: t (text), f (true or false), d "
        "(dates), c (categories), n (numbers the rows), target (an answer)"
    )
    assert roles.record()["left_out"]["n"] == "numbers the rows"
    many = roles_of(numbers(*(f"q{k}" for k in range(20)))).sentence()
    assert many == "20 features (q0, q1, q2, … q19); rows by number"


def test_what_the_caller_says_is_checked() -> None:
    assert asked_of(["a"]).given == {"columns": ("a",), "features": None, "ids": None}
    assert asked_of().record() == {}
    assert split_names('a,"b,c" , d') == ["a", "b,c", "d"]
    chosen = roles_of(numbers("a1", "a2", "label"), asked_of(["label", "a*"]))
    assert chosen.features == ("label", "a1", "a2") and chosen.chosen
    for words, message in (
        ({"columns": ["a", "a"]}, "'a' twice"),
        ({"columns": []}, "found none"),
        ({"columns": 3}, "found 3"),
        ({"columns": "a", "features": "b"}, "found both"),
        ({"ids": 3}, "found 3"),
        ({"features": ""}, "found ''"),
    ):
        with pytest.raises(UserError, match=message):
            asked_of(**words)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="'a' twice"):
        roles_of(numbers("a", "a"))


def test_a_run_of_numbers_is_one_from_the_first_row_on() -> None:
    rows = np.arange(12)
    assert is_run(rows) and is_run(rows + 1) and is_run(rows.astype(float))
    assert not is_run(rows + 2) and not is_run(rows[:9]) and not is_run(rows[::-1])
    assert not is_run(np.where(rows == 11, np.nan, rows))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["1", "2.5", "-3e-4"], "numbers written as text"),
        (["1", "2", "?"], "'?' among them"),
        (["1,5", "2"], "decimal commas, as in '1,5'"),
        (["[1, 2]", "(3, 4)"], "vectors written as text"),
        (["1", "a", "b"], ""),
        (["2020-01-01", "1-2"], ""),
        (["", "  "], ""),
    ],
)
def test_numbers_among_text_are_noticed(values: list[str], reason: str) -> None:
    found = text_of_numbers(values)
    assert (reason in found) if reason else found == ""
