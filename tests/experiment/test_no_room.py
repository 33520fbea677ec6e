"""A study on a disk that fills up ends in one line, and goes on where there is room."""

import errno
import os
import pathlib

import pytest
from tiny_study import tiny, without_seconds

from jaxsel import files
from jaxsel.experiment import run as job
from jaxsel.full_disk import DiskFull


@pytest.mark.parametrize("writes", [0, 3, 8])
@pytest.mark.usefixtures("no_report")
def test_a_study_goes_on_once_there_is_room(
    undisturbed: pathlib.Path, tmp_path: pathlib.Path, writes: int
) -> None:
    left, fsync = iter(range(writes)), os.fsync

    def full(handle: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(DiskFull, match=r"No space left on device.*make room"):
            job.run(tiny(), tmp_path)
    job.run(tiny(), tmp_path)
    assert without_seconds(tmp_path) == without_seconds(undisturbed)
