"""Labelled sets that a training refuses."""

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.training.task import check_indices

LABELS = np.array([0, 1, 2, -1])


def test_a_good_set_passes():
    check_indices(np.array([2, 0], np.int32), 4, LABELS)


@pytest.mark.parametrize(
    ("indices", "n", "labels", "message"),
    [
        (np.array([], int), 4, LABELS, "at least one labelled row, found none"),
        (np.array([0, 4]), 4, LABELS, r"rows in 0 … 3, found 4"),
        (np.array([-1]), 4, LABELS, r"rows in 0 … 3, found -1"),
        (np.array([1, 1]), 4, LABELS, "found 1 more than once"),
        (np.array([0.0]), 4, LABELS, "array of integers, found float64"),
        (np.array([[0]]), 4, LABELS, r"shape \(1, 1\)"),
        (np.array([0]), 5, LABELS, r"each of the 5 rows, found .* \(4,\)"),
        (np.array([3]), 4, LABELS, "found -1 for row 3"),
    ],
)
def test_refused(indices, n, labels, message):
    with pytest.raises(UserError, match=message):
        check_indices(indices, n, labels)
