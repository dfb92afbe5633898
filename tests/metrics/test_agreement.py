"""Agreement of CAM and saliency, against hand-computed cases."""

import numpy as np
import pytest

from auxseg.metrics.agreement import disagreement


def test_disagreement():
    cam = np.array([[[0.5, 0.0]], [[0.2, 0.4]]], np.float32)
    assert disagreement(cam, np.array([[0.5, 0.4]], np.float32)) == pytest.approx(0)
    assert disagreement(cam, np.array([[0.0, 0.0]], np.float32)) == pytest.approx(1)
    assert disagreement(cam, np.array([[1.0, 0.1]], np.float32)) == pytest.approx(1 - 0.6 / 1.4)
    assert disagreement(cam[:0], np.zeros((1, 2), np.float32)) is None
    assert disagreement(cam[:0], np.ones((1, 2), np.float32)) is None  # a negative, whatever is salient
    assert disagreement(np.zeros_like(cam), np.zeros((1, 2), np.float32)) is None
