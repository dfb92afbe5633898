"""Reading masks. Of the stages, only prepare (its checks), score, evaluate and audit may import this module."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from auxseg.artifacts.atomic import sha256_file
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.label_png import Unlisted
from auxseg.datasets.manifest import ClassTable, read_mask_form, read_mask_list
from auxseg.datasets.mask_form import PLAIN, MaskForm
from auxseg.datasets.mask_reading import read_form
from auxseg.encoded import pixels_sha256


def read_mask(path: Path, classes: ClassTable, unlisted: Unlisted, form: MaskForm = PLAIN) -> np.ndarray:
    """Read a ground-truth mask as class indices; see `read_form`."""
    return read_form(path, form, classes, unlisted)


def mask_sha256(path: Path, mask: np.ndarray, form: MaskForm) -> str:
    """Return the SHA-256 of a mask: of its file, or of its pixels where the file has other masks or data too."""
    if form.kind in ("values", "colours"):
        return sha256_file(path)
    return pixels_sha256(mask)


@dataclass(frozen=True)
class Masks:
    """The ground-truth masks of a data set, or of one of its shards; false if there are none. Picklable."""

    root: Path
    paths: Mapping[str, str]
    """Image id -> file, relative to `root`."""
    classes: ClassTable
    unlisted: Unlisted
    """How a value outside the class table is treated."""
    form: MaskForm = PLAIN
    """How the masks are stored."""

    @classmethod
    def of(cls, dataset: Dataset, shard: str | None = None) -> Self:
        """Find the masks of a data set, or of one shard.

        Raises:
            DataError: a list or their form is missing or damaged, or a list of another shard is left over.
            ParamsError: the stage does not declare the lists.
        """
        store = dataset.store
        lists = dataset.every_shard(store.mask_list).values() if shard is None else [store.mask_list(shard)]
        form = read_mask_form(store.mask_form)
        return cls(dataset.root, read_mask_list(lists), dataset.classes, dataset.unlisted, form)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self.paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, image_id: str) -> np.ndarray:
        """Return the mask of an image, uint8 (H, W) of class indices, 255 = ignore."""
        return read_mask(self.file(image_id), self.classes, self.unlisted, self.form)

    def file(self, image_id: str) -> Path:
        """Return the file of the mask of an image, as `form` says; with `#<key>` if it has the masks of many images."""
        return self.root / self.paths[image_id]

    def sha256(self, image_id: str) -> str:
        """Return the SHA-256 of the mask of an image, as in the list of masks."""
        mask = np.zeros(0) if self.form.kind in ("values", "colours") else self[image_id]
        return mask_sha256(self.file(image_id), mask, self.form)
