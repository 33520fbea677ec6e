"""The main job, from a config to a report."""

import functools
import pathlib
import time

from absl import logging
from ml_collections import ConfigDict

from jaxsel.data.folders import cache_root
from jaxsel.experiment import workdir as folders
from jaxsel.experiment.identity import identity_of, refuse_other_config
from jaxsel.experiment.inputs import Inputs, read_inputs
from jaxsel.experiment.journal import write_selections
from jaxsel.experiment.plan import all_runs, extend_plan, read_plan, write_plan
from jaxsel.experiment.provenance import now
from jaxsel.experiment.reporting import write_report
from jaxsel.experiment.selecting import Picked, select_all
from jaxsel.experiment.settings import Settings, check
from jaxsel.experiment.training import Study, train_all
from jaxsel.experiment.widths import Widths
from jaxsel.files import write_json
from jaxsel.training.frameworks import group_shape


def run(config: ConfigDict, workdir: pathlib.Path) -> str:
    """Does what is missing of a study and reports all of it.

    data → features → selection → training → evaluation → report, for every method,
    budget, seed and framework of the config. Killed at any moment and started again,
    it redoes no finished run and ends with the same `results.csv`, times aside.

    Args:
      config: of the form that `configs/common.py` makes.
      workdir: where everything goes; a study of its own.

    Returns:
      `summary.md`'s text.

    Raises:
      UserError: a mistake in the config, the data or the workdir, found before
        anything is computed.
    """
    start = time.monotonic()
    settings = check(config)
    with folders.opened(workdir):
        earlier = folders.earlier_study(workdir)
        if earlier is not None:
            resolved = folders.with_earlier(settings.resolved, earlier)
            settings = check(ConfigDict(resolved))
            refuse_other_config(str(workdir), earlier["identity"], settings.resolved)
        inputs = read_inputs(settings, cache_root(None))
        manifest = _join_manifest(settings, inputs, workdir, earlier)
        picked = _select(settings, inputs, workdir)
        _train(settings, inputs, picked, workdir)
        manifest["starts"][-1]["ended"] = now()
        manifest["starts"][-1]["seconds"] = round(time.monotonic() - start, 1)
        write_json(workdir / "manifest.json", manifest)
        logging.info("report in %s", workdir / "report.html")
        return write_report(workdir, settings, inputs, manifest)


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
    return folders.write_manifest(workdir, earlier, identity, resolved, facts)


def _select(settings: Settings, inputs: Inputs, workdir: pathlib.Path) -> Picked:
    picked = select_all(
        settings,
        inputs.train_features.rows,
        functools.cache(inputs.train.input_norms),
        inputs.n_classes,
        workdir / "picks.jsonl",
    )
    in_order = [
        picked[method, budget, seed]
        for seed in settings.seeds
        for budget in sorted(settings.budgets)
        for method in settings.methods
    ]
    write_selections(
        workdir / "selections.csv", in_order, inputs.train.ids, inputs.train.labels
    )
    return picked


def _train(
    settings: Settings, inputs: Inputs, picked: Picked, workdir: pathlib.Path
) -> None:
    runs = all_runs(
        settings.resolved["frameworks"],
        settings.methods,
        settings.budgets,
        settings.seeds,
    )
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
    train_all(study, chunks, workdir)
