"""`jaxsel select` as a function: a round of selection from Python.

What the command refuses it refuses, as `UserError`; what the command prints on the side
comes as a warning of Python's.
"""

import os
import pathlib
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from jaxsel.annotation.labels import Label
from jaxsel.frames import warn_of
from jaxsel.roles import asked_of
from jaxsel.selection.dropping import DroppedRowsWarning, sentence
from jaxsel.selection.options import check_options
from jaxsel.selection.validate import as_count, as_labelled, as_seed
from jaxsel.sources.source import Source
from jaxsel.verbs.column_options import remembered
from jaxsel.verbs.constraining import Limits
from jaxsel.verbs.encoding import UNTRAINED, open_with_features
from jaxsel.verbs.growing import carried_over, gone
from jaxsel.verbs.labelled import KNOWN, read_labelled
from jaxsel.verbs.picking import check_room
from jaxsel.verbs.round_folder import Earlier, check_new, read_folder
from jaxsel.verbs.rounds import Done, Wish, check_before_encoding, make_round
from jaxsel.verbs.select import sentences_before, settings_of

PathLike = str | os.PathLike[str]


def select_round(
    source: PathLike,
    budget: int,
    method: str | None = None,
    *,
    out: PathLike,
    options: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    seed: int | None = None,
    labelled: Any = None,
    earlier: PathLike | None = None,
    encoder: str | None = None,
    weights: str | None = None,
    side: int | None = None,
    representation: str | None = None,
    columns: Any = None,
    features: str | None = None,
    ids: str | None = None,
    strict: bool = False,
    drop_bad: bool = False,
    force: bool = False,
    ignore_memory: bool = False,
) -> Done:
    """Picks from a folder or a file and writes a round's folder: `jaxsel select`.

    Args:
      source: a folder of images, or a file of features (.npy, .npz, .parquet, .csv).
      budget: labels in all, those of an earlier round among them.
      method: of `jaxsel.METHODS`; without it the earlier round's, or the default.
      out: the round's folder, new or empty.
      options: of the method; without them the earlier round's, or its defaults.
      limits: constraints, as the options of the command have them
        (`jaxsel.verbs.constraining.Limits`); without them the earlier round's.
      seed: of the choice; without it the earlier round's, or 0.
      labelled: what needs no label: a file as for `--labelled`, row positions, or a
        bool mask.
      earlier: the folder of a round that this one goes on from.
      encoder, weights, side: what makes features of images; without them the earlier
        round's, or EfficientNet-Lite0, which has learned ImageNet's classes.
      representation: "raw", "centred" or "components", see
        `jaxsel.features.representation`; the encoder's own without it.
      columns, features, ids: of a table, which columns are the features and which one
        names the rows, as for `jaxsel.open_source`; without them the earlier round's,
        or the rule of `jaxsel.columns`, and a warning says what was left out.
      strict: whether an image that cannot be read is an error.
      drop_bad: whether rows with NaN or infinity are left out, with a warning; else
        they are an error. They count as unusable in later rounds too.
      force: whether the files of a round in `out` may be replaced.
      ignore_memory: whether to begin even where a forecast says that memory does not
        suffice.

    Returns:
      The round: `picks` by rank with `id`, `path`, `index`, `gain`, `represents`;
      `added`, `reason`, `findings`, `dropped`.

    Raises:
      UserError: what was expected, found, and what to do; nothing was written.

    Example:
      >>> import tempfile
      >>> folder = pathlib.Path(tempfile.mkdtemp())
      >>> np.save(folder / "rows.npy", np.random.default_rng(0).normal(size=(20, 3)))
      >>> done = select_round(folder / "rows.npy", 4, "norm", out=folder / "round1")
      >>> [pick.rank for pick in done.picks], len(np.load(folder / "round1/picks.npy"))
      ([1, 2, 3, 4], 4)
    """
    budget = as_count("budget", budget)
    before = read_folder(pathlib.Path(earlier)) if earlier is not None else None
    folder = pathlib.Path(out)
    check_new(folder, force)
    seed = None if seed is None else as_seed(seed)
    reading = asked_of(columns, features, ids)
    if before is not None:
        reading = remembered(reading, before.round.options)
    if name := method or (before and before.round.method):
        checked = check_options(name, dict(options or {}))
        options = None if options is None else checked
    if limits is not None and limits.table:
        limits = limits._replace(table=str(pathlib.Path(limits.table).resolve()))

    def wished(opened: Source) -> tuple[Earlier | None, Wish]:
        """The earlier round on the pool as it is, and what is asked for."""
        here = carried_over(before, opened) if before else None
        labels = _labels(labelled, opened.ids, gone(here))
        if here is None:  # else what is left depends on the earlier picks
            check_room(len(opened.ids), labels, (), budget)
        wish = Wish(
            budget,
            method,
            seed,
            labels,
            True,
            options,
            limits,
            ignore_memory,
            reading,
            drop_bad,
        )
        check_before_encoding(opened, wish, here)
        return here, wish

    opened, pool = open_with_features(
        source,
        settings_of(before, encoder, weights, side, representation),
        strict=strict,
        reading=reading,
        # Row numbers and masks are of the images that can be read, not yet known.
        check=wished if _is_named(labelled) else None,
    )
    here, wish = wished(opened)
    for line in sentences_before(opened, here):
        warnings.warn(line, stacklevel=2)
    warn_of(opened.roles)
    if not pool.learned:
        warnings.warn(UNTRAINED, stacklevel=2)
    done = make_round(opened, pool, wish, folder, here)
    if done.dropped:
        dropped = sentence(done.dropped, len(opened.ids))
        warnings.warn(dropped, DroppedRowsWarning, stacklevel=2)
    return done


def _is_named(labelled: Any) -> bool:
    return labelled is None or isinstance(labelled, str | os.PathLike)


def _labels(labelled: Any, ids: np.ndarray, gone: Collection[str]) -> dict[int, Label]:
    if isinstance(labelled, str | os.PathLike):
        return read_labelled(pathlib.Path(labelled), ids, gone)
    rows = np.flatnonzero(as_labelled(labelled, len(ids)))
    return dict.fromkeys(rows.tolist(), KNOWN)
