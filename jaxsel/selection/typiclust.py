"""TypiClust: the most typical row of each of the largest uncovered clusters."""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError
from jaxsel.selection import rules as rule
from jaxsel.selection.contract import Picks, no_picks
from jaxsel.selection.kmeans import kmeans
from jaxsel.selection.rules import Rules, Standing
from jaxsel.selection.sharded import mesh, typical
from jaxsel.selection.typicality import BATCH, Cluster, Typical, most_typical

Array = jax.Array

SMALLEST = 5
"""Clusters of at most this many rows are left out while larger ones remain."""

GUARD = 1e-5
"""Added to the mean distance, so that copies have a finite typicality."""


def select_typiclust(
    key: Array,
    features: Array,
    labelled: Array,
    *,
    budget: int,
    clusters: Array | None = None,
    max_clusters: int = 500,
    n_init: int = 1,
    distance: Literal["sqeuclidean", "euclidean"] = "sqeuclidean",
    rules: Rules | None = None,
) -> Picks:
    """Clusters the pool, then picks the densest row of one cluster after another.

    k-means splits the pool into k = min(|L| + budget, max_clusters) clusters.
    Clusters of at most 5 rows are dropped; the kept ones are ordered by how many
    labelled rows they hold (fewest first), then by size (largest first), then by id.
    Pick i comes from cluster i mod #kept: of its members neither labelled nor picked,
    the one with the largest typicality

        1 / (mean of ||x - y||² over the K nearest such members y + 1e-5),

    K = min(20, m // 2) with m such members left, and the lowest row at a tie.

    When nothing is left: after one pick from every kept cluster a new round passes
    over them in the same order, skipping clusters used up; when all kept clusters are
    used up, or none is kept, the dropped ones follow by the same order. Rows of norm
    zero form a cluster of their own. Picks for a smaller budget are not a prefix,
    because k follows the budget.

    `features` and `key` may be traced. If `labelled` is traced, k cannot be known
    while compiling: room for min(max_clusters, n) centres is then set aside, which
    costs time but changes nothing else.

    Args:
      key: PRNG key for k-means; unused when `clusters` is given.
      features: float `[n, d]`, unit rows; rows of zeros stay zero.
      labelled: bool `[n]`.
      budget: how many rows to pick, at most n - |L|; static.
      clusters: int32 `[n]`, cluster ids to use instead of k-means.
      max_clusters: upper limit on k.
      n_init: k-means restarts. Eight instead of one lowered the inertia by 0.3 to 1 %
        and left the coverage of the picks where it was, on three pools.
      distance: "sqeuclidean", as the authors' code computes, or "euclidean", as the
        paper writes.
      rules: what the picks must heed beyond `labelled`, or None. Rows that are ruled
        out are still neighbours; a cluster without other rows is skipped. Where no row
        is allowed any more the rest of the indices is -1.

    Returns:
      `Picks`; `gains` are typicalities (inf for the only member left of a cluster),
      `rounds` counts passes, and `info` holds `assignments` `[n]`, `n_clusters`,
      `n_kept` and, from k-means, `inertia` and `iterations`.

    Raises:
      UserError: an option outside its range.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x = jnp.array([[0.0], [0.1], [0.3], [5.0], [5.2], [5.3], [5.4]])
      >>> ids = jnp.array([0, 0, 0, 1, 1, 1, 1])
      >>> none = jnp.zeros(7, bool)
      >>> key = jax.random.key(0)
      >>> select_typiclust(key, x, none, budget=2, clusters=ids).indices.tolist()
      [5, 0]

    Source: Hacohen, Dekel & Weinshall, "Active Learning on a Budget: Opposite
    Strategies Suit High and Low Budgets", ICML 2022, algorithm 1 and section 3.
    """
    _check(distance, max_clusters, n_init)
    if budget == 0:
        return no_picks()
    squared = distance == "sqeuclidean"
    info: dict[str, Array] = {}
    if clusters is None:
        room = _room(labelled, budget, min(max_clusters, features.shape[0]))
        wanted = jnp.minimum(labelled.sum() + budget, max_clusters)
        clusters, info = _cluster(key, features, wanted, room, n_init)
        capacity = room + 1
    else:
        capacity = features.shape[0]
    indices, gains, rounds, counts = _pick(
        features,
        labelled,
        jnp.asarray(clusters, jnp.int32),
        rules,
        budget=budget,
        capacity=capacity,
        squared=squared,
    )
    return Picks(indices, gains, rounds, info | counts | {"assignments": clusters})


