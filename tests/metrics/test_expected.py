"""Expected IoU: what it is with certain probabilities, on average over drawn truths, and where P comes from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auxseg.metrics.expected import Overlap, class_probabilities, expected_overlap
from auxseg.metrics.segmentation import Counts

CLASSES = [1, 3]
LABELS = arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 3, 255]))  # 2 is not tagged
TRUTHS = arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 3]))
SHARES = arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32))
COUNT = 4


def certain(truth):
    return np.stack([truth == index for index in (0, *CLASSES)]).astype(np.float32)


@given(LABELS, TRUTHS)
def test_with_certain_probabilities_it_is_the_iou(label, truth):
    found = expected_overlap(label, CLASSES, certain(truth), COUNT)
    np.testing.assert_allclose(found.iou(), Counts.of(label, truth, COUNT - 1).iou())


@given(LABELS, st.lists(TRUTHS, min_size=1, max_size=4))
def test_intersection_and_union_are_means_over_possible_truths(label, truths):
    mean = np.mean([certain(truth) for truth in truths], axis=0, dtype=np.float32)
    found = expected_overlap(label, CLASSES, mean, COUNT)
    each = [expected_overlap(label, CLASSES, certain(truth), COUNT) for truth in truths]
    np.testing.assert_allclose(found.intersection, np.mean([one.intersection for one in each], axis=0), atol=1e-5)
    np.testing.assert_allclose(found.union, np.mean([one.union for one in each], axis=0), atol=1e-5)


def test_the_figure_of_many_images_is_that_of_their_sums():
    one, other = (
        Overlap(np.array(inner), np.array(outer)) for inner, outer in (([2.0, 0], [4.0, 0]), ([0.0, 3], [4.0, 3]))
    )
    np.testing.assert_allclose((one + other).iou(), [0.25, 1])
    assert one.mean() == 0.5  # the second class is not in it
    assert np.isnan(one.iou()[1])


PAIRS = st.lists(SHARES, min_size=2, max_size=2)


@given(PAIRS, PAIRS, st.booleans(), LABELS, SHARES)
def test_probabilities_sum_to_one(cams, saliency, has_network, prediction, confidence):
    network = (prediction, confidence) if has_network else ()
    found = class_probabilities(np.stack(cams), saliency, CLASSES, *network)
    assert found.shape == (3, 4, 5) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
    assert (found >= 0).all()


def one_pixel(cam, prior, saliency, *network):
    cams = np.array(cam, np.float32).reshape(-1, 1, 1)
    seen = [np.array([[value]], np.float32) for value in (prior, saliency)]
    return class_probabilities(cams, seen, CLASSES[: len(cam)], *network)[:, 0, 0]


def test_three_opinions():
    # prior: 0.4, and 0.6 divided 3 to 1; saliency: 0.2, and 0.8 so; strongest CAM: 0.4, and 0.6 so
    assert one_pixel([0.6, 0.2], 0.6, 0.8) == pytest.approx([1 / 3, 0.5, 0.5 / 3])
    network = np.array([[3]], np.uint8), np.array([[0.5]], np.float16)
    # the network: class 3 with 0.5, the other two with 0.25 each
    assert one_pixel([0.6, 0.2], 0.6, 0.8, *network) == pytest.approx([0.85 / 3, 1.3 / 3, 0.85 / 3])


def test_a_predicted_class_that_is_not_tagged_says_little():
    network = np.array([[2]], np.uint8), np.array([[0.9]], np.float16)
    assert one_pixel([1.0, 0.0], 1.0, 1.0, *network) == pytest.approx([1 / 9, 7 / 9, 1 / 9])


def test_a_network_that_is_sure_of_a_class_that_is_not_tagged_says_nothing():
    network = np.array([[2]], np.uint8), np.array([[1]], np.float16)
    assert one_pixel([1.0, 0.0], 1.0, 1.0, *network) == pytest.approx([1 / 9, 7 / 9, 1 / 9])


def test_where_no_cam_sees_anything_saliency_is_divided_evenly():
    assert one_pixel([0.0, 0.0], 0.5, 0.5) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_an_image_without_tags_is_background():
    probabilities = class_probabilities(np.zeros((0, 2, 2), np.float32), [np.ones((2, 2), np.float32)] * 2, [])
    found = expected_overlap(np.zeros((2, 2), np.uint8), [], probabilities, COUNT)
    assert found.mean() == 1
    assert np.isnan(found.iou()[1:]).all()
