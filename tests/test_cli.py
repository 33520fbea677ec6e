"""The command line: mistakes get one line and code 2, and nothing is made or lost."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from absl import logging

from jaxsel import cli
from jaxsel.experiment import run as job

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The reader of configs still loads them the old way.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
SMOKE = str(ROOT / "configs" / "digits.py:smoke")


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    """Keeps JAX's and absl's settings as other tests have them."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "xla"))
    verbosity = logging.get_verbosity()
    yield
    logging.set_verbosity(verbosity)


def feature_file(folder: pathlib.Path, kind: str) -> str:
    folder.mkdir()
    path = folder / "features.npz"
    ids = [f"other{i}" for i in range(1297)]
    rows = np.ones((1297, 4), np.float32)
    if kind == "nan":
        rows[7, 2] = np.nan
        np.save(folder / "features.npy", rows)
        return str(folder / "features.npy")
    np.savez(path, features=rows, ids=np.array(ids))
    return str(path)


MISTAKES = [
    (["--config.sedes=(0,)"], 'Did you mean "seeds"'),
    (["--config.data.holdout=much"], "data.holdout"),
    (["--config.methods=('best',)"], "random, norm, gram_schmidt"),
    (["--config.budgets=0"], "from 1, found 0"),
    (["--config.budgets=(10,1168)"], "the pool's 1167 examples"),
    (["--config.data.name=mnist"], "cifar10"),
    (["--config.seeds=a,b"], "config.seeds"),
    (["--nope=1"], "'nope'"),
    (["word"], "only --config and --workdir, found word"),
    (["--config", "configs/digits.py:tiny"], ":quick, :smoke or nothing"),
    (["--config", "configs/nothing.py"], "configs/nothing.py, found none"),
    (["--config.features.encoder=file"], "no path"),
]


@pytest.mark.parametrize("words, message", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    workdir = tmp_path / "work"
    code = cli.main(["run", "--config", SMOKE, "--workdir", str(workdir), *words])
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith("jaxsel: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not workdir.exists()


@pytest.mark.parametrize(
    "kind, message", [("nan", "NaN or inf in 1 rows"), ("ids", "none for 1297 of 1297")]
)
def test_a_feature_file_that_does_not_fit(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    message: str,
) -> None:
    path = feature_file(tmp_path / "features", kind)
    words = ["--config.features.encoder=file", f"--config.features.path={path}"]
    workdir = tmp_path / "work"
    code = cli.main(["run", "--config", SMOKE, "--workdir", str(workdir), *words])
    captured = capsys.readouterr()
    assert (code, captured.err.count("\n")) == (2, 1)
    assert message in captured.err
    assert not workdir.exists()


def test_a_workdir_that_cannot_be_written(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    words = ["--workdir", str(tmp_path / "file" / "work")]
    assert cli.main(["run", "--config", SMOKE, *words]) == 2
    error = capsys.readouterr().err
    assert "expected a folder that can be written" in error
    assert error.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_no_config_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run"]) == 2
    assert "expected --config" in capsys.readouterr().err


def test_fields_can_be_set_and_no_value_outlives_its_command(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = []

    def remember(config, workdir) -> str:
        seen.append((config.seeds, config.methods, config.budgets, str(workdir)))
        return "the summary"

    monkeypatch.setattr(job, "run", remember)
    words = ["--config.seeds=(0,1)", "--config.methods=('random',)"]
    words += ["--config.budgets=10", "--workdir", str(tmp_path)]
    assert cli.main(["run", "--config", SMOKE, *words]) == 0
    assert cli.main(["run", "--config", SMOKE, "--config.seeds=(4,)"]) == 0
    assert seen == [
        ((0, 1), ("random",), (10,), str(tmp_path)),
        ((4,), ("random", "norm", "gram_schmidt"), (10, 20), "runs/digits-smoke"),
    ]
    captured = capsys.readouterr()
    assert captured.out.startswith("the summary\n")
    assert f"{tmp_path}/report.html" in captured.out
    assert captured.err == ""


def test_a_stop_by_hand_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "run", stop)
    assert cli.main(["run", "--config", SMOKE]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_the_verbs(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main(words) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("usage: jaxsel VERB")
    assert {"run", "features", "prepare"} <= set(captured.out.split())


def test_help_of_run_names_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--help"]) == 0
    output = capsys.readouterr().out
    for flag in ("--config", "--workdir", "--[no]verbose", "--config.seeds"):
        assert flag in output


def test_an_unknown_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rnu"]) == 2
    assert "run, features, prepare; found 'rnu'" in capsys.readouterr().err


def test_the_module_itself_exits_with_the_code(tmp_path: pathlib.Path) -> None:
    words = ["--config", SMOKE, "--config.sedes=1", "--workdir", str(tmp_path / "w")]
    done = subprocess.run(
        [sys.executable, "-m", "jaxsel.main", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert 'Did you mean "seeds"' in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_config_finds_its_neighbours_from_any_folder(tmp_path: pathlib.Path) -> None:
    words = ["run", "--config", f"{ROOT / 'configs' / 'digits.py'}:quik"]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from jaxsel.cli import main; sys.exit(main(sys.argv[1:]))",
            *words,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "found ':quik'" in done.stderr
