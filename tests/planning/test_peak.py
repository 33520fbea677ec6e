"""The terms of the memory's forecast, beside XLA's own account of the programs."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest

from jaxsel.planning.fitted import COMPILER_BYTES, COMPILER_SECONDS
from jaxsel.planning.memory import COMPILER, FILE, peak
from jaxsel.planning.shape import Call, Shape
from jaxsel.selection.gram_schmidt import select_gram_schmidt
from jaxsel.selection.max_herding import herd
from jaxsel.selection.methods import METHODS
from jaxsel.selection.norm import select_norm
from jaxsel.selection.typiclust import _cluster

N, D, B = 40_000, 128, 100


def account(function, *more, key=True, labelled=True) -> int:
    """Arguments, results and temporaries of a compiled program, in bytes."""
    arrays = [jax.ShapeDtypeStruct((N, D), jnp.float32)]
    if key:
        arrays.insert(0, jax.eval_shape(lambda: jax.random.key(0)))
    if labelled:
        arrays.append(jax.ShapeDtypeStruct((N,), jnp.bool_))
    found = jax.jit(function).lower(*arrays, *more).compile().memory_analysis()
    return (
        found.argument_size_in_bytes
        + found.output_size_in_bytes
        + found.temp_size_in_bytes
    )


SCALAR = jax.ShapeDtypeStruct((), jnp.float32)
COUNT = jax.ShapeDtypeStruct((), jnp.int32)


@pytest.mark.parametrize(
    ("method", "program"),
    [
        ("norm", lambda: account(partial(select_norm, budget=B))),
        ("gram_schmidt", lambda: account(partial(select_gram_schmidt, budget=B))),
        ("max_herding", lambda: account(partial(herd, budget=B), SCALAR)),
        (
            "typiclust",
            lambda: account(partial(_cluster, room=B, n_init=1), COUNT, labelled=False),
        ),
    ],
)
def test_the_terms_are_those_of_the_compiled_program(method, program) -> None:
    # An accelerator's peak is what the program holds, and nothing else.
    parts = peak(method, Call(Shape(N, D), B), device="gpu")
    assert FILE not in parts and COMPILER not in parts
    assert sum(parts.values()) == pytest.approx(program(), rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_terms(method: str) -> None:
    parts = peak(method, Call(Shape(10_000, 64), 50))
    assert parts[FILE] == 10_000 * 64 * 4
    assert parts[COMPILER] > 0
    assert min(parts.values()) >= 0


def test_the_fitted_tables_speak_of_the_methods_there_are() -> None:
    assert set(COMPILER_BYTES) == set(METHODS) == set(COMPILER_SECONDS)


@pytest.mark.parametrize("method", METHODS)
def test_more_of_a_pool_takes_no_less(method: str) -> None:
    def total(n: int, d: int) -> int:
        return sum(peak(method, Call(Shape(n, d), min(40, n))).values())

    sizes = [10, 999, 1_000, 40_000, 1_000_000]
    by_rows = [total(n, 64) for n in sizes]
    assert by_rows == sorted(by_rows) and by_rows[0] < by_rows[-1]
    by_width = [total(50_000, d) for d in (64, 128, 1_000)]
    assert by_width == sorted(by_width) and by_width[0] < by_width[-1]


def test_rows_that_are_not_used_in_place_are_copied() -> None:
    plain = peak("norm", Call(Shape(N, D), B))
    copy = 4 * N * D
    # Read into memory before: no file, but a copy at an address that JAX can use.
    assert peak("norm", Call(Shape(N, D, mapped=False), B))["rows in float32"] == copy
    wide = peak("norm", Call(Shape(N, D, "float64"), B))
    assert wide[FILE] == 2 * plain[FILE]
    assert wide["rows in float32"] == copy
    gathered = peak("norm", Call(Shape(N, D, gathered=True), B))
    assert sum(gathered.values()) == sum(plain.values()) + 2 * copy


def test_what_makes_gram_schmidt_measure_anew() -> None:
    def total(budget: int, **more) -> int:
        return sum(peak("gram_schmidt", Call(Shape(N, D), budget, **more)).values())

    once = total(D)
    assert total(D + 1) - once > 2 * 4 * N * D
    assert total(10, labelled=1) - once > 2 * 4 * N * D
    assert total(10, options={"norm_ord": 1.0}) - once > 2 * 4 * N * D
