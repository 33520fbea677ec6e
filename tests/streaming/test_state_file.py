"""The file of a checkpoint belongs to its selection, whatever folder it lies in."""

import pathlib
import shutil

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.streaming.checkpoint import Checkpoint


def saved(folder: pathlib.Path, seed: int) -> Checkpoint:
    folder.mkdir()
    kept = Checkpoint(folder, {"pool": "p0", "seed": seed})
    kept.save({"rows": np.arange(3) + seed}, np.array([seed], np.uint64))
    return kept


def test_a_state_comes_back_and_one_of_another_selection_does_not(
    tmp_path: pathlib.Path,
) -> None:
    mine, other = saved(tmp_path / "mine", 1), saved(tmp_path / "other", 2)
    found = other.load()
    assert found is not None and found.state["rows"].tolist() == [2, 3, 4]
    assert found.hashes.tolist() == [2]
    # Copied by hand beside the right identity.json.
    shutil.copyfile(tmp_path / "other/state.npz", tmp_path / "mine/state.npz")
    with pytest.raises(UserError, match="found another's"):
        mine.load()
