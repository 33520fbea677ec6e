"""Picks under constraints: those of the definition, and none that break a rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsel
from jaxsel import Constraints, UserError
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.selection.heeding import plan
from jaxsel.selection.methods import METHODS
from tests import oracles
from tests.selection.constrained_greedy import BUDGET, GREEDY, Pool, greedy, law

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{CoverageWarning.__module__}.CoverageWarning"
)
# Others take seconds of compilation, and are compared with the definition or the law.
QUICK = ("random", "typiclust")


def constraints_of(pool: Pool, **changes) -> Constraints:
    given = {
        "exclude": pool.excluded,
        "groups": [f"patient {g}" for g in pool.group],
        "per_group": pool.per_group,
        "strata": pool.stratum,
        "quotas": pool.quotas,
        "min_distance": pool.min_distance,
        "costs": pool.cost,
        "funds": pool.funds,
    }
    return Constraints(**{**given, **changes})


def check(pool: Pool, picks: list[int], funds: float) -> None:
    """Every rule, looked at on its own."""
    taken = [*pool.labelled, *picks]
    assert len(set(taken)) == len(taken) and not set(picks) & set(pool.excluded)
    assert np.bincount(pool.group[taken]).max() <= pool.per_group
    for stratum, least in pool.quotas.items():
        assert (pool.stratum[taken] == stratum).sum() >= least
    assert pool.cost[picks].sum() <= funds
    for k, row in enumerate(picks):
        others = pool.unit[[*pool.labelled, *picks[:k]]]
        away = np.linalg.norm(others - pool.unit[row], axis=1)
        assert away.min() >= pool.min_distance


@pytest.mark.parametrize(
    "method",
    [m if m in QUICK else pytest.param(m, marks=pytest.mark.slow) for m in METHODS],
)
def test_no_pick_breaks_a_rule(method):
    for seed in range(3):
        pool = Pool(seed)
        free = sorted(set(range(48)) - {*pool.labelled, *pool.excluded})
        include = [row for row in free if pool._far(row, pool.labelled)][2:3]
        selection = jaxsel.select(
            pool.rows,
            BUDGET,
            method,
            labelled=pool.labelled,
            seed=seed,
            constraints=constraints_of(pool, include=include),
        )
        picks = selection.indices.tolist()
        assert picks[:1] == include and selection.info["included"] == 1
        assert len(selection.gains) == len(picks)
        assert selection.info["spent"] == pytest.approx(pool.cost[picks].sum())
        ended = "budget" if len(picks) == BUDGET else "funds"
        assert selection.info["ended"] == ended
        check(pool, picks, pool.funds)


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(method, marks=pytest.mark.slow)
        if method == "max_herding"
        else method
        for method in GREEDY
    ],
)
@pytest.mark.parametrize(
    "algorithm", ["auto", pytest.param("sequential", marks=pytest.mark.slow)]
)
def test_deterministic_picks_are_those_of_the_definition(method, algorithm):
    score, options = GREEDY[method]
    if algorithm != "auto":
        if method != "gram_schmidt":
            pytest.skip("it has one algorithm")
        options = {**options, "algorithm": algorithm}
    early = 0
    for seed, funds in ((0, 100.0), (1, 100.0), (2, 13.0), (3, 100.0)):
        pool = Pool(seed)
        pool.funds = funds
        expected = greedy(pool, score, BUDGET)
        early += len(expected) < BUDGET
        found = jaxsel.select(
            pool.rows,
            BUDGET,
            method,
            labelled=pool.labelled,
            constraints=constraints_of(pool),
            **options,
        )
        assert found.indices.tolist() == expected
    assert early >= 1  # the case with little money ends before the budget


@pytest.mark.parametrize("method", ["norm", "gram_schmidt"])
def test_random_picks_have_the_law_restricted_to_allowed_rows(method):
    rng = np.random.default_rng(0)
    # At right angles, so that residuals stay the rows and both laws are the norms'.
    weights = rng.uniform(0.5, 2.0, 6)
    rows = jnp.asarray(np.diag(weights).astype(np.float32))
    groups = [0, 0, 0, 1, 2, 2]
    todo = plan(Constraints(groups=groups, per_group=1), rows, np.zeros(6, bool), 2)
    function = METHODS[method].function

    def one(key):
        return function(key, rows, jnp.zeros(6, bool), budget=2, rules=todo.rules)

    keys = jax.random.split(jax.random.key(1), 5_000)
    draws = jax.jit(lambda keys: jax.lax.map(lambda k: one(k).indices, keys))(keys)
    assert oracles.chi_square(np.asarray(draws), law(weights, groups, 2)) > 1e-3


def test_needs_are_met_where_groups_lie_in_several_strata():
    # Whoever picks the long row 0 first (group p) leaves stratum a to q, and b to p.
    rows = np.diag([9.0, 5.0, 4.0, 3.0, 2.0]).astype(np.float32)
    groups, strata = ["p", "p", "q", "q", "r"], ["c", "a", "a", "b", "c"]
    found = jaxsel.select(
        rows, 3, "norm", deterministic=True,
        constraints=Constraints(
            groups=groups, per_group=1, strata=strata, quotas={"a": 1, "b": 1}
        ),
    )  # fmt: skip
    # p and q have to serve a and b; a in p (row 1) and b in q (row 3), or no b at all.
    assert found.indices.tolist() == [1, 3, 4]


def test_excluded_rows_are_still_covered():
    rows = np.array([[1.0, 0.0], [0.99, 0.1], [0.99, -0.1], [0.0, 1.0]])
    found = jaxsel.select(
        rows, 1, "probcover", delta=0.15, constraints=Constraints(exclude=[0])
    )
    assert found.gains.tolist() == [2.0]
    mask = np.array([True, False, False, False])
    again = jaxsel.select(
        rows, 1, "probcover", delta=0.15, constraints=Constraints(exclude=mask)
    )
    assert found.indices.tolist() == again.indices.tolist() == [1]


@pytest.mark.parametrize(
    "method", ["norm", pytest.param("gram_schmidt", marks=pytest.mark.slow)]
)
def test_the_same_ids_whatever_the_row_order(method):
    pool = Pool(5)
    ids = np.array([f"scan{k:02d}" for k in range(48)])
    order = np.random.default_rng(1).permutation(48)
    place = np.argsort(order)
    one = jaxsel.select(
        pool.rows, 6, method, ids=ids, labelled=pool.labelled,
        constraints=constraints_of(pool),
    )  # fmt: skip
    moved = constraints_of(
        pool,
        exclude=place[pool.excluded],
        groups=[f"patient {g}" for g in pool.group[order]],
        strata=pool.stratum[order],
        costs=pool.cost[order],
    )
    other = jaxsel.select(
        pool.rows[order], 6, method, ids=ids[order],
        labelled=place[pool.labelled], constraints=moved,
    )  # fmt: skip
    assert ids[one.indices].tolist() == ids[order][other.indices].tolist()


def test_no_constraints_are_no_constraints():
    pool = Pool(0)
    plain = jaxsel.select(pool.rows, 5, "norm")
    empty = jaxsel.select(pool.rows, 5, "norm", constraints=Constraints())
    assert plain.indices.tolist() == empty.indices.tolist()


TWO = np.eye(6, dtype=np.float32)
CONFLICTS = {
    "include and exclude": {"include": [1], "exclude": [1]},
    "include and labelled": {"include": [0]},
    "include and the budget": {"include": [1, 2, 3, 4]},
    "include and per_group": {
        "include": [1, 2], "groups": list("aabbcc"), "per_group": 1,
    },
    "include and min_distance": {"include": [1, 2], "min_distance": 1.5},
    "include and funds": {"include": [1], "costs": np.full(6, 9.0), "funds": 8},
    "the budget conflicts with what is labelled": {"exclude": [1, 2, 3]},
    "quotas and the budget": {"strata": list("aabbcc"), "quotas": {"b": 2, "c": 2}},
    "quotas conflict with what is labelled": {
        "strata": list("aabbcc"), "quotas": {"a": 3},
    },
    "per_group and the budget": {"groups": list("aaaaab"), "per_group": 1},
    "quotas and funds": {
        "strata": list("aabbcc"), "quotas": {"b": 2}, "costs": np.full(6, 3.0),
        "funds": 5,
    },
    "quotas and per_group": {
        "groups": list("abccde"), "per_group": {"c": 1}, "strata": list("xxyyzz"),
        "quotas": {"y": 2},
    },
    "the budget conflicts with what is labelled, excluded or too near": {
        "min_distance": 1.6,
    },
    "the constraints conflict: after 2 of 3": {
        "min_distance": 0.5, "groups": list("abcdef"), "per_group": 9,
    },
}  # fmt: skip


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_conflicts_are_named(conflict):
    rows = TWO
    if "after 2" in conflict:
        rows = TWO[[0, 1, 1, 2, 2, 2]]
    with pytest.raises(UserError, match=f"^{conflict}"):
        jaxsel.select(
            rows,
            3,
            "norm",
            labelled=[0],
            constraints=Constraints(**CONFLICTS[conflict]),
        )


LETTERS = list("aabbcc")
MISTAKES = {
    "groups and per_group go together": {"groups": [1] * 6},
    "strata and quotas go together": {"quotas": {"a": 1}},
    "costs and funds go together": {"funds": 3},
    "groups must be one value per row": {"groups": [1, 2], "per_group": 1},
    "groups must be whole numbers or text": {"groups": [0.5] * 6, "per_group": 1},
    "per_group must be a whole number of 1": {"groups": [1] * 6, "per_group": 0},
    "quotas names 'z', which no row has": {
        "strata": list("aabbcc"),
        "quotas": {"z": 1},
    },
    "quotas must map strata": {"strata": LETTERS, "quotas": 2},
    "quotas must be whole numbers": {"strata": LETTERS, "quotas": {"a": 0.5}},
    "costs must be above 0": {"costs": np.zeros(6), "funds": 1},
    "min_distance must be a number above 0": {"min_distance": -1},
    "include indices must lie in": {"include": [6]},
    "a mask for exclude must have shape": {"exclude": np.zeros(5, bool)},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused(mistake):
    with pytest.raises(UserError, match=mistake):
        jaxsel.select(TWO, 3, "norm", constraints=Constraints(**MISTAKES[mistake]))


@pytest.mark.parametrize(
    "algorithm", ["blocked", pytest.param("sequential", marks=pytest.mark.slow)]
)
def test_rows_that_a_pick_opens_take_part_at_once(algorithm):
    # Groups p and q cross strata a and b; a needs a label. Places are held for row 0 of
    # p, so the long row 2 of p may be picked only once row 1 of q has met the need.
    lengths = np.array([1.0, 1.0, 1000.0, 1.0])
    wanted = Constraints(
        groups=list("pqpq"), per_group={"p": 1, "q": 2},
        strata=list("aabb"), quotas={"a": 1},
    )  # fmt: skip
    rows = jnp.asarray(np.diag(lengths), jnp.float32)
    todo = plan(wanted, rows, np.zeros(4, bool), 2)
    function = METHODS["gram_schmidt"].function

    def one(key):
        picks = function(
            key, rows, jnp.zeros(4, bool), budget=2, algorithm=algorithm,
            rules=todo.rules,
        )  # fmt: skip
        return picks.indices

    keys = jax.random.split(jax.random.key(2), 3_000)
    draws = np.asarray(jax.jit(lambda keys: jax.lax.map(one, keys))(keys))
    # First one of 0, 1 and 3, alike; then by length, among what that leaves.
    ends = {0: (1, 3), 1: (0, 2, 3), 3: (0, 1)}
    exact = {
        (first, second): lengths[second] / lengths[list(allowed)].sum() / 3
        for first, allowed in ends.items()
        for second in allowed
    }
    assert oracles.chi_square(draws, exact) > 1e-3


def test_money_that_a_cheap_pick_sets_free_is_used_at_once():
    rows = np.diag([10, 9.5, 9, 8.8, 8.5, 0.1])
    wanted = Constraints(
        costs=[6, 0.5, 1, 4, 0.5, 5], funds=12, strata=list("ststts"), quotas={"s": 2}
    )
    found = jaxsel.select(
        rows, 4, "gram_schmidt", deterministic=True, block_size=2, constraints=wanted
    )
    assert found.indices.tolist() == [0, 1, 2, 3]


def test_ten_labels_at_a_tenth_cost_one():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    cents = Constraints(costs=np.full(40, 0.1), funds=1.0)
    found = jaxsel.select(rows, 10, "norm", constraints=cents)
    assert len(found) == 10 and found.info["spent"] == pytest.approx(1.0)
    three = Constraints(include=[0, 1, 2], costs=[0.1, 0.2, 0.3, *[1] * 37], funds=0.6)
    assert len(jaxsel.select(rows, 3, "norm", constraints=three)) == 3


def test_what_no_allowed_ball_covers_stays_uncovered():
    rows = np.array([[1, 0], [1, 0.01], [1, -0.01], [0, 1], [0.01, 1], [-0.01, 1]])
    wanted = Constraints(exclude=[3, 4, 5])
    found = jaxsel.select(rows, 2, "probcover", delta=0.2, constraints=wanted)
    assert found.info["rounds"] == 2
    assert (found.info["coverage"], found.info["uncovered"]) == (0.5, 3)


def test_given_candidates_and_tables_of_another_order_are_refused():
    with pytest.raises(UserError, match="constraints or candidates"):
        jaxsel.select(
            TWO, 2, "probcover+norm", candidates=[0, 1, 2],
            constraints=Constraints(exclude=[0]),
        )  # fmt: skip
    with pytest.raises(UserError, match="constraints or a mesh"):
        jaxsel.select(
            TWO, 2, "norm", mesh=jaxsel.pool_mesh(1), constraints=Constraints()
        )
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TWO)
    site = pandas.Series(list("abcdef"), index=frame.index[::-1])
    with pytest.raises(UserError, match="groups must have the index of the features"):
        jaxsel.select(
            frame, 2, "norm", constraints=Constraints(groups=site, per_group=1)
        )
    with pytest.raises(UserError, match="found an Index"):
        jaxsel.select(
            frame, 2, "norm", constraints=Constraints(include=frame.index[:1])
        )


@pytest.mark.slow
def test_two_stages_propose_what_can_be_paid_for():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 8))
    dear = Constraints(costs=np.where(np.arange(400) < 40, 1, 100), funds=50)
    found = jaxsel.select(rows, 10, "typiclust+norm", constraints=dear)
    assert len(found) == 10 and found.info["spent"] == 10
    strata = np.array(["a"] * 30 + ["b"] * 370)
    quotas = Constraints(
        costs=np.where(np.arange(400) < 3, 1, 10), funds=73, strata=strata,
        quotas={"a": 3},
    )  # fmt: skip
    found = jaxsel.select(rows, 10, "probcover+random", constraints=quotas)
    assert (strata[found.indices] == "a").sum() >= 3 and found.info["spent"] <= 73
