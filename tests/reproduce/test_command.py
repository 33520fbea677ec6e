"""`python -m jaxsel.reproduce`: mistakes get one line and code 2."""

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import jax
import pytest
from absl import logging
from small_figures import figure, pixels

from jaxsel.reproduce import catalog
from jaxsel.reproduce.__main__ import main
from jaxsel.reproduce.figure import Figure
from jaxsel.reproduce.kinds import KINDS

KEPT = "jax_compilation_cache_dir"
CHANGED = ("compile_time_secs", "entry_size_bytes")


@pytest.fixture(autouse=True)
def settings_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """JAX's and absl's settings and the path stay as other tests have them."""
    monkeypatch.setenv(KEPT.upper(), getattr(jax.config, KEPT))
    monkeypatch.setattr(sys, "path", [*sys.path])
    names = [f"jax_persistent_cache_min_{what}" for what in CHANGED]
    before = {name: getattr(jax.config, name) for name in names}
    verbosity = logging.get_verbosity()
    yield
    logging.set_verbosity(verbosity)
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "expected a figure, --list, --page or --redraw, found none"),
        (["fig1"], "a figure among fig2, "),
        (["all", "fig2"], "found 'all'"),
        (["fig2", "fig9"], "found 'fig9'"),
        (["fig2", "--data", "mnist"], "--data to be one of digits, cifar10"),
        (["fig2", "--data", "imagenet"], "ImageNet needs --scale gpu or paper"),
        (["tab2", "--data", "digits,cifar10"], "expected one data set"),
        (["speed", "--data", "digits,digits"], "found digits more than once"),
        (["--page", "PAGE"], "found none: draw some first"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    words: list[str],
    message: str,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [str(tmp_path / "docs") if word == "PAGE" else word for word in words]
    code = main([*words, "--workdir", str(tmp_path / "work")])
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith("jaxsel.reproduce: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_scale_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["fig2", "--scale", "laptop"])
    assert stopped.value.code == 2
    assert "cpu" in capsys.readouterr().err


def test_a_figure_is_drawn_and_collected_by_one_command(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = []

    def load(name: str, scale: str, data: tuple[str, ...], **given: str) -> Figure:
        asked.append((name, scale, data, given))
        return figure("norms", pixels())._replace(id="fig5cd")

    monkeypatch.setattr(catalog, "load", load)
    words = ["fig5cd", "--data", "digits,cifar10", "--dino", "file"]
    words += ["--workdir", str(tmp_path / "work"), "--page", str(tmp_path / "docs")]
    assert main([*words, "--note", "Of the data."]) == 0
    assert asked == [
        ("fig5cd", "cpu", ("digits", "cifar10"), {"dino": "file", "inception": ""})
    ]
    captured = capsys.readouterr()
    folder = tmp_path / "work/figures/fig5cd"
    assert (folder / "text.md").read_text() in captured.out
    assert f"fig5cd is in {folder}/" in captured.out
    assert captured.err.startswith("fig5cd: A figure\n")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["scale"] == "cpu" and manifest["seconds"] >= 0
    assert (tmp_path / "docs/paper/fig5cd/fig5cd.png").exists()
    assert "Of the data." in (tmp_path / "docs/paper.md").read_text()
    # Another scale would mix two things in a folder; it is refused before it is run.
    monkeypatch.setitem(KINDS, "norms", None)
    assert main([*words, "--scale", "gpu"]) == 2
    assert "found it at scale cpu" in capsys.readouterr().err


def test_stopping_says_how_to_go_on(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: object, **__: object) -> Figure:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalog, "load", stop)
    assert main(["fig2", "--workdir", str(tmp_path)]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_elsewhere_the_configs_are_missed_in_one_line(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jaxsel.reproduce", "fig2"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "expected the folder configs/ beside the working directory" in done.stderr
    assert done.stderr.count("\n") == 1
