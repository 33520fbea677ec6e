"""Forecasts and refusals, on machines that are only numbers."""

import jax
import pytest

from jaxsel.errors import UserError
from jaxsel.planning.forecast import (
    check_fits,
    forecast,
    most_rows,
    needed_bytes,
)
from jaxsel.planning.machine import Machine, machine
from jaxsel.planning.shape import Call, Shape
from jaxsel.selection.methods import METHODS

GIB = 1 << 30
HERE = Machine(8 * GIB, 1e11, 1e10, 2, "cpu")
BIG = Shape(4_000_000, 256)
CALL = Call(BIG, 100)


@pytest.mark.parametrize("method", METHODS)
def test_more_of_a_pool_takes_no_less_time(method: str) -> None:
    def seconds(n: int, d: int) -> float:
        return forecast(method, Call(Shape(n, d), 40), HERE).seconds

    assert seconds(1_000, 64) < seconds(50_000, 64) < seconds(50_000, 128)
    fast = HERE._replace(flops=1e15, bytes_per_second=1e15)
    assert forecast(method, Call(BIG, 40), fast).seconds < seconds(4_000_000, 256)


def test_pairs_of_all_rows_cost_their_square() -> None:
    for method in ("probcover", "max_herding"):
        one, two = (
            forecast(method, Call(Shape(n, 256), 1), HERE) for n in (10**6, 2 * 10**6)
        )
        assert two.seconds / one.seconds == pytest.approx(4, rel=0.01)
        assert two.peak_bytes / one.peak_bytes == pytest.approx(2, rel=0.1)


def test_a_mapped_file_need_not_stay_where_it_is_read_once() -> None:
    found = {name: forecast(name, CALL, HERE) for name in METHODS}
    for name, one in found.items():
        kept = one.peak_bytes - one.needed_bytes
        assert kept == (0 if name in ("gram_schmidt", "k_center") else BIG.stored)
        assert sum(size for _, size in one.parts) == one.peak_bytes


def test_what_fits_is_not_refused() -> None:
    for method in METHODS:
        need = needed_bytes(method, CALL, "cpu")
        check_fits(method, CALL, free=need)
        with pytest.raises(UserError):
            check_fits(method, CALL, free=need - 1)
    check_fits("typiclust", Call(BIG, 0), free=0)


def test_a_refusal_names_the_numbers_and_what_fits() -> None:
    with pytest.raises(UserError) as refused:
        check_fits("typiclust", CALL, free=6 * GIB)
    said = str(refused.value)
    # Three copies of 4.1 GB and what else there is.
    assert "13 GB of free memory for typiclust on 4,000,000 rows of 256" in said
    assert "found 6.4 GB" in said
    # The smallest need first; those that read the file in place need all of it.
    assert "(random, norm, k_center, gram_schmidt)" in said


def test_where_nothing_fits_it_says_how_many_rows_would() -> None:
    free = 100 << 20
    wide = Shape(4_000_000, 256, mapped=False)
    with pytest.raises(UserError, match=r"no method fits, 0*[1-9][0-9,]* rows would"):
        check_fits("norm", Call(wide, 100), free=free)
    most = most_rows("norm", Call(wide, 100), free=free)
    fitting, beyond = (wide._replace(n=most + more) for more in (0, 1))
    assert needed_bytes("norm", Call(fitting, 100), "cpu") <= free
    assert needed_bytes("norm", Call(beyond, 100), "cpu") > free
    with pytest.raises(UserError, match="no number of rows would fit"):
        check_fits("norm", Call(wide, 100), free=1)


def test_this_machine_is_measured() -> None:
    here = machine()
    assert here.device == jax.default_backend() and here.cores >= 1
    assert 1e8 < here.flops < 1e16 and 1e7 < here.bytes_per_second < 1e14
    assert 0 < here.free_bytes < 1 << 50
