"""How well a network finds the image-level labels."""

import numpy as np

VAL_PRECISION = "val_mean_average_precision"
"""The key of the classifier's figure in the file that `tag_score` writes."""


def mean_average_precision(scores: np.ndarray, present: np.ndarray) -> float | None:
    """Return the mean over classes of average precision, in [0, 1]; None if no class has a positive.

    Args:
        scores: float (images, C), larger = more likely; only their order counts.
        present: (images, C), 1 where the image has the class; classes that no image has are left out of the mean.
    """
    has = np.asarray(present, bool)
    values = [average_precision(scores[:, column], has[:, column]) for column in np.flatnonzero(has.any(axis=0))]
    return float(np.mean(values)) if values else None


def average_precision(scores: np.ndarray, present: np.ndarray) -> float:
    """Return the sum over thresholds n of (R_n - R_(n-1)) P_n, P and R precision and recall; no interpolation.

    Images with equal scores are found at the same threshold, so their order does not matter.

    Args:
        scores: float (images,).
        present: bool (images,), at least one of them true.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], present[order].cumsum()
    thresholds = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    recall, precision = hits[thresholds] / hits[-1], hits[thresholds] / (thresholds + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
