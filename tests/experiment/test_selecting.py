"""The selection stage: nothing is selected twice."""

import pathlib
from typing import Any

import pytest
from tiny_study import tiny, without_seconds

from jaxsel.experiment import run as job
from jaxsel.experiment import selecting
from jaxsel.selection.api import select


@pytest.mark.slow
def test_two_stage_methods_share_what_the_first_stage_proposes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = ("probcover+norm", "typiclust+norm", "typiclust+random")
    budgets = (10, 20)
    asked = []

    def watched(features: Any, size: int, method: str, **options: Any) -> Any:
        asked.append((method, size, "candidates" in options))
        return select(features, size, method, **options)

    monkeypatch.setattr(selecting, "select", watched)
    monkeypatch.setattr(job, "_train", lambda *_: None)
    job.complete(tiny(methods=labels, budgets=budgets, seeds=(0,)), tmp_path)
    assert [call[:2] for call in asked if not call[2]] == [
        ("probcover+norm", 20),
        ("typiclust+norm", 20),
        ("typiclust+norm", 10),  # Its clusters depend on the budget.
    ]
    del asked[:]
    job.complete(
        tiny(methods=("probcover+random",), budgets=(10,), seeds=(0,)), tmp_path
    )
    assert asked == [("probcover+random", 10, True)], "the journal holds proposals"


def test_proposals_of_another_budget_are_not_taken_for_this_one(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_train", lambda *_: None)
    job.complete(tiny(methods=("typiclust+norm",), budgets=(20,), seeds=(0,)), tmp_path)
    # At 20 labels the clusters are known by now, at 10 they are not.
    grid = {"methods": ("typiclust+gs",), "budgets": (10, 20), "seeds": (0,)}
    shared = job.complete(tiny(**grid), tmp_path).picked
    alone = job.complete(tiny(**grid), tmp_path / "alone").picked
    for budget in (10, 20):
        key = ("typiclust+gs", budget, 0)
        assert shared[key]["indices"] == alone[key]["indices"]


def test_a_part_is_completed_without_what_other_starts_left(
    tmp_path: pathlib.Path,
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "train_all", stop)
        with pytest.raises(KeyboardInterrupt):
            job.complete(tiny(methods=("random",), seeds=(0, 1)), tmp_path)
    job.complete(tiny(methods=("norm",), budgets=(10,), seeds=(3,)), tmp_path)
    lines = without_seconds(tmp_path)
    assert [line.split(",")[3:6] for line in lines[1:]] == [["norm", "10", "3"]]
    job.run(tiny(methods=("norm",), budgets=(10,), seeds=(3,)), tmp_path)
    assert len(without_seconds(tmp_path)) == 1 + 1 + 4, "the main job does all of it"
