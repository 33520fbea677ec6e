"""Ranks that go on after a gap, formulas of every sign, ids before file names."""

import json
import pathlib

import pytest

from jaxsel.annotation.cells import from_cell, to_cell
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.picks import Pick, extended
from jaxsel.annotation.tools import import_labels


def test_ranks_go_on_after_the_last_one_though_some_are_missing() -> None:
    kept = [Pick(7, "c", "", 4, None, 1), Pick(2, "a", "", 0, None, 1)]
    more = [Pick(9, "e", "", 8, None, 1), Pick(3, "d", "", 6, None, 1)]
    found = [(pick.rank, pick.id) for pick in extended(kept, more)]
    assert found == [(2, "a"), (7, "c"), (8, "d"), (9, "e")]


@pytest.mark.parametrize("before", ["", " ", "'", '"', ' "'])
@pytest.mark.parametrize("sign", list("=+-@＝＋－＠"))
def test_a_cell_that_begins_with_a_sign_is_guarded(before: str, sign: str) -> None:
    text = f"{before}{sign}1"
    assert to_cell(text)[0] == "'"
    assert from_cell(to_cell(text)) == text


def test_an_image_is_known_by_its_id_before_its_file_name(
    tmp_path: pathlib.Path,
) -> None:
    # A tool that renames files may give one the name of another pick's.
    picks = [Pick(1, "a", "a.png", 3, None, 9), Pick(2, "b", "b.png", 5, None, 4)]
    images = [
        {"id": 1, "file_name": "b.png", "jaxsel_id": "a"},
        {"id": 2, "file_name": "a.png", "jaxsel_id": "b"},
    ]
    whole = {
        "images": images,
        "annotations": [{"image_id": 1, "category_id": 5}],
        "categories": [{"id": 5, "name": "cat"}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(whole))
    assert import_labels("coco", path, picks, ImportOptions()) == {"a": "cat"}
    for image in images:
        del image["jaxsel_id"]
    path.write_text(json.dumps(whole))
    assert import_labels("coco", path, picks, ImportOptions()) == {"b": "cat"}
