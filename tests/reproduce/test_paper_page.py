"""`paper.md` collects what was drawn, and every link of it leads somewhere."""

import json
import pathlib
import re
import shutil

import pytest
from test_writing import CLAIM, KNOWN, UNKNOWN, figure, product

from configs.paper import abstract
from jaxsel.errors import UserError
from jaxsel.evaluation.claims import REFUTED
from jaxsel.reproduce.page import collect
from jaxsel.reproduce.writing import write


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Three figures, out of order: with a study, with one seed, with features alone."""
    folder = tmp_path_factory.mktemp("figures")
    refuted = KNOWN._replace(
        claim=CLAIM._replace(text="a|b beats c"), word=REFUTED, low=-0.2, high=-0.1
    )
    of_no_topic = KNOWN._replace(claim=CLAIM._replace(topic="", text="in passing"))
    for name, came_out in {
        "speed": product(facts={"digits-rgb": {"features": {}}}),
        "fig2": product(verdicts=[KNOWN]),
        "fig3": product(verdicts=[UNKNOWN, refuted, of_no_topic]),
    }.items():
        write(figure(name), came_out, folder / name, "cpu", 1.0)
    return folder


def test_nothing_drawn_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match="found none: draw some first"):
        collect(tmp_path / "figures", tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_the_page_has_every_figure_in_the_papers_order(
    drawn: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    page = collect(drawn, tmp_path / "docs", "A note on the data.")
    text = page.read_text()
    assert page == tmp_path / "docs/paper.md"
    headings = re.findall("^## (.*)$", text, re.MULTILINE)
    assert headings[1:] == ["fig2", "fig3", "speed"]
    for name in headings[1:]:
        assert (drawn / name / "text.md").read_text().strip() in text
    head = text[: text.index("## ")]
    assert "Scale: cpu. Machines: " in head and "2 cores of abacus" in head
    assert abstract.SCALES_SAID["cpu"] in head
    assert head.strip().endswith("A note on the data.")
    # A figure of features alone has no seeds; runs' commits stand beside the drawing's.
    origins = re.findall("^Numbers: .*$", text, re.MULTILINE)
    assert ["seeds 3" in origin for origin in origins] == [True, True, False]
    assert "abc+" in origins[0] and "abc+" not in origins[2]


def test_every_link_leads_to_a_file_that_is_what_was_drawn(
    drawn: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    page = collect(drawn, tmp_path / "docs")
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    files = [link for link in links if link != "paper"]
    assert len(files) >= 3 * (2 + 2 + 1)  # drawings, tables, a manifest
    for link in files:
        copy = tmp_path / "docs" / link
        assert copy.read_bytes() == (drawn / link.removeprefix("paper/")).read_bytes()
    for name in ("fig2", "fig3", "speed"):
        there = {path.name for path in (tmp_path / "docs/paper" / name).iterdir()}
        assert there == {path.name for path in (drawn / name).iterdir()}


def test_the_abstract_has_a_row_a_claim_with_all_verdicts_that_bear_on_it(
    drawn: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    text = collect(drawn, tmp_path / "docs").read_text()
    lines = text[text.index("## What") : text.index("## fig2")].strip().split("\n")
    rows = [line.replace("\\|", "¦").split("|") for line in lines[4:]]
    assert [len(row) for row in rows] == [5] * len(abstract.TOPICS)
    found = {row[1].strip(): row[2:4] for row in rows}
    assert list(found) == list(abstract.TOPICS.values())
    word, details = found[abstract.TOPICS["norm"]]
    # fig2 and both of speed's, the second of which and fig3's first have one seed.
    assert "mixed" in word
    assert "2 supported, 1 not supported, 2 not resolved" in word
    assert details.count("<br>") == 4
    assert "[fig2](#fig2), norm beats random, digits, raw: +1.2 [+0.4, +2.0]" in details
    assert (
        "[fig3](#fig3), norm beats random, digits, raw: +1.2 [?, ?] points" in details
    )
    assert "a¦b beats c" in details and "in passing" not in details
    word, details = found[abstract.TOPICS["sota"]]
    assert "not measured" in word and not details.strip()


def test_another_page_has_nothing_of_the_one_before(
    drawn: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    drawn, docs = shutil.copytree(drawn, tmp_path / "figures"), tmp_path / "docs"
    collect(drawn, docs)
    (docs / "paper/fig2/mine.txt").write_text("kept")
    whole = product()
    less = product(drawings={"": whole.drawings[""]}, tables={"": whole.tables[""]})
    write(figure("fig2"), less, drawn / "fig2", "cpu", 1)
    text = collect(drawn, docs).read_text()
    assert "fig2-covered" not in text
    there = {path.name for path in (docs / "paper/fig2").iterdir()}
    files = {"fig2.png", "fig2.svg", "fig2.csv", "manifest.json", "text.md"}
    assert there == {*files, "mine.txt"}
    manifest = json.loads((docs / "paper/fig2/manifest.json").read_text())
    assert manifest["tables"] == [""]


def test_the_page_keeps_the_figures_of_another_workdir(
    drawn: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    collect(drawn, tmp_path / "docs")
    elsewhere = tmp_path / "elsewhere"
    write(figure("fig7"), product(said=["New."]), elsewhere / "fig7", "gpu", 1.0)
    text = collect(elsewhere, tmp_path / "docs").read_text()
    headings = re.findall("^## (.*)$", text, re.MULTILINE)
    assert headings[1:] == ["fig2", "fig3", "fig7", "speed"]
    assert "Scale: cpu, gpu." in text
