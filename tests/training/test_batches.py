"""The order of an epoch: every size below a batch from one program."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.training.batches import BatchPlan, batch_plan, draws_per_epoch, epoch_order


@pytest.mark.parametrize(
    ("size", "batch_cap", "expected"),
    [
        (1, 0, BatchPlan(100, 100, 1)),
        (100, 0, BatchPlan(100, 100, 1)),
        (101, 0, BatchPlan(101, 101, 1)),
        (30, 50, BatchPlan(50, 50, 1)),
        (60, 50, BatchPlan(60, 50, 1)),
        (400, 100, BatchPlan(400, 100, 4)),
    ],
)
def test_plans(size, batch_cap, expected):
    assert batch_plan(size, min_batch=100, batch_cap=batch_cap) == expected


def test_no_labels_are_refused():
    with pytest.raises(ValueError, match="expected at least 1 label, found 0"):
        batch_plan(0, min_batch=100, batch_cap=0)


def test_every_size_is_tiled_as_the_reference_does():
    plan = batch_plan(1, min_batch=100, batch_cap=0)

    @jax.jit
    @chex.assert_max_traces(1)
    def order(draws, size):
        return epoch_order(draws, size, plan)

    draws = jax.random.uniform(jax.random.key(0), (draws_per_epoch(plan),))
    for size in range(1, 101):
        doubled = list(range(size))
        while len(doubled) < 100:
            doubled += doubled
        # The first hundred of the doubled list, in the order of the draws.
        expected = np.array(doubled)[np.argsort(np.asarray(draws)[: len(doubled)])]
        found = order(draws, jnp.int32(size))
        np.testing.assert_array_equal(found, expected[None, :100])


def test_several_steps_an_epoch_do_not_repeat_a_label():
    plan = batch_plan(23, min_batch=5, batch_cap=5)
    draws = jax.random.uniform(jax.random.key(1), (draws_per_epoch(plan),))
    order = np.asarray(epoch_order(draws, jnp.int32(23), plan))
    assert order.shape == (4, 5)
    assert np.unique(order).size == 20 and order.min() >= 0 and order.max() < 23
