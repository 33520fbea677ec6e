"""Small pools, and `jaxsel` run in this process."""

import io
import pathlib
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from PIL import Image

from jaxsel import cli
from tests.verbs.console import NAMES, Run, Said


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Run:
    """Runs `jaxsel WORDS…` in this process, in an empty folder."""
    # The tests' own folder of compiled programs stays the one that is used.
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "xla"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*words: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.main([str(word) for word in words])
        return Said(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Twelve images with awkward names, one file that is no image, and a text."""
    root = tmp_path / "scans"
    rng = np.random.default_rng(0)
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        level = rng.integers(40, 200, 3)
        noise = rng.integers(-40, 40, (10, 12, 3))
        Image.fromarray((level + noise).astype(np.uint8)).save(path)
    (root / "broken.png").write_bytes(b"no image")
    (root / "notes.txt").write_text("not one either")
    return root


@pytest.fixture
def matrix(tmp_path: pathlib.Path) -> pathlib.Path:
    """30 rows of 6 features in an `.npy`."""
    file = tmp_path / "rows.npy"
    np.save(file, np.random.default_rng(1).normal(size=(30, 6)).astype(np.float32))
    return file
