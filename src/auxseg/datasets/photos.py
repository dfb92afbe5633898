"""Reading an image of the manifest."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from auxseg.datasets.deep_images import Reading, read_image
from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError
from auxseg.parallel import read_ahead


def read_photos(root: Path, records: Iterable[ImageRecord]) -> Iterator[np.ndarray]:
    """Yield the image of each record as `read_photo` does, and read a few ahead."""
    return read_ahead(partial(read_photo, root), records)


def read_photo(root: Path, record: ImageRecord) -> np.ndarray:
    """Read the image of a record as RGB, uint8 (H, W, 3), upright; its path is relative to `root`.

    Only the size is compared with the manifest: hashing every file in every stage would be too slow.

    Raises:
        DataError: the file is missing or damaged, or its size differs from the manifest.
    """
    path = root / record.path
    rgb = read_image(path, Reading(record.bits, record.bands))
    if rgb.shape[:2] != (record.height, record.width):
        raise DataError(
            f"{path}: {rgb.shape[1]}x{rgb.shape[0]}, in the manifest {record.width}x{record.height}; "
            "the file has changed: run `auxseg scan`, then the pipeline again"
        )
    return rgb
