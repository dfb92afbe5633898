"""Figures of one round that need no mask: properties of its labels and of its network's predictions.

All are shares in [0, 1], except NUMBERS. Those of labels and predictions are means over images, so that a large image
counts as much as a small one. A figure is None if nothing was measured for it: r0 has no predictions, and its loss is
that of another network.
"""

from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from auxseg.encoded import IGNORE
from auxseg.metrics.agreement import disagreement
from auxseg.metrics.expected import label_overlap
from auxseg.metrics.labels import changed_share, ignored_share, measure_label

FIGURES: Mapping[str, str] = {
    "expected_iou": "IoU that a label can be expected to have (docs/audit.md): mean of its classes, and of all images",
    "background": "pixels labelled background",
    "ignored": "pixels labelled 255",
    "without_background": "images whose label has no background pixel",
    "all_ignored": "images whose label is 255 everywhere",
    "lost": "image-level labels without a pixel in their image's label",
    "components": "connected components of classes in a label, a count",
    "change": "pixels whose label is not that of the round before",
    "disagreement": "1 - sum min(CAM, S) / sum max(CAM, S), CAM the strongest class, S the saliency label",
    "constant": "images whose prediction is one class everywhere",
    "unseen": "image-level labels without a position in their image's prediction",
    "prediction_differs": "labelled positions where the prediction is another class",
    "confidence": "softmax probability of the prediction",
    "entropy": "entropy of the affinity's rows over log N: 0 one position, 1 all alike",
    "tag_precision": "mean average precision of the image-level labels of train by the network's classification",
    "val_tag_precision": "the same of val, as far as its image-level labels are known",
    "loss": "training loss of the last row of the round's curve, a number",
}
"""Name -> meaning, in the order of the tables."""

NUMBERS = ("components", "loss")
"""Figures that are not shares."""

ImageFigures = dict[str, list[float]]
"""Figure -> the values to average: one per image, or one per image-level label (`lost`, `unseen`)."""


def label_figures(
    label: np.ndarray,
    before: np.ndarray | None,
    classes: Sequence[int],
    cam: np.ndarray,
    saliency: np.ndarray,
    prior: np.ndarray | None = None,
    prediction: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
) -> ImageFigures:
    """Return the figures of the label of one training image.

    Args:
        label: uint8 (H, W), class indices, 0 = background, 255 = ignore.
        before: the label of the round before, uint8 (H, W), or None.
        classes: class indices 1..C of the image's tags.
        cam: their CAMs at the label's size, float32 (L, H, W).
        saliency: the saliency label, float32 (H, W) in [0, 1].
        prior: the off-the-shelf saliency, float32 (H, W) in [0, 1]; None in r0, where it is the saliency label.
        prediction: of the round's network, uint8 (h, w) of class indices; None in r0.
        confidence: its softmax probability, float (h, w) in [0, 1]; None in r0.
    """
    areas = {area.index: area for area in measure_label("", label)}
    share = {index: area.pixels / label.size for index, area in areas.items()}
    differ = disagreement(cam, saliency)
    seen = [saliency if prior is None else prior, saliency]
    return {
        "expected_iou": [label_overlap(label, classes, cam, seen, prediction, confidence).mean()],
        "background": [share.get(0, 0.0)],
        "ignored": [ignored_share(label)],
        "without_background": [float(0 not in areas)],
        "all_ignored": [float(set(areas) == {IGNORE})],
        "lost": [float(index not in areas) for index in classes],
        "components": [float(sum(area.components for index, area in areas.items() if index not in (0, IGNORE)))],
        "change": [] if before is None else [changed_share(before, label)],
        "disagreement": [] if differ is None else [differ],
    }


def prediction_figures(
    prediction: np.ndarray,
    confidence: np.ndarray,
    entropy: np.ndarray | None,
    label: np.ndarray,
    classes: Sequence[int],
) -> ImageFigures:
    """Return the figures of the network's prediction for one training image.

    Args:
        prediction: uint8 (h, w) of class indices, at network resolution.
        confidence: float (h, w) in [0, 1].
        entropy: float (h, w) in [0, 1], or None without an affinity.
        label: the image's label, uint8 (H, W).
        classes: class indices 1..C of the image's tags; where there are none, background everywhere is right and does
            not count as `constant`.
    """
    height, width = prediction.shape
    seen = set(np.unique(prediction).tolist())
    small = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    labelled = small != IGNORE
    return {
        "constant": [float(len(seen) == 1 and (bool(classes) or seen != {0}))],
        "unseen": [float(index not in seen) for index in classes],
        "prediction_differs": [float(np.mean(prediction[labelled] != small[labelled]))] if labelled.any() else [],
        "confidence": [float(confidence.mean(dtype=np.float64))],
        "entropy": [] if entropy is None else [float(entropy.mean(dtype=np.float64))],
    }


def pool(images: Iterable[ImageFigures]) -> dict[str, float | None]:
    """Return the mean of every figure over images, rounded to 4 decimals, in the order of FIGURES."""
    values: ImageFigures = {name: [] for name in FIGURES}
    for image in images:
        for name, found in image.items():
            values[name] += found
    return {name: round(float(np.mean(found)), 4) if found else None for name, found in values.items()}
