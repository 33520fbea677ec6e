"""The rows of extreme images hold the images themselves, in order, with captions."""

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.report.drawing import png_bytes
from jaxsel.report.extremes import ExtremeGroup, extremes_figure


def _group(count, channels=3, heading="highest norms"):
    shape = (count, 8, 8) + ((channels,) if channels else ())
    images = np.random.default_rng(count).integers(0, 256, shape).astype(np.uint8)
    return ExtremeGroup(heading, images, [f"class {i}" for i in range(count)])


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_every_image_is_drawn_as_it_is_with_its_caption(channels):
    group = _group(5, channels)
    figure = extremes_figure([group], columns=3)
    drawn = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in drawn] == group.captions
    for axis, image in zip(drawn, group.images, strict=True):
        (shown,) = axis.images
        np.testing.assert_array_equal(np.squeeze(shown.get_array()), np.squeeze(image))
        # Grey levels are not stretched to the image's own range.
        assert channels in (3, 4) or shown.get_clim() == (0, 255)


def test_groups_stand_below_each_other_under_their_headings():
    groups = [_group(4, heading="highest $"), _group(2, heading="lowest")]
    figure = extremes_figure(groups)
    figure.draw_without_rendering()
    assert [part.get_suptitle() for part in figure.subfigs] == [r"highest \$", "lowest"]
    above, below = (
        [axis.get_window_extent() for axis in part.axes if axis.images]
        for part in figure.subfigs
    )
    assert (len(above), len(below)) == (4, 2)
    assert min(box.y0 for box in above) > max(box.y1 for box in below)
    # Columns stay in line where a row is short.
    assert [box.x0 for box in below] == pytest.approx([box.x0 for box in above[:2]])


def test_long_and_odd_captions_fit():
    group = _group(3)._replace(captions=["European fire salamander", "$x$", ""])
    figure = extremes_figure([group])
    figure.draw_without_rendering()
    boxes = [axis.title.get_window_extent() for axis in figure.axes]
    assert figure.axes[0].get_title() == "European fir…"
    assert figure.axes[1].get_title() == r"\$x\$"
    assert boxes[0].x1 < boxes[1].x0 + 1
    assert boxes[0].x0 >= 0


def test_the_same_images_are_the_same_file():
    groups = [_group(3), _group(2, None, "lowest norms")]
    assert png_bytes(extremes_figure(groups)) == png_bytes(extremes_figure(groups))


def test_what_is_no_picture_is_refused():
    group = _group(3)
    for bad in (group.images / 255.0, group.images[..., :2], group.images[0, 0]):
        with pytest.raises(UserError, match="expected uint8 images"):
            extremes_figure([group._replace(images=bad)])
    with pytest.raises(UserError, match="3 images and 1 captions"):
        extremes_figure([group._replace(captions=["a"])])
    with pytest.raises(UserError, match="0 images"):
        extremes_figure([group._replace(images=group.images[:0], captions=[])])
    with pytest.raises(UserError, match="at least one group"):
        extremes_figure([])
    with pytest.raises(UserError, match="one column, found 1 and 0"):
        extremes_figure([group], columns=0)
