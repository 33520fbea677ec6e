"""The training stage: chunk after chunk of the plan, a row for each run that ends."""

import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import numpy as np
from absl import logging

from jaxsel.errors import UserError
from jaxsel.experiment import journal
from jaxsel.experiment.calls import Trainers
from jaxsel.experiment.grid import Run
from jaxsel.experiment.inputs import Inputs
from jaxsel.experiment.plan import Chunk, halve, write_plan
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.selecting import Picked
from jaxsel.experiment.settings import Settings
from jaxsel.files import append_lines, hash_of


class Study(NamedTuple):
    """What the training stage reads.

    Attributes:
      settings: the checked config.
      dataset: name for the table.
      features: name for the table.
      inputs: examples and features.
      picked: the picks.
    """

    settings: Settings
    dataset: str
    features: str
    inputs: Inputs
    picked: Picked


def train_all(
    study: Study, chunks: list[Chunk], runs: Iterable[Run], workdir: pathlib.Path
) -> None:
    """Trains the chunks that have an unfinished run, appending rows as they end.

    Args:
      study: data, picks and settings.
      chunks: the plan; those without any of `runs` are left alone. Where a call does
        not fit into the device's memory, it and those like it get half as many runs
        side by side, in `plan.json` too.
      runs: what is to be done.
      workdir: holds `plan.json`, `runs.jsonl` and `results.csv`.

    Raises:
      UserError: a single run does not fit into the device's memory.
    """
    runs_path, results_path = workdir / "runs.jsonl", workdir / "results.csv"
    entries = journal.read(runs_path)
    journal.catch_up_results(results_path, entries)
    finished = {_run_of(entry) for entry in entries}
    due = set(runs)
    todo = _unfinished(chunks, due - finished)
    left = sum(run not in finished for chunk in todo for run in chunk.runs)
    trainers = Trainers(study.settings, study.inputs, workdir / "checkpoints")
    with Progress("training", left, "run") as progress:
        while todo:
            chunk = todo[0]
            try:
                entries = _train_chunk(study, trainers, chunk)
            except jax.errors.JaxRuntimeError as error:
                chunks = _halved(chunks, chunk, finished, error)
                write_plan(workdir / "plan.json", chunks)
                todo = _unfinished(chunks, due - finished)
                continue
            fresh = [entry for entry in entries if _run_of(entry) not in finished]
            finished.update(chunk.runs)
            todo = todo[1:]
            journal.append(runs_path, fresh)
            append_lines(
                results_path, journal.rows_text(map(journal.result_row, fresh))
            )
            trainers.forget(chunk.framework, [_name_of(run) for run in chunk.runs])
            last = chunk.runs[-1]
            progress.advance(
                len(fresh), f"{last.framework} {last.method} {last.budget}"
            )


def _unfinished(chunks: list[Chunk], due: set[Run]) -> list[Chunk]:
    return [chunk for chunk in chunks if not due.isdisjoint(chunk.runs)]


def _halved(
    chunks: list[Chunk], failed: Chunk, finished: set[Run], error: Exception
) -> list[Chunk]:
    """The plan with less side by side, when memory is what the failed call lacked."""
    if "RESOURCE_EXHAUSTED" not in str(error):
        raise error
    if failed.together == 1:
        raise UserError(
            f"expected a run of {failed.framework} to fit into the device's memory, "
            f"found: {str(error).splitlines()[0][:200]}; choose a narrower network or "
            f"smaller batches (config.{failed.framework})"
        ) from error
    logging.warning(
        "%d runs of %s side by side do not fit into the device's memory: "
        "going on with %d",
        failed.together,
        failed.framework,
        failed.together // 2,
    )
    return halve(chunks, failed, finished)


def _train_chunk(
    study: Study, trainers: Trainers, chunk: Chunk
) -> list[dict[str, Any]]:
    """Trains a chunk in one call and returns an entry for each of its runs."""
    picks = [_labelled_rows(study, run) for run in chunk.runs]
    seeds = [run.seed for run in chunk.runs]
    names = [_name_of(run) for run in chunk.runs]
    metrics, seconds, compile_seconds = trainers.train(
        chunk.framework, chunk.width, chunk.together, seeds, picks, names
    )
    labels = study.inputs.train.labels
    entries = []
    for place, (run, rows) in enumerate(zip(chunk.runs, picks, strict=True)):
        diverged = int(metrics.diverged_step[place])
        if diverged >= 0:
            logging.warning("%s diverged at step %d; its row stands", run, diverged)
        entries.append(
            {
                **run._asdict(),
                "dataset": study.dataset,
                "features": study.features,
                "accuracy": float(metrics.accuracy[place]),
                "distinct_classes": int(np.unique(labels[rows]).size),
                "select_seconds": study.picked[run[1:]]["seconds"],
                "train_seconds": seconds / len(chunk.runs),
                "compile_seconds": compile_seconds,
                "loss": _finite(metrics.loss[place]),
                "per_class_accuracy": list(
                    map(_finite, metrics.per_class_accuracy[place])
                ),
                "diverged_step": diverged,
                "best_accuracy": float(metrics.best_accuracy[place]),
            }
        )
    return entries


def _finite(value: Any) -> float | None:
    """A number that JSON can hold: none for a class that the test set lacks."""
    return float(value) if np.isfinite(value) else None


def _labelled_rows(study: Study, run: Run) -> np.ndarray:
    """The initial pool and the picks of a run, as rows of the training set."""
    entry = study.picked[run[1:]]
    return np.array([*entry["initial"], *entry["indices"]], np.int32)


def _name_of(run: Run) -> str:
    """A folder's name; a method's label may hold what a path may not."""
    return f"{run.framework}-{run.budget}-{run.seed}-{hash_of(run.method)[:8]}"


def _run_of(entry: dict[str, Any]) -> Run:
    return Run(*(entry[field] for field in Run._fields))
