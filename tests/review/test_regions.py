"""Polygons of a label: painted again they are the label, to the pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from auxseg.review.regions import find_regions, paint

LABELS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 1, 2, 255]))


def painted(shape, regions):
    canvas = np.zeros(shape, np.uint8)
    paint(canvas, regions)
    return canvas


@given(LABELS, st.sampled_from([1, 3]))
def test_regions_give_the_label_again(label, size):
    label = np.kron(label, np.ones((size, size), np.uint8))
    regions = find_regions(label)
    np.testing.assert_array_equal(painted(label.shape, regions), label)
    assert all(len(region.points) >= 3 for region in regions)


def test_a_hole_of_background_is_a_region_and_the_rest_is_not():
    label = np.zeros((12, 12), np.uint8)
    label[2:10, 2:10] = 1
    label[4:8, 4:8] = 0
    label[5, 5] = 255
    assert [region.value for region in find_regions(label)] == [1, 0, 255]


def test_a_tolerance_saves_corners_and_moves_no_outline_further():
    y, x = np.indices((80, 80))
    label = ((y - 40) ** 2 + (x - 40) ** 2 < 900).astype(np.uint8)
    exact, coarse = find_regions(label), find_regions(label, 1.0)
    assert len(coarse) == 1 and len(coarse[0].points) < len(exact[0].points) / 3
    wrong = np.argwhere(painted(label.shape, coarse) != label)
    assert len(wrong) > 0
    assert np.abs(np.hypot(*(wrong - 40).T) - 30).max() < 2
