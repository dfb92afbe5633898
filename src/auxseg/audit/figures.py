"""The figures by which images are ranked and filtered: one number per image and round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from auxseg.comparison.diff import compare
from auxseg.encoded import IGNORE
from auxseg.metrics.labels import count_components
from auxseg.metrics.segmentation import Counts

UNTAGGED_SHARE = 0.01
"""A class that is not among the image's tags counts as present from this share of the pixels on."""
OUTLIER_SAMPLE = 8
"""Minimum number of images with a class before one of its areas can be an outlier."""


@dataclass(frozen=True)
class Figure:
    """One column by which the report ranks; `unit` is share (0..1), count or deviations.

    `worst` says which of its values are suspicious: the largest or the smallest.
    """

    key: str
    title: str
    unit: str
    meaning: str
    worst: str = "largest"


FIGURES = (
    Figure(
        "expected_iou",
        "expected IoU",
        "share",
        "mean IoU that the label can be expected to have by saliency, CAM and the model's confidence, without masks",
        "smallest",
    ),
    Figure(
        "disagreement",
        "CAM and saliency disagree",
        "share",
        "1 - sum min(CAM, S) / sum max(CAM, S) over the pixels, CAM the strongest class, S the saliency label (on val "
        "the network's refined saliency): no threshold involved",
    ),
    Figure("change", "changed since last round", "share", "pixels whose label differs from the previous round's"),
    Figure(
        "corrected",
        "corrected by hand",
        "share",
        "pixels in which the corrected label that training uses differs from this round's label",
    ),
    Figure("ignored", "ignored", "share", "pixels labelled 255"),
    Figure("object", "object", "share", "pixels labelled with a class", "smallest"),
    Figure("entropy", "affinity entropy", "share", "mean entropy of the affinity's rows over log N; 1 = uniform"),
    Figure(
        "margin",
        "CAM margin",
        "share",
        "strongest minus second CAM (0 if there is one class), mean over objects",
        "smallest",
    ),
    Figure("confidence", "confidence of the model", "share", "mean softmax probability of the prediction", "smallest"),
    Figure("missing", "tagged but not in the label", "count", "image-level classes without a pixel in the label"),
    Figure(
        "untagged",
        "present but not tagged",
        "count",
        "classes with 1 % of the pixels or more in label or prediction that the image is not tagged with",
    ),
    Figure("components", "components", "count", "connected components of all classes (8 neighbours)"),
    Figure(
        "outlier",
        "area outlier",
        "deviations",
        "largest distance of a class's log area from the class's median, in robust standard deviations",
    ),
    Figure("mismatch", "not explained", "count", "pixels whose label the stored CAM and saliency do not reproduce"),
    Figure(
        "iou", "IoU with the mask", "share", "mean IoU of the classes in label or mask, background included", "smallest"
    ),
)


def margin(cam: np.ndarray, label: np.ndarray) -> float | None:
    """Return the mean of strongest minus second CAM over the label's object pixels; None if there are none."""
    objects = (label != 0) & (label != IGNORE)
    if not len(cam) or not objects.any():
        return None
    values = np.sort(cam[:, objects], axis=0)
    second = values[-2] if len(values) > 1 else np.float32(0)
    return float((values[-1] - second).mean(dtype=np.float64))


def class_pixels(label: np.ndarray) -> dict[int, int]:
    """Return class index -> pixels, without background and 255."""
    counts = np.bincount(label.reshape(-1), minlength=256)
    return {int(index): int(counts[index]) for index in np.flatnonzero(counts) if 0 < index < IGNORE}


def class_changes(before: np.ndarray, now: np.ndarray, classes: int) -> dict[int, list[int]]:
    """Return class index -> pixels (added, removed, changed_from, changed_to) for the classes that changed.

    Counts are those of `auxseg.comparison.diff`; `classes` is the number of classes including the background.
    """
    moved = compare(before, now, classes)[2:].T
    return {int(index): moved[index].tolist() for index in np.flatnonzero(moved.any(axis=1))}


def components(label: np.ndarray) -> int:
    """Return the number of connected components of all classes, 8 neighbours."""
    return sum(count_components(label == index) for index in class_pixels(label))


def mean_iou(label: np.ndarray, mask: np.ndarray, classes: int) -> float | None:
    """Return the mean IoU of the classes in label or mask (background included); None if the mask is all 255."""
    iou = Counts.of(label, mask, classes).iou()
    return None if np.isnan(iou).all() else float(np.nanmean(iou))


def area_outliers(shares: Sequence[Mapping[int, float]]) -> list[float]:
    """Return for each image the largest robust deviation of its classes' log areas from the class medians.

    Args:
        shares: class index -> share of the pixels, one mapping per image.
    """
    by_class: dict[int, list[float]] = {}
    for image in shares:
        for index, share in image.items():
            by_class.setdefault(index, []).append(np.log(share))
    scale = {index: _robust(values) for index, values in by_class.items() if len(values) >= OUTLIER_SAMPLE}
    return [
        max(
            (
                abs(np.log(share) - scale[i][0]) / scale[i][1]
                for i, share in image.items()
                if i in scale and scale[i][1]
            ),
            default=0.0,
        )
        for image in shares
    ]


def _robust(values: Sequence[float]) -> tuple[float, float]:
    """Return median and 1.4826 times the median absolute deviation, which estimates the standard deviation."""
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(np.asarray(values) - middle)))
