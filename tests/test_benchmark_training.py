"""The training benchmark counts what it times: runs, images, operations, parameters."""

import json
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import flops, training, training_bars, training_tasks, training_worker
from benchmarks.training_cases import Contender, all_cases
from benchmarks.work import measure
from jaxsel.models.resnet import ResNet18

PROBE = {
    "framework": "linear_probe",
    "settings": {"epochs": 30},
    "mode": "auto",
    "lists": 2,
    "budgets": [10, 30],
    "task": {"train": 300, "test": 200, "size": 64, "classes": 4},
}


def resnet_forward(width: int, classes: int, stem: str, lowering: str) -> list[int]:
    """Operations of each product, as the benchmark counts them."""
    network = ResNet18(classes, width, stem, lowering=lowering)
    x = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    params, state = jax.eval_shape(network.start, jax.random.key(0), x)
    return flops.products(network.predict, params, state, x)


@pytest.mark.parametrize(("stem", "side"), [("reference", 16), ("cifar", 32)])
@pytest.mark.parametrize("lowering", ["conv", "matmul"])
def test_operations_of_a_resnet_are_those_counted_by_hand(stem, side, lowering):
    w = 4
    stem_conv = 2 * 32 * 32 * (9 * 3) * w
    first = 4 * side**2 * 9 * w * w  # Four 3×3 convolutions.
    second = (side // 2) ** 2 * (9 * w * 2 * w + 3 * 9 * (2 * w) ** 2 + w * 2 * w)
    third = (side // 4) ** 2 * 4 * (9 * w * 2 * w + 3 * 9 * (2 * w) ** 2 + w * 2 * w)
    fourth = (side // 8) ** 2 * 16 * (9 * w * 2 * w + 3 * 9 * (2 * w) ** 2 + w * 2 * w)
    last = 2 * 8 * w * 7
    forward = resnet_forward(w, 7, stem, lowering)
    expected = stem_conv + 2 * (first + second + third + fourth) + last
    assert sum(forward) == expected
    assert flops.of_training(forward) == 3 * expected - stem_conv


def test_operations_refuse_a_loop():
    with pytest.raises(ValueError, match="without loops, found scan"):
        flops.products(lambda x: jax.lax.map(lambda row: row @ x, x), jnp.eye(3))


def test_a_study_has_the_first_picks_of_each_list():
    found = training_tasks.study(50, lists=3, budgets=[4, 9], padded=12)
    assert found.sizes.tolist() == [4, 9] * 3
    for short, long in zip(found.indices[::2], found.indices[1::2], strict=True):
        np.testing.assert_array_equal(short[:4], long[:4])
        assert len(set(long[:9].tolist())) == 9
    assert not np.array_equal(found.indices[1, :9], found.indices[3, :9])


def test_probes_in_one_call_and_one_at_a_time_agree_and_are_counted():
    whole = measure(training_worker.prepare("replicates", PROBE), 2)
    alone = measure(training_worker.prepare("replicates", {**PROBE, "width": 1}), 1)
    assert len(whole["seconds"]) == 2
    assert len(alone["seconds"]) == 1
    # 4 runs, 30 epochs of one batch of 100; forward and the gradient of the weights.
    product = 2 * 64 * 4
    units = {"runs": 4, "images": 12_000}
    units["flops"] = 12_000 * 2 * product + 4 * 200 * product
    assert whole["units"] == alone["units"] == units
    assert whole["notes"]["parameters"] == 64 * 4 + 4
    assert whole["notes"]["default"]
    bar = training_bars.same_accuracies("whole", "alone", 0.005)
    assert bar({"whole": whole, "alone": alone}, {}).passed
    # Chance is 0.25: the task can be learned, and is not trivial.
    assert 0.35 < whole["scores"]["accuracy"] < 0.99
    figures = training.derived(whole, {"float32": 1.0})
    seconds = float(np.median(whole["seconds"]))
    assert figures["images_per_second"] == pytest.approx(12_000 / seconds)
    assert figures["study_seconds"] == pytest.approx(seconds)
    assert figures["runs_per_hour"] == pytest.approx(4 * 3600 / seconds)
    assert figures["share_of_product"] == pytest.approx(units["flops"] / seconds / 1e9)


def test_a_study_that_takes_too_long_is_cut_and_says_so():
    options = {**PROBE, "width": 1, "limit_seconds": 0.0}
    found = measure(training_worker.prepare("replicates", options), 1)
    assert found["units"]["runs"] == 1
    assert found["notes"]["runs_of_study"] == 4
    expected = 4 * float(np.median(found["seconds"]))
    assert training_bars.study_seconds(found) == pytest.approx(expected)


@pytest.mark.slow
def test_iterations_of_flexmatch_are_counted():
    settings = {"depth": 10, "widen": 1, "labelled_batch": 2, "unlabelled_ratio": 2}
    options = {"settings": settings, "steps": 2, "pool": 20, "labels": 10}
    found = measure(training_worker.prepare("flexmatch", options), 1)
    assert found["units"]["iterations"] == 2
    assert found["units"]["images"] == 2 * (2 + 2 * 4)
    assert np.isfinite(found["scores"]["final_train_loss"])


@pytest.mark.parametrize("stem", ["reference", "cifar"])
def test_the_rival_is_the_same_network(stem):
    torch = pytest.importorskip("torch")
    from benchmarks import torch_resnet

    torch.set_num_threads(1)
    options = {"width": 4, "stem": stem, "batch": 2, "steps": 1}
    work = torch_resnet.prepare(**options)
    network = ResNet18(10, 4, stem)
    x = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    params, _ = jax.eval_shape(network.start, jax.random.key(0), x)
    ours = sum(leaf.size for leaf in jax.tree.leaves(params))
    assert work.notes["parameters"] == ours
    assert np.isfinite(work.call())


@pytest.mark.parametrize("accelerator", [False, True])
@pytest.mark.parametrize("quick", [False, True])
def test_cases_can_be_asked_for_and_train_on_as_many_images(accelerator, quick):
    cases = all_cases(accelerator=accelerator, quick=quick)
    assert len({case.name for case in cases}) == len(cases)
    assert ("fig2_study" in {case.name for case in cases}) == accelerator
    for case in cases:
        assert json.loads(json.dumps(case.contenders))
        for rival in (c for c in case.contenders if c.work == "torch_resnet"):
            ours = case.contenders[0].options
            assert rival.options["steps"] == ours["settings"]["epochs"]
            assert rival.options["batch"] == ours["budgets"][0] * ours["lists"]
            assert rival.options["width"] == ours["settings"]["width"]


def test_what_goes_wrong_in_a_process_is_its_result():
    found = training.run(Contender("broken", "torch_resnet", {}), 1, sys.executable)
    assert "TypeError" in found["error"]
    bar = training_bars.as_fast("broken", ("other",), 0.7)
    verdict = bar({"broken": found, "other": found}, {})
    assert (verdict.measured, verdict.passed) == ("not measured", None)


@pytest.mark.parametrize(("seconds", "passed"), [(1.0, True), (1.5, False)])
def test_bars_pass_and_fail(seconds, passed):
    mine: dict[str, Any] = {
        "seconds": [seconds, seconds, 99.0],
        "units": {"images": 80.0, "runs": 4.0, "iterations": 8.0, "flops": 5e9},
        "notes": {
            "runs_of_study": 40,
            "parameters": 7 if passed else 8,
            "default": True,
        },
        "scores": {"accuracies": [0.5, 0.4] if passed else [0.5, 0.41]},
    }
    other: dict[str, Any] = {
        "seconds": [1.0],
        "units": {"images": 100.0, "runs": 4.5},
        "notes": {"parameters": 7, "default": False},
        "scores": {"accuracies": [0.5, 0.4, 0.3]},
    }
    results = {"mine": mine, "other": other, "absent": {"error": "no torch"}}
    for bar in (
        training_bars.as_fast("mine", ("other", "absent"), 0.7),
        training_bars.study_within("mine", 12),
        training_bars.same_accuracies("mine", "other", 0.005),
        training_bars.same_network(("mine", "other")),
        training_bars.well_chosen(1.15),
        training_bars.iterations("mine", 7),
    ):
        assert bar(results, {"float32": 10.0}).passed is passed
