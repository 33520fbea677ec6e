"""Verdicts from the runs that lie beside a figure, without what drew it."""

import json
import pathlib
import re
import shutil

import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.claims import verdicts
from jaxsel.evaluation.rows import read_results
from jaxsel.reproduce.__main__ import main
from jaxsel.reproduce.redraw import redraw

DOCS = pathlib.Path(__file__).parents[2] / "docs"


@pytest.fixture
def docs(tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(DOCS / "paper", tmp_path / "paper", ignore=_pictures)
    shutil.copyfile(DOCS / "paper.md", tmp_path / "paper.md")
    return tmp_path


def _pictures(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith((".png", ".svg"))]


def _files(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_page_of_this_repository_is_what_its_numbers_say(docs) -> None:
    before = _files(docs)
    page, changed = redraw(docs)
    assert page == docs / "paper.md" and changed == []
    assert _files(docs) == before


def test_a_verdict_that_its_runs_do_not_bear_out_is_put_right(docs) -> None:
    before = _files(docs)
    folder = docs / "paper/fig3"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["verdicts"][0] |= {"word": "supported", "low": 0.1, "high": 0.2}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    text = (folder / "text.md").read_text()
    (folder / "text.md").write_text(
        text.replace("**not resolved at", "**supported at", 1)
    )
    assert redraw(docs)[1] == ["fig3"]
    after = _files(docs)
    assert {name for name in after if after[name] != before[name]} <= {
        "paper/fig3/manifest.json",
        "paper.md",  # of which the commit alone, in the line that says who made it
    }
    assert after["paper/fig3/text.md"] == before["paper/fig3/text.md"]
    mended = json.loads(after["paper/fig3/manifest.json"])
    assert mended["verdicts"][0]["word"] == "not resolved at this scale"
    assert mended["judged_by"]["versions"] and mended["drawn_by"]


def test_the_note_at_the_head_stays_unless_there_is_another(docs) -> None:
    assert redraw(docs, "Data: a sample.")[0].read_text().count("Data: a sample.") == 1
    assert "Data: a sample." in redraw(docs)[0].read_text()
    text = redraw(docs, "Data: all of it.")[0].read_text()
    assert "a sample" not in text and "Data: all of it." in text


def test_what_is_printed_is_what_the_runs_give(docs) -> None:
    # Independent of how text and manifest are put together.
    from jaxsel.reproduce import catalog

    rows = read_results(docs / "paper/fig3/fig3-runs.csv")
    figure = catalog.load("fig3", "cpu", ("cifar10",))
    found = verdicts(figure.claims, rows, {"cifar10": 0.1})
    printed = re.findall(
        r"\*\* \| ([^ ]+) \[", (docs / "paper/fig3/text.md").read_text()
    )
    assert [f"{100 * v.value:+.1f}".replace("-", "−") for v in found] == printed


def test_a_folder_without_figures_is_refused(tmp_path, capsys) -> None:
    with pytest.raises(UserError, match="found none: draw some"):
        redraw(tmp_path)
    assert main(["fig2", "--redraw", str(tmp_path)]) == 2
    assert "without figures" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
