"""Can constraints hold together? If not, which of them conflict; if so, by what places.

Limits of groups and needs of strata together are a flow: from a source to every
stratum (its need), to the groups (as many as there are rows of both), to a sink (the
group's room). All needs can be met iff the largest flow carries them all, and a
smallest cut names the strata that cannot be served (Hall's theorem).
"""

from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError


class Demand(NamedTuple):
    """What is asked of the picks; `n` rows, `g` groups, `s` strata.

    Attributes:
      eligible: bool `[n]`.
      group, stratum: int `[n]`.
      room: int `[g]`, the most picks of a group.
      need: int `[s]`, the fewest picks of a stratum.
      cost: float `[n]` or None.
      funds: the most that the picks may cost.
      budget: how many picks.
      group_names, stratum_names: for messages.
    """

    eligible: np.ndarray
    group: np.ndarray
    stratum: np.ndarray
    room: np.ndarray
    need: np.ndarray
    cost: np.ndarray | None
    funds: float
    budget: int
    group_names: list
    stratum_names: list

    def kept(self) -> np.ndarray:
        """float64 `[s, q + 1]`: what m more picks of a stratum can cost at worst.

        The q cheapest rows of a stratum that needs q; whatever was picked, m of them
        are left while m picks are needed: the m dearest of them at worst.
        """
        assert self.cost is not None
        table = np.zeros((len(self.need), int(self.need.max(initial=0)) + 1))
        for place in np.flatnonzero(self.need):
            of_it = self.cost[self.eligible & (self.stratum == place)]
            dearest = np.sort(of_it)[: self.need[place]][::-1]
            table[place, 1 : len(dearest) + 1] = np.cumsum(dearest, dtype=np.float64)
        return table


def check(demand: Demand) -> None:
    """Refuses constraints that cannot all hold.

    Raises:
      UserError: naming those that conflict, and by how much.
    """
    left = int(demand.eligible.sum())
    if demand.budget > left:
        raise UserError(
            f"the budget conflicts with what is labelled, excluded or too near to it: "
            f"{demand.budget} picks wanted beyond those included, {left} rows left "
            f"of {len(demand.eligible)}"
        )
    total = int(demand.need.sum())
    if total > demand.budget:
        raise UserError(
            f"quotas and the budget conflict: the strata still need {total} labels, "
            f"the budget leaves {demand.budget}"
        )
    there = np.bincount(demand.stratum[demand.eligible], minlength=len(demand.need))
    for place in np.flatnonzero(there < demand.need)[:1]:
        raise UserError(
            f"quotas conflict with what is labelled, excluded or too near to it: "
            f"stratum {demand.stratum_names[place]!r} still needs "
            f"{demand.need[place]} labels, {there[place]} rows of it are left"
        )
    of_group = np.bincount(demand.group[demand.eligible], minlength=len(demand.room))
    capacity = int(np.minimum(demand.room, of_group).sum())
    if capacity < demand.budget:
        raise UserError(
            f"per_group and the budget conflict: the {len(demand.room)} groups have "
            f"room for {capacity} more labels, {demand.budget} are wanted"
        )
    if demand.cost is not None and total:
        least = float(demand.kept()[np.arange(len(demand.need)), demand.need].sum())
        if least > demand.funds:
            raise UserError(
                f"quotas and funds conflict: the cheapest rows that meet the quotas "
                f"cost {least:g}, the funds leave {demand.funds:g}"
            )


def places(demand: Demand) -> dict[tuple[int, int], int]:
    """How many places of which group each needy stratum can count on.

    Returns:
      By (group, stratum), above 0; those of a stratum add up to its need.

    Raises:
      UserError: the needs do not fit into the groups' room; naming the strata.

    Example:
      >>> two = np.array([0, 1])
      >>> demand = Demand(np.ones(2, bool), two, two, np.ones(2, int), np.array([1, 0]),
      ...                 None, np.inf, 1, ["p", "q"], ["a", "b"])
      >>> places(demand)
      {(0, 0): 1}
    """
    needy = np.flatnonzero(demand.need)
    if not len(needy):
        return {}
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    use = demand.eligible & (demand.need[demand.stratum] > 0)
    pairs, sizes = np.unique(
        np.stack([demand.group[use], demand.stratum[use]]), axis=1, return_counts=True
    )
    groups, strata = len(demand.room), len(demand.need)
    source, sink = groups + strata, groups + strata + 1
    tails = np.concatenate([np.full(len(needy), source), groups + pairs[1],
                            np.arange(groups)])  # fmt: skip
    heads = np.concatenate([groups + needy, pairs[0], np.full(groups, sink)])
    sizes = np.concatenate([demand.need[needy], sizes, demand.room]).astype(np.int32)
    size = sink + 1
    network = csr_matrix((sizes, (tails, heads)), shape=(size, size))
    network.eliminate_zeros()
    flow = maximum_flow(network, source, sink)
    if flow.flow_value < demand.need.sum():
        rest = network - flow.flow
        rest.eliminate_zeros()
        reached = breadth_first_order(rest, source, return_predecessors=False)
        short = [s for s in needy if groups + s in reached]
        shown = ", ".join(repr(demand.stratum_names[s]) for s in short[:5])
        fit = int(demand.need[short].sum()) - int(demand.need.sum() - flow.flow_value)
        raise UserError(
            f"quotas and per_group conflict: the strata {shown} still need "
            f"{int(demand.need[short].sum())} labels, their groups have room for {fit}"
        )
    carried = flow.flow.tocoo()
    return {
        (int(head), int(tail) - groups): int(value)
        for tail, head, value in zip(
            carried.row, carried.col, carried.data, strict=True
        )
        if value > 0 and groups <= tail < source
    }
