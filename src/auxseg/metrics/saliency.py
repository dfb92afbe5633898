"""Measures of salient object detection, by pysodmetrics: a round's saliency label against the mask's foreground.

The foreground is all object classes. The measures use pysodmetrics' own defaults, as published figures do: each map is
stretched to [0, 1] by its minimum and maximum, F weights precision with beta^2 = 0.3, and every measure is computed per
image and averaged over images.

    MAE                             mean absolute error
    max, mean F; max, mean E        maximum and mean of the curve over the 256 grey levels as thresholds
    adaptive F, adaptive E          at twice the map's mean
    S                               structure measure, alpha = 0.5

Pixels that are 255 in the mask count as background in mask and map, because the measures have no ignored pixels. Images
without foreground are left out, because F is not defined for them.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.tables import read_artifact, write_csv
from auxseg.encoded import IGNORE

FIGURES = ("mae", "max_f", "mean_f", "adaptive_f", "s", "max_e", "mean_e", "adaptive_e")
CURVES = ("f", "e")
COLUMNS = ("measure", "level", "images", "sum")


class SaliencyMeasures:
    """Sums over images, so that shards can be pooled: measure -> float64 (levels,); 256 levels for a curve, else 1."""

    def __init__(self) -> None:
        self.images = 0
        self.sums: dict[str, np.ndarray] = {}

    def add(self, saliency: np.ndarray, mask: np.ndarray) -> None:
        """Measure one saliency label, grey uint8 (H, W), against a mask, uint8 (H, W) of 0..C and 255."""
        known = mask != IGNORE
        foreground = known & (mask != 0)
        if not foreground.any():
            return
        values = _measure(np.where(known, saliency, 0).astype(np.uint8), foreground.astype(np.uint8) * 255)
        self.images += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0) + np.atleast_1d(value).astype(np.float64)

    def write(self, path: Path) -> None:
        """Write `measure,level,images,sum`, with the sums in full precision."""
        rows = [
            [name, level, self.images, repr(float(value))]
            for name, values in self.sums.items()
            for level, value in enumerate(values)
        ]
        write_csv(path, COLUMNS, rows)

    @classmethod
    def read(cls, paths: Iterable[Path]) -> "SaliencyMeasures":
        """Read and pool the sums of several files, in their order."""
        pooled = cls()
        for path in paths:
            rows = read_artifact(path, COLUMNS)
            with read_whole(path):
                pooled.images += int(rows[0]["images"]) if rows else 0
                for name in dict.fromkeys(row["measure"] for row in rows):
                    values = np.array([float(row["sum"]) for row in rows if row["measure"] == name])
                    pooled.sums[name] = pooled.sums.get(name, 0) + values
        return pooled

    def figures(self) -> dict[str, float]:
        """Return FIGURES, in [0, 1]; empty if no image was measured."""
        if not self.images:
            return {}
        mean = {name: values / self.images for name, values in self.sums.items()}
        figures = {name: float(values[0]) for name, values in mean.items() if name not in CURVES}
        for curve in CURVES:
            figures[f"max_{curve}"], figures[f"mean_{curve}"] = float(mean[curve].max()), float(mean[curve].mean())
        return {name: figures[name] for name in FIGURES}


def _measure(saliency: np.ndarray, foreground: np.ndarray) -> dict[str, np.ndarray]:
    """Measure one image: both uint8 (H, W), foreground 0 and 255."""
    from py_sod_metrics import MAE, Emeasure, FmeasureHandler, FmeasureV2, Smeasure  # takes seconds to import

    class Structure(Smeasure):  # type: ignore[misc]  # the package has no types
        """The S-measure, which otherwise gives NaN for a quadrant without pixels (an object at the border)."""

        def ssim(self, pred: np.ndarray, gt: np.ndarray) -> float:
            return super().ssim(pred, gt) if pred.size else 0.0  # its weight is 0

    mae, structure, alignment = MAE(), Structure(), Emeasure()
    overlap = FmeasureV2({"f": FmeasureHandler(with_dynamic=True, with_adaptive=True, beta=0.3)})
    for measure in (mae, structure, alignment, overlap):
        measure.step(saliency, foreground)
    f, e = overlap.get_results()["f"], alignment.get_results()["em"]
    return {
        "mae": mae.get_results()["mae"],
        "s": structure.get_results()["sm"],
        "adaptive_f": f["adaptive"],
        "adaptive_e": e["adp"],
        "f": f["dynamic"],
        "e": e["curve"],
    }
