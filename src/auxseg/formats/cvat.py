"""CVAT's "Segmentation mask 1.1", to be uploaded as annotations of a task that has the images already.

    segmentation_mask.zip
        labelmap.txt                        name:red,green,blue::
        ImageSets/Segmentation/default.txt  the ids
        SegmentationClass/<id>.png          RGB, the colour of the class
        SegmentationObject/<id>.png         RGB, one colour per connected region; background black
    labels.json                             for CVAT's raw constructor of labels
    images/<id>.<extension>                 with `--with-images`: what to create the task from

Without SegmentationObject, CVAT would import the background as an object. CVAT has no ignore index: ignored pixels are
objects of a label `ignore`. The label `background` is for people who correct labels: CVAT writes no mask of an image
without any shape, so an image that is all background needs one.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.artifacts.atomic import write_json
from auxseg.counts import counted
from auxseg.encoded import PALETTE
from auxseg.formats.regions import regions
from auxseg.formats.voc import colours_by_name, labelmap
from auxseg.formats.writer import Item, Options, Writer

MOST_OBJECTS = 255
"""Colours that CVAT knows in SegmentationObject, without black."""


class CvatWriter(Writer):
    """Colour masks in one zip."""

    def __init__(self, folder: Path, options: Options):
        super().__init__(folder, options)
        self._zip = zipfile.ZipFile(folder / "segmentation_mask.zip", "w", zipfile.ZIP_STORED)
        self._ids: list[str] = []
        self._joined = 0

    def write(self, item: Item) -> None:
        """Write both masks of an item."""
        self._png(f"SegmentationClass/{item.id}.png", PALETTE[self.options.values[item.mask]])
        self._png(f"SegmentationObject/{item.id}.png", PALETTE[self._objects(item.mask)])
        self._ids.append(item.id)

    def _objects(self, mask: np.ndarray) -> np.ndarray:
        """Return the number of the object at every pixel, uint8 (H, W); 0 = background."""
        numbers = np.zeros(mask.shape, np.uint8)
        values = [int(value) for value in np.unique(mask) if value]
        found = list(regions(mask, values))
        if len(found) > MOST_OBJECTS:
            self._joined += 1
            for number, value in enumerate(values, 1):
                numbers[mask == value] = number
        else:
            for number, region in enumerate(found, 1):
                numbers[region.window][region.pixels] = number
        return numbers

    def _png(self, name: str, colours: np.ndarray) -> None:
        buffer = io.BytesIO()
        Image.fromarray(colours).save(buffer, "PNG")
        self._add(name, buffer.getvalue())

    def _add(self, name: str, content: bytes | str) -> None:
        info = zipfile.ZipInfo(name)  # dated 1980: with the time of day, equal masks would not give equal bytes
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, content)

    def finish(self) -> None:
        """Write the list of ids and the labels."""
        self._add("labelmap.txt", labelmap(self.options))
        self._add("ImageSets/Segmentation/default.txt", "".join(f"{one}\n" for one in self._ids))
        self._zip.close()
        labels = [
            {"name": name, "color": "#" + bytes(colour).hex(), "attributes": []}
            for name, colour in colours_by_name(self.options).items()
        ]
        write_json(self.folder / "labels.json", labels)
        if self._joined:
            have = counted(self._joined, "image has", "images have")
            self.notes.append(f"{have} more than {MOST_OBJECTS} regions: one object per class there")
