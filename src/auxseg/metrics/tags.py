"""How well a classifier finds the image-level labels."""

import numpy as np
import torch
from torchmetrics.functional.classification import multilabel_average_precision


def mean_average_precision(scores: np.ndarray, present: np.ndarray) -> float | None:
    """Return the mean over classes of average precision, in [0, 1]; None if no class has a positive.

    Args:
        scores: float (images, C), larger = more likely.
        present: (images, C), 1 where the image has the class; classes without any are left out of the mean.
    """
    known = present.any(axis=0)
    if not known.any():
        return None
    logits, target = torch.from_numpy(scores[:, known]).float(), torch.from_numpy(present[:, known]).long()
    return float(multilabel_average_precision(torch.sigmoid(logits), target, num_labels=int(known.sum())))
