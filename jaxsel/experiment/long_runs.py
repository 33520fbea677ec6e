"""Trainings of hours or days, in parts, with a checkpoint between the parts."""

import pathlib
import shutil
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import logging

from jaxsel.pretraining.checkpoint import Checkpoints
from jaxsel.training.semi_supervised import advance, begin, metrics_of
from jaxsel.training.task import Metrics, Task

_SECONDS_BETWEEN_SAVES = 300.0


class LongRuns:
    """The runs of a framework whose single run outlives a process.

    A part is a program: `eval_every` steps and an evaluation. The state between two
    parts is saved every few minutes. A run that was killed goes on from there, and as
    what a step draws depends on its number alone, and the program is the same, it ends
    in the same bits as one that was not.

    Args:
      learner: of the framework with these settings.
      settings: of the framework.
      n_classes: number of classes.
      folder: of the checkpoints, one folder a run.
    """

    def __init__(
        self, learner: Any, settings: Any, n_classes: int, folder: pathlib.Path
    ) -> None:
        self._settings, self._folder = settings, folder
        self._static = (learner, settings, n_classes)
        self._programs: dict[int, tuple[Any, Any, float]] = {}

    def train(
        self, key: jax.Array, labelled: np.ndarray, task: Task, run: str
    ) -> tuple[Metrics, float, float]:
        """Trains one run to its end, from its checkpoint if there is one.

        Args:
          key: of the run.
          labelled: int `[l]`, the labelled rows.
          task: the data.
          run: names the run among those of the folder.

        Returns:
          `(metrics without a leading axis, seconds of all its processes, seconds of
          compilation in this one)`.
        """
        rows = jnp.asarray(labelled, jnp.int32)
        start, part, compile_seconds = self._compiled(key, rows, task)
        carry, spent = start(key, rows, task), jnp.float32(0)
        with Checkpoints(self._folder / run) as checkpoints:
            if checkpoints.latest is not None:
                carry, spent = checkpoints.restore((carry, spent))
                logging.info("%s goes on at step %d", run, int(carry.step))
            seconds, since = float(spent), time.perf_counter()
            saved = since
            while int(carry.step) < self._settings.iterations:
                carry = jax.block_until_ready(part(key, carry, rows, task))
                now = time.perf_counter()
                seconds, since = seconds + now - since, now
                logging.info(
                    "%s: step %d of %d, accuracy %.4f",
                    run,
                    int(carry.step),
                    self._settings.iterations,
                    float(carry.score.accuracy),
                )
                if now - saved >= _SECONDS_BETWEEN_SAVES:
                    checkpoints.save(int(carry.step), (carry, jnp.float32(seconds)))
                    saved = now
        return jax.device_get(metrics_of(carry)), seconds, compile_seconds

    def forget(self, run: str) -> None:
        """Removes the checkpoints of a run that has its row."""
        shutil.rmtree(self._folder / run, ignore_errors=True)

    def _compiled(
        self, key: jax.Array, rows: jax.Array, task: Task
    ) -> tuple[Any, Any, float]:
        if len(rows) not in self._programs:
            began = time.perf_counter()
            static = self._static
            start = jax.jit(lambda k, r, t: begin(k, r, t, *static))
            carry = jax.eval_shape(start, key, rows, task)
            part = jax.jit(
                lambda k, c, r, t: advance(k, c, r, t, *static), donate_argnums=1
            )
            programs = (
                start.lower(key, rows, task).compile(),
                part.lower(key, carry, rows, task).compile(),
            )
            self._programs[len(rows)] = (*programs, time.perf_counter() - began)
        return self._programs[len(rows)]
