"""How well a classifier finds the image-level labels."""

import numpy as np
import torch
from torchmetrics.functional.classification import binary_average_precision


def mean_average_precision(scores: np.ndarray, present: np.ndarray) -> float | None:
    """Return the mean over classes of average precision, in [0, 1]; None if no class has a positive.

    Args:
        scores: float (images, C), larger = more likely.
        present: (images, C), 1 where the image has the class; classes that no image has are left out of the mean.
    """
    likely = torch.from_numpy(scores.astype(np.float64)).sigmoid()  # in float32, confident scores would be equal
    targets = torch.from_numpy(np.asarray(present, np.int64))
    columns = [column for column in range(targets.shape[1]) if targets[:, column].any()]
    values = [float(binary_average_precision(likely[:, column], targets[:, column])) for column in columns]
    return float(np.mean(values)) if values else None
