"""Which picks are labelled, unusable or open, and how many to pick in their place."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from jaxsel.annotation.labels import UNUSABLE, Label, refuse_strangers
from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError, listed


class Standing(NamedTuple):
    """Where a round of annotation stands; each pick is in one of the three, by rank.

    Attributes:
      labelled: a class was given.
      excluded: can not be used; not to be picked again.
      open: nothing was said yet.
      replacements: how many to pick so that the budget is met when all open picks turn
        out usable.
    """

    labelled: tuple[Pick, ...]
    excluded: tuple[Pick, ...]
    open: tuple[Pick, ...]
    replacements: int


def standing(
    picks: Sequence[Pick],
    labels: Mapping[str, Label],
    *,
    unusable: Collection[str] = (),
    budget: int | None = None,
) -> Standing:
    """Counts a round of annotation against its budget.

    Replacements of an earlier call are picks like others, so calling it again asks for
    no more than is missing: `replacements = max(0, budget - labelled - open)`.

    Args:
      picks: everything that was picked for the round.
      labels: what came back, by id.
      unusable: ids of picks that can not be used, besides those whose label says so.
      budget: how many usable labels are wanted; the number of picks by default.

    Raises:
      UserError: ids that are no picks, a pick that is both labelled and unusable, or a
        budget below 0.

    Example:
      >>> picks = [Pick(k + 1, name, "", k, None, 1) for k, name in enumerate("abc")]
      >>> now = standing(picks, {"a": "cat", "b": UNUSABLE})
      >>> [pick.id for pick in now.open], now.replacements
      (['c'], 1)
    """
    known = {pick.id for pick in picks}
    mentioned = [*labels, *unusable]
    strangers = [name for name in mentioned if name not in known]
    refuse_strangers(strangers, len(mentioned), len(known), "labels and unusable ids")
    excluded = {name for name, label in labels.items() if label is UNUSABLE}
    both = [name for name in unusable if name in labels and name not in excluded]
    if both:
        raise UserError(
            f"expected picks either labelled or unusable, found {len(both)} that are "
            f"both ({listed(both)}); take them out of one of the two"
        )
    budget = len(picks) if budget is None else budget
    if budget < 0:
        raise UserError(f"expected a budget of at least 0, found {budget}")
    excluded |= set(unusable)
    ordered = sorted(picks, key=lambda pick: pick.rank)
    usable = [pick for pick in ordered if pick.id not in excluded]
    return Standing(
        labelled=tuple(pick for pick in usable if pick.id in labels),
        excluded=tuple(pick for pick in ordered if pick.id in excluded),
        open=tuple(pick for pick in usable if pick.id not in labels),
        replacements=max(0, budget - len(usable)),
    )
