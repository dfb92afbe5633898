"""Reading masks. Only score, evaluate, audit and the checks of prepare may import this module."""

from pathlib import Path

import numpy as np

from auxseg.datasets.label_png import Unlisted, read_label_png
from auxseg.datasets.manifest import ClassTable


def read_mask(path: Path, classes: ClassTable, unlisted: Unlisted) -> np.ndarray:
    """Read a ground-truth mask as class indices; see `read_label_png`."""
    return read_label_png(path, classes, unlisted)
