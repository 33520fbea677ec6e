"""What can be refused before images are encoded, which takes minutes."""

import dataclasses

import numpy as np

from jaxsel.selection import heeding
from jaxsel.selection.constraints import Constraints
from jaxsel.sources.source import Source
from jaxsel.verbs.constraining import Before, Limits, constraints_after
from jaxsel.verbs.picking import check_room


def check_limits(limits: Limits | None, source: Source, before: Before) -> None:
    """Checks all constraints that need no features: all but the least distance.

    Args:
      limits: what is asked for.
      source: the pool's names.
      before: what is known of its rows, and how many more are to be picked.

    Raises:
      UserError: options or columns that are missing, or constraints that cannot all
        hold; the message names those that conflict.
    """
    if limits is None or not limits.asked or not before.more:
        return
    n = len(source.ids)
    check_room(n, before.known, before.unusable, before.more)
    wanted = constraints_after(limits, source, before)
    if wanted is None:
        return
    # As `picking.pick_rows` does: what cannot be used is no part of the pool.
    usable = np.ones(n, bool)
    usable[list(before.unusable)] = False
    known = np.zeros(n, bool)
    known[list(before.known)] = True
    where = np.flatnonzero(usable)
    if len(where) < n:
        wanted, known = wanted.within(where), known[where]
    check_without_features(wanted, known, before.more)


def check_without_features(wanted: Constraints, known: np.ndarray, more: int) -> None:
    """As `selection.heeding.plan`, but for the least distance between picks.

    Args:
      wanted: the constraints.
      known: bool `[n]`, rows with labels.
      more: how many are to be picked.

    Raises:
      UserError: constraints that cannot all hold.
    """
    apart = wanted.min_distance
    if apart is not None:
        wanted = dataclasses.replace(wanted, min_distance=None)
    rows = np.zeros((len(known), 1), np.float32)
    heeding.plan(wanted, rows, known, more)  # type: ignore[arg-type]
