"""Expected IoU of a data set: sums over images, and the interval of a bootstrap."""

import numpy as np
import pytest

from auxseg.metrics.expected import Overlap
from auxseg.quality import expected_iou


def overlaps(pairs):
    return [Overlap(np.array(inner, float), np.array(outer, float)) for inner, outer in pairs]


def test_sums_over_images():
    classes, mean = expected_iou(overlaps([([1, 0], [4, 0]), ([3, 5], [4, 20])]))
    assert [one.iou for one in classes] == [0.5, 0.25]
    assert mean.iou == 0.375
    assert all(one.low <= one.iou <= one.high for one in (*classes, mean))


def test_equal_images_leave_no_doubt():
    classes, mean = expected_iou(overlaps([([1, 2], [4, 4])] * 7))
    assert [tuple(one) for one in classes] == [(0.25,) * 3, (0.5,) * 3]
    assert tuple(mean) == (0.375,) * 3


def test_the_interval_is_that_of_the_mean_over_drawn_images():
    """Of n images with IoU 0 or 1, the drawn share is binomial: 90 % of it within 1.645 standard deviations."""
    n = 400
    classes, _ = expected_iou(overlaps([([number % 2], [1]) for number in range(n)]))
    wide = 1.645 * 0.5 / n**0.5
    assert classes[0].low == pytest.approx(0.5 - wide, abs=0.005)
    assert classes[0].high == pytest.approx(0.5 + wide, abs=0.005)


def test_groups_of_many_images_have_their_sums_and_their_spread():
    n = 4000
    pairs = [([number % 2, 1], [1, 2]) for number in np.random.default_rng(0).permutation(n)]
    classes, mean = expected_iou(overlaps(pairs))
    assert [one.iou for one in classes] == [0.5, 0.5]
    assert classes[0].high - classes[0].low == pytest.approx(2 * 1.645 * 0.5 / n**0.5, rel=0.15)
    assert mean.low < 0.5 < mean.high


def test_a_class_without_a_pixel_has_no_figure():
    classes, mean = expected_iou(overlaps([([1, 0], [2, 0]), ([1, 0], [2, 0])]))
    assert all(np.isnan(classes[1]))
    assert mean.iou == 0.5
