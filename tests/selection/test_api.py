"""The boundary of `jaxsel.select`: what it takes, refuses and reports."""

import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsel
from jaxsel.selection import coverage
from jaxsel.selection.query import QueryStrategy

POOL = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)


class Dlpack:
    """Another library's array: nothing but the protocol."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_every_kind_of_array_gives_the_same_picks(tmp_path):
    path = tmp_path / "features.npy"
    small = np.round(POOL * 20).clip(-127, 127).astype(np.int8)
    np.save(path, small)
    kinds = [
        small.astype(np.float16),
        small.astype(np.float64),
        np.load(path, mmap_mode="r"),
        np.asfortranarray(small.astype(np.float32)),
        jnp.asarray(small, jnp.bfloat16),
        jnp.asarray(small.astype(np.float16)),
        Dlpack(small.astype(np.float32)),
        small.tolist(),
    ]
    expected = jaxsel.select(small, 5, "norm").indices
    for features in kinds:
        found = jaxsel.select(features, 5, "norm")
        np.testing.assert_array_equal(found.indices, expected)


limits = jaxsel.Constraints


def _with(value):
    features = POOL.copy()
    features[3, 1] = value
    return features


@pytest.mark.parametrize(
    ("features", "budget", "options", "words"),
    [
        (_with(np.nan), 2, {}, "NaN or infinity in 1 row.*row 3"),
        (_with(np.inf), 2, {}, "NaN or infinity"),
        (POOL[0], 2, {}, r"shape \[n, d\]"),
        (POOL[:0], 0, {}, "empty"),
        (POOL.astype(complex), 2, {}, "complex"),
        (POOL, -1, {}, "-1"),
        (POOL, 2.5, {}, "2.5"),
        (POOL, 25, {}, "25.* 24 unlabelled"),
        (POOL, 2, {"method": "nrom"}, "nrom.*known methods: random, norm"),
        (POOL, 2, {"labelled": [1, 1]}, "1 more than once"),
        (POOL, 2, {"labelled": [-1]}, "-1"),
        (POOL, 2, {"labelled": [24]}, "24"),
        (POOL, 2, {"labelled": [0.5]}, "float64"),
        (POOL, 2, {"labelled": np.ones(5, bool)}, r"\(5,\)"),
        (POOL, 2, {"ids": ["a"] * 24}, "'a'.* twice"),
        (POOL, 2, {"ids": [1, 2]}, r"\(24,\)"),
        (POOL, 2, {"seed": -3}, "-3"),
        (POOL, 2, {"method": "norm", "norm_ord": 3}, "1, 2, inf"),
        (POOL, 2, {"method": "norm", "input_norms": [1.0]}, r"\(24,\)"),
        (POOL, 2, {"method": "probcover", "delta": 0}, "above 0"),
        (POOL, 2, {"method": "probcover", "delta": "purity"}, "n_classes"),
        (POOL, 2, {"method": "gram_schmidt", "block_size": 0}, "block_size"),
        (POOL, 2, {"method": "gram_schmidt", "algorithm": "fast"}, "sequential"),
        (np.ones((3, 2), "m8[s]"), 2, {}, "timedelta64"),
        (np.ones((3, 2), "M8[s]"), 2, {}, "datetime64"),
        ([["1", "2"]], 1, {}, "<U1"),
        (POOL, True, {}, "budget must be a whole number, found True"),
        (POOL, 2, {"seed": True}, "seed must be a whole number, found True"),
        (POOL, 2, {"labelled": [0, True]}, "labelled must be all of one kind"),
        (POOL, 2, {"labelled": np.array([1, 2], "m8[s]")}, "timedelta64"),
        (POOL, 2, {"ids": [*range(23), "x"]}, "ids must be all of one kind"),
        (POOL, 2, {"ids": [None, *"abcdefghijklmnopqrstuvw"]}, "ids must be all"),
        (POOL, 2, {"ids": [True, *range(23)]}, "ids must be all of one kind"),
        (POOL, 2, {"ids": "id"}, "expected a table"),
        (
            POOL,
            2,
            {"method": "norm", "norm_ord": True},
            "norm_ord must be one of 1, 2, inf",
        ),
        (
            POOL,
            2,
            {"method": "norm", "deterministic": 1},
            "deterministic must be one of False, True",
        ),
        (POOL, 2, {"method": "probcover", "delta": True}, "above 0, found True"),
        (POOL, 2, {"method": "max_herding", "bandwidth": True}, "found True"),
        (POOL, 2, {"method": "norm", "input_norms": [True] * 24}, "found bool"),
        (POOL, 2, {"constraints": limits(min_distance=True)}, "found True"),
        (POOL, 2, {"constraints": limits(costs=[1] * 24, funds=True)}, "found True"),
        (POOL, 2, {"constraints": limits(costs=[1] * 24, funds="9")}, "found '9'"),
        (POOL, 2, {"constraints": limits(include=[0, True])}, "all of one kind"),
        (POOL, 2, {"constraints": limits(groups=[1, "a"] * 12, per_group=1)}, "kind"),
        (
            POOL,
            2,
            {"constraints": limits(strata=["a"] * 24, quotas={"a": True})},
            "found True",
        ),
    ],
)
def test_mistakes_are_refused_in_one_line(features, budget, options, words):
    with pytest.raises(jaxsel.UserError, match=words) as caught:
        jaxsel.select(features, budget, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_a_common_factor_changes_nothing(factor):
    expected = jaxsel.select(POOL, 5, "gram_schmidt").indices
    found = jaxsel.select(POOL.astype(np.float64) * factor, 5, "gram_schmidt").indices
    np.testing.assert_array_equal(found, expected)


def test_a_selection_is_its_indices():
    selection = jaxsel.select(POOL, 5, "norm")
    assert len(selection) == 5 and list(selection) == selection.indices.tolist()
    np.testing.assert_array_equal(POOL[selection], POOL[selection.indices])


def test_ids_break_ties_and_carry_values_a_row():
    equal = np.ones((4, 2))
    found = jaxsel.select(
        equal, 2, "norm", deterministic=True, ids=["d", "b", "c", "a"]
    )
    assert found.indices.tolist() == [3, 1]
    found = jaxsel.select(
        equal,
        1,
        "norm",
        deterministic=True,
        ids=["d", "b", "c", "a"],
        input_norms=[0.1, 1, 1, 1],
    )
    assert found.indices.tolist() == [0]


def test_coverage_is_told_from_chance():
    rng = np.random.default_rng(0)
    centres = np.eye(8)[rng.integers(0, 8, 400)]
    rows = jnp.asarray(centres + 0.02 * rng.normal(size=(400, 8)), jnp.float32)
    firsts = np.array([np.argmax(centres[:, i]) for i in range(8)])
    nothing = np.zeros(400, bool)
    good = coverage.report(rows, firsts, nothing, 0, 0.5)
    assert good["coverage_here"] == 1 and not good["no_better_than_random"]
    assert good["coverage_random"].shape == (20,)
    assert good["coverage_random"].mean() < 0.8
    bad = coverage.report(rows, np.flatnonzero(centres[:, 0])[:8], nothing, 0, 0.5)
    assert bad["coverage_here"] == pytest.approx(centres[:, 0].mean())
    with pytest.warns(coverage.CoverageWarning, match="no better than random"):
        coverage.warn("some_method", bad)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coverage.warn("some_method", good)


def test_query_takes_nan_for_unlabelled():
    labels = np.full(24, np.nan)
    labels[[2, 5]] = 0, 1
    strategy = QueryStrategy("norm", deterministic=True)
    rows = strategy.query(POOL, labels, batch_size=22)
    assert rows.dtype == np.int64 and not {2, 5} & set(rows.tolist())
    words = np.array(["cat", None] * 12, dtype=object)
    assert (strategy.query(POOL, words, batch_size=12) % 2 == 1).all()
    assert len(strategy.query(POOL, batch_size=24)) == 24
    with pytest.raises(jaxsel.UserError, match="24"):
        strategy.query(POOL, labels[:3])


def test_importing_jaxsel_does_not_import_jax():
    code = "import sys, jaxsel; print('jax' in sys.modules, sorted(jaxsel.__all__))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("False")


def test_results_do_not_depend_on_where_the_features_lie():
    on_host = jaxsel.select(POOL, 5, "gram_schmidt").indices
    on_device = jaxsel.select(jax.device_put(POOL), 5, "gram_schmidt").indices
    np.testing.assert_array_equal(on_host, on_device)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("norm", {"input_norms": np.full(24, np.inf)}, "input_norms must be finite"),
        ("probcover", {"delta": "wide"}, '"auto" or "purity"'),
        ("max_herding", {"bandwidth": "wide"}, '"auto"'),
        ("typiclust", {"n_init": None}, "n_init must be a whole number"),
        ("gram_schmidt", {"block_size": None}, "block_size must be a whole number"),
        ("norm", {"tie": np.array(["lowest"])}, "tie must be one of"),
        (["norm"], {}, "unknown method"),
    ],
)
@pytest.mark.parametrize("budget", [0, 3])
def test_options_are_refused_at_any_budget(method, options, message, budget):
    with pytest.raises(jaxsel.UserError, match=message):
        jaxsel.select(POOL, budget, method, **options)


@pytest.mark.parametrize("method", jaxsel.METHODS)
def test_a_pure_function_takes_a_budget_of_nothing(method):
    function = jaxsel.METHODS[method].function
    free = jnp.zeros(24, bool)
    picks = jax.eval_shape(
        lambda key: function(key, jnp.asarray(POOL), free, budget=0), jax.random.key(0)
    )
    assert picks.indices.shape == picks.gains.shape == (0,)


def test_a_scaled_pool_says_so():
    plain = jaxsel.select(POOL, 3, "norm", deterministic=True)
    huge = jaxsel.select(POOL * 1e20, 3, "norm", deterministic=True)
    np.testing.assert_array_equal(huge.indices, plain.indices)
    assert plain.info["scale"] == 1.0
    np.testing.assert_allclose(
        huge.gains / huge.info["scale"], plain.gains * 1e20, rtol=1e-5
    )


def test_labels_in_a_list_of_words_and_nan():
    labels = ["cat", *[float("nan")] * 22, "dog"]
    rows = QueryStrategy("random", seed=1).query(POOL, labels, batch_size=22)
    assert sorted(rows.tolist()) == list(range(1, 23))


def test_select_warns_where_its_caller_stands():
    # Balls that hold nothing but their centre cover what chance covers.
    with pytest.warns(coverage.CoverageWarning, match="no better than random") as seen:
        jaxsel.select(POOL, 2, "probcover", delta=1e-3)
    assert seen[0].filename == __file__


def test_an_aligned_file_is_read_in_place_and_left_alone(tmp_path):
    path = tmp_path / "features.npy"
    np.save(path, POOL)
    mapped = np.load(path, mmap_mode="r")
    expected = jaxsel.select(POOL.copy(), 5, "gram_schmidt", seed=2)
    found = jaxsel.select(mapped, 5, "gram_schmidt", seed=2)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(np.load(path), POOL)


@pytest.mark.parametrize(("method", "rows"), [("norm", "raw"), ("k_center", "raw")])
def test_info_says_which_rows_the_method_saw(method, rows):
    assert jaxsel.select(np.eye(4), 2, method).info["rows"] == rows


def test_lengths_do_not_matter_where_rows_are_made_unit():
    directions = np.random.default_rng(0).normal(size=(24, 4))
    lengths = np.random.default_rng(1).integers(1, 9, size=(24, 1))
    one = jaxsel.select(directions, 6, "probcover", delta=0.65)
    # Powers of two, so that the unit rows are the same to the last bit.
    other = jaxsel.select(directions * 2.0**lengths, 6, "probcover", delta=0.65)
    assert one.info["rows"] == other.info["rows"] == "unit"
    np.testing.assert_array_equal(one.indices, other.indices)


@pytest.mark.slow
def test_given_candidates_are_what_the_second_stage_sees() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    whole = jaxsel.select(rows, 6, "probcover+norm", delta=0.9)
    proposed = whole.info["candidates"]
    # Those of a larger budget serve a smaller one.
    again = jaxsel.select(rows, 2, "probcover+norm", candidates=proposed)
    alone = jaxsel.select(rows, 2, "probcover+norm", delta=0.9)
    np.testing.assert_array_equal(again.indices, alone.indices)
    # With ids, rows in and out are those of the matrix as it was given.
    ids = np.random.default_rng(1).permutation(40)
    named = jaxsel.select(rows, 6, "probcover+norm", delta=0.9, ids=ids)
    assert set(named.indices) <= set(named.info["candidates"])
    again = jaxsel.select(
        rows, 6, "probcover+norm", candidates=named.info["candidates"], ids=ids
    )
    np.testing.assert_array_equal(again.indices, named.indices)


@pytest.mark.parametrize(
    "candidates, message",
    [
        ([1, 2], "at least 3 candidates for a budget of 3, found 2"),
        ([1, 2, 2], "candidates indices must be distinct, found 2"),
        ([1, 2, 9], "candidates indices must lie in 0..8, found 9"),
        ([0, 1, 2], "candidates must be unlabelled rows"),
        ([1.0, 2.0, 3.0], "candidates must be a list of row indices, found float64"),
    ],
)
def test_candidates_that_cannot_be_are_refused(candidates: list, message: str) -> None:
    with pytest.raises(jaxsel.UserError, match=message):
        jaxsel.select(
            np.eye(9), 3, "typiclust+norm", labelled=[0], candidates=candidates
        )


def test_clusters_are_told_in_the_order_of_the_given_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    plain = jaxsel.select(rows, 3, "typiclust").info["assignments"]
    ids = np.random.default_rng(1).permutation(30)
    shuffled = jaxsel.select(rows[ids], 3, "typiclust", ids=ids).info["assignments"]
    np.testing.assert_array_equal(shuffled, plain[ids])


def test_going_on_with_the_same_seed_does_not_fall_beside_the_first_picks() -> None:
    # Rows next to each other are often frames of one video.
    rows = np.random.default_rng(0).normal(size=(5000, 16))
    first = jaxsel.select(rows, 20, "gram_schmidt").indices
    more = jaxsel.select(rows, 20, "gram_schmidt", labelled=first).indices
    again = jaxsel.select(rows, 20, "gram_schmidt", labelled=first).indices
    np.testing.assert_array_equal(more, again)
    apart = np.abs(more[:, None] - first[None]).min(axis=1)
    assert (apart <= 3).sum() <= 6  # by chance one or none; it was 18


def _gaps() -> dict:
    """Labels of which all but the first are missing, in several spellings."""
    found = {
        "None": ["a", None, None, None],
        "NaN among text": ["a", np.nan, np.nan, np.nan],
        "NaN": np.array([1, np.nan, np.nan, np.nan]),
        "objects": np.array(["a", None, np.nan, np.float32("nan")], object),
        "masked": np.ma.masked_array(np.arange(4), mask=[0, 1, 1, 1]),
        "masked text": np.ma.masked_array(list("abcd"), mask=[0, 1, 1, 1]),
        "masked values": [1, *[np.ma.masked] * 3],
        "NaT": np.array(["2020-01-01", "NaT", "NaT", "NaT"], "M8[D]"),
    }
    try:
        import pandas as pd
    except ImportError:
        return found
    return found | {
        "NA": np.array(["a", pd.NA, pd.NA, pd.NaT], object),
        "NA in a list": ["a", pd.NA, pd.NA, None],
        "Series of text": pd.Series(["a", None, None, None], dtype="string"),
        "its array": pd.Series(["a", None, None, None], dtype="string").to_numpy(),
        "whole numbers": pd.array([1, None, None, None], "Int64"),
        "categories": pd.Series(["a", None, None, None], dtype="category"),
        "dates": pd.Series(pd.to_datetime(["2020-01-01", None, None, None])),
    }


@pytest.mark.parametrize("kind", _gaps())
def test_a_missing_label_is_none_however_it_is_written(kind):
    rows = QueryStrategy("random").query(POOL[:4], _gaps()[kind], batch_size=3)
    assert sorted(rows.tolist()) == [1, 2, 3]


def test_a_gap_that_numpy_made_text_of_is_no_label():
    for gap in (np.nan, None):
        with pytest.raises(jaxsel.UserError, match=r"found the text .* in row 1"):
            QueryStrategy("random").query(POOL[:2], np.array(["a", str(gap)]))
