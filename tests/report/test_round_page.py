"""A round's page: whole, escaped, in need of nothing, and right in its numbers."""

import re

import numpy as np
import pytest

from jaxsel.evaluation.coverage import Coverage
from jaxsel.report import pick_sheet as sheet_module
from jaxsel.report.budget_curve import coverage_sentence
from jaxsel.report.pick_sheet import ShownPick, pick_sheet
from jaxsel.report.pool_map import PoolMap, map_figure
from jaxsel.report.round_page import Remark, RoundPage, round_html
from tests.report.page_tree import Tree

HOSTILE = "<script>alert('x')</script>&\"on<img src=x onerror=alert(1)>"
STATES = ("new", "kept", "unusable", "new")


def coverage(knee: int | None = 2) -> Coverage:
    shares = np.array([0.0, 0.5, 0.8, 0.82, 0.83])
    return Coverage(0.4, HOSTILE, shares, np.tile(shares / 2, (3, 1)), knee)


@pytest.fixture(scope="module")
def page() -> RoundPage:
    rng = np.random.default_rng(0)
    picks = [
        ShownPick(k + 1, f"{HOSTILE}{k}", 5 * k, None if k else 2.5, 10 - k, state)
        for k, state in enumerate(STATES)
    ]
    plane = PoolMap(
        pool=rng.normal(size=(40, 2)),
        covered=rng.random(40) < 0.8,
        picks=rng.normal(size=(4, 2)),
        ranks=np.arange(1, 5),
        states=STATES,
        labelled=rng.normal(size=(3, 2)),
        share=0.4,
    )
    images = {5 * k: rng.integers(0, 256, (9, 12, 3), np.uint8) for k in range(4)}
    return RoundPage(
        title=HOSTILE,
        lede=HOSTILE,
        noun="image",
        method="norm",
        picks=picks,
        coverage=coverage(),
        plane=plane,
        norms=rng.gamma(4, size=40),
        images=images,
        remarks=[
            Remark("note", "Norms vary."),
            Remark("warning", HOSTILE, [HOSTILE, "two\nlines"], 7),
        ],
        constraints={HOSTILE: HOSTILE},
        provenance={"command": HOSTILE, "round": {HOSTILE: [1, HOSTILE]}},
    )


ALL = ["picks", "coverage", "map", "norms", "findings", "constraints", "provenance"]


@pytest.mark.parametrize("images", [True, False])
def test_the_page_is_whole_and_hostile_names_are_text(
    page: RoundPage, images: bool
) -> None:
    text = round_html(page if images else page._replace(images=None))
    tree = Tree(text)
    assert [one["id"] for one in tree.all("section")] == ALL
    assert [one["href"] for one in tree.all("a")] == [f"#{name}" for name in ALL]
    assert "<script" not in text.lower()
    assert {tag for tag, _ in tree.elements}.isdisjoint({"script", "link", "iframe"})
    assert not any(
        name.startswith("on") for _, attributes in tree.elements for name in attributes
    )
    # Title, heading, lede, rule, finding, its name, constraint twice, provenance …
    assert "".join(tree.words).count(HOSTILE) >= 10
    assert "'two\\nlines' and 5 more" in "".join(tree.words)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(re.match(r"#|data:image/(png|jpeg);base64,", one) for one in addresses)
    (policy,) = [one["content"] for one in tree.all("meta") if "http-equiv" in one]
    assert policy.startswith("default-src 'none'")
    ids = [one["id"] for _, one in tree.elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert len(tree.all("img")) == (4 if images else 0)


def test_picks_say_what_became_of_them(page: RoundPage) -> None:
    for text in (round_html(page), round_html(page._replace(images=None))):
        words = "".join(Tree(text).words)
        assert words.count("unusable") >= 1 and "picked before" in words
    tiles = Tree(pick_sheet(page.picks, page.images or {}))
    assert [one["class"] for one in tiles.all("li")] == list(STATES)
    assert "picks, 1 unusable" in "".join(Tree(round_html(page)).words)
    assert "gain 2.5" in tiles.all("li")[0]["title"]
    assert tiles.all("img")[1]["alt"].startswith("pick 2: ")


def test_no_constraints_and_no_findings(page: RoundPage) -> None:
    tree = Tree(round_html(page._replace(constraints={}, remarks=())))
    assert "constraints" not in [one["id"] for one in tree.all("section")]
    assert "Nothing to remark." in tree.words


def test_the_sentence_claims_what_the_curve_has() -> None:
    said = coverage_sentence(coverage())
    assert said == (
        "2 labels reach 80 %; the next 2 add 3.0 % (as many random ones reach 42 %)."
    )
    assert coverage_sentence(coverage(None)).startswith("4 labels reach 83 % (")
    assert coverage_sentence(coverage(3)).startswith("3 labels reach 82 %; the next 1 ")
    known = coverage()._replace(shares=np.array([0.25, 1.0]), knee=None)
    assert coverage_sentence(known).startswith(
        "What was labelled before covers 25 %; with it 1 label reaches 100 % ("
    )


def test_a_large_pool_and_many_picks_stay_small(
    page: RoundPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    many = PoolMap(
        pool=rng.normal(size=(20_000, 2)),
        covered=rng.random(20_000) < 0.5,
        picks=rng.normal(size=(50, 2)),
        ranks=np.arange(1, 51),
        states=("new",) * 50,
        labelled=np.empty((0, 2)),
        share=0.4,
    )
    texts = map_figure(many, "norm").axes[0].texts
    assert sorted(int(text.get_text()) for text in texts) == list(range(1, 21))
    monkeypatch.setattr(sheet_module, "MOST_BYTES", 200_000)
    picks = [ShownPick(k + 1, str(k), k, None, 1) for k in range(50)]
    noise = {k: rng.integers(0, 256, (300, 200, 3), np.uint8) for k in range(50)}
    text = round_html(
        page._replace(
            picks=picks, plane=many, images=noise, norms=rng.gamma(4, size=50)
        )
    )
    shown = len(Tree(text).all("img"))
    assert 5 < shown < 50 and f"The first {shown} of 50 images" in text
    assert "data:image/jpeg" in text and len(text) < 2_000_000
