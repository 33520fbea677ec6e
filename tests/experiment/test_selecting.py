"""The selection stage: nothing is selected twice."""

import pathlib
from typing import Any

import numpy as np
import pytest
from tiny_study import tiny

from jaxsel.experiment import run as job
from jaxsel.experiment import selecting
from jaxsel.selection.api import select


def test_two_stage_methods_share_what_the_first_stage_proposes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = ("probcover+norm", "probcover+gs", "typiclust+norm", "typiclust+random")
    budgets = (10, 20)
    asked = []

    def watched(features: Any, size: int, method: str, **options: Any) -> Any:
        picks = select(features, size, method, **options)
        given = options.pop("candidates", None) is not None
        asked.append((method, size, given))
        alone = select(features, size, method, **options)
        np.testing.assert_array_equal(picks.indices, alone.indices)
        return picks

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
