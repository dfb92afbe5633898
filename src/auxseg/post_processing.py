"""From the probabilities of a network to class indices at the image's size (docs/method.md section 2, "Final").

There is no torch here: the worker processes of `auxseg predict` do without it.
"""

from typing import NamedTuple

import numpy as np

from auxseg.crf import class_crf
from auxseg.maps import strongest, upsampled_bands
from auxseg.params.evaluate import EvaluateParams

KINDS = ("model", "model+ms", "model+ms+crf")
"""What the tables call the parts of a `Prediction`, in its order."""


class Prediction(NamedTuple):
    """Class indices of one image at its own size, each uint8 (H, W)."""

    single: np.ndarray
    """At scale 1, without post-processing."""
    joined: np.ndarray
    """From all scales and flips, without post-processing."""
    final: np.ndarray
    """From all scales and flips, after the CRF."""


class Views(NamedTuple):
    """One image and what the network makes of it."""

    rgb: np.ndarray
    """uint8 (H, W, 3)."""
    single: np.ndarray
    """Probabilities at scale 1, float32 (C + 1, h, w)."""
    joined: np.ndarray
    """Probabilities from all scales and flips, float32 (C + 1, h, w)."""


def with_confidence(views: Views, params: EvaluateParams) -> tuple[np.ndarray, np.ndarray]:
    """Return the final prediction, class indices, uint8 (H, W), and the network's probability of it, float32 (H, W)."""
    rgb, _, joined = views
    classes = _final(rgb, joined, params)
    confidence = np.empty(classes.shape, np.float32)
    for rows, band in upsampled_bands(joined, *classes.shape):
        confidence[rows] = np.take_along_axis(band, classes[None, rows], axis=0)[0]
    return classes, confidence


def post_process(views: Views, params: EvaluateParams) -> Prediction:
    """Return all kinds of predictions of an image."""
    rgb, single, joined = views
    height, width = rgb.shape[:2]
    return Prediction(strongest(single, height, width), strongest(joined, height, width), _final(rgb, joined, params))


def _final(rgb: np.ndarray, joined: np.ndarray, params: EvaluateParams) -> np.ndarray:
    return strongest(class_crf(rgb, joined, params.crf, params.crf_side, params.crf_least), *rgb.shape[:2])
