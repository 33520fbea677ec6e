"""report.html: whole, well formed, escaped, and in need of no other file."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from jaxsel.errors import UserError
from jaxsel.evaluation.picks import Pick
from jaxsel.evaluation.rows import ResultRow
from jaxsel.report import contact_sheet as sheet_module
from jaxsel.report.contact_sheet import contact_sheet, first_seed_picks, sheet_budget
from jaxsel.report.page import ReportInputs, report_html
from tests.report.page_tree import Tree

HOSTILE = "<script>alert('x')</script>&\"quoted\""


def _inputs():
    generator = np.random.default_rng(0)
    rows, picks = [], []
    for i, method in enumerate(["random", "norm"]):
        for seed in range(2):
            accuracy = 0.4 + 0.05 * i + 0.01 * seed * (1 + i)
            outcome = (accuracy, 2, 0.1, 1.0)
            rows.append(ResultRow("toy", "raw", "probe", method, 4, seed, *outcome))
            chosen = generator.choice(30, 4, replace=False)
            picks += [
                Pick(method, 4, seed, rank, int(row), f"toy-{row}", int(row) % 2)
                for rank, row in enumerate(chosen)
            ]
    return ReportInputs(
        rows=rows,
        manifest={
            "command": f"jaxsel {HOSTILE}",
            HOSTILE: {"deep": {HOSTILE: [1, 2.5, None]}},
            "commit": "abc1234",
        },
        picks=picks,
        images=generator.integers(0, 256, (30, 8, 8, 3), np.uint8),
        class_names=[HOSTILE, "plain"],
        feature_norms={"raw": generator.gamma(4, size=30)},
    )


@pytest.fixture(scope="module")
def page():
    return report_html(_inputs())


def test_the_page_is_well_formed_and_complete(page):
    tree = Tree(page)
    sections = [attrs["id"] for attrs in tree.all("section")]
    assert sections == ["accuracy", "differences", "chosen", "norms", "classes", "run"]
    linked = [attrs["href"] for attrs in tree.all("a")]
    assert linked == [f"#{name}" for name in sections]
    text = "".join(tree.words)
    assert "4 finished runs: 2 methods, 1 budget, 2 seeds, 1 framework" in text
    # Seeds at 0.45 and 0.47.
    assert "46.0" in text and "abc1234" in text


def test_nothing_is_fetched_and_nothing_runs(page):
    tree = Tree(page)
    assert not re.search(r"https?:|//[a-z]|@import|file:", page.split("base64,")[0])
    addresses = re.findall(r'(?:src|href|action|data)="([^"]*)"', page)
    addresses += re.findall(r"url\(([^)]*)\)", page)
    assert addresses
    assert all(re.match(r"#|data:image/png;base64,", each) for each in addresses)
    assert not re.search(r"\bhttps?://", page)
    assert not {"script", "link", "iframe", "object"} & {
        tag for tag, _ in tree.elements
    }
    assert not any(
        name.startswith("on") for _, attrs in tree.elements for name in attrs
    )


def test_hostile_names_are_shown_as_text(page):
    tree = Tree(page)
    assert "<script" not in page.lower()
    text = "".join(tree.words)
    assert text.count(HOSTILE) >= 4  # labels, the command, a table, a name in it
    alternatives = [attrs["alt"] for attrs in tree.all("img")]
    assert any(alt.endswith(HOSTILE) for alt in alternatives)


def test_pictures_and_tables_speak_to_those_who_cannot_see(page):
    tree = Tree(page)
    assert all(attrs["alt"] for attrs in tree.all("img"))
    drawings = tree.all("svg")
    assert len(drawings) == 2
    assert all(d["role"] == "img" and len(d["aria-label"]) > 40 for d in drawings)
    assert all(attrs["scope"] in ("row", "col") for attrs in tree.all("th"))
    assert len(tree.all("caption")) == len(tree.all("table"))


def test_ids_are_unique_and_references_resolve(page):
    tree = Tree(page)
    ids = [attrs["id"] for _, attrs in tree.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    references = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', page)
    assert {one or other for one, other in references} <= set(ids)


def test_thumbnails_are_the_chosen_images_in_pick_order(page):
    inputs = _inputs()
    chosen = first_seed_picks(inputs.picks, 4)
    assert list(chosen) == ["random", "norm"]
    expected = [pick for picks in chosen.values() for pick in picks]
    assert [pick.rank for pick in expected] == [0, 1, 2, 3] * 2
    assert all(pick.seed == 0 for pick in expected)
    sources = [attrs["src"] for attrs in Tree(page).all("img")]
    assert len(sources) == len(expected)
    for source, pick in zip(sources, expected, strict=True):
        data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
        shown = np.asarray(Image.open(io.BytesIO(data)))
        np.testing.assert_array_equal(shown, inputs.images[pick.index])


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"images": None}, "chosen"),
        ({"picks": ()}, "chosen"),
        ({"feature_norms": {}}, "norms"),
        ({"manifest": {}}, "run"),
        ({"rows": ()}, "accuracy"),
    ],
)
def test_what_is_missing_leaves_its_section_out(change, absent):
    tree = Tree(report_html(_inputs()._replace(**change)))
    sections = [attrs["id"] for attrs in tree.all("section")]
    assert absent not in sections
    assert len(sections) >= 2


def test_one_run_alone_makes_a_page():
    text = report_html(ReportInputs(_inputs().rows[:1]))
    assert "(n=1)" in text
    assert "Nothing to compare" in text
    assert "No run has finished yet" in report_html(ReportInputs([]))


def test_images_of_any_kind_become_thumbnails():
    picks = {"norm": [Pick("norm", 3, 0, r, r, str(r), 0) for r in range(3)]}
    images = {
        0: np.zeros((200, 100, 3), np.uint8),
        1: np.zeros((28, 28), np.uint8),
        2: np.zeros((28, 28, 1), np.uint8),
    }
    tree = Tree(contact_sheet(picks, images))
    sizes = []
    for attrs in tree.all("img"):
        data = base64.b64decode(attrs["src"].split(",")[1])
        sizes.append(Image.open(io.BytesIO(data)).size)
    assert sizes == [(32, 64), (28, 28), (28, 28)]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((8, 8, 3), np.float32), "found float32"),
        (np.zeros((8, 8, 2), np.uint8), r"found uint8 \[8, 8, 2\]"),
        (None, "chosen row 5, found none"),
    ],
)
def test_wrong_images_are_refused(image, words):
    images = {} if image is None else {5: image}
    with pytest.raises(UserError, match=words):
        contact_sheet({"norm": [Pick("norm", 1, 0, 0, 5, "x", 0)]}, images)


def test_a_large_sheet_is_cut_alike_for_all_methods(monkeypatch):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (100, 16, 16, 3), np.uint8)  # incompressible
    chosen = {
        method: [Pick(method, 100, 0, r, r, str(r), 0) for r in range(100)]
        for method in ("random", "norm")
    }
    full = Tree(contact_sheet(chosen, images))
    assert len(full.all("img")) == 2 * sheet_module.MOST_A_METHOD
    monkeypatch.setattr(sheet_module, "MOST_BYTES", 20_000)
    text = contact_sheet(chosen, images)
    shown = len(Tree(text).all("img")) // 2
    assert 0 < shown < sheet_module.MOST_A_METHOD
    assert text.count(f"the first {shown} are shown") == 2
    assert len(text) < 30_000


def test_the_sheets_budget_is_the_largest_that_fits():
    def picks(*budgets):
        return [Pick("norm", budget, 0, 0, 0, "x", 0) for budget in budgets]

    assert sheet_budget(picks(10, 60, 100)) == 60
    assert sheet_budget(picks(300, 200)) == 200
    assert sheet_budget([]) is None
