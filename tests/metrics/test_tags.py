import numpy as np
import pytest

from auxseg.metrics.tags import mean_average_precision


def average_precision(scores, present):
    """Mean over the positives of the precision at their rank."""
    ranked = [hit for _, hit in sorted(zip(scores, present, strict=True), reverse=True)]
    return np.mean([sum(ranked[: i + 1]) / (i + 1) for i, hit in enumerate(ranked) if hit])


def test_against_ranks_by_hand():
    rng = np.random.default_rng(0)
    scores, present = rng.normal(size=(30, 3)), rng.random((30, 3)) < 0.4
    expected = np.mean([average_precision(scores[:, c], present[:, c]) for c in range(3)])
    assert mean_average_precision(scores, present) == pytest.approx(expected, abs=1e-6)


def test_a_class_without_positives_is_left_out():
    scores = np.array([[2.0, 9.0], [1.0, 8.0]])
    assert mean_average_precision(scores, np.array([[1, 0], [0, 0]])) == 1.0
    assert mean_average_precision(scores, np.zeros((2, 2))) is None
