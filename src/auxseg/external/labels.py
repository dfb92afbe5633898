"""Read segmentation labels of another method as those of round 0."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.datasets.label_png import Unlisted, read_label_png
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.other_extension import other_extension
from auxseg.errors import DataError
from auxseg.external.folder import external_folder
from auxseg.params.labels import LabelsParams


@dataclass(frozen=True)
class LabelFolder:
    """The folder that `labels.path` names: `<id>.png` of mask values, 0 = background, 255 = ignore; picklable."""

    folder: Path
    classes: ClassTable
    unlisted: Unlisted

    @classmethod
    def of(cls, params: LabelsParams, root: Path, classes: ClassTable, unlisted: Unlisted) -> "LabelFolder":
        """Open the folder that the parameters name; see `external_folder`."""
        return cls(external_folder(params, root), classes, unlisted)

    def __call__(self, record: ImageRecord) -> np.ndarray:
        """Return the label of an image as class indices, uint8 (H, W), 255 = ignore.

        Raises:
            DataError: it is missing, not an index PNG, not of the image's size, or has an unknown value.
        """
        path = self.folder / f"{record.id}.png"
        if not path.is_file():
            fix = other_extension(path) or "; add it, or remove its image from the train list"
            raise DataError(f"{path}: no such label{fix}")
        label = read_label_png(path, self.classes, self.unlisted)
        if label.shape != (record.height, record.width):
            height, width = label.shape
            raise DataError(
                f"{path}: {width}x{height} pixels, but its image has {record.width}x{record.height}; make the label "
                "at the size of the image"
            )
        return label
