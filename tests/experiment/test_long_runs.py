"""A training that is killed between two parts ends in the same bits."""

import json
import pathlib
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict
from tiny_study import tiny, without_seconds

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment import long_runs
from jaxsel.experiment import run as job
from jaxsel.experiment.settings import check
from jaxsel.training import FRAMEWORKS, SimMatch, Task

SMALL = dict(
    depth=10, widen=1, iterations=6, eval_every=2, labelled_batch=3,
    unlabelled_ratio=2,
)  # fmt: skip


class Killed(BaseException):
    """Ends the run where it stands, as a kill would."""


@pytest.mark.slow
def test_a_killed_run_resumes_bit_for_bit(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SimMatch(
        **SMALL, pad=1, mean=(0.5,), std=(0.5,), first_steps=1, projection=4
    )
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    classes = np.arange(30, dtype=np.int32) % 3
    task = Task(*map(jnp.asarray, (images[:20], classes[:20], images, classes)))
    learner = FRAMEWORKS["simmatch"].learner(settings, 3)
    runs = long_runs.LongRuns(learner, settings, 3, tmp_path)
    key, labelled = jax.random.key(5), np.array([3, 4, 8, 11])
    undisturbed = runs.train(key, labelled, task, "undisturbed")

    said: list[str] = []

    def kill_at_step_four(form: str, *words: object) -> None:
        said.append(form % words)
        if "step 4 of" in said[-1]:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(long_runs, "_SECONDS_BETWEEN_SAVES", 0.0)
        patch.setattr(long_runs, "logging", SimpleNamespace(info=kill_at_step_four))
        with pytest.raises(Killed):
            runs.train(key, labelled, task, "killed")
    with monkeypatch.context() as patch:
        listen = SimpleNamespace(info=lambda form, *words: said.append(form % words))
        patch.setattr(long_runs, "logging", listen)
        resumed = runs.train(key, labelled, task, "killed")
    steps = [line.split(": ")[-1].split(",")[0] for line in said]
    assert steps == [
        "step 2 of 6",
        "step 4 of 6",
        "killed goes on at step 2",
        "step 4 of 6",
        "step 6 of 6",
    ]
    chex.assert_trees_all_equal(resumed[0], undisturbed[0])
    assert np.isfinite(resumed[0].final_train_loss)

    runs.forget("killed")
    assert [path.name for path in tmp_path.iterdir()] == ["undisturbed"]
    fresh = runs.train(key, labelled, task, "killed")
    chex.assert_trees_all_equal(fresh[0], undisturbed[0])
    other = runs.train(jax.random.key(6), labelled, task, "other")
    assert other[0].final_train_loss != fresh[0].final_train_loss


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_a_study_with_flexmatch(tmp_path: pathlib.Path) -> None:
    config = tiny(frameworks=("flexmatch",), budgets=(10,), seeds=(0,))
    config.flexmatch.update(SMALL)
    job.run(config, tmp_path)
    rows = read_results(tmp_path / "results.csv")
    assert {(row.framework, row.method) for row in rows} == {
        ("flexmatch", "random"),
        ("flexmatch", "norm"),
    }
    for line in (tmp_path / "runs.jsonl").read_text().splitlines():
        entry = json.loads(line)
        assert entry["best_accuracy"] >= entry["accuracy"] > 0
    assert not list((tmp_path / "checkpoints").iterdir())


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_a_process_killed_within_a_run_resumes_to_the_same_numbers(
    tmp_path: pathlib.Path,
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    code = (
        "import sys, pathlib; sys.path[:0] = sys.argv[2:]\n"
        "from test_long_runs import long_runs, job, long_study\n"
        "long_runs._SECONDS_BETWEEN_SAVES = 0.0\n"
        "job.run(long_study(), pathlib.Path(sys.argv[1]))"
    )
    here = pathlib.Path(__file__).resolve().parent
    paths = (here.parents[1], here.parent, here)
    process = subprocess.Popen([sys.executable, "-c", code, killed, *paths])
    deadline = time.monotonic() + 240
    while not any(path.name.isdigit() for path in killed.glob("checkpoints/*/*")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "runs.jsonl").exists(), "it was killed within the run"
    for workdir in (killed, whole):
        job.run(long_study(), workdir)
    assert without_seconds(killed) == without_seconds(whole)
    losses = [
        json.loads((workdir / "runs.jsonl").read_text())["loss"]
        for workdir in (killed, whole)
    ]
    assert losses[0] == losses[1]


def long_study() -> ConfigDict:
    """One run of FlexMatch that takes seconds, in fifty parts."""
    config = tiny(
        frameworks=("flexmatch",), methods=("random",), budgets=(10,), seeds=(0,)
    )
    config.flexmatch.update({**SMALL, "iterations": 1000, "eval_every": 20})
    return config


def test_streamed_images_are_refused_by_the_check() -> None:
    config = tiny(frameworks=("linear_probe", "simmatch"))
    config.data.name = "imagenet2012"
    with pytest.raises(UserError, match=r"imagenet2012, .* found simmatch"):
        check(config)
