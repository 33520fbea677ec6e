"""Our trainings, compiled and ready to be timed, through the doors that people use."""

import math
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import flops, training_tasks
from benchmarks.work import Work
from jaxsel.models.conv import default_lowering
from jaxsel.training.frameworks import FRAMEWORKS, Framework, group_shape
from jaxsel.training.semi_supervised import advance, begin
from jaxsel.training.task import Task


def compiled(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """The executable of a function for such arguments, and the seconds it took."""
    began = time.perf_counter()
    executable = jax.jit(function).lower(*arguments).compile()
    return executable, time.perf_counter() - began


def make_task(inputs: str, *, train: int, test: int, size: int, classes: int) -> Task:
    """A task on the device: images of `size`×`size` pixels, or `size` features."""
    if inputs == "images":
        x, y = training_tasks.images(train + test, side=size, classes=classes)
    else:
        x, y = training_tasks.features(train + test, d=size, classes=classes)
    halves = (x[:train], y[:train], x[train:], y[train:])
    return jax.block_until_ready(Task(*(jnp.asarray(half) for half in halves)))


def replicates(
    *,
    framework: str,
    settings: dict[str, Any],
    mode: str,
    lists: int,
    budgets: list[int],
    task: dict[str, int],
    together: int = 8,
    width: int = 0,
    limit_seconds: float = math.inf,
) -> Work:
    """A study of `lists · len(budgets)` runs through `Framework.make_train`.

    Args:
      framework: `"supervised"` or `"linear_probe"`.
      settings: of the framework, where they are not the defaults.
      mode: of the replicates.
      lists: methods times seeds.
      budgets: labels of the runs; all must train in the same shapes.
      task: arguments of `make_task`.
      together: runs side by side in the mode `"chunks"`.
      width: runs a call of the compiled program, a divisor of their number; 0 is all.
      limit_seconds: a study of many calls that would take longer is cut to as many
        runs as fit; `units` has the runs that were made.

    Returns:
      Work in `runs`, `images` (examples trained on) and `flops`.
    """
    way = FRAMEWORKS[framework]
    chosen = way.settings(**settings)
    shapes = {group_shape(chosen, budget) for budget in budgets}
    if len(shapes) != 1:
        raise ValueError(f"expected budgets of one shape, found {sorted(shapes)}")
    ((padded, batch),) = shapes
    data = make_task(way.inputs, **task)
    picks = training_tasks.study(
        len(data.train_x), lists=lists, budgets=budgets, padded=padded
    )
    runs = len(picks.sizes)
    width = width or runs
    if runs % width:
        raise ValueError(f"expected a width that divides {runs} runs, found {width}")
    keys = jax.random.split(jax.random.key(0), runs)
    every = (keys, jnp.asarray(picks.indices), jnp.asarray(picks.sizes))
    parts = [
        jax.block_until_ready(tuple(part[i : i + width] for part in every))
        for i in range(0, runs, width)
    ]
    more = {"together": together} if mode == "chunks" else {}
    train = way.make_train(chosen, task["classes"], mode, **more)
    executable, seconds = compiled(train, *parts[0], data)
    if len(parts) > 1 and limit_seconds < math.inf:
        one = _warm_seconds(lambda: executable(*parts[0], data))
        parts = parts[: max(1, int(limit_seconds / one))]

    def call() -> Any:
        return [
            jax.block_until_ready(executable(*part, data).accuracy) for part in parts
        ]

    done = len(parts) * width
    examples = chosen.epochs * (padded // batch) * batch
    forward, parameters = _forward(way, chosen, data, task["classes"])
    work = flops.of_training(forward) * examples + sum(forward) * len(data.test_x)
    units = {"runs": float(done), "images": float(done * examples)}
    units["flops"] = float(done * work)
    notes = {
        "mode": way.replicate_mode(mode),
        "default": _is_default(way, chosen, mode),
        "runs_of_study": runs,
        "width": width,
        "parameters": parameters,
    }
    return Work(call, units, seconds, notes, _scores)


def _is_default(way: Framework, chosen: Any, mode: str) -> bool:
    """Whether runs go as they do for someone who chooses nothing."""
    lowering = getattr(chosen, "lowering", "auto")
    mode_is = way.replicate_mode(mode) == way.replicate_mode("auto")
    return mode_is and lowering in ("auto", default_lowering())


def _warm_seconds(call: Callable[[], Any]) -> float:
    """Of a second call."""
    jax.block_until_ready(call())
    began = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - began


def _scores(found: list[Any]) -> dict[str, Any]:
    """Of the accuracies that calls of a study returned."""
    accuracies = np.concatenate([np.asarray(part) for part in found])
    return {
        "accuracy": float(accuracies.mean()),
        "accuracies": [round(float(a), 6) for a in accuracies],
    }


def _forward(
    way: Framework, chosen: Any, data: Task, classes: int
) -> tuple[list[int], int]:
    """Operations of the network on one example, and its number of parameters."""
    learner = way.learner(chosen, classes)
    key, x = jax.random.key(0), data.train_x[:1]
    params, state = jax.eval_shape(learner.start, key, x)
    products = flops.products(learner.predict, key, params, state, x)
    return products, sum(leaf.size for leaf in jax.tree.leaves(params))


def flexmatch(
    *,
    settings: dict[str, Any],
    steps: int,
    pool: int,
    classes: int = 10,
    labels: int = 40,
) -> Work:
    """`steps` iterations of FlexMatch from the start, and an evaluation of 10 images.

    Args:
      settings: of FlexMatch, where they are not the defaults.
      steps: iterations a call.
      pool: unlabelled images of 32×32 pixels.
      classes: outputs of the network.
      labels: labelled images.

    Returns:
      Work in `iterations`, `images` (views that the network sees) and `flops`.
    """
    way = FRAMEWORKS["flexmatch"]
    chosen = way.settings(eval_every=steps, **settings)
    learner = way.learner(chosen, classes)
    data = make_task("images", train=pool, test=10, size=32, classes=classes)
    key, labelled = jax.random.key(0), jnp.arange(labels)

    def first(key: Any, labelled: Any, data: Task) -> Any:
        return begin(key, labelled, data, learner, chosen, classes)

    def further(key: Any, carry: Any, labelled: Any, data: Task) -> Any:
        return advance(key, carry, labelled, data, learner, chosen, classes)

    carry = jax.block_until_ready(jax.jit(first)(key, labelled, data))
    executable, seconds = compiled(further, key, carry, labelled, data)

    def scores(end: Any) -> dict[str, Any]:
        return {
            "final_train_loss": float(end.loss),
            "diverged_step": int(end.diverged_step),
        }

    views = chosen.labelled_batch * (1 + 2 * chosen.unlabelled_ratio)
    pixels = jax.ShapeDtypeStruct((1, *data.train_x.shape[1:]), chosen.dtype)
    forward = flops.products(learner.predict, carry.params, carry.state, pixels)
    units = {
        "iterations": float(steps),
        "images": float(steps * views),
        "flops": float(steps * views * flops.of_training(forward)),
    }
    notes = {
        "dtype": chosen.dtype,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(carry.params)),
    }
    return Work(
        lambda: jax.block_until_ready(executable(key, carry, labelled, data)),
        units,
        seconds,
        notes,
        scores,
    )


def matrix_product(*, dtype: str, size: int, times: int = 10) -> Work:
    """Square products at the default precision: the rate that trainings are held to."""
    a = jax.random.normal(jax.random.key(0), (size, size), dtype)
    executable, seconds = compiled(jnp.matmul, a, a)
    units = {"flops": float(times * 2 * size**3)}
    return Work(
        lambda: jax.block_until_ready([executable(a, a) for _ in range(times)]),
        units,
        seconds,
        {"dtype": dtype},
        lambda _: {},
    )
