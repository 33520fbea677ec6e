"""The training stage: chunk after chunk of the plan, a row for each run that ends."""

import pathlib
import time
import zlib
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsel.experiment import journal
from jaxsel.experiment.plan import Chunk, Run
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.selecting import Picked
from jaxsel.experiment.settings import Settings
from jaxsel.files import append_lines
from jaxsel.training.frameworks import FRAMEWORKS, group_shape
from jaxsel.training.task import Task, check_indices

# Names the training stream among a seed's random streams. The method and the budget do
# not enter: methods are compared at the same initialisation and augmentation draws.
_TRAINING = zlib.crc32(b"training")


class Study(NamedTuple):
    """What the training stage reads.

    Attributes:
      settings: the checked config.
      dataset: name for the table.
      features: name for the table.
      tasks: by kind of input, "images" and "features".
      n_classes: of the data set.
      picked: the picks.
    """

    settings: Settings
    dataset: str
    features: str
    tasks: dict[str, Task]
    n_classes: int
    picked: Picked


def train_all(study: Study, chunks: list[Chunk], workdir: pathlib.Path) -> None:
    """Trains the chunks that have an unfinished run, appending rows as they end.

    Args:
      study: data, picks and settings.
      chunks: the plan.
      workdir: holds `runs.jsonl` and `results.csv`.
    """
    runs_path, results_path = workdir / "runs.jsonl", workdir / "results.csv"
    entries = journal.read(runs_path)
    journal.catch_up_results(results_path, entries)
    finished = {Run(*(entry[f] for f in Run._fields)) for entry in entries}
    todo = [chunk for chunk in chunks if not finished.issuperset(chunk.runs)]
    left = sum(run not in finished for chunk in todo for run in chunk.runs)
    programs: dict[Any, Any] = {}
    with Progress("training", left, "run") as progress:
        for chunk in todo:
            fresh = [
                entry
                for entry in _train_chunk(study, chunk, programs)
                if Run(*(entry[f] for f in Run._fields)) not in finished
            ]
            journal.append(runs_path, fresh)
            append_lines(
                results_path, journal.rows_text(map(journal.result_row, fresh))
            )
            last = chunk.runs[-1]
            progress.advance(
                len(fresh), f"{last.framework} {last.method} {last.budget}"
            )


def _train_chunk(
    study: Study, chunk: Chunk, programs: dict[Any, Any]
) -> list[dict[str, Any]]:
    """Trains a chunk in one call and returns an entry for each of its runs."""
    framework = FRAMEWORKS[chunk.framework]
    settings = study.settings.frameworks[chunk.framework]
    task = study.tasks[framework.inputs]
    picks = [_labelled_rows(study, run) for run in chunk.runs]
    labels = np.asarray(task.train_y)
    for pick in picks:
        check_indices(pick, len(labels), labels)
    picks += [picks[-1]] * (chunk.width - len(picks))
    length = group_shape(settings, len(picks[0]))[0]
    indices = np.zeros((chunk.width, length), np.int32)
    for row, pick in zip(indices, picks, strict=True):
        row[: len(pick)] = pick
    sizes = np.array([len(pick) for pick in picks], np.int32)
    keys = jax.vmap(lambda seed: jax.random.fold_in(jax.random.key(seed), _TRAINING))(
        np.array(
            [run.seed for run in chunk.runs] + [0] * (chunk.width - len(chunk.runs))
        )
    )
    call = (keys, indices, sizes, task)
    shape = (chunk.framework, indices.shape)
    if shape not in programs:
        mode = study.settings.resolved["replicates"]["mode"]
        train = framework.make_train(settings, study.n_classes, mode)
        start = time.perf_counter()
        programs[shape] = jax.jit(train).lower(*call).compile()
        programs[shape, "seconds"] = time.perf_counter() - start
    start = time.perf_counter()
    metrics = jax.device_get(jax.block_until_ready(programs[shape](*call)))
    seconds = (time.perf_counter() - start) / len(chunk.runs)
    return [
        {
            **run._asdict(),
            "dataset": study.dataset,
            "features": study.features,
            "accuracy": float(metrics.accuracy[r]),
            "distinct_classes": int(np.unique(labels[picks[r]]).size),
            "select_seconds": study.picked[run.method, run.budget, run.seed]["seconds"],
            "train_seconds": seconds,
            "compile_seconds": programs[shape, "seconds"],
            "loss": float(metrics.loss[r]),
            "per_class_accuracy": np.asarray(
                metrics.per_class_accuracy[r], float
            ).tolist(),
            "diverged_step": int(metrics.diverged_step[r]),
        }
        for r, run in enumerate(chunk.runs)
    ]


def _labelled_rows(study: Study, run: Run) -> np.ndarray:
    """The initial pool and the picks of a run, as rows of the training set."""
    entry = study.picked[run.method, run.budget, run.seed]
    return np.array([*entry["initial"], *entry["indices"]], np.int32)
