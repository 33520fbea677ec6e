"""`jaxsel features`: the stage alone, found by a study, and given by hand."""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from absl import logging
from tiny_study import tiny, without_seconds

from jaxsel import cli
from jaxsel.experiment import run as job
from jaxsel.experiment.featuring import make_features
from jaxsel.features import extract as extraction

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The reader of configs still loads them the old way.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
WORDS = ["features", "--config", str(ROOT / "configs" / "digits.py:smoke")]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    """A feature cache of one's own; JAX's and absl's settings are left as they are."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "xla"))
    monkeypatch.setenv("JAXSEL_CACHE", str(tmp_path / "cache"))
    verbosity = logging.get_verbosity()
    yield
    logging.set_verbosity(verbosity)


def test_both_splits_are_stored_and_their_folders_can_be_given_back(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [*WORDS, "--config.features.encoder=rgb", "--config.features.dtype=float16"]
    assert cli.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("train: 1,297 rows of 192 by rgb; norms ")
    assert lines[2].startswith("test: 500 rows of 192 by rgb; norms ")
    folders = [pathlib.Path(line.strip()) for line in lines[1::2]]
    for folder, n in zip(folders, (1297, 500), strict=True):
        assert folder.parent == tmp_path / "cache" / "features"
        stored = np.load(folder / "features.npy", mmap_mode="r")
        assert (stored.shape, stored.dtype) == ((n, 192), np.float16)

    def never(*_: object) -> np.ndarray:
        raise AssertionError("the features are stored already")

    monkeypatch.setattr(extraction, "extract", never)
    assert cli.main(words) == 0
    assert capsys.readouterr().out.splitlines() == lines

    own = [*WORDS, "--config.features.encoder=file"]
    given = [f"--config.features.path={folders[0]}"]
    given += [f"--config.features.test_path={folders[1]}"]
    assert cli.main([*own, *given]) == 0
    again = capsys.readouterr().out.splitlines()
    assert again == [line.replace(" rgb;", " file;") for line in lines]
    # The test images' features are not the training images'.
    assert cli.main([*own, given[0], f"--config.features.test_path={folders[0]}"]) == 2
    error = capsys.readouterr().err
    assert "expected features of split test" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("kind", ["parquet", "folder"])
def test_ones_own_features_make_the_study_that_an_encoder_makes(
    tmp_path: pathlib.Path, undisturbed: pathlib.Path, no_report: None, kind: str
) -> None:
    folders = [
        pathlib.Path(line.strip()) for line in make_features(tiny()).splitlines()[1::2]
    ]
    paths = []
    for folder in folders:
        if kind == "folder":
            paths.append(str(folder))
            continue
        ids, rows = np.load(folder / "ids.npy"), np.load(folder / "features.npy")
        mixed = np.random.default_rng(0).permutation(len(ids))
        table = {"id": ids[mixed].tolist(), "embedding": rows[mixed].tolist()}
        paths.append(str(tmp_path / f"{len(paths)}.parquet"))
        pq.write_table(pa.table(table), paths[-1])
    config = tiny()
    config.features.encoder = "file"
    config.features.path, config.features.test_path = paths
    job.run(config, tmp_path / "work")
    own = [row.replace(",file,", ",rgb,") for row in without_seconds(tmp_path / "work")]
    assert own == without_seconds(undisturbed)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config.features.dtype=float8"], "float32, float16, bfloat16, found"),
        (
            [
                "--config.features.encoder=dino_vits16",
                "--config.features.weights=no/such.safetensors",
            ],
            "found neither at no/such.safetensors",
        ),
        (
            ["--config.features.encoder=dino_vits16"],
            "expected the weights facebook/dino-vits16, found none at ",
        ),
    ],
)
def test_a_mistake_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    assert cli.main([*WORDS, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
