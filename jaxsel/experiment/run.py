"""The main job, from a config to a report."""

import functools
import pathlib
import time
from typing import Any, NamedTuple

from absl import logging
from ml_collections import ConfigDict

from jaxsel.data.folders import cache_root
from jaxsel.experiment import hosts
from jaxsel.experiment import workdir as folders
from jaxsel.experiment.grid import runs_of, selections_of
from jaxsel.experiment.identity import identity_of, refuse_other_config
from jaxsel.experiment.inputs import Inputs, read_inputs
from jaxsel.experiment.journal import write_selections
from jaxsel.experiment.plan import extend_plan, read_plan, write_plan
from jaxsel.experiment.provenance import now
from jaxsel.experiment.reporting import write_report
from jaxsel.experiment.selecting import Picked, select_all
from jaxsel.experiment.settings import Settings, check
from jaxsel.experiment.training import Study, train_all
from jaxsel.experiment.widths import Widths
from jaxsel.files import write_json
from jaxsel.training.frameworks import group_shape


class Finished(NamedTuple):
    """A study with nothing missing, before it is reported.

    Attributes:
      settings: the checked config, joined by what earlier starts asked for.
      inputs: examples and features.
      picked: the picks by (method, budget, seed).
      manifest: as in `manifest.json`.
    """

    settings: Settings
    inputs: Inputs
    picked: Picked
    manifest: dict[str, Any]


def run(config: ConfigDict, workdir: pathlib.Path) -> str:
    """Does what is missing of a study and reports all of it.

    data → features → selection → training → evaluation → report, for every method,
    budget, seed and framework of the config, and what earlier starts in the workdir
    asked for. Killed at any moment and started again, it redoes no finished run and
    ends with the same `results.csv`, times aside.

    Args:
      config: of the form that `configs/common.py` makes.
      workdir: where everything goes; a study of its own.

    Returns:
      `summary.md`'s text.

    Raises:
      UserError: a mistake in the config, the data or the workdir, found before
        anything is computed.
    """
    with hosts.own_place(workdir) as workdir, folders.opened(workdir):
        done = _complete(config, workdir, earlier_too=True)
        logging.info("report in %s", workdir / "report.html")
        return write_report(workdir, done.settings, done.inputs, done.manifest)


def complete(config: ConfigDict, workdir: pathlib.Path) -> Finished:
    """Does what is missing of the config's own grid, and leaves the report out.

    What earlier starts asked for and did not come to stays to be done by them.

    Args:
      config: as for `run`.
      workdir: as for `run`.

    Returns:
      The study.

    Raises:
      UserError: as for `run`.
    """
    with hosts.own_place(workdir) as workdir, folders.opened(workdir):
        return _complete(config, workdir, earlier_too=False)


def _complete(
    config: ConfigDict, workdir: pathlib.Path, *, earlier_too: bool
) -> Finished:
    start = time.monotonic()
    settings = check(config)
    (own,) = settings.grids
    earlier = folders.earlier_study(workdir)
    if earlier is not None:
        resolved = folders.with_earlier(settings.resolved, earlier)
        settings = check(ConfigDict(resolved))
        settings = folders.with_earlier_grids(settings, own, earlier)
        refuse_other_config(str(workdir), earlier["identity"], settings.resolved)
    inputs = hosts.first_alone(lambda: read_inputs(settings, cache_root(None)))
    manifest = _join_manifest(settings, inputs, workdir, earlier)
    now_due = settings if earlier_too else settings._replace(grids=(own,))
    picked = _select(now_due, settings, inputs, workdir)
    _train(now_due, inputs, picked, workdir)
    manifest["starts"][-1]["ended"] = now()
    manifest["starts"][-1]["seconds"] = round(time.monotonic() - start, 1)
    write_json(workdir / "manifest.json", manifest)
    return Finished(settings, inputs, picked, manifest)


def _join_manifest(
    settings: Settings,
    inputs: Inputs,
    workdir: pathlib.Path,
    earlier: dict | None,
) -> dict:
    resolved = settings.resolved
    test = inputs.test_features
    identity = identity_of(
        resolved,
        inputs.train_features.identity,
        test.identity if test is not None else {},
        fingerprint=inputs.fingerprint,
    )
    facts = {
        "data": {
            "train": len(inputs.train.ids),
            "test": len(inputs.test.ids),
            "fingerprint": inputs.fingerprint,
        },
        "features": {
            "shape": list(inputs.train_features.rows.shape),
            "sha256": inputs.train_features.sha256,
        },
    }
    return folders.write_manifest(workdir, earlier, identity, settings, facts)


def _select(
    due: Settings, whole: Settings, inputs: Inputs, workdir: pathlib.Path
) -> Picked:
    """Makes the picks that are due; the table has those of the whole study."""
    picked = select_all(
        due,
        inputs.train_features.rows,
        functools.cache(inputs.train.input_norms),
        inputs.n_classes,
        workdir / "picks.jsonl",
    )
    in_order = [
        picked[method, budget, seed]
        for seed, methods in selections_of(whole.grids).items()
        for method, budgets in methods.items()
        for budget in budgets
        if (method, budget, seed) in picked
    ]
    write_selections(
        workdir / "selections.csv", in_order, inputs.train.ids, inputs.train.labels
    )
    return picked


def _train(
    settings: Settings, inputs: Inputs, picked: Picked, workdir: pathlib.Path
) -> None:
    runs = runs_of(settings.grids)
    chunks = extend_plan(
        read_plan(workdir / "plan.json"),
        runs,
        lambda r: group_shape(settings.frameworks[r.framework], r.budget),
        Widths(settings, inputs).of,
    )
    write_plan(workdir / "plan.json", chunks)
    study = Study(
        settings=settings,
        dataset=settings.resolved["data"]["name"],
        features=settings.resolved["features"]["encoder"],
        inputs=inputs,
        picked=picked,
    )
    train_all(study, chunks, runs, workdir)
