"""Calls of the trainers: runs in, metrics out, each shape compiled once."""

import functools
import pathlib
import time
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.experiment.devices import (
    mesh_of_replicates,
    on_every_device,
    shared_out,
)
from jaxsel.experiment.inputs import Inputs
from jaxsel.experiment.long_runs import LongRuns
from jaxsel.experiment.settings import Settings
from jaxsel.experiment.widths import is_streamed
from jaxsel.training.frameworks import FRAMEWORKS, group_shape
from jaxsel.training.streamed import train_streamed
from jaxsel.training.task import Metrics, Task, check_indices

# Names the training stream among a seed's random streams. The method and the budget do
# not enter: methods are compared at the same initialisation and augmentation draws.
_TRAINING = zlib.crc32(b"training")


class Outcome(NamedTuple):
    """What a call came to.

    Attributes:
      metrics: NumPy arrays with a leading axis of runs.
      seconds: of the call, without compilation, for all its runs.
      compile_seconds: of the program; the same for all calls of its shape.
    """

    metrics: Metrics
    seconds: float
    compile_seconds: float


class Trainers:
    """The frameworks of a study, with its data on the device.

    Arrays and compiled programs are kept from call to call: data goes to the device
    once, and a shape is compiled once.
    """

    def __init__(
        self, settings: Settings, inputs: Inputs, checkpoints: pathlib.Path
    ) -> None:
        self._settings, self._inputs = settings, inputs
        self._checkpoints = checkpoints
        self._programs: dict[Any, tuple[Any, float]] = {}
        self._mesh = mesh_of_replicates(settings.resolved)

    def train(
        self,
        framework: str,
        width: int,
        together: int,
        seeds: list[int],
        picks: list[np.ndarray],
        names: list[str],
    ) -> Outcome:
        """Trains runs of one framework in one call.

        Args:
          framework: its name.
          width: replicates in the call; runs that lack are filled with the last one.
          together: how many of them go side by side.
          seeds: of the runs.
          picks: the runs' labelled rows of the training set.
          names: of the runs, for the checkpoints of long ones.

        Returns:
          The outcome, for the given runs alone.

        Raises:
          UserError: rows that cannot be trained on.
        """
        for rows in picks:
            check_indices(rows, len(self._inputs.train.ids), self._inputs.train.labels)
        if FRAMEWORKS[framework].whole_pool:
            return self._train_long(framework, seeds, picks, names)
        streamed = is_streamed(framework, self._inputs)
        if self._mesh is not None and not streamed:  # As many runs for every device.
            width += -width % self._mesh.size
        lacking = width - len(picks)
        keys = _training_keys(np.array(seeds + seeds[-1:] * lacking))
        padded = picks + picks[-1:] * lacking
        if streamed:
            outcome = self._stream(framework, keys, padded)
        else:
            outcome = self._call(framework, together, keys, padded)
        metrics = jax.tree.map(lambda field: field[: len(picks)], outcome.metrics)
        return outcome._replace(metrics=metrics)

    def forget(self, framework: str, names: list[str]) -> None:
        """Removes what was kept of runs in case they would be killed."""
        if FRAMEWORKS[framework].whole_pool:
            for name in names:
                self._long_runs(framework).forget(name)

    def _train_long(
        self,
        framework: str,
        seeds: list[int],
        picks: list[np.ndarray],
        names: list[str],
    ) -> Outcome:
        """The runs one after the other, each in parts."""
        trainer, images = self._long_runs(framework), self._images_alone
        keys = _training_keys(np.array(seeds))
        runs = [
            trainer.train(key, rows, images, name)
            for key, rows, name in zip(keys, picks, names, strict=True)
        ]
        metrics = jax.tree.map(lambda *fields: np.stack(fields), *(r[0] for r in runs))
        return Outcome(metrics, sum(run[1] for run in runs), runs[0][2])

    def _call(
        self, framework: str, together: int, keys: jax.Array, picks: list[np.ndarray]
    ) -> Outcome:
        """The runs on arrays that are on the device."""
        settings = self._settings.frameworks[framework]
        length, _ = group_shape(settings, len(picks[0]))
        indices = np.zeros((len(picks), length), np.int32)
        for row, pick in zip(indices, picks, strict=True):
            row[: len(pick)] = pick
        sizes = np.array([len(pick) for pick in picks], np.int32)
        kind = FRAMEWORKS[framework].inputs
        task = self._images if kind == "images" else self._features
        call: Any = (keys, indices, sizes, task)
        if self._mesh is not None:
            # A typed key does not travel as NumPy; what it is made of does.
            call = np.asarray(jax.random.key_data(keys)), indices, sizes, task
        shape = (framework, together, indices.shape)
        if shape not in self._programs:
            mode = "vmap" if together >= self._alike(len(picks)) else "chunks"
            mode = "map" if together == 1 else mode
            train = FRAMEWORKS[framework].make_train(
                settings, self._inputs.n_classes, mode, together
            )
            start = time.perf_counter()
            program = self._jitted(train).lower(*call).compile()
            self._programs[shape] = (program, time.perf_counter() - start)
        program, compile_seconds = self._programs[shape]
        start = time.perf_counter()
        metrics = jax.device_get(jax.block_until_ready(program(*call)))
        return Outcome(metrics, time.perf_counter() - start, compile_seconds)

    def _alike(self, width: int) -> int:
        """Runs of a call that one device has."""
        return width if self._mesh is None else width // self._mesh.size

    def _jitted(self, train: Any) -> Any:
        if self._mesh is None:
            return jax.jit(train)

        def from_data(keys: Any, *rest: Any) -> Metrics:
            return train(jax.random.wrap_key_data(keys), *rest)

        return shared_out(from_data, self._mesh)

    def _stream(
        self, framework: str, keys: jax.Array, picks: list[np.ndarray]
    ) -> Outcome:
        """The runs on images from disk: only the picked ones are ever in memory."""
        start = time.perf_counter()
        train, test = self._inputs.train, self._inputs.test
        settings = self._settings.frameworks[framework]
        metrics = train_streamed(
            self._learner(framework),
            settings,
            keys,
            ((train.take(rows), train.labels[rows]) for rows in picks),
            lambda: test.read(None, settings.eval_batch),
            test.labels,
            n_classes=self._inputs.n_classes,
        )
        return Outcome(metrics, time.perf_counter() - start, 0.0)

    @functools.cache  # noqa: B019 - lives as long as the study.
    def _long_runs(self, framework: str) -> LongRuns:
        return LongRuns(
            self._learner(framework),
            self._settings.frameworks[framework],
            self._inputs.n_classes,
            self._checkpoints,
        )

    @functools.cache  # noqa: B019 - lives as long as the study.
    def _learner(self, framework: str) -> Any:
        """One object a framework, since programs are compiled for one learner."""
        settings = self._settings.frameworks[framework]
        return FRAMEWORKS[framework].learner(settings, self._inputs.n_classes)

    @functools.cached_property
    def _images(self) -> Task:
        return self._task(*self._both_images())

    @functools.cached_property
    def _images_alone(self) -> Task:
        if self._mesh is None:
            return self._images
        examples, labels = self._both_images()
        return self._task(examples, labels, alone=True)

    def _both_images(self) -> Any:
        train, test = self._inputs.train, self._inputs.test
        assert train.images is not None and test.images is not None
        return (train.images, test.images), (train.labels, test.labels)

    @functools.cached_property
    def _features(self) -> Task:
        train, test = self._inputs.train_features, self._inputs.test_features
        assert test is not None, "read_inputs makes them for such a framework"
        labels = self._inputs.train.labels, self._inputs.test.labels
        return self._task((train.rows, test.rows), labels)

    def _task(
        self,
        examples: tuple[np.ndarray, np.ndarray],
        labels: tuple[np.ndarray, np.ndarray],
        alone: bool = False,
    ) -> Task:
        """Both splits on every device that has runs, or on one alone."""
        parts = examples[0], labels[0], examples[1], labels[1]
        if self._mesh is None or alone:
            return Task(*map(jnp.asarray, parts))
        return Task(*on_every_device(parts, self._mesh))


@jax.vmap
def _training_keys(seed: Any) -> jax.Array:
    return jax.random.fold_in(jax.random.key(seed), _TRAINING)
