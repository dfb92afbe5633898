"""What one round's labels look like in one shard, and how they and the saliency labels compare with the masks."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.maps import upsample
from auxseg.metrics.confusion import confuse, no_confusion, write_confusion
from auxseg.metrics.histogram import Histograms
from auxseg.metrics.labels import ClassArea, measure_label, write_areas
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts

CAM_THRESHOLDS = [round(0.05 * step, 2) for step in range(1, 15)]
"""The CAM alone is scored at each of them: the stored map, with what `propagate.initial_share` and
`propagate.prediction_share` add to the refined CAM."""


class Scores:
    """Counts over the images of a shard, filled image by image."""

    def __init__(self, classes: ClassTable):
        self._classes = classes
        self._counts: dict[str, Counts] = defaultdict(partial(Counts.zeros, len(classes)))
        self._areas: list[ClassArea] = []
        self._confusion = no_confusion(len(classes))
        self._histograms = Histograms()
        self._saliency = SaliencyMeasures()

    def describe(self, record: ImageRecord, label: np.ndarray, cam: np.ndarray, confidence: np.ndarray | None) -> None:
        """Add what needs no mask: areas and components of a label, values of CAM and confidence.

        Args:
            record: the image.
            label: uint8 (H, W), class indices, 255 = ignore.
            cam: float16 (L, h, w), in the order of the image's classes; L may be 0.
            confidence: float16 (h, w) of the network's prediction; None in r0, which has no network.
        """
        self._areas += measure_label(record.id, label)
        if len(cam):
            self._histograms.add("cam", cam.max(axis=0))
        if confidence is not None:
            self._histograms.add("confidence", confidence)

    def compare(
        self, record: ImageRecord, label: np.ndarray, cam: np.ndarray, saliency: np.ndarray, mask: np.ndarray
    ) -> None:
        """Add how a label, the CAM alone and a saliency label compare with the mask.

        Args:
            record: the image.
            label: uint8 (H, W), class indices, 255 = ignore.
            cam: float16 (L, h, w), in the order of the image's classes.
            saliency: uint8 (H, W).
            mask: uint8 (H, W), class indices, 255 = ignore.
        """
        classes = len(self._classes)
        self._confusion += confuse(label, mask, classes)
        self._saliency.add(saliency, mask)
        self._counts["labels"] += Counts.of(label, mask, classes)
        present = [self._classes.index(name) for name in record.tags]
        strongest, value = strongest_class(upsample(cam, *mask.shape), present)
        for threshold in CAM_THRESHOLDS:
            prediction = np.where(value > threshold, strongest, 0).astype(np.uint8)
            self._counts[f"cam>{threshold:.2f}"] += Counts.of(prediction, mask, classes)

    def write(self, file: Callable[[str], Path]) -> None:
        """Write every kind of score file; `file` returns the path for a kind, as the store's `score` does."""
        write_counts(file("counts"), self._counts)
        write_areas(file("areas"), self._areas)
        write_confusion(file("confusion"), self._confusion)
        self._saliency.write(file("saliency"))
        self._histograms.write(file("confidence"))


def strongest_class(cam: np.ndarray, present: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return class index and value of the strongest CAM (L, H, W) in every pixel; zeros for an image without tags."""
    if not present:
        return np.zeros(cam.shape[1:], np.uint8), np.zeros(cam.shape[1:], np.float32)
    return np.array(present, np.uint8)[cam.argmax(axis=0)], cam.max(axis=0)
