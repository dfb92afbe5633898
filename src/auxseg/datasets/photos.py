"""A photograph of the manifest, held against it."""

from pathlib import Path

import numpy as np

from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError
from auxseg.images import read_rgb


def read_photo(root: Path, record: ImageRecord) -> np.ndarray:
    """Read the photograph of a record as RGB, uint8 (H, W, 3), upright; `root` is what its path is relative to.

    Only its size is compared: hashing every file in every stage would cost more than it is worth.

    Raises:
        DataError: the file is missing, damaged, or of another size than when it was scanned.
    """
    path = root / record.path
    rgb = read_rgb(path)
    if rgb.shape[:2] != (record.height, record.width):
        raise DataError(
            f"{path}: {rgb.shape[1]}x{rgb.shape[0]}, in the manifest {record.width}x{record.height}; "
            "it was changed since: run `auxseg scan`, then the pipeline again"
        )
    return rgb
