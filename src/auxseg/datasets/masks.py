"""Reading masks. Only score, evaluate, audit and the checks of prepare may import this module."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from auxseg.datasets.dataset import Dataset
from auxseg.datasets.label_png import Unlisted, read_label_png
from auxseg.datasets.manifest import ClassTable, read_mask_list


def read_mask(path: Path, classes: ClassTable, unlisted: Unlisted) -> np.ndarray:
    """Read a ground-truth mask as class indices; see `read_label_png`."""
    return read_label_png(path, classes, unlisted)


@dataclass(frozen=True)
class Masks:
    """The ground-truth masks of a data set, or of one of its shards; false if there are none. Picklable."""

    root: Path
    paths: Mapping[str, str]
    """Image id -> file, relative to `root`."""
    classes: ClassTable
    unlisted: Unlisted
    """How a value outside the class table is treated."""

    @classmethod
    def of(cls, dataset: Dataset, shard: str | None = None) -> Self:
        """Find the masks of a data set, or of one shard.

        Raises:
            DataError: a list is missing, or one of another shard is left over.
            ParamsError: the stage does not declare the lists.
        """
        store = dataset.store
        lists = dataset.every_shard(store.mask_list).values() if shard is None else [store.mask_list(shard)]
        return cls(dataset.root, read_mask_list(lists), dataset.classes, dataset.unlisted)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self.paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, image_id: str) -> np.ndarray:
        """Return the mask of an image, uint8 (H, W) of class indices, 255 = ignore."""
        return read_mask(self.file(image_id), self.classes, self.unlisted)

    def file(self, image_id: str) -> Path:
        """Return the file of the mask of an image, which has mask values."""
        return self.root / self.paths[image_id]
