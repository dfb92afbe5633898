"""Provider `precomputed`: the user's own saliency maps, passed through bit by bit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError


@dataclass(frozen=True)
class Precomputed:
    """A folder of 8-bit grey `<id>.png`, each of its photograph's size; 255 is surely salient."""

    folder: Path
    in_processes = False  # reading costs less than starting workers

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise DataError(f"{self.folder}: no such folder; mend saliency.path (relative to the data root) or add it")

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return the stored map / 255, float32 (H, W); `encode_grey` gives the stored values back exactly.

        Raises:
            DataError: the map is missing, damaged, not 8-bit grey, or not of the photograph's size.
        """
        path = self.folder / f"{record.id}.png"
        try:
            with Image.open(path) as image:
                mode = image.mode
                # Nothing but 8-bit grey: a palette's indices are no intensities (maps saved as palette PNGs
                # without a palette read back black), and rounding a 16-bit map would be a silent loss.
                if mode != "L":
                    raise DataError(
                        f"{path}: a saliency map must be an 8-bit grey PNG, this one has mode {mode}; "
                        "save it as 8-bit grey, 0..255"
                    )
                stored = np.asarray(image)
        except FileNotFoundError:
            raise DataError(f"{path}: no such saliency map; add it, or take its photograph out") from None
        except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
            raise DataError(f"{path}: not a readable PNG ({error}); replace the file") from None
        if stored.shape != rgb.shape[:2]:
            raise DataError(
                f"{path}: {stored.shape[1]}x{stored.shape[0]} pixels, its photograph has "
                f"{rgb.shape[1]}x{rgb.shape[0]}; make the map at the photograph's size"
            )
        return stored.astype(np.float32) / 255
