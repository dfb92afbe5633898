"""The IoU that a pseudo label can be expected to have, from stored maps alone; no mask is involved.

If the true class of each pixel were drawn from probabilities P, a label's intersection with the truth of class c would
be expected to have I_c pixels, the sum of P_c over the pixels labelled c, and their union U_c, the number of those
pixels and the sum of P_c over all others. The expected IoU is I_c / U_c, of one image, or with both sums over many
images. It is no better than P, which comes from the same CAMs and networks as the label; docs/audit.md says how far it
may be trusted.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from auxseg.encoded import IGNORE
from auxseg.maps import upsample


class Overlap(NamedTuple):
    """Expected pixels of intersection and union, each float64 (classes,); sums over images are sums of these."""

    intersection: np.ndarray
    union: np.ndarray

    def __add__(self, other: tuple[np.ndarray, ...]) -> Self:  # type: ignore[override]  # not concatenation
        return type(self)(self.intersection + other[0], self.union + other[1])

    def iou(self) -> np.ndarray:
        """Return the expected IoU of each class, float64 (classes,); NaN where nothing is expected or labelled."""
        iou = np.full(len(self.union), np.nan)
        np.divide(self.intersection, self.union, out=iou, where=self.union > 0)
        return iou

    def mean(self) -> float:
        """Return the mean over the classes that are expected or labelled, in 0..1."""
        return float(np.nanmean(self.iou()))


def label_overlap(
    label: np.ndarray,
    classes: Sequence[int],
    cam: np.ndarray,
    saliency: Sequence[np.ndarray],
    prediction: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
    count: int = IGNORE,
) -> Overlap:
    """Return the expected overlap of one label by the maps that it was made from; arguments as below."""
    probabilities = class_probabilities(cam, saliency, classes, prediction, confidence)
    return expected_overlap(label, classes, probabilities, count)


def expected_overlap(label: np.ndarray, classes: Sequence[int], probabilities: np.ndarray, count: int) -> Overlap:
    """Return the expected overlap of one label with the truth, for all classes.

    A class that is labelled but not tagged is wrong in all its pixels.

    Args:
        label: uint8 (H, W), class indices, 0 = background, 255 = ignore, which counts as wrong whatever is true.
        classes: class indices 1..C of the image's L tags.
        probabilities: of the background and these classes, float32 (L + 1, H, W), summing to 1.
        count: C + 1, or any larger number.
    """
    intersection, union = np.zeros(count), np.bincount(label.ravel(), minlength=IGNORE + 1)[:count].astype(float)
    for index, probability in zip([0, *classes], probabilities, strict=True):
        intersection[index] = float(probability[label == index].sum(dtype=np.float64))
        union[index] += float(probability.sum(dtype=np.float64)) - intersection[index]
    return Overlap(intersection, union)


def class_probabilities(
    cam: np.ndarray,
    saliency: Sequence[np.ndarray],
    classes: Sequence[int],
    prediction: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
) -> np.ndarray:
    """Return the probability of the background and of each tagged class at each pixel, float32 (L + 1, H, W).

    It is the mean of three opinions. The prior and the saliency label S, each: the background has 1 - S, and the CAMs
    divide S among the classes in proportion. The network: the predicted class has its softmax probability, and the
    other L share the rest. r0 has no network, and the strongest CAM takes the place of S there.

    Args:
        cam: float32 (L, H, W) in [0, 1].
        saliency: the off-the-shelf prior and the round's saliency label, each float32 (H, W) in [0, 1].
        classes: class indices 1..C of the L tags.
        prediction: class indices, uint8 (h, w); None in r0.
        confidence: their softmax probabilities, float (h, w); None in r0.
    """
    shape = saliency[0].shape
    if not len(classes):
        return np.ones((1, *shape), np.float32)
    shares = _shares(cam)
    if prediction is None or confidence is None:
        network = _divided(np.clip(cam.max(axis=0), 0, 1), shares)
    else:
        sure = confidence.astype(np.float32)
        network = np.stack([np.where(prediction == index, sure, (1 - sure) / len(classes)) for index in (0, *classes)])
        # a class that the image is not tagged with may be predicted too, and has no channel
        network = upsample(_shares(network), *shape)
    opinions = [network, *(_divided(one, shares) for one in saliency)]
    mean: np.ndarray = sum(opinions[1:], opinions[0]) / np.float32(len(opinions))
    return mean


def _divided(foreground: np.ndarray, shares: np.ndarray) -> np.ndarray:
    divided: np.ndarray = np.concatenate([1 - foreground[None], foreground * shares])
    return divided.astype(np.float32)


def _shares(maps: np.ndarray) -> np.ndarray:
    """Return maps (L, H, W) divided by their sum at each pixel; 1 / L where that is 0."""
    total = maps.sum(axis=0, keepdims=True)
    shares = np.full(maps.shape, 1 / len(maps), np.float32)
    np.divide(maps, total, out=shares, where=total > 0)
    return shares
