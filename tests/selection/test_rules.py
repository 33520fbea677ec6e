"""What may be picked next, rule by rule, on a pool of a few rows."""

import jax.numpy as jnp
import numpy as np

from jaxsel.selection.rules import UNLIMITED, Rules, after, allowed, begin

# Four rows: two of stratum 0 in groups 0 and 1, two of stratum 1 in group 0.
GROUP, STRATUM = [0, 1, 0], [0, 0, 1]  # of cells 0, 1, 2


def rules_of(need, held, room=(9, 9), **more):
    return Rules(
        eligible=jnp.ones(4, bool),
        cell=jnp.array([0, 1, 2, 2], jnp.int32),
        group=jnp.array(GROUP, jnp.int32),
        stratum=jnp.array(STRATUM, jnp.int32),
        room=jnp.array(room, jnp.int32),
        need=jnp.array(need, jnp.int32),
        held=jnp.array(held, jnp.int32),
        **more,
    )


def test_the_last_picks_are_kept_for_what_is_needed():
    rules = rules_of(need=(2, 0), held=(1, 1, 0))
    assert allowed(rules, begin(rules, 3)).tolist() == [True] * 4
    # As many picks as needs: rows of the other stratum would take one away.
    standing = begin(rules, 2)
    assert allowed(rules, standing).tolist() == [True, True, False, False]
    standing = after(rules, standing, jnp.int32(1))
    assert standing.need.tolist() == [1, 0] and standing.left == 1
    # Rows picked before are the caller's to know.
    assert allowed(rules, standing).tolist() == [True, True, False, False]


def test_a_held_place_is_not_anybodys():
    # One place in group 0, which stratum 0 counts on.
    rules = rules_of(need=(1, 0), held=(1, 0, 0), room=(1, 9))
    assert allowed(rules, begin(rules, 3)).tolist() == [True, True, False, False]
    # Once the need is met elsewhere the place is free.
    standing = after(rules, begin(rules, 3), jnp.int32(1))
    assert standing.grew and standing.held.tolist() == [0, 0, 0]
    assert allowed(rules, standing, jnp.array([2, 3])).tolist() == [True, True]


def test_rows_at_the_least_distance_are_far_enough():
    rows = jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.8, 0.6]])
    apart = jnp.sqrt(jnp.float32(2.0))  # whose square is above 2 in float32
    rules = rules_of((0, 0), (0, 0, 0), apart=jnp.float32(2.0), rows=rows,
                     inverse=jnp.ones(4))  # fmt: skip
    standing = after(rules, begin(rules, 3), jnp.int32(0))
    # The row opposite is at distance 2 exactly.
    assert allowed(rules, standing).tolist() == [False, False, True, False]
    rules = rules._replace(apart=apart * 0.999)
    standing = after(rules, begin(rules, 3), jnp.int32(0))
    assert allowed(rules, standing).tolist() == [False, True, True, False]


def test_what_needs_cost_at_worst_is_kept_of_the_funds():
    kept = jnp.array([[0, 5], [0, 0]], jnp.int32)  # a need of stratum 0 may cost 5
    cost = jnp.array([2, 5, 4, 6], jnp.int32)
    rules = rules_of((1, 0), (1, 0, 0), cost=cost, funds=jnp.int32(10), kept=kept)
    standing = begin(rules, 3)
    # 10 - 5 are left to rows of the other stratum; all 10 to those that are needed.
    assert allowed(rules, standing).tolist() == [True, True, True, False]
    standing = after(rules, standing, jnp.int32(0))
    assert (standing.funds, standing.grew) == (8, True)
    assert allowed(rules, standing).tolist() == [True] * 4


def test_no_pick_changes_nothing():
    rules = rules_of((1, 0), (1, 0, 0))
    before = begin(rules, 3)
    for old, new in zip(before, after(rules, before, jnp.int32(-1)), strict=True):
        np.testing.assert_array_equal(old, new)
    assert UNLIMITED > 1 << 29
