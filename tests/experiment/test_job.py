"""The main job: the files it leaves, and what a second start does."""

import csv
import json
import pathlib
import shutil

import pytest
from tiny_study import tiny, without_seconds

from jaxsel.errors import UserError
from jaxsel.evaluation.picks import read_picks
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment import run as job
from jaxsel.experiment import workdir as folders
from jaxsel.experiment.calls import Trainers

FILES = {
    "manifest.json",
    "selections.csv",
    "results.csv",
    "summary.md",
    "accuracy.png",
    "report.html",
}


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when a training program is asked for."""

    def refuse(*_: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(Trainers, "train", refuse)


@pytest.fixture
def copy(study: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(study, tmp_path / "copy"))


def contents(workdir: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in workdir.iterdir()}


def test_the_workdir_holds_what_it_promises(study: pathlib.Path) -> None:
    assert {path.name for path in study.iterdir()} >= FILES
    assert (study / "accuracy.png").read_bytes().startswith(b"\x89PNG")
    page = (study / "report.html").read_text()
    assert "data:image/" in page
    assert 'src="http' not in page
    assert "norm against random" in (study / "summary.md").read_text()


def test_the_columns_are_a_contract(study: pathlib.Path) -> None:
    with (study / "selections.csv").open(newline="") as stream:
        header = next(csv.reader(stream))
    assert header == "method,budget,seed,rank,index,id,label".split(",")
    with (study / "results.csv").open(newline="") as stream:
        header = next(csv.reader(stream))
    assert header == (
        "dataset,features,framework,method,budget,seed,accuracy,distinct_classes,"
        "select_seconds,train_seconds"
    ).split(",")


def test_every_run_of_the_grid_has_its_row_and_its_picks(study: pathlib.Path) -> None:
    rows = read_results(study / "results.csv")
    picks = read_picks(study / "selections.csv")
    assert {(r.framework, r.method, r.budget, r.seed) for r in rows} == {
        (f, m, b, 0)
        for f in ("supervised", "linear_probe")
        for m in ("random", "norm")
        for b in (10, 20)
    }
    assert {(r.dataset, r.features) for r in rows} == {("digits", "rgb")}
    for row in rows:
        chosen = [p for p in picks if p[:3] == (row.method, row.budget, row.seed)]
        assert [p.rank for p in chosen] == list(range(row.budget))
        assert len({p.label for p in chosen}) == row.distinct_classes


def test_the_manifest_says_what_ran_on_what(study: pathlib.Path) -> None:
    manifest = json.loads((study / "manifest.json").read_text())
    (start,) = manifest["starts"]
    assert {"python", "jax", "flax", "numpy", "jaxsel"} <= set(start["versions"])
    assert start["devices"][0].startswith("cpu:0")
    assert "commit" in start
    assert start["seconds"] > 0
    assert manifest["config"]["linear_probe"]["epochs"] == 3
    assert manifest["features"]["shape"] == [1297, 192]
    assert len(manifest["features"]["sha256"]) == 64


@pytest.mark.usefixtures("no_training", "no_report")
def test_a_second_start_redoes_nothing(copy: pathlib.Path) -> None:
    before = contents(copy)
    frameworks = ("supervised", "linear_probe")
    job.run(tiny(frameworks=frameworks, seeds=(0,)), copy)
    after = contents(copy)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"manifest.json"}, "only this start is noted"
    assert len(json.loads(after["manifest.json"])["starts"]) == 2


@pytest.mark.usefixtures("no_report")
def test_more_methods_budgets_and_seeds_extend_the_study(
    undisturbed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    workdir = tmp_path / "grown"
    job.run(tiny(methods=("random",), budgets=(10,), seeds=(0,)), workdir)
    first = (workdir / "results.csv").read_bytes()
    job.run(tiny(methods=("norm",), budgets=(20,), seeds=(1,)), workdir)
    second = (workdir / "results.csv").read_bytes()
    assert second.startswith(first)
    assert len(without_seconds(workdir)) == 1 + 2, "its own grid, no other run"
    job.run(tiny(methods=("norm", "random"), budgets=(20, 10), seeds=(1, 0)), workdir)
    assert (workdir / "results.csv").read_bytes().startswith(second)
    assert sorted(without_seconds(workdir)) == sorted(without_seconds(undisturbed))
    study = json.loads((workdir / "manifest.json").read_text())["study"]
    assert study["methods"] == ["random", "norm"]
    assert (study["budgets"], study["seeds"]) == ([10, 20], [0, 1])


@pytest.mark.parametrize(
    "section, field, value",
    [
        ("features", "encoder", "random_resnet18"),
        ("data", "holdout", 0.2),
        ("linear_probe", "epochs", 4),
    ],
)
@pytest.mark.usefixtures("no_training")
def test_another_study_is_refused_before_compute_and_nothing_changes(
    copy: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    section: str,
    field: str,
    value: object,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("data were read before the refusal")

    monkeypatch.setattr(job, "read_inputs", refuse)
    before = contents(copy)
    config = tiny()
    config[section][field] = value
    with pytest.raises(UserError, match=rf"expected .*{field} = .*nothing was changed"):
        job.run(config, copy)
    assert contents(copy) == before


@pytest.mark.usefixtures("no_report")
def test_an_initial_pool_is_never_picked_again(tmp_path: pathlib.Path) -> None:
    job.run(tiny(initial_pool=5, seeds=(0,)), tmp_path)
    picks = read_picks(tmp_path / "selections.csv")
    pools = set()
    for run in {p[:3] for p in picks}:
        chosen = [p for p in picks if p[:3] == run]
        assert [p.rank for p in chosen] == list(range(-5, run[1] - 5))
        assert len({p.index for p in chosen}) == run[1]
        pools.add(tuple(p.index for p in chosen[:5]))
    assert len(pools) == 1, "all methods of a seed begin with the same labels"


def test_two_processes_never_share_a_workdir(tmp_path: pathlib.Path) -> None:
    with folders.opened(tmp_path), pytest.raises(UserError, match="another process"):
        job.run(tiny(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    with folders.opened(tmp_path):
        pass


def test_a_mistake_found_in_the_data_leaves_no_workdir(tmp_path: pathlib.Path) -> None:
    with pytest.raises(
        UserError, match=r"up to the pool's 1167 examples .* found 2000"
    ):
        job.run(tiny(budgets=(10, 2000)), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_results_without_a_manifest_are_not_overwritten(tmp_path: pathlib.Path) -> None:
    (tmp_path / "results.csv").write_text("mine\n")
    with pytest.raises(UserError, match=r"expected manifest\.json beside results\.csv"):
        job.run(tiny(), tmp_path)
    assert (tmp_path / "results.csv").read_text() == "mine\n"
