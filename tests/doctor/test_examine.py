"""The door: each finding appears when it should, with its rows, and else does not."""

import json
import pathlib
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jaxsel.doctor.examine import examine
from jaxsel.doctor.finding import Finding, as_json, words
from jaxsel.doctor.passes import PASSES
from jaxsel.errors import UserError

SOUND = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)


def by_code(features: Any, **options: Any) -> dict[str, Finding]:
    findings = examine(features, **options)
    assert len({finding.code for finding in findings}) == len(findings)
    json.dumps(as_json(findings), allow_nan=False)
    return {finding.code: finding for finding in findings}


def test_sound_features_give_notes_alone() -> None:
    found = by_code(SOUND, budget=5, n_classes=4)
    assert set(found) == {"directions", "norms"}
    assert {finding.severity for finding in found.values()} == {"note"}
    norms = np.linalg.norm(SOUND.astype(np.float64), axis=1)
    numbers = found["norms"].numbers
    assert numbers["quantiles"]["0.5"] == pytest.approx(np.median(norms))
    assert sum(numbers["histogram"]["counts"]) == 200
    uniform = np.abs(norms / norms.sum() - 1 / 200).sum() / 2
    assert numbers["from_uniform"] == pytest.approx(uniform)
    assert 11 < found["directions"].numbers["entropy_rank"] < 12


def test_rows_that_are_not_finite() -> None:
    rows = SOUND.astype(np.float64)
    rows[[5, 9], 3] = np.nan
    rows[9, 4] = rows[12, 0] = np.inf
    rows[13, 1] = -1e300
    finding = by_code(rows, ids=[f"i{k}" for k in range(200)])["not-finite"]
    assert (finding.severity, finding.total) == ("error", 4)
    assert finding.rows == (5, 9, 12, 13)
    assert finding.names == ("i5", "i9", "i12", "i13")
    assert finding.numbers == {
        "nan_rows": 2,
        "infinite_rows": 1,
        "too_large_rows": 1,
    }
    assert "4 of 200 rows are" in finding.sentence


def test_zero_rows_and_exact_duplicates() -> None:
    rows = SOUND.copy()
    rows[[20, 40]] = 0
    rows[150:165] = rows[7]
    rows[40] = -0.0
    found = by_code(rows)
    assert found["zero-rows"].rows == (20, 40)
    repeated = found["duplicates"]
    assert (repeated.total, len(repeated.rows)) == (16, 10)
    assert repeated.rows[:2] == (40, 150)  # the later zero row repeats the earlier
    assert repeated.numbers["groups"] == 2
    assert repeated.numbers["largest_group"] == 16
    assert repeated.numbers["largest_group_first_row"] == 7
    # Equal rows are not told a second time.
    assert "near-duplicates" not in found


def test_near_duplicates_are_a_warning_when_there_are_many() -> None:
    rows = SOUND.copy()
    rows[100] = 2 * rows[3]
    finding = by_code(rows)["near-duplicates"]
    assert (finding.rows, finding.total) == ((3, 100), 2)
    assert finding.severity == "warning"  # 1 % of the rows
    assert finding.numbers["complete"] is True
    assert finding.numbers["closest"] == [[3, 100, 1.0]]
    more = np.concatenate([rows, np.random.default_rng(1).normal(size=(100, 12))])
    assert by_code(more)["near-duplicates"].severity == "note"
    assert "near-duplicates" not in by_code(SOUND)


def test_collapsed_features() -> None:
    random = np.random.default_rng(4)
    line = (
        random.normal(size=(80, 1)) * random.normal(size=(1, 6)) + 1e-3 * SOUND[:80, :6]
    )
    finding = by_code(line)["directions"]
    assert finding.severity == "warning" and "collapsed" in finding.sentence
    same = by_code(np.tile(SOUND[:1], (30, 1)))
    assert "nothing to select by" in same["directions"].sentence
    assert same["constant-columns"].severity == "warning"
    assert same["duplicates"].total == 29


