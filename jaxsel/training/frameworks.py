"""The training frameworks by name, each a pure function of keys, rows and a task."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from jax import Array, lax

from jaxsel.errors import UserError
from jaxsel.training.batches import BatchPlan, batch_plan
from jaxsel.training.evaluate import evaluate
from jaxsel.training.fit import fit
from jaxsel.training.flexmatch import FlexMatch, flexmatch_learner
from jaxsel.training.learner import Learner
from jaxsel.training.linear_probe import LinearProbe, linear_probe_learner
from jaxsel.training.optimiser import nesterov_sgd
from jaxsel.training.schedule import cosine_per_epoch
from jaxsel.training.semi_supervised import train_semi_supervised
from jaxsel.training.simmatch import SimMatch, simmatch_learner
from jaxsel.training.supervised import Supervised, supervised_learner
from jaxsel.training.task import Metrics, Task

REPLICATE_MODES = ("auto", "vmap", "map", "chunks")

Train = Callable[[Array, Array, Array, Task], Metrics]


def group_shape(settings: Any, size: int) -> tuple[int, int]:
    """Length of the padded index list, and batch, of a run on `size` labels.

    Runs with the same answer and the same settings may share a call of the trainer,
    and calls of as many runs share its compiled program.

    Args:
      settings: of a framework.
      size: number of labels, at least 1.

    Returns:
      `(padded, batch)`.

    Example:
      >>> group_shape(LinearProbe(), 30), group_shape(LinearProbe(), 130)
      ((100, 100), (130, 130))
      >>> group_shape(FlexMatch(), 30)
      (30, 64)
    """
    if isinstance(settings, FlexMatch | SimMatch):
        return size, settings.labelled_batch
    plan = batch_plan(size, min_batch=settings.min_batch, batch_cap=settings.batch_cap)
    return plan.padded, plan.batch


def optimiser_of(settings: Any, plan: BatchPlan) -> optax.GradientTransformation:
    """The optimiser of a framework's settings for a training of these shapes."""
    return nesterov_sgd(
        cosine_per_epoch(settings.learning_rate, settings.epochs, plan.steps_per_epoch),
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )


class Framework(NamedTuple):
    """A way to train on what was selected.

    Attributes:
      inputs: `"images"` or `"features"`, what `Task.train_x` holds.
      settings: the NamedTuple of its settings, every field with a default.
      learner: `(settings, n_classes) -> learner`, what `train_one` trains.
      replicates: backend to the fastest mode: measured on a CPU
        (`benchmarks.training`), on a GPU by reasoning, to be measured.
      train_one: a single run; arguments as of `train_semi_supervised`.
      whole_pool: whether a run reads more than its labelled rows, so that the data set
        must be in memory.
    """

    inputs: str
    settings: type
    learner: Callable[[Any, int], Any]
    replicates: dict[str, str]
    train_one: Callable[..., Metrics]
    whole_pool: bool = False

    def replicate_mode(self, mode: str) -> str:
        """The mode that `"auto"` stands for on this backend; another as it is."""
        if mode not in REPLICATE_MODES:
            raise UserError(
                f"replicates.mode: expected one of {', '.join(REPLICATE_MODES)}, "
                f"found {mode!r}"
            )
        if mode == "auto":
            return self.replicates.get(jax.default_backend(), "vmap")
        return mode

    def make_train(
        self, settings: Any, n_classes: int, mode: str = "auto", together: int = 8
    ) -> Train:
        """The trainer of many runs at once.

        `train(keys, indices, sizes, task) -> Metrics` trains run `i` from scratch on
        the rows `indices[i, :sizes[i]]` of the task with the randomness of `keys[i]`.
        A run's result depends on nothing else: not on the runs beside it. It is
        pure; jit it once and call it often.

        Args:
          settings: of this framework.
          n_classes: number of classes.
          mode: `"vmap"` runs replicates side by side, `"map"` one after the other
            (in the same program), `"chunks"` some side by side and then the next,
            `"auto"` as measured on this backend.
          together: how many are side by side in `"chunks"`.

        Returns:
          `train`, of typed keys `[r]`, int32 `[r, padded]` (`group_shape`; whatever
          stands beyond a run's size is not used, but must be a valid row), int32
          `[r]` and a `Task`.

        Raises:
          UserError: an unknown mode, or settings that cannot be trained with.
        """
        mode = self.replicate_mode(mode)
        if together < 1:
            raise UserError(
                f"expected together, the runs side by side, from 1, found {together}"
            )
        if n_classes < 1:
            raise UserError(f"expected at least 1 class, found {n_classes}")
        learner = self.learner(settings, n_classes)

        def train(keys: Array, indices: Array, sizes: Array, task: Task) -> Metrics:
            def one(run: tuple[Array, Array, Array]) -> Metrics:
                return self.train_one(*run, task, learner, settings, n_classes)

            runs = (keys, indices, sizes)
            if mode == "vmap":
                return jax.vmap(one)(runs)
            # A batch of one would still be a batch: other programs, other roundings.
            return lax.map(one, runs, batch_size=together if mode == "chunks" else None)

        return train


def _train_on_labels(
    key: Array,
    indices: Array,
    size: Array,
    task: Task,
    learner: Learner,
    settings: Any,
    n_classes: int,
) -> Metrics:
    """One run of a framework that sees its labelled rows and nothing else."""
    plan = batch_plan(
        indices.shape[0], min_batch=settings.min_batch, batch_cap=settings.batch_cap
    )
    if indices.shape[0] != plan.padded:
        raise UserError(
            f"expected index lists padded to {plan.padded} (see group_shape), "
            f"found {indices.shape[0]}"
        )
    key_fit, key_eval = jax.random.split(key)
    fitted = fit(
        key_fit,
        task.train_x[indices],
        task.train_y[indices],
        size,
        learner=learner,
        optimiser=optimiser_of(settings, plan),
        plan=plan,
        epochs=settings.epochs,
    )
    score = evaluate(
        key_eval,
        lambda key, x: learner.predict(key, fitted.params, fitted.state, x),
        task.test_x,
        task.test_y,
        n_classes=n_classes,
        batch=settings.eval_batch,
    )
    return Metrics(*score, fitted.final_loss, fitted.diverged_step, score.accuracy)


FRAMEWORKS: dict[str, Framework] = {
    "supervised": Framework(
        "images",
        Supervised,
        supervised_learner,
        {"cpu": "map", "gpu": "vmap"},
        _train_on_labels,
    ),
    "linear_probe": Framework(
        "features",
        LinearProbe,
        linear_probe_learner,
        {"cpu": "map", "gpu": "vmap"},
        _train_on_labels,
    ),
    # 960 images a step already fill a device.
    "flexmatch": Framework(
        "images",
        FlexMatch,
        flexmatch_learner,
        {"cpu": "map", "gpu": "map"},
        train_semi_supervised,
        whole_pool=True,
    ),
    "simmatch": Framework(
        "images",
        SimMatch,
        simmatch_learner,
        {"cpu": "map", "gpu": "map"},
        train_semi_supervised,
        whole_pool=True,
    ),
}
