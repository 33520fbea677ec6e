"""How many runs share a call: as many as fit into the device's memory together."""

import os
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.experiment.devices import mesh_of_replicates
from jaxsel.experiment.inputs import Inputs
from jaxsel.experiment.settings import Settings
from jaxsel.training.footprint import peak_bytes
from jaxsel.training.frameworks import FRAMEWORKS, group_shape
from jaxsel.training.task import Task

# Rows appear when a call ends, and a job that is killed loses the call it was in.
_MOST = 128
# Of the free memory; the rest is the compiler's and the estimate's.
_SHARE = 0.7


class Widths(NamedTuple):
    """Answers what shape the calls of new runs should have.

    Attributes:
      settings: the checked config.
      inputs: examples and features, for their shapes.
    """

    settings: Settings
    inputs: Inputs

    def of(self, framework: str, size: int, count: int) -> tuple[int, int]:
        """Runs in a call, and how many of them go side by side.

        The width is what the config says, if it says a number. Otherwise it is one
        where long runs go one after the other, so that a row appears as its run ends,
        and up to 128 elsewhere, in calls of equal width. Side by side are no more than
        fit into the memory that is free.

        Args:
          framework: its name.
          size: labels of the runs.
          count: how many runs of this shape there are to plan.

        Returns:
          `(width, together)`, `1 <= together <= width`.
        """
        replicates = self.settings.resolved["replicates"]
        asked = replicates[f"{framework}_chunk"]
        entry = FRAMEWORKS[framework]
        mode = entry.replicate_mode(replicates["mode"])
        if entry.whole_pool or is_streamed(framework, self.inputs):
            return asked or 1, 1
        if mode == "map":  # A run on images takes minutes, one on features no second.
            long = entry.inputs == "images"
            mesh = mesh_of_replicates(self.settings.resolved)
            devices = 1 if mesh is None else mesh.size
            return asked or (devices if long else equal_width(count, _MOST)), 1
        free = _SHARE * free_bytes() - self._task_bytes(entry.inputs)
        fitting = max(1, int(free / self.run_bytes(framework, size)))
        if mode == "chunks":
            width = asked or equal_width(count, _MOST)
            return width, min(replicates["together"], fitting, width)
        width = asked or equal_width(count, min(fitting, _MOST))
        return width, width

    def run_bytes(self, framework: str, size: int) -> int:
        """What one more run of a framework needs in a call, about."""
        settings = self.settings.frameworks[framework]
        entry, n_classes = FRAMEWORKS[framework], self.inputs.n_classes
        learner = entry.learner(settings, n_classes)
        length, _ = group_shape(settings, size)
        return peak_bytes(
            lambda key, rows, size, task: entry.train_one(
                key, rows, size, task, learner, settings, n_classes
            ),
            jax.eval_shape(lambda: jax.random.key(0)),
            jax.ShapeDtypeStruct((length,), jnp.int32),
            jax.ShapeDtypeStruct((), jnp.int32),
            self._task(entry.inputs),
        )

    def _task_bytes(self, kind: str) -> int:
        return sum(a.size * a.dtype.itemsize for a in self._task(kind))

    def _task(self, kind: str) -> Task:
        inputs, shape = self.inputs, jax.ShapeDtypeStruct

        def examples(split: Any, features: Any) -> Any:
            found = split.images if kind == "images" else features.rows
            dtype = jnp.uint8 if kind == "images" else jnp.float32
            return shape(found.shape, dtype), shape(found.shape[:1], jnp.int32)

        return Task(
            *examples(inputs.train, inputs.train_features),
            *examples(inputs.test, inputs.test_features),
        )


def is_streamed(framework: str, inputs: Inputs) -> bool:
    """Whether a framework's examples are images that are read from disk as needed."""
    return FRAMEWORKS[framework].inputs == "images" and inputs.train.images is None


def equal_width(count: int, most: int) -> int:
    """The width of the fewest calls of equal width that hold `count` runs.

    Example:
      >>> equal_width(126, 128), equal_width(130, 128), equal_width(9, 4)
      (126, 65, 3)
    """
    calls = -(-count // most)
    return -(-count // calls)


def free_bytes() -> int:
    """Of the accelerator, or of the machine where that is the device."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    known = pathlib.Path("/proc/meminfo")
    if known.is_file():
        for line in known.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
