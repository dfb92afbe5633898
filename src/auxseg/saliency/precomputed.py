"""Provider `precomputed`: the user's own saliency maps, passed through bit by bit."""

import heapq
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError
from auxseg.images import read_grey_png

LOOKED_AT = 16
"""How many maps are held against the range 0..255 before work begins."""


@dataclass(frozen=True)
class Precomputed:
    """A folder of 8-bit grey `<id>.png`, each of its photograph's size; 255 is surely salient."""

    folder: Path
    in_processes = False  # reading costs less than starting workers

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise DataError(f"{self.folder}: no such folder; mend saliency.path (relative to the data root) or add it")
        first = [read_grey_png(path) for path in heapq.nsmallest(LOOKED_AT, self.folder.glob("[!.]*.png"))]
        if first and 0 < max(prior.max() for prior in first) <= 1 / 255:
            raise DataError(f"{self.folder}: the maps hold 0 and 1 alone; salient is 255: multiply them by 255")

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return the stored map / 255, float32 (H, W); `encode_grey` gives the stored values back exactly.

        Raises:
            DataError: the map is missing, damaged, not 8-bit grey, or not of the photograph's size.
        """
        path = self.folder / f"{record.id}.png"
        if not path.is_file():
            raise DataError(f"{path}: no such saliency map; add it, or take its photograph out")
        prior = read_grey_png(path)
        if prior.shape != rgb.shape[:2]:
            raise DataError(
                f"{path}: {prior.shape[1]}x{prior.shape[0]} pixels, its photograph has "
                f"{rgb.shape[1]}x{rgb.shape[0]}; make the map at the photograph's size"
            )
        return prior
