"""Exports of annotation tools, in the form that each tool writes."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.datasets.checks import decode_all
from auxseg.datasets.collect import Collected, collect
from auxseg.datasets.mask_reading import read_form
from auxseg.params.data import DataParams

SIZE = (20, 30)
"""Height and width of every image."""


def write_photo(path: Path) -> None:
    """Write an image of SIZE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SIZE, 3), sum(path.name.encode()) % 256, np.uint8)).save(path)


def write_json(path: Path, value) -> None:
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


class Opened:
    """A data set as `prepare` sees it: what was collected, and its masks by id."""

    def __init__(self, root: Path, **data):
        self.params = DataParams.parse(data)
        self.root = root
        self.found: Collected = collect(root, self.params)
        self.names = self.found.classes.names
        self.tags = self.found.tags
        self.splits = {item.id: item.split for item in self.found.images}

    def mask(self, image_id: str) -> np.ndarray:
        """Return the mask of an image as class indices."""
        item = next(item for item in self.found.images if item.id == image_id)
        return read_form(self.root / item.mask, self.found.form, self.found.classes, self.params.unlisted)

    def check(self) -> None:
        """Decode everything, as `prepare` does."""
        decode_all(self.root, self.found.images, self.found.classes, self.params.unlisted, self.found.form)
