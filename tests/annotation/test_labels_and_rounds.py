"""Labels files, what is left to do of a round, and what the next round keeps."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_of_five import PICKS

from jaxsel.annotation.backfill import standing
from jaxsel.annotation.labels import (
    UNUSABLE,
    LabelRow,
    labels_of,
    labels_text,
    merged,
    parse_labels,
    read_labels,
    rows_of,
    write_labels,
)
from jaxsel.annotation.picks import Pick, extended
from jaxsel.annotation.renumbering import renumbered
from jaxsel.annotation.rounds import (
    Round,
    continued,
    name_of,
    read_round,
    write_round,
)
from jaxsel.errors import UserError

NAMES = st.text(st.characters(), min_size=1, max_size=8)
ROWS = st.lists(
    st.builds(LabelRow, NAMES, st.integers(0, 2**40), NAMES),
    max_size=5,
    unique_by=(lambda row: row.id, lambda row: row.index),
)
ROUND = Round(
    source="scans/\udcff",
    fingerprint="f0",
    rows=50,
    method="max_herding",
    options={"bandwidth": 0.5, "tile": None},
    seed=3,
    budget=5,
    versions={"jaxsel": "0.1.0"},
    parents=("p0",),
)


@given(ROWS)
def test_labels_come_back_exactly(rows: list[LabelRow]) -> None:
    assert parse_labels(labels_text(rows), "f") == rows


def test_labels_by_id_and_as_rows_are_the_same(tmp_path: pathlib.Path) -> None:
    labels = {PICKS[4].id: "=ill", PICKS[0].id: UNUSABLE}
    rows = rows_of(labels, PICKS)
    assert rows == [
        LabelRow(PICKS[0].id, 40, "unusable"),
        LabelRow(PICKS[4].id, 3, "=ill"),
    ]
    write_labels(tmp_path / "labels.csv", rows)
    assert read_labels(tmp_path / "labels.csv") == rows
    assert labels_of(rows) == labels
    with pytest.raises(UserError, match=r"the 5 picks, found 1 of 3 .*'no pick'"):
        rows_of(labels | {"no pick": "ill"}, PICKS)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("id,label\n", "line 1: expected the header id,index,label, found id,label"),
        ("id,index,label\na,0,\n", "line 2, column label: expected text"),
        ("id,index,label\na,-1,b\n", "line 2: expected an id, an index of at least 0"),
        ("id,index,label\na,0,b\na,1,b\n", "line 3: expected each id once"),
    ],
)
def test_a_wrong_labels_file_is_named_with_its_line(lines: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^here.csv, .*{message}"):
        parse_labels(lines, "here.csv")


def test_merging_keeps_the_earlier_order_and_names_conflicts() -> None:
    old = [LabelRow("b", 1, "cat"), LabelRow("a", 0, "dog")]
    new = [LabelRow("a", 0, "dog"), LabelRow("c", 2, "unusable")]
    assert merged(old, new) == [*old, new[1]]
    changed = [LabelRow("a", 0, "unusable")]
    with pytest.raises(
        UserError, match=r"1 of 1 that differ .'a': dog before, unusable"
    ):
        merged(old, changed)
    assert merged(old, changed, replace=True) == [old[0], changed[0]]
    moved = LabelRow("a", 5, "dog")
    with pytest.raises(UserError, match="expected labels of one pool"):
        merged(old, [moved], replace=True)
    # The pool has grown: "a" is row 5 now, and its old number is another's.
    picks = [Pick(1, "a", "", 5, None, 1), Pick(2, "z", "", 0, None, 1)]
    grown = [*renumbered(old, picks), LabelRow("z", 0, "cat")]
    assert merged(renumbered(old, picks), [moved, grown[-1]]) == grown
    assert parse_labels(labels_text(grown), "here.csv") == grown
    assert [row.index for row in grown] == [1, 5, 0]


STATES = st.lists(st.sampled_from(["cat", "open", "unusable", "listed"]), max_size=8)


@given(STATES, st.integers(0, 12))
def test_every_pick_is_in_one_of_three(states: list[str], budget: int) -> None:
    picks = [Pick(k + 1, str(k), "", 9 - k, None, 1) for k in range(len(states))]
    labels = {
        str(k): UNUSABLE if state == "unusable" else state
        for k, state in enumerate(states)
        if state in ("cat", "unusable")
    }
    listed = [str(k) for k, state in enumerate(states) if state == "listed"]
    now = standing(picks[::-1], labels, unusable=listed, budget=budget)
    ids = [[pick.id for pick in part] for part in now[:3]]
    wanted = (("cat",), ("unusable", "listed"), ("open",))
    assert ids == [
        [str(k) for k, state in enumerate(states) if state in words] for words in wanted
    ]
    assert now.replacements == max(0, budget - len(ids[0]) - len(ids[2]))


def test_backfilling_ends() -> None:
    picks, labels = PICKS[:3], {PICKS[1].id: UNUSABLE}
    first = standing(picks, labels)
    assert first.replacements == 1
    filled = extended(picks, PICKS[3:4])
    assert standing(filled, labels, budget=3).replacements == 0
    # Ask for as many as it says, and nothing is asked for again.
    assert standing(filled, labels, budget=4).replacements == 1


def test_standing_refuses_what_contradicts_itself() -> None:
    name = PICKS[0].id
    with pytest.raises(UserError, match="found 1 that are both"):
        standing(PICKS, {name: "cat"}, unusable=[name])
    with pytest.raises(UserError, match=r"found 1 of 1 .*'no pick'"):
        standing(PICKS, {}, unusable=["no pick"])
    with pytest.raises(UserError, match="budget of at least 0"):
        standing(PICKS, {}, budget=-1)


def test_a_round_comes_back(tmp_path: pathlib.Path) -> None:
    write_round(tmp_path / "round.json", ROUND)
    assert read_round(tmp_path / "round.json") == ROUND
    moved = ROUND._replace(source="elsewhere", versions={})
    assert name_of(moved) == name_of(ROUND) != name_of(ROUND._replace(seed=4))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format": 1', '"format": 2', "expected a round of format 1, found 2"),
        ('"seed"', '"sead"', r"missing or unknown ones \(sead, seed\)"),
        ('"seed": 3', '"seed": "3"', "expected seed to be int, found '3'"),
        ('"seed": 3', '"seed": true', "expected seed to be int, found True"),
        ("{", "[", "expected a round as JSON"),
    ],
)
def test_a_wrong_round_is_refused(
    tmp_path: pathlib.Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "round.json"
    write_round(path, ROUND)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=message):
        read_round(path)


def test_budgets_are_nested() -> None:
    labels = {PICKS[1].id: "cat", PICKS[2].id: UNUSABLE}

    def following(budget: int) -> tuple[list[int], int]:
        found = continued(ROUND, PICKS, labels, fingerprint="f0", budget=budget)
        assert [pick.id for pick in found.exclude] == [PICKS[2].id]
        return [pick.rank for pick in found.keep], found.more

    assert following(10) == ([1, 2, 4, 5], 6)
    assert following(4) == ([1, 2, 4, 5], 0)
    assert following(2) == ([1, 2], 0)
    # What is labelled is kept, even where fewer are asked for.
    assert following(1) == ([2], 0)
    assert following(49) == ([1, 2, 4, 5], 45)
    for budget in (0, 50):
        with pytest.raises(UserError, match="budget from 1 to 49 "):
            following(budget)


def test_another_pool_is_no_next_round() -> None:
    with pytest.raises(UserError, match="expected the pool of the earlier round"):
        continued(ROUND, PICKS, {}, fingerprint="f1", budget=6)
    with pytest.raises(UserError, match="found 1 beyond it"):
        continued(ROUND._replace(rows=40), PICKS, {}, fingerprint="f0", budget=6)
