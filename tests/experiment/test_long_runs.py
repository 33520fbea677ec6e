"""A training that is killed between two parts ends in the same bits."""

import json
import pathlib
from types import SimpleNamespace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_study import tiny

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


def test_streamed_images_are_refused_by_the_check() -> None:
    config = tiny(frameworks=("linear_probe", "simmatch"))
    config.data.name = "imagenet2012"
    with pytest.raises(UserError, match=r"imagenet2012, .* found simmatch"):
        check(config)
