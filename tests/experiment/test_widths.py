"""How many runs share a call, and what happens when too many did."""

import json
import pathlib
import types
from typing import Any

import jax
import numpy as np
import pytest
from absl import logging
from ml_collections import ConfigDict
from tiny_study import tiny, without_seconds

from jaxsel.errors import UserError
from jaxsel.experiment import run as job
from jaxsel.experiment import training, widths
from jaxsel.experiment.calls import Trainers
from jaxsel.experiment.settings import check
from jaxsel.experiment.widths import Widths, equal_width


def planner(**replicates: Any) -> Widths:
    config = tiny(frameworks=("supervised", "linear_probe", "flexmatch"))
    config.replicates.linear_probe_chunk = 0
    config.replicates.update(ConfigDict(replicates))
    images = np.zeros((1000, 8, 8, 3), np.uint8)
    split = types.SimpleNamespace(images=images)
    rows = types.SimpleNamespace(rows=np.zeros((1000, 64), np.float32))
    inputs: Any = types.SimpleNamespace(
        train=split, test=split, train_features=rows, test_features=rows, n_classes=10
    )
    return Widths(check(config), inputs)


def test_a_number_in_the_config_is_taken_as_it_is() -> None:
    assert planner(linear_probe_chunk=5).of("linear_probe", 10, 126) == (5, 1)
    side_by_side = planner(linear_probe_chunk=5, mode="vmap")
    assert side_by_side.of("linear_probe", 10, 126) == (5, 5)


def test_long_runs_one_after_the_other_have_a_call_each() -> None:
    assert planner(mode="map").of("supervised", 10, 126) == (1, 1)
    # But for those that take no second: 126 of them are one call.
    assert planner(mode="map").of("linear_probe", 10, 126) == (126, 1)
    assert planner(mode="vmap").of("flexmatch", 10, 126) == (1, 1)


def test_runs_on_streamed_images_have_a_call_each() -> None:
    plan = planner(mode="vmap")
    streamed = types.SimpleNamespace(images=None)
    plan = plan._replace(inputs=types.SimpleNamespace(train=streamed))
    assert plan.of("supervised", 10, 126) == (1, 1)


def test_runs_side_by_side_share_calls_of_equal_width() -> None:
    assert planner(mode="vmap").of("linear_probe", 10, 126) == (126, 126)
    assert planner(mode="vmap").of("linear_probe", 10, 200) == (100, 100)
    chunks = planner(mode="chunks", together=16)
    assert chunks.of("linear_probe", 10, 126) == (126, 16)
    assert chunks.of("linear_probe", 10, 5) == (5, 5)


def test_memory_bounds_how_many_go_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = planner(mode="vmap")
    run = plan.run_bytes("supervised", 10)
    monkeypatch.setattr(widths, "free_bytes", lambda: 10 * run)
    width, together = plan.of("supervised", 10, 100)
    assert width == together
    assert 3 <= width <= 7
    chunks = planner(mode="chunks", together=16).of("supervised", 10, 100)
    assert chunks[0] == 100
    assert 3 <= chunks[1] <= 7
    monkeypatch.setattr(widths, "free_bytes", lambda: 0)
    assert plan.of("supervised", 10, 100) == (1, 1)


def test_free_memory_is_the_devices_where_it_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = widths.free_bytes()
    assert 2**27 < host < 2**45
    stats = {"bytes_limit": 1000, "bytes_in_use": 300}
    device = types.SimpleNamespace(memory_stats=lambda: stats)
    monkeypatch.setattr(jax, "local_devices", lambda: [device])
    assert widths.free_bytes() == 700


def test_a_batch_of_its_own_counts_as_long_as_it_is() -> None:
    plan = planner()
    assert plan.run_bytes("supervised", 400) > 2 * plan.run_bytes("supervised", 100)


@pytest.mark.parametrize(("count", "most", "want"), [(7, 7, 7), (7, 3, 3), (8, 3, 3)])
def test_equal_width(count: int, most: int, want: int) -> None:
    assert equal_width(count, most) == want


@pytest.fixture
def short_of_memory(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device on which two runs side by side fail; what it was asked for."""
    asked: list[int] = []
    call = Trainers._call

    def limited(self: Any, framework: str, together: int, *rest: Any) -> Any:
        asked.append(together)
        if together > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return call(self, framework, together, *rest)

    monkeypatch.setattr(Trainers, "_call", limited)
    return asked


def side_by_side() -> ConfigDict:
    config = tiny()
    config.replicates.mode = "vmap"
    config.replicates.linear_probe_chunk = 4
    return config


@pytest.mark.usefixtures("no_report")
def test_a_call_that_does_not_fit_is_halved_and_the_study_goes_on(
    tmp_path: pathlib.Path,
    short_of_memory: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: said.append(text % a))
    append = training.append_lines

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "append_lines", killed)
    with pytest.raises(KeyboardInterrupt):
        job.run(side_by_side(), tmp_path)
    monkeypatch.setattr(training, "append_lines", append)
    assert short_of_memory == [4, 2, 1]
    job.run(side_by_side(), tmp_path)
    # Killed after the first call; the second one is not tried with more again.
    assert short_of_memory == [4, 2, 1, 1]
    assert len(set(without_seconds(tmp_path))) == 1 + 8
    assert [text for text in said if "memory" in text] == [
        "4 runs of linear_probe side by side do not fit into the device's memory: "
        "going on with 2",
        "2 runs of linear_probe side by side do not fit into the device's memory: "
        "going on with 1",
    ]
    chunks = json.loads((tmp_path / "plan.json").read_text())["chunks"]
    assert [(chunk["width"], chunk["together"]) for chunk in chunks] == [(4, 1)] * 2


@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        (
            "RESOURCE_EXHAUSTED: Out of memory",
            UserError,
            r"a run of linear_probe to fit.*narrower",
        ),
        ("INTERNAL: something else", jax.errors.JaxRuntimeError, "something else"),
    ],
)
def test_what_halving_cannot_mend_ends_the_job(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
    kind: type[Exception],
    message: str,
) -> None:
    def fail(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError(failure)

    monkeypatch.setattr(Trainers, "_call", fail)
    with pytest.raises(kind, match=message):
        job.run(tiny(), tmp_path)
