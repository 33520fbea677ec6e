"""A disk without room: one line that names the file, and nothing half-written."""

import errno
import io
import os
import pathlib
import resource

import numpy as np
import pytest

from jaxsel import files
from jaxsel import main as main_module
from jaxsel.errors import UserError
from jaxsel.features import store
from jaxsel.full_disk import DiskFull, is_full, named_if_full


@pytest.fixture
def little_room():
    """No file may grow beyond 2,000 bytes, as on a disk that is nearly full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


ROWS = np.ones((500, 4), np.float32)


def write_array(folder: pathlib.Path) -> None:
    # NumPy counts what it wrote, and says nothing of the reason.
    with files.replacing(folder / "rows.npy") as part, part.open("wb") as stream:
        np.save(stream, ROWS)


def write_archive(folder: pathlib.Path) -> None:
    with files.replacing(folder / "rows.npz") as part, part.open("wb") as stream:
        np.savez(stream, rows=ROWS)


def write_parquet(folder: pathlib.Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with files.replacing(folder / "rows.parquet") as part:
        pq.write_table(pa.table({"a": np.random.default_rng(0).random(999)}), part)


def write_features(folder: pathlib.Path) -> None:
    identity = {"dataset": "toy", "split": "train", "encoder": "mine"}
    ids, sha256 = np.arange(500).astype(str), store.sha256_of_rows(ROWS)
    store.save(folder, store.Features(ROWS, ids, sha256, identity))


WRITERS = {
    "text": lambda folder: files.write_text(folder / "a.txt", "x" * 9_000),
    "json": lambda folder: files.write_json(folder / "a.json", ["x" * 9_000]),
    "array": write_array,
    "archive": write_archive,
    "parquet": write_parquet,
    "features": write_features,
}


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_says_so_and_leaves_nothing(name, tmp_path) -> None:
    with pytest.raises(DiskFull, match=f"{tmp_path}.*make room") as refused:
        WRITERS[name](tmp_path)
    assert "\n" not in str(refused.value) and isinstance(refused.value, OSError)
    assert isinstance(refused.value, UserError)
    assert list(tmp_path.iterdir()) == []


def test_a_journal_goes_on_after_a_line_without_room(tmp_path, little_room) -> None:
    path = tmp_path / "runs.jsonl"
    files.append_lines(path, "whole\n")
    with pytest.raises(DiskFull, match=r"runs\.jsonl"):
        files.append_lines(path, "x" * 9_000 + "\n")
    assert path.stat().st_size == 2_000  # a part of the line
    files.append_lines(path, "next\n")
    assert path.read_text() == "whole\nnext\n"


def test_only_a_full_disk_is_taken_for_one() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    wrapped = RuntimeError("the writer failed")
    wrapped.__cause__ = full
    foreign = ValueError("RESOURCE_EXHAUSTED: Failed: No space left on device [28]")
    for error in (full, wrapped, foreign, OSError("100 requested and 64 written")):
        assert is_full(error)
    others = (
        FileNotFoundError(errno.ENOENT, "No such file"),
        ValueError("RESOURCE_EXHAUSTED: out of memory allocating 8 bytes"),
        UserError("found a note that says: No space left on device"),
    )
    for error in others:
        assert not is_full(error)
        with pytest.raises(type(error)) as same, named_if_full("x"):
            raise error
        assert same.value is error


@pytest.mark.parametrize("error", [DiskFull("runs/a", OSError()), OSError(28, "a\nb")])
def test_the_job_ends_with_one_line(error, monkeypatch, capsys) -> None:
    def fail(*_):
        raise error

    monkeypatch.setattr(main_module, "_run", fail)
    assert main_module.main(["--config", "configs/digits.py"]) == 2
    said = io.StringIO(capsys.readouterr().err).readlines()
    assert len(said) == 1 and said[0].startswith("jaxsel: ")
