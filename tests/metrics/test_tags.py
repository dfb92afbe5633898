import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torchmetrics.functional.classification import binary_average_precision

from auxseg.metrics.tags import average_precision, mean_average_precision


def by_rank(scores, present):
    """Mean over the positives of the precision at their rank."""
    ranked = [hit for _, hit in sorted(zip(scores, present, strict=True), reverse=True)]
    return np.mean([sum(ranked[: i + 1]) / (i + 1) for i, hit in enumerate(ranked) if hit])


def test_against_ranks_by_hand():
    rng = np.random.default_rng(0)
    scores, present = rng.normal(size=(30, 3)), rng.random((30, 3)) < 0.4
    expected = np.mean([by_rank(scores[:, c], present[:, c]) for c in range(3)])
    assert mean_average_precision(scores, present) == pytest.approx(expected, abs=1e-12)


@given(
    st.integers(1, 12).flatmap(lambda n: st.tuples(arrays(np.int64, n, elements=st.integers(0, 4)), arrays(bool, n)))
)
def test_against_torchmetrics_with_equal_scores(case):
    levels, present = case
    present[0] = True
    expected = binary_average_precision(torch.from_numpy(levels / 4), torch.from_numpy(present.astype(np.int64)))
    assert average_precision(levels * 10.0 - 20, present) == pytest.approx(float(expected), abs=1e-6)


def test_a_class_without_positives_is_left_out():
    scores = np.array([[2.0, 9.0], [1.0, 8.0]])
    assert mean_average_precision(scores, np.array([[1, 0], [0, 0]])) == 1.0
    assert mean_average_precision(scores, np.zeros((2, 2))) is None


def test_equal_scores_say_nothing():
    assert mean_average_precision(np.zeros((4, 1)), np.array([[1], [0], [0], [1]])) == 0.5
