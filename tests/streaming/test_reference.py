"""ProbCover against a sample: exact where the sample is the pool, else within error."""

import numpy as np
import pytest

import jaxsel
from jaxsel.streaming.api import select_from_disk

LABELLED = np.array([0, 3, 5, 255, 256, 400, 698])
pytestmark = pytest.mark.filterwarnings(
    "ignore::jaxsel.selection.coverage.CoverageWarning"
)


def covered_share(rows, centres, delta):
    """Of all rows, in float64: within delta of a centre, or one itself."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    unit = rows / np.maximum(lengths, 1e-300)
    squared = ((unit[:, None] - unit[centres]) ** 2).sum(axis=2)
    within = (squared < delta**2) & (lengths > 0) & (lengths[centres, 0] > 0)
    covered = within.any(axis=1)
    covered[centres] = True
    return covered.mean()


@pytest.mark.parametrize("labelled", [None, LABELLED], ids=["none", "labelled"])
def test_with_all_rows_it_is_probcover(rows, pool, labelled):
    # Wide enough that a second round begins.
    given = {"labelled": labelled, "delta": 0.9}
    memory = jaxsel.select(rows, 40, "probcover", **given)
    disk = select_from_disk(pool, 40, "probcover", reference=700, **given)
    assert disk.indices.tolist() == memory.indices.tolist()
    assert disk.gains.tolist() == memory.gains.tolist()
    assert disk.info["rounds"] == memory.info["rounds"] > 1
    # Of a first round alone, coverage is the same; judges look at all picks.
    assert disk.info["coverage"] == 1.0 and disk.info["coverage_se"] == 0.0


def test_where_all_rows_are_judged_nothing_is_estimated(rows, pool):
    found = select_from_disk(pool, 3, "probcover", reference=700, delta=0.3)
    share = covered_share(rows, found.indices, 0.3)
    assert found.info["coverage"] == pytest.approx(share, abs=1e-6) and share < 1
    assert found.info["coverage_se"] == 0.0


@pytest.mark.slow
def test_the_error_bar_holds(rows, pool):
    away, errors = [], []
    for seed in range(40):
        found = select_from_disk(
            pool, 6, "probcover", seed=seed, delta=0.3, reference=100, n_candidates=90
        )
        share = covered_share(rows, found.indices, 0.3)
        away.append(found.info["coverage"] - share)
        errors.append(found.info["coverage_se"])
    scores = np.array(away) / np.array(errors)
    # Of 40 standard scores: the mean within 3 / sqrt(40), the spread near 1.
    assert abs(scores.mean()) < 0.5
    assert 0.7 < scores.std() < 1.4


@pytest.mark.slow
def test_a_sample_covers_nearly_as_much(rows, pool):
    exact = jaxsel.select(rows, 6, "probcover", delta=0.3)
    found = select_from_disk(
        pool, 6, "probcover", delta=0.3, reference=350, n_candidates=350
    )
    share = covered_share(rows, found.indices, 0.3)
    assert 0.85 * exact.info["coverage"] < share <= exact.info["coverage"] * 1.02
    # Its own gains are of the sample it chose on: more than what it covers.
    assert found.gains.sum() / 700 == pytest.approx(share, rel=0.2)
    assert found.info["passes"] == 1
    assert found.info["reference_rows"] == found.info["candidate_rows"] == 350
