"""How well CAM and saliency agree about the objects of an image."""

import numpy as np


def disagreement(cam: np.ndarray, saliency: np.ndarray) -> float | None:
    """Return 1 - sum min / sum max of the strongest CAM and the saliency, both float32, (L, H, W) and (H, W).

    Returns None if both are 0 everywhere, or if there is no CAM (L = 0), because the image is tagged with nothing.
    """
    if not len(cam):
        return None
    strongest = cam.max(axis=0)
    union = float(np.maximum(strongest, saliency).sum(dtype=np.float64))
    return 1 - float(np.minimum(strongest, saliency).sum(dtype=np.float64)) / union if union else None