def test_one_large_shared_component() -> None:
    rows = SOUND.astype(np.float64) + 30
    found = by_code(rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[np.triu_indices(200, 1)]
    assert found["alike"].numbers["mean_cosine"] == pytest.approx(
        cosines.mean(), abs=1e-6
    )
    # Centred, they are as sound as before.
    assert set(by_code(rows - rows.mean(axis=0))) == {"directions", "norms"}


def test_constant_columns() -> None:
    rows = SOUND.copy()
    rows[:, [2, 5]] = 0.1
    finding = by_code(rows)["constant-columns"]
    assert finding.severity == "note"
    assert finding.numbers == {"columns": [2, 5], "constant": 2, "of": 12}


def test_budget_and_classes() -> None:
    assert by_code(SOUND, budget=201)["budget"].severity == "error"
    assert "budget" not in by_code(SOUND, budget=200)
    rows = SOUND.copy()
    rows[0, 0] = np.nan
    finding = by_code(rows, budget=200)["budget"]
    assert "199 finite rows of 200" in finding.sentence
    found = by_code(SOUND, budget=13, n_classes=20)
    assert found["classes"].numbers == {"budget": 13, "n_classes": 20}
    # 12 columns cannot tell 20 classes apart, nor span 13 directions.
    assert found["directions"].severity == "warning"
    assert found["directions"].numbers["rank"] == 12
    assert "rank of 12" in found["directions"].sentence
    assert by_code(SOUND, budget=13)["directions"].severity == "note"
    flat = SOUND * np.geomspace(1, 1e-3, 12)
    note = by_code(flat, budget=11)["directions"]
    assert note.severity == "note" and "above that" in note.sentence


def test_norms_that_say_nothing() -> None:
    unit = SOUND / np.linalg.norm(SOUND, axis=1, keepdims=True)
    assert by_code(unit)["unit-norms"].severity == "warning"
    assert by_code(unit * np.float32(7))["equal-norms"].severity == "warning"
    rows = SOUND.copy()
    rows[17] *= 100
    finding = by_code(rows)["long-rows"]
    assert (finding.rows, finding.total) == ((17,), 1)
    # Lengths a rounding apart still have a histogram.
    assert sum(by_code(np.eye(9))["unit-norms"].numbers["histogram"]["counts"]) == 9


def test_float16_overflow() -> None:
    rows = SOUND.copy()
    rows[8, 0] = -65_520
    rows[9, 0] = 65_519
    finding = by_code(rows)["float16-overflow"]
    assert (finding.rows, finding.severity) == ((8,), "note")
    assert finding.numbers["largest"] == 65_520


def test_other_types_and_memory_maps(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "rows.npy", SOUND)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    expected = as_json(examine(SOUND))
    assert as_json(examine(mapped)) == expected
    assert as_json(examine(np.asfortranarray(SOUND))) == expected
    assert as_json(examine(SOUND.tolist())) == expected
    half = SOUND.astype(ml_dtypes.bfloat16)
    assert as_json(examine(half)) == as_json(examine(half.astype(np.float32)))
    assert {f.code for f in examine(np.arange(40).reshape(10, 4))} >= {"directions"}


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
        elements=st.sampled_from(
            [0.0, -0.0, 1.0, -1.5, 7.0, 1e-30, 1e30, 1e39, np.nan, np.inf, -np.inf]
        ),
    ),
    st.sampled_from([None, 1, 7]),
)
def test_no_matrix_is_too_odd(rows: np.ndarray, budget: int | None) -> None:
    before = rows.copy()
    found = by_code(rows, budget=budget, n_classes=3)
    np.testing.assert_array_equal(rows, before)
    with np.errstate(over="ignore"):
        narrow = rows.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(narrow).all(axis=1))
    assert (
        (tuple(bad) == found["not-finite"].rows)
        if bad.size
        else ("not-finite" not in found)
    )
    zero = np.flatnonzero((narrow == 0).all(axis=1))
    assert (
        (tuple(zero) == found["zero-rows"].rows)
        if zero.size
        else ("zero-rows" not in found)
    )
    assert words(list(found.values()))


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (np.zeros(3), {}, r"shape \[n, d\].*found \[3\]"),
        (np.zeros((0, 3)), {}, r"found \[0, 3\]"),
        (np.array([["a"]]), {}, "real numbers"),
        (np.ones((2, 2), complex), {}, "real numbers"),
        (np.ones((2, 2), bool), {}, "real numbers"),
        (SOUND, {"ids": ["a"]}, "expected 200 ids"),
        (SOUND, {"budget": 0}, "budget of at least 1"),
        (SOUND, {"n_classes": 2.5}, "n_classes of at least 1"),
        (SOUND, {"near": 1.0}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_examined(
    features: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        examine(features, **options)


def test_words_name_the_gravest_first_and_hide_control_characters() -> None:
    rows = SOUND.copy()
    rows[1, 0] = np.nan
    rows[2] = 0
    ids = [f"{k}.png" for k in range(200)]
    ids[1] = "evil\nerror: all lost.png"
    lines = words(examine(rows, ids=ids)).splitlines()
    assert lines[0].startswith("error: 1 of 200 rows is not finite")
    assert lines[1] == "  'evil\\nerror: all lost.png'"
    assert lines[2].startswith("warning: 1 of 200 rows is all zero")
    assert lines[3] == "  2.png"
    assert [line.split(":")[0] for line in lines[4:]] == ["note", "note"]


@pytest.mark.parametrize(("n", "d"), [(60, 5), (9, 3000), (1, 4)])
def test_all_passes_are_told_and_no_more(n: int, d: int) -> None:
    rows = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    told: list[int] = []
    examine(rows, advance=told.append)
    assert sum(told) == PASSES * n and min(told) >= 0
