"""Fully connected CRFs (Krähenbühl and Koltun, 2011) by pydensecrf, with the released code's unaries.

pydensecrf holds the interpreter's lock, so use processes for many images.
"""

import cv2
import numpy as np
import pydensecrf.densecrf as densecrf

from auxseg.maps import upsample
from auxseg.params.crf import CrfParams

_EPSILON = 1e-8
_SALIENCY_TAU = 1.05


def saliency_crf(image: np.ndarray, saliency: np.ndarray, params: CrfParams, side: int | None = None) -> np.ndarray:
    """Return the saliency, float32 (H, W) in [0, 1], after a two-label CRF (docs/method.md section 2).

    The unary energy of probability p is -log p / (1.05 sigmoid(p)).

    Args:
        image: uint8 (H, W, 3).
        saliency: float (H, W) in [0, 1].
        params: the kernels.
        side: longest side of the grid, pixels, see `class_crf`.
    """
    if not params.iterations:
        return saliency.astype(np.float32)
    image, params = _on_grid(image, params, side)
    small = upsample(saliency[None], *image.shape[:2])[0]
    probability = np.stack([1 - small, small]).astype(np.float32)
    energy = -np.log(probability + _EPSILON) * (1 + np.exp(-probability)) / _SALIENCY_TAU
    refined: np.ndarray = upsample(_infer(image, energy, params)[1:], *saliency.shape)[0]
    return refined


def class_crf(
    image: np.ndarray, probabilities: np.ndarray, params: CrfParams, side: int | None = None, least: float = 0.0
) -> np.ndarray:
    """Return class probabilities, float32 (C + 1, H', W'), after a CRF with the softmax unary -log p.

    Time and memory grow with the pixels and with the classes. With `side`, a larger image is reduced to a grid with
    that longest side, and the kernels' widths with it, so that they cover the same part of the image. H' and W' are
    those of the grid. With `least`, only classes that reach that probability somewhere take part; the others get 0.

    Args:
        image: uint8 (H, W, 3).
        probabilities: float (C + 1, h, w) at any resolution, summing to 1 over classes.
        params: the kernels.
        side: longest side of the grid, pixels; None for the image's own size.
        least: probability in 0..1; 0 for all classes.
    """
    image, params = _on_grid(image, params, side)
    if not params.iterations:
        return upsample(probabilities, *image.shape[:2])
    highest = probabilities.max(axis=(1, 2))
    taking_part = highest >= min(least, highest.max())  # at least one class
    likely = upsample(probabilities[taking_part], *image.shape[:2])
    refined = np.zeros((len(probabilities), *image.shape[:2]), np.float32)
    refined[taking_part] = _infer(image, -np.log(np.clip(likely, 1e-5, 1.0)), params)
    return refined


def _on_grid(image: np.ndarray, params: CrfParams, side: int | None) -> tuple[np.ndarray, CrfParams]:
    """Return an image of at most `side` pixels, and the kernels for it."""
    height, width = image.shape[:2]
    if side is None or max(height, width) <= side:
        return image, params
    factor = side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    widths = {name: getattr(params, name) * factor for name in ("gaussian_sxy", "bilateral_sxy")}
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), params.model_copy(update=widths)


def _infer(image: np.ndarray, energy: np.ndarray, params: CrfParams) -> np.ndarray:
    labels, height, width = energy.shape
    crf = densecrf.DenseCRF2D(width, height, labels)
    crf.setUnaryEnergy(np.ascontiguousarray(energy.reshape(labels, -1), np.float32))
    crf.addPairwiseGaussian(sxy=params.gaussian_sxy, compat=params.gaussian_compat)
    crf.addPairwiseBilateral(
        sxy=params.bilateral_sxy,
        srgb=params.bilateral_srgb,
        rgbim=np.array(image, np.uint8, order="C"),  # pydensecrf wants a writable buffer
        compat=params.bilateral_compat,
    )
    return np.array(crf.inference(params.iterations), np.float32).reshape(labels, height, width)
