"""Fully connected CRFs (Krähenbühl and Koltun, 2011) by pydensecrf, with the released code's unaries.

pydensecrf holds the interpreter's lock, so use processes for many images.
"""

import numpy as np
import pydensecrf.densecrf as densecrf

from auxseg.params.crf import CrfParams

_EPSILON = 1e-8
_SALIENCY_TAU = 1.05


def saliency_crf(image: np.ndarray, saliency: np.ndarray, params: CrfParams) -> np.ndarray:
    """Return the saliency, float32 (H, W) in [0, 1], after a two-label CRF (docs/method.md section 2).

    The unary energy of probability p is -log p / (1.05 sigmoid(p)).

    Args:
        image: uint8 (H, W, 3).
        saliency: float (H, W) in [0, 1].
    """
    probability = np.stack([1 - saliency, saliency]).astype(np.float32)
    energy = -np.log(probability + _EPSILON) * (1 + np.exp(-probability)) / _SALIENCY_TAU
    return _infer(image, energy, params)[1] if params.iterations else saliency.astype(np.float32)


def class_crf(image: np.ndarray, probabilities: np.ndarray, params: CrfParams) -> np.ndarray:
    """Return class probabilities, float32 (C + 1, H, W), after a CRF with the softmax unary -log p.

    Args:
        image: uint8 (H, W, 3).
        probabilities: float (C + 1, H, W), summing to 1 over classes.
    """
    if not params.iterations:
        return probabilities.astype(np.float32)
    return _infer(image, -np.log(np.clip(probabilities, 1e-5, 1.0)), params)


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
