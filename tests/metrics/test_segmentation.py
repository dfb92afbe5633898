"""Counts and the figures from them: brute force, torchmetrics, and cases by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torchmetrics.classification import MulticlassJaccardIndex

from auxseg.metrics.segmentation import Counts

CLASSES = 3


def labels(height=4, width=5, values=(0, 1, 2, 3, 255)):
    return arrays(np.uint8, (height, width), elements=st.sampled_from(values))


def brute_force(prediction, mask):
    """IoU, precision and recall per class from loops over pixels; NaN where the denominator is 0."""
    figures = []
    for c in range(CLASSES + 1):
        hit = false = missed = 0
        for p, m in zip(prediction.flat, mask.flat, strict=True):
            if m == 255:
                continue
            hit += p == c and m == c
            false += p == c and m != c
            missed += p != c and m == c  # also where the prediction is 255
        union, predicted, true = hit + false + missed, hit + false, hit + missed
        figures.append([hit / n if n else np.nan for n in (union, predicted, true)])
    return np.array(figures).T


@given(labels(), labels())
def test_figures_against_loops(prediction, mask):
    counts = Counts.of(prediction, mask, CLASSES)
    iou, precision, recall = brute_force(prediction, mask)
    np.testing.assert_allclose(counts.iou(), iou)
    np.testing.assert_allclose(counts.precision(), precision)
    np.testing.assert_allclose(counts.recall(), recall)
    means = counts.means()
    for name, values in (("miou", iou), ("precision", precision), ("recall", recall)):
        known = [value for value in values if value == value]
        if known:
            assert means[name] == pytest.approx(100 * sum(known) / len(known))
        else:
            assert means[name] is None


@given(labels(values=(0, 1, 2, 3)), labels())
def test_iou_against_torchmetrics(prediction, mask):
    metric = MulticlassJaccardIndex(CLASSES + 1, average="none", ignore_index=255)
    wanted = metric(torch.from_numpy(prediction).long(), torch.from_numpy(mask).long()).numpy()
    found = Counts.of(prediction, mask, CLASSES).iou()
    present = ~np.isnan(found)  # torchmetrics gives absent classes 0
    np.testing.assert_allclose(found[present], wanted[present], rtol=1e-6)
    assert (wanted[~present] == 0).all()


def test_by_hand():
    mask = np.array([[0, 0, 1, 1], [2, 2, 255, 255]], np.uint8)
    prediction = np.array([[0, 1, 1, 255], [2, 2, 1, 255]], np.uint8)
    counts = Counts.of(prediction, mask, CLASSES)
    assert counts.correct.tolist() == [1, 1, 2, 0]
    assert counts.predicted.tolist() == [1, 2, 2, 0]
    assert counts.true.tolist() == [2, 2, 2, 0]
    assert counts.images == 1
    # class 1: hit 1, predicted 2, true 2: union 3. Class 3 is in neither: left out of all three means.
    assert counts.means() == pytest.approx(
        {"miou": 100 * (1 / 2 + 1 / 3 + 1) / 3, "precision": 100 * (1 + 1 / 2 + 1) / 3, "recall": 100 * 2 / 3}
    )


def test_255_in_the_prediction_is_a_miss_and_in_the_mask_is_left_out():
    ones = np.ones((2, 3), np.uint8)
    everything_ignored = np.full((2, 3), 255, np.uint8)
    missed = Counts.of(everything_ignored, ones, CLASSES)
    assert missed.iou()[1] == 0
    assert missed.recall()[1] == 0
    assert np.isnan(missed.precision()).all()  # nothing is predicted
    assert missed.means() == {"miou": 0.0, "precision": None, "recall": 0.0}
    unknown = Counts.of(ones, everything_ignored, CLASSES)
    assert unknown.means() == {"miou": None, "precision": None, "recall": None}


def test_a_class_index_beyond_the_classes_is_a_miss():
    counts = Counts.of(np.full((1, 2), 9, np.uint8), np.ones((1, 2), np.uint8), CLASSES)
    assert counts.iou()[1] == 0
    assert counts.predicted.sum() == 0


def test_an_absent_class_that_is_predicted_counts():
    mask, prediction = np.zeros((1, 4), np.uint8), np.array([[0, 0, 0, 3]], np.uint8)
    assert Counts.of(prediction, mask, CLASSES).means()["miou"] == pytest.approx(100 * (3 / 4 + 0) / 2)


@given(st.lists(st.tuples(labels(2, 3), labels(2, 3)), min_size=1, max_size=5))
def test_pooled_over_images_is_one_large_image(pairs):
    pooled = Counts.zeros(CLASSES)
    for prediction, mask in pairs:
        pooled += Counts.of(prediction, mask, CLASSES)
    whole = Counts.of(np.concatenate([p for p, _ in pairs]), np.concatenate([m for _, m in pairs]), CLASSES)
    for name in ("correct", "predicted", "true"):
        assert getattr(pooled, name).tolist() == getattr(whole, name).tolist()
        assert getattr(pooled, name).dtype == np.int64


def test_pooling_is_not_the_mean_over_images():
    small, large = np.ones((1, 1), np.uint8), np.ones((1, 9), np.uint8)
    pooled = Counts.of(small, small, 1) + Counts.of(0 * large, large, 1)
    assert pooled.iou()[1] == pytest.approx(0.1)
    assert (pooled.images, Counts.zeros(1).images) == (2, 0)


def test_adding_does_not_change_the_parts():
    one = Counts.of(np.ones((1, 1), np.uint8), np.ones((1, 1), np.uint8), 1)
    total = Counts.zeros(1)
    total += one
    total += one
    assert one.true.tolist() == [0, 1]
    assert total.true.tolist() == [0, 2]
