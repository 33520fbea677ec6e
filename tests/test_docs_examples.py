"""The scripts under docs/examples run as they are shown and say what they should."""

import os
import pathlib
import re
import subprocess
import sys

import jax
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture
def said(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """What a script prints in a process of its own."""
    surroundings = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path),
        "JAXSEL_CACHE": str(tmp_path / "cache"),
        "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    }
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "examples" / request.param],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=surroundings,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("said", ["from_features.py"], indirect=True)
def test_from_features(said: str) -> None:
    assert "1,797 rows of 64 features" in said
    assert "\nnote: 3 columns of 64 hold one number throughout" in said
    assert "\n  rank,id,path,index,gain,represents,label\n  1,digit-" in said
    found = re.search(r"([\d.]+) % of typiclust's, ([\d.]+) % \(", said)
    assert found and float(found[1]) > float(found[2]) > 10


@pytest.mark.parametrize("said", ["from_images.py"], indirect=True)
def test_from_images(said: str) -> None:
    assert said.startswith("500 images; left out: Unreadable(id='box-0/torn.png'")
    assert "\n1,280 features an image\n" in said
    assert "\n30 tasks for Label Studio, the first: https://host/scans/box-" in said
    assert "\n28 labels came back; unusable: ['box-" in said
    assert len(re.findall(r"box-\d/\d{4}\.png", said.split("in their place")[1])) == 2
    assert "\n50 in all: 30 kept, 20 more; " in said
