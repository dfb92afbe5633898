"""Pascal VOC's layout.

SegmentationClass/<id>.png             8-bit palette: the data set's mask values, 255 = ignore
ImageSets/Segmentation/<split>.txt     the ids
JPEGImages/<id>.<extension>            with `--with-images`
"""

from pathlib import Path

from auxseg.artifacts.atomic import write_text
from auxseg.formats.writer import Item, Options, Writer
from auxseg.images import encode_label


class VocWriter(Writer):
    """Index PNGs with VOC's palette. Everything can be expressed."""

    images = "JPEGImages"

    def __init__(self, folder: Path, options: Options):
        super().__init__(folder, options)
        self._ids: dict[str, list[str]] = {}

    def write(self, item: Item) -> None:
        """Write the mask of an item."""
        self.write_bytes(f"SegmentationClass/{item.id}.png", encode_label(self.options.values[item.mask]))
        self._ids.setdefault(item.split, []).append(item.id)

    def finish(self) -> None:
        """Write the lists of ids."""
        for split, ids in self._ids.items():
            write_text(self.folder / f"ImageSets/Segmentation/{split}.txt", "".join(f"{one}\n" for one in ids))