def _check(distance: str, max_clusters: int, n_init: int) -> None:
    """Refuses options outside their range."""
    if distance not in ("sqeuclidean", "euclidean"):
        raise UserError(
            f"distance must be one of sqeuclidean, euclidean; found {distance!r}"
        )
    for name, value in (("max_clusters", max_clusters), ("n_init", n_init)):
        if value < 1:
            raise UserError(f"{name} must be at least 1; found {value!r}")


def _room(labelled: Array, budget: int, limit: int) -> int:
    """Centres to compile for: k if |L| is known now, in steps of 64 once |L| > 0.

    The steps keep a growing labelled set from compiling anew in every round.
    """
    if isinstance(labelled, jax.core.Tracer):
        return limit
    known = int(np.asarray(labelled).sum())  # NumPy: a user's jit may be tracing.
    wanted = budget if known == 0 else -(-(known + budget) // 64) * 64
    return max(1, min(wanted, limit))


@partial(jax.jit, static_argnames=("room", "n_init"))
def _cluster(
    key: Array, features: Array, wanted: Array, room: int, n_init: int
) -> tuple[Array, dict[str, Array]]:
    """k-means on the non-zero rows; zero rows get the next id."""
    nonzero = jnp.any(features != 0, axis=1)
    found = kmeans(
        key,
        features,
        k=room,
        count=jnp.clip(wanted, 1, room),
        valid=nonzero,
        n_init=n_init,
    )
    clusters = jnp.where(nonzero, found.assignments, room)
    return clusters, {"inertia": found.inertia, "iterations": found.iterations}


class _Table(NamedTuple):
    """The clusters in the order they are visited, the empty ones last.

    Attributes:
      order: int32 `[n]`, the pool's rows sorted by cluster.
      start: int32 `[c]`, where the cluster visited q-th begins in `order`.
      size: int32 `[c]`, its rows.
      open: int32 `[c]`, its rows not labelled.
      kept: int32 scalar, how many clusters exceed the size limit.
      filled: int32 scalar, how many are not empty.
    """

    order: Array
    start: Array
    size: Array
    open: Array
    kept: Array
    filled: Array


def _tabulate(clusters: Array, labelled: Array, capacity: int) -> _Table:
    """Sorts rows by cluster and clusters by visit.

    Ids may be any integers, of which at most `capacity` differ.
    """
    n = clusters.shape[0]
    order = jnp.argsort(clusters, stable=True).astype(jnp.int32)
    ordered = clusters[order]
    new = jnp.concatenate([jnp.array([False]), ordered[1:] != ordered[:-1]])
    rank = jnp.cumsum(new, dtype=jnp.int32)
    count = partial(jax.ops.segment_sum, segment_ids=rank, num_segments=capacity)
    size = count(jnp.ones(n, jnp.int32))
    known = count(labelled[order].astype(jnp.int32))
    start = jnp.cumsum(size, dtype=jnp.int32) - size
    kept = size > SMALLEST
    # The last key is the first criterion; lexsort is stable, so ids break ties.
    visit = jnp.lexsort((-size, known, ~kept, size == 0))
    return _Table(
        order,
        start[visit],
        size[visit],
        (size - known)[visit],
        jnp.sum(kept, dtype=jnp.int32),
        jnp.sum(size > 0, dtype=jnp.int32),
    )


def _visit_of_place(table: _Table, places: int) -> Array:
    """int32 `[places]`: which visit the row listed at each place belongs to."""
    capacity = table.start.shape[0]
    begins = jnp.zeros(places + 1, jnp.int32)
    at = jnp.where(table.size > 0, table.start, places)
    # Clusters follow each other in the list: the last that has begun is the row's own.
    order = jnp.argsort(at, stable=True).astype(jnp.int32)
    begins = begins.at[at].add((table.size > 0).astype(jnp.int32))
    return order[jnp.clip(jnp.cumsum(begins)[:places] - 1, 0, capacity - 1)]


def _tile(typical_size: int) -> int:
    """Rows a tile: near the size of a typical cluster, within what runs well."""
    return max(BATCH, min(256, 1 << max(typical_size - 1, 0).bit_length()))


class _Walk(NamedTuple):
    """Loop state of the picks: what is left, and where the walk stands.

    Attributes:
      open: bool `[n + tile]`, rows neither labelled nor picked, by place in the list.
      left: int32 `[c]`, open rows of the cluster visited q-th.
      cursor: int32 scalar, the next cluster to look at.
      limit: int32 scalar, the walk passes over clusters 0 .. limit - 1.
      rounds: int32 scalar.
      indices, gains: `[budget]`, filled up to the current pick.
      standing: what the picks have left of the rules, where there are some.
    """

    open: Array
    left: Array
    cursor: Array
    limit: Array
    rounds: Array
    indices: Array
    gains: Array
    standing: Standing | None


@partial(jax.jit, static_argnames=("budget", "capacity", "squared"))
def _pick(
    features: Array,
    labelled: Array,
    clusters: Array,
    rules: Rules | None,
    *,
    budget: int,
    capacity: int,
    squared: bool,
) -> tuple[Array, Array, Array, dict[str, Array]]:
    """Walks over the clusters, one pick from each."""
    n = clusters.shape[0]
    labelled, clusters = mesh.everywhere((labelled, clusters))
    table = _tabulate(clusters, labelled, capacity)
    tile = _tile(n // min(budget, capacity))
    # One copy of the rows, listed cluster by cluster, with room to read whole tiles.
    places = jnp.minimum(jnp.arange(n + tile), n - 1)
    is_open = ~labelled[table.order[places]] & (jnp.arange(n + tile) < n)
    if mesh.on_mesh():  # The rows stay where they are: their place is their row.
        names = clusters[table.order[jnp.minimum(table.start, n - 1)]]
        table = table._replace(order=jnp.arange(n, dtype=jnp.int32))
        is_open = ~labelled
    else:
        listed = features[table.order[places]]

    def find(q: Array, walk: _Walk, may: Array | None) -> Typical:
        if mesh.on_mesh():
            members = walk.open & (clusters == names[q])
            return typical.most_typical(features, members, squared=squared, tile=tile)
        cluster = Cluster(listed, walk.open, table.start[q], table.size[q], may)
        found = most_typical(cluster, squared=squared, tile=tile)
        return found._replace(place=table.start[q] + found.place)

    visits = jnp.arange(capacity, dtype=jnp.int32)
    visit_of = _visit_of_place(table, n + tile)

    def pick(i: Array, walk: _Walk) -> _Walk:
        may = None
        if rules is not None and walk.standing is not None:
            may = walk.open & rule.allowed(rules, walk.standing)[table.order[places]]
            left = jax.ops.segment_sum(may.astype(jnp.int32), visit_of, capacity)
            walk = walk._replace(left=left)
        used_up = ~jnp.any((visits < walk.limit) & (walk.left > 0))
        limit = jnp.where(used_up, table.filled, walk.limit)
        cursor = jnp.where(used_up, 0, walk.cursor)
        ahead = jnp.where(
            (visits < limit) & (walk.left > 0), (visits - cursor) % limit, limit
        )
        q = jnp.argmin(ahead)
        found = find(q, walk, may)
        alone = found.neighbours == 0
        typicality = jnp.where(alone, jnp.inf, 1 / (found.mean_distance + GUARD))
        begun = used_up | (q < cursor)
        row, standing = table.order[found.place], walk.standing
        if may is not None:
            assert rules is not None and standing is not None
            none = ~jnp.any(may)
            row = jnp.where(none, -1, row)
            typicality = jnp.where(none, 0.0, typicality)
            begun = begun & ~none
            standing = rule.after(rules, standing, row)
        return _Walk(
            walk.open.at[found.place].set(False),
            walk.left.at[q].add(-1),
            (q + 1).astype(jnp.int32),
            limit,
            walk.rounds + begun.astype(jnp.int32),
            walk.indices.at[i].set(row),
            walk.gains.at[i].set(typicality.astype(walk.gains.dtype)),
            standing,
        )

    walk = _Walk(
        is_open,
        table.open,
        jnp.int32(0),
        jnp.where(table.kept > 0, table.kept, table.filled),
        jnp.int32(1),
        jnp.zeros(budget, jnp.int32),
        jnp.zeros(budget, features.dtype),
        None if rules is None else rule.begin(rules, budget),
    )
    walk = jax.lax.fori_loop(0, budget, pick, walk)
    counts = {"n_clusters": table.filled, "n_kept": table.kept}
    return walk.indices, walk.gains, walk.rounds, counts
