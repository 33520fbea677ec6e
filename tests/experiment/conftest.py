"""One small study for all tests of the job."""

import pathlib

import pytest
from tiny_study import tiny

from jaxsel.experiment import run as job


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The workdir of a finished study with both frameworks."""
    workdir = tmp_path_factory.mktemp("study")
    job.run(tiny(frameworks=("supervised", "linear_probe"), seeds=(0,)), workdir)
    return workdir


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The workdir of the study that others are killed in."""
    workdir = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "write_report", lambda *_: "")
        job.run(tiny(), workdir)
    return workdir


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out pictures where the tables are what is tested."""
    monkeypatch.setattr(job, "write_report", lambda *_: "")
