"""The estimate of memory against what XLA says after compiling."""

import jax
import jax.numpy as jnp
import pytest

from jaxsel.training.footprint import peak_bytes
from jaxsel.training.frameworks import FRAMEWORKS, group_shape
from jaxsel.training.task import Task


def test_a_value_lives_from_its_making_to_its_last_reading() -> None:
    def chain(x: jax.Array) -> jax.Array:
        for _ in range(5):
            x = x * 2  # one dies as the next is made
        return x

    def fan(x: jax.Array) -> jax.Array:
        parts = [x * i for i in range(5)]  # all five wait for the sum
        return sum(parts[1:], parts[0])

    x = jnp.zeros(1000)
    assert peak_bytes(chain, x) == 2 * 4000
    assert peak_bytes(fan, x) == 6 * 4000


def test_a_loop_needs_its_body_once_and_what_it_stacks() -> None:
    def body(carry: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        wide = jnp.outer(carry, carry)
        return wide.sum(0), carry

    def loop(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.lax.scan(body, x, length=7)

    found = peak_bytes(loop, jnp.zeros(100))
    assert 40_000 <= found - (7 + 1) * 400 <= 2 * 40_000 + 1000


@pytest.mark.parametrize(
    "framework",
    ["linear_probe", pytest.param("supervised", marks=pytest.mark.slow)],
)
def test_within_a_factor_of_what_the_compiler_says(framework: str) -> None:
    shape = jax.ShapeDtypeStruct
    entry = FRAMEWORKS[framework]
    kind = (16, 16, 3), jnp.uint8
    if framework == "linear_probe":
        kind = (512,), jnp.float32
    small = {"epochs": 2} if framework == "linear_probe" else {"epochs": 2, "width": 4}
    settings = entry.settings(**small)
    learner = entry.learner(settings, 10)
    x, y = shape((500, *kind[0]), kind[1]), shape((500,), jnp.int32)
    arguments = (
        jax.eval_shape(lambda: jax.random.key(0)),
        shape((group_shape(settings, 10)[0],), jnp.int32),
        shape((), jnp.int32),
        Task(x, y, x, y),
    )

    def train(*run: object) -> object:
        return entry.train_one(*run, learner, settings, 10)

    estimate = peak_bytes(train, *arguments)
    analysis = jax.jit(train).lower(*arguments).compile().memory_analysis()
    assert 0.8 < estimate / analysis.temp_size_in_bytes < 3
