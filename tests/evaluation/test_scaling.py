"""The exponents of power laws against SciPy's regression of the logarithms."""

import numpy as np
import pytest
import scipy.stats

from jaxsel.errors import UserError
from jaxsel.evaluation.scaling import exponent


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_an_exact_power_law_is_found(power):
    x = np.array([1000, 2000, 5000, 60000])
    found = exponent(x, 3e-4 * x**power)
    assert found.exponent == pytest.approx(power, abs=1e-12)
    assert found.factor == pytest.approx(3e-4, rel=1e-10)
    assert found.half_width == pytest.approx(0, abs=1e-6)
    fitted = found.factor * x**found.exponent
    np.testing.assert_allclose(fitted, 3e-4 * x**power, rtol=1e-10)


def test_the_fit_and_its_interval_are_scipys():
    generator = np.random.default_rng(0)
    x = np.array([100.0, 300, 1000, 3000, 3000])
    seconds = 0.01 * x**1.4 * np.exp(generator.normal(0, 0.2, 5))
    found = exponent(x, seconds, level=0.9)
    oracle = scipy.stats.linregress(np.log(x), np.log(seconds))
    assert found.exponent == pytest.approx(oracle.slope, rel=1e-12)
    assert np.log(found.factor) == pytest.approx(oracle.intercept, rel=1e-10)
    assert found.half_width == pytest.approx(
        scipy.stats.t.ppf(0.95, 3) * oracle.stderr, rel=1e-10
    )


def test_the_units_of_the_size_do_not_change_the_exponent():
    x, seconds = np.array([1, 4, 9.0]), np.array([2.0, 5, 30])
    one, other = exponent(x, seconds), exponent(1000 * x, seconds)
    assert one.exponent == pytest.approx(other.exponent, rel=1e-12)
    assert one.half_width == pytest.approx(other.half_width, rel=1e-9)


def test_two_points_have_no_interval():
    found = exponent([10, 100], [1, 1000])
    assert (found.exponent, found.half_width, found.n) == (pytest.approx(3), None, 2)


@pytest.mark.parametrize(
    ("x", "seconds", "level", "message"),
    [
        ([1, 2], [1, 2, 3], 0.95, r"\[2\] and \[3\]"),
        ([0, 2], [1, 2], 0.95, "sizes above 0"),
        ([1, 2], [1, np.nan], 0.95, "seconds above 0"),
        ([1, 2], [0, 1], 0.95, "seconds above 0"),
        ([5, 5, 5], [1, 2, 3], 0.95, r"found \[5.0\]"),
        ([], [], 0.95, "two different sizes"),
        ([1, 2], [1, 2], 1.0, "found 1.0"),
    ],
)
def test_what_is_no_power_law_is_refused(x, seconds, level, message):
    with pytest.raises(UserError, match=message):
        exponent(x, seconds, level=level)
