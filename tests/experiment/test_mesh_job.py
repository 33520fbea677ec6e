"""A study on several devices, and on two processes, ends like that on one device."""

import pathlib

import jax
import pytest
from mesh_job import study
from processes import alone, together
from tiny_study import tiny, without_seconds

from jaxsel.errors import UserError
from jaxsel.experiment.devices import mesh_of_pool, mesh_of_replicates
from jaxsel.experiment.run import run
from jaxsel.experiment.settings import check

JOB = str(pathlib.Path(__file__).with_name("mesh_job.py"))


@pytest.fixture(scope="module")
def on_one(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    workdir = tmp_path_factory.mktemp("one") / "study"
    run(study(), workdir)
    return without_seconds(workdir)


@pytest.mark.slow
def test_several_devices_end_with_the_same_table(
    on_one: list[str], tmp_path: pathlib.Path
) -> None:
    assert alone([JOB, str(tmp_path / "study")])[-1] == "8 1"
    assert without_seconds(tmp_path / "study") == on_one


@pytest.mark.slow
def test_two_processes_end_with_the_same_table_and_go_on(
    on_one: list[str], tmp_path: pathlib.Path
) -> None:
    workdir = tmp_path / "study"
    assert [said[-1] for said in together([JOB, str(workdir)])] == ["4 2", "4 2"]
    assert without_seconds(workdir) == on_one
    # Killed before the last rows: the second process learns what there is to do.
    for name in ("runs.jsonl", "results.csv"):
        lines = (workdir / name).read_text().splitlines(keepends=True)
        (workdir / name).write_text("".join(lines[:3]))
    together([JOB, str(workdir)])
    assert sorted(without_seconds(workdir)) == sorted(on_one)


def test_one_device_has_no_mesh() -> None:
    assert jax.device_count() == 1
    for resolved in ({}, {"mesh": {"pool": 0, "replicates": 1}}):
        assert mesh_of_pool(resolved) is None
        assert mesh_of_replicates(resolved) is None


@pytest.mark.parametrize("field", ["pool", "replicates"])
@pytest.mark.parametrize("wanted", [-1, 2, True, 0.5])
def test_devices_that_are_not_there_are_refused(field: str, wanted: float) -> None:
    config = tiny()
    with config.ignore_type():
        config.mesh[field] = wanted
    with pytest.raises(UserError, match=rf"config\.mesh\.{field} .*found {wanted}"):
        check(config)
