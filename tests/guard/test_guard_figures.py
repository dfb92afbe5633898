"""Figures without masks, against hand-counted labels and maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auxseg.guard.figures import FIGURES, label_figures, pool, prediction_figures

LABEL = np.array([[0, 0, 1, 1], [0, 255, 255, 1]], np.uint8)
CAM = np.zeros((2, 2, 4), np.float32)
SALIENCY = np.zeros((2, 4), np.float32)


def test_label():
    before = LABEL.copy()
    before[0, 0] = 255
    found = label_figures(LABEL, before, [1, 2], CAM, SALIENCY)
    assert found == {
        "expected_iou": [(3 / 8 + 0 / 3) / 2],  # without CAM or saliency all is background; class 2 is nowhere
        "background": [3 / 8],
        "ignored": [2 / 8],
        "without_background": [0.0],
        "all_ignored": [0.0],
        "lost": [0.0, 1.0],  # class 2 is tagged and has no pixel
        "components": [1.0],
        "change": [1 / 8],
        "disagreement": [],  # neither CAM nor saliency sees anything
    }


def test_extremes():
    found = label_figures(np.full((2, 4), 255, np.uint8), None, [1], CAM[:1] + 1, SALIENCY)
    assert found["all_ignored"] == found["without_background"] == found["ignored"] == found["lost"] == [1.0]
    assert found["change"] == [] and found["components"] == [0.0]
    assert found["disagreement"] == [1.0] and found["expected_iou"] == [0.0]


def test_the_prediction_has_its_say_in_the_expected_iou():
    """Saliency and CAM see nothing; the network is sure that everything is class 1."""
    sure = np.full((1, 2), 1, np.uint8), np.ones((1, 2), np.float32)
    found = label_figures(np.ones((2, 4), np.uint8), None, [1], CAM[:1], SALIENCY, SALIENCY, *sure)
    assert found["expected_iou"] == [pytest.approx((0 + 1 / 3) / 2)]
    salient = label_figures(np.ones((2, 4), np.uint8), None, [1], CAM[:1], SALIENCY, SALIENCY + 1, *sure)
    assert salient["expected_iou"] == [pytest.approx((0 + 2 / 3) / 2)]


def test_prediction():
    prediction = np.array([[0, 2]], np.uint8)
    label = np.repeat(np.repeat(np.array([[0, 1]], np.uint8), 4, axis=0), 4, axis=1)
    found = prediction_figures(prediction, np.array([[0.5, 0.7]]), np.array([[0.2, 0.4]]), label, [1, 2])
    assert found["constant"] == [0.0]
    assert found["unseen"] == [1.0, 0.0]
    assert found["prediction_differs"] == [0.5]
    assert found["confidence"] == [pytest.approx(0.6)]
    assert found["entropy"] == [pytest.approx(0.3)]


def test_constant_prediction_of_an_unlabelled_image():
    found = prediction_figures(np.zeros((2, 2), np.uint8), np.ones((2, 2)), None, np.full((4, 4), 255, np.uint8), [3])
    assert found["constant"] == [1.0] and found["unseen"] == [1.0]
    assert found["prediction_differs"] == [] and found["entropy"] == []


@pytest.mark.parametrize(("index", "constant"), [(0, 0.0), (2, 1.0)])
def test_a_negative_predicted_as_background_everywhere_is_right(index, constant):
    prediction = np.full((2, 2), index, np.uint8)
    found = prediction_figures(prediction, np.ones((2, 2)), None, np.zeros((4, 4), np.uint8), [])
    assert found["constant"] == [constant] and found["unseen"] == []


def test_pool_takes_means_over_images_and_over_image_level_labels():
    images = [{"background": [0.5], "lost": [1.0, 0.0]}, {"background": [0.0], "lost": [1.0]}]
    found = pool(images)
    assert list(found) == list(FIGURES)
    assert found["background"] == 0.25 and found["lost"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["entropy"] is None


@given(arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 255])), st.integers(1, 4))
def test_shares_do_not_depend_on_the_size_of_an_image(label, factor):
    large = np.kron(label, np.ones((factor, factor), np.uint8))
    small_figures, large_figures = (
        label_figures(one, one, [1, 2], np.zeros((2, *one.shape), np.float32), np.zeros(one.shape, np.float32))
        for one in (label, large)
    )
    assert small_figures == large_figures
    assert small_figures["change"] == [0.0]
