"""The curve of a training: every line of metrics is a point, and some have k-NN."""

import pytest

from jaxsel.errors import UserError
from jaxsel.report.drawing import png_bytes
from jaxsel.report.pretraining import pretraining_figure

ROWS = [
    {"epoch": 0.5, "loss": 5.5},
    {"epoch": 1.0, "loss": 5.0, "knn_accuracy": 0.3},
    {"epoch": 2.0, "loss": 4.5, "knn_accuracy": 0.4},
]


def test_loss_and_accuracy_are_where_they_were_measured() -> None:
    loss, accuracy = pretraining_figure(ROWS).axes
    assert loss.lines[0].get_xydata().tolist() == [[0.5, 5.5], [1, 5], [2, 4.5]]
    assert accuracy.lines[0].get_xydata().tolist() == [[1, 30], [2, 40]]
    assert png_bytes(pretraining_figure(ROWS)).startswith(b"\x89PNG")


def test_without_measured_features_there_is_one_panel() -> None:
    assert len(pretraining_figure(ROWS[:1]).axes) == 1


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(UserError, match="at least one line"):
        pretraining_figure([])
