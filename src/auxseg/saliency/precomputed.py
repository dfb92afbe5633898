"""Provider `precomputed`: the user's own saliency maps, passed through without any change."""

import heapq
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.other_extension import other_extension
from auxseg.errors import DataError
from auxseg.png_files import read_channel_png, read_grey_png

LOOKED_AT = 16
"""How many maps are checked for the range 0..255 before work begins."""


@dataclass(frozen=True)
class Precomputed:
    """A folder of 8-bit `<id>.png`, each with the size of its image; 255 is certainly salient."""

    folder: Path
    channel: str = "grey"
    """`grey`, or the channel of colour PNGs; see `SaliencyParams`."""
    in_processes = False  # reading costs less than starting workers

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise DataError(f"{self.folder}: no such folder; fix saliency.path (relative to the data root) or add it")
        first = [self._read(path) for path in heapq.nsmallest(LOOKED_AT, self.folder.glob("[!.]*.png"))]
        if first and 0 < max(prior.max() for prior in first) <= 1 / 255:
            raise DataError(f"{self.folder}: the maps contain only 0 and 1, but salient is 255; multiply them by 255")

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return the stored map / 255, float32 (H, W); `encode_grey` restores the stored values exactly.

        Raises:
            DataError: the map is missing, damaged, not 8-bit grey, or does not have the size of the image.
        """
        path = self.folder / f"{record.id}.png"
        if not path.is_file():
            fix = other_extension(path) or "; add it, or remove its image from the data"
            raise DataError(f"{path}: no such saliency map{fix}")
        prior = self._read(path)
        if prior.shape != rgb.shape[:2]:
            raise DataError(
                f"{path}: {prior.shape[1]}x{prior.shape[0]} pixels, but its image has "
                f"{rgb.shape[1]}x{rgb.shape[0]}; make the map at the size of the image"
            )
        return prior

    def _read(self, path: Path) -> np.ndarray:
        return read_grey_png(path) if self.channel == "grey" else read_channel_png(path, self.channel)
