"""The figures that images are ranked by, against loops and hand-computed cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label as connected

from auxseg.audit import figures

LABELS = arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 0, 1, 2, 255]))


def test_margin_is_over_objects_and_against_zero_for_one_class():
    cam = np.array([[[0.9, 0.5, 0.1]], [[0.3, 0.6, 0.1]]], np.float32)
    label = np.array([[1, 2, 0]], np.uint8)
    assert figures.margin(cam, label) == pytest.approx((0.6 + 0.1) / 2)
    assert figures.margin(cam[:1], label) == pytest.approx((0.9 + 0.5) / 2)
    assert figures.margin(cam, np.array([[0, 255, 0]], np.uint8)) is None


@given(LABELS, LABELS)
def test_changes_by_loops(before, now):
    wanted = {index: [0, 0, 0, 0] for index in range(3)}
    for old, new in zip(before.ravel().tolist(), now.ravel().tolist(), strict=True):
        if old == new:
            continue
        if old == 255:
            wanted[new][0] += 1
        elif new == 255:
            wanted[old][1] += 1
        else:
            wanted[old][2] += 1
            wanted[new][3] += 1
    assert figures.class_changes(before, now, 3) == {index: row for index, row in wanted.items() if any(row)}


@given(LABELS)
def test_components_against_scikit_image(label):
    wanted = sum(connected(label == index, connectivity=2).max() for index in (1, 2))
    assert figures.components(label) == wanted


@given(LABELS)
def test_class_pixels(label):
    assert figures.class_pixels(label) == {
        index: int((label == index).sum()) for index in (1, 2) if (label == index).any()
    }


def test_mean_iou():
    label, mask = np.array([[1, 1, 0, 255]], np.uint8), np.array([[1, 2, 0, 0]], np.uint8)
    assert figures.mean_iou(label, mask, 2) == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)  # classes 0, 1, 2
    assert figures.mean_iou(label, np.full_like(mask, 255), 2) is None


def test_outliers_are_measured_within_their_class():
    areas = [0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17, 0.9]
    found = figures.area_outliers([{1: area, 2: 0.5} for area in areas] + [{3: 0.001}])
    logs = np.log(areas)
    deviation = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    np.testing.assert_allclose(found[:-1], np.abs(logs - np.median(logs)) / deviation)
    assert found[-1] == 0  # one image is not a sample
