"""Figures of one round that need no mask: what its labels and its network's predictions look like.

All are shares in [0, 1] but `components`, a count, and are means over images, so that a large image counts as much as a
small one. A figure that nothing was measured for (r0 has no network) is None.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from auxseg.images import IGNORE
from auxseg.metrics.agreement import disagreement
from auxseg.metrics.labels import measure_label

FIGURES: Mapping[str, str] = {
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
}
"""Name -> meaning, in the order in which tables show them."""


class RoundFigures:
    """Collects the figures of a round, image by image."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {name: [] for name in FIGURES}

    def add_label(
        self,
        label: np.ndarray,
        before: np.ndarray | None,
        classes: Sequence[int],
        cam: np.ndarray,
        saliency: np.ndarray,
    ) -> None:
        """Add the label of one training image.

        Args:
            label: uint8 (H, W), class indices, 0 = background, 255 = ignore.
            before: the label of the round before, uint8 (H, W), or None.
            classes: class indices 1..C that the image is labelled with.
            cam: their CAMs at the label's size, float32 (L, H, W).
            saliency: the saliency label, float32 (H, W) in [0, 1].
        """
        areas = {area.index: area for area in measure_label("", label)}
        share = {index: area.pixels / label.size for index, area in areas.items()}
        self._put("background", share.get(0, 0.0))
        self._put("ignored", share.get(IGNORE, 0.0))
        self._put("without_background", float(0 not in areas))
        self._put("all_ignored", float(set(areas) == {IGNORE}))
        self._put("components", sum(area.components for index, area in areas.items() if index not in (0, IGNORE)))
        for index in classes:
            self._put("lost", float(index not in areas))
        if before is not None:
            self._put("change", float(np.mean(before != label)))
        value = disagreement(cam, saliency)
        if value is not None:
            self._put("disagreement", value)

    def add_prediction(
        self,
        prediction: np.ndarray,
        confidence: np.ndarray,
        entropy: np.ndarray | None,
        label: np.ndarray | None,
        classes: Sequence[int],
    ) -> None:
        """Add what the network made of one image.

        Args:
            prediction: uint8 (h, w) of class indices, at network resolution.
            confidence: float (h, w) in [0, 1].
            entropy: float (h, w) in [0, 1], or None without an affinity.
            label: the image's label, uint8 (H, W), or None: a val image.
            classes: class indices 1..C that the image is labelled with; none for an image without labels.
        """
        seen = set(np.unique(prediction).tolist())
        self._put("constant", float(len(seen) == 1))
        self._put("confidence", float(confidence.mean(dtype=np.float64)))
        if entropy is not None:
            self._put("entropy", float(entropy.mean(dtype=np.float64)))
        for index in classes:
            self._put("unseen", float(index not in seen))
        if label is not None:
            height, width = prediction.shape
            small = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            labelled = small != IGNORE
            if labelled.any():
                self._put("prediction_differs", float(np.mean(prediction[labelled] != small[labelled])))

    def means(self) -> dict[str, float | None]:
        """Return the mean of every figure, rounded to 4 decimals, in the order of FIGURES."""
        return {name: round(float(np.mean(values)), 4) if values else None for name, values in self._values.items()}

    def _put(self, name: str, value: float) -> None:
        self._values[name].append(value)
