"""mIoU, precision and recall from pooled counts (docs/method.md section 6).

Counts are pooled over the whole set. Figures are computed per class, then averaged over the C + 1 classes including the
background. A class that is in neither mask nor prediction is left out of the mean. A pixel that is 255 in the mask is
not counted; a pixel that is 255 in the *prediction* is not predicted, so it counts as a miss.
"""

from dataclasses import dataclass

import numpy as np

from auxseg.encoded import IGNORE


@dataclass
class Counts:
    """Pixels per class index, int64 (C + 1,): correctly predicted, predicted, and in the mask; of how many images."""

    correct: np.ndarray
    predicted: np.ndarray
    true: np.ndarray
    images: int = 0

    @classmethod
    def zeros(cls, classes: int) -> "Counts":
        """Return empty counts for C object classes and the background."""
        correct, predicted, true = (np.zeros(classes + 1, np.int64) for _ in range(3))
        return cls(correct, predicted, true)

    @classmethod
    def of(cls, prediction: np.ndarray, mask: np.ndarray, classes: int) -> "Counts":
        """Compare one prediction with one mask, both uint8 (H, W) of 0..C and 255."""
        known = mask != IGNORE
        prediction, mask = prediction[known], mask[known]

        def histogram(values: np.ndarray) -> np.ndarray:
            return np.bincount(values, minlength=256)[: classes + 1].astype(np.int64)

        return cls(histogram(mask[prediction == mask]), histogram(prediction), histogram(mask), 1)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.correct + other.correct,
            self.predicted + other.predicted,
            self.true + other.true,
            self.images + other.images,
        )

    def iou(self) -> np.ndarray:
        """Return IoU per class, float (C + 1,) in [0, 1]; NaN where the class is in neither mask nor prediction."""
        return _ratio(self.correct, self.predicted + self.true - self.correct)

    def precision(self) -> np.ndarray:
        """Return correct / predicted per class; NaN where nothing is predicted."""
        return _ratio(self.correct, self.predicted)

    def recall(self) -> np.ndarray:
        """Return correct / in the mask per class; NaN where the class is not in the mask."""
        return _ratio(self.correct, self.true)

    def means(self) -> dict[str, float | None]:
        """Return mIoU, precision and recall, averaged over classes, in per cent; None if nothing was counted."""
        figures = {"miou": self.iou(), "precision": self.precision(), "recall": self.recall()}
        return {
            name: None if np.isnan(values).all() else float(100 * np.nanmean(values))
            for name, values in figures.items()
        }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
