"""Every figure of the paper is drawn from digits, at the scale of a CPU."""

import csv
import json
import pathlib
import xml.etree.ElementTree

import jax
import pytest

from jaxsel.reproduce import catalog
from jaxsel.reproduce.__main__ import main
from jaxsel.reproduce.writing import files_of
from jaxsel.selection.coverage import CoverageWarning

pytestmark = [
    pytest.mark.slow,
    # On few small images there are budgets at which a method does not cover more.
    pytest.mark.filterwarnings(f"ignore::{CoverageWarning.__module__}.CoverageWarning"),
]


def test_every_figure_is_drawn_and_collected(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The programs of the tests are kept where they are.
    kept = jax.config.jax_compilation_cache_dir
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", kept)
    words = ["--data", "digits", "--scale", "cpu", "--workdir", str(tmp_path)]
    assert main([*catalog.IDS, *words]) == 0
    assert main([*words, "--page", str(tmp_path / "docs")]) == 0
    page = (tmp_path / "docs/paper.md").read_text()
    for name in catalog.IDS:
        folder = tmp_path / "figures" / name
        figure = catalog.load(name, "cpu", ("digits",))
        manifest = json.loads((folder / "manifest.json").read_text())
        there = {path.name for path in folder.iterdir()}
        assert there == files_of(manifest) | {"text.md"}
        assert "" in manifest["drawings"] and "" in manifest["tables"]
        for path in folder.glob("*.svg"):
            xml.etree.ElementTree.fromstring(path.read_bytes())
        for path in folder.glob("*.csv"):
            with path.open(newline="") as stream:
                assert list(csv.DictReader(stream)), path
        text = (folder / "text.md").read_text()
        assert figure.title in text and text.strip() in page
        # A claim that is not spoken of by any verdict was not measured.
        spoken = {verdict["claim"]["text"] for verdict in manifest["verdicts"]}
        assert spoken == {
            claim.text
            for claim in figure.claims
            if not claim.datasets or "digits" in claim.datasets
        }
    assert "not measured" not in page
