"""Pascal VOC's layout.

SegmentationClass/<id>.png             8-bit palette: the data set's mask values, 255 = ignore
ImageSets/Segmentation/<split>.txt     the ids
JPEGImages/<id>.<extension>            with `--with-images`
labelmap.txt                           name:red,green,blue::, CVAT's and datumaro's addition: without it, they take the
                                       values for VOC's own classes
"""

from pathlib import Path

from auxseg.artifacts.atomic import write_text
from auxseg.encoded import IGNORE, PALETTE, encode_label
from auxseg.formats.writer import Item, Options, Writer


def colours_by_name(options: Options) -> dict[str, list[int]]:
    """Return the colour of each class in the palette, RGB 0..255, the background first and `ignore` last."""
    indices = [*range(len(options.names)), IGNORE]
    return {options.name(index): PALETTE[options.values[index]].tolist() for index in indices}


def labelmap(options: Options) -> str:
    """Return the content of labelmap.txt."""
    lines = [f"{name}:{','.join(map(str, colour))}::\n" for name, colour in colours_by_name(options).items()]
    return "# label:color_rgb:parts:actions\n" + "".join(lines)


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
        """Write the lists of ids and the colours of the classes."""
        write_text(self.folder / "labelmap.txt", labelmap(self.options))
        for split, ids in self._ids.items():
            write_text(self.folder / f"ImageSets/Segmentation/{split}.txt", "".join(f"{one}\n" for one in ids))
