"""mmsegmentation's layout for a custom data set.

    ann_dir/<split>/<id>.png              8-bit grey: class indices 0..C, 255 = ignore
    img_dir/<split>/<id>.<extension>      with `--with-images`
    dataset.json                          the arguments of `BaseSegDataset`: metainfo, suffixes, ignore_index

The PNGs are grey because a palette PNG is read as colours by the OpenCV backend.
"""

import io
from collections import Counter
from pathlib import Path

from PIL import Image

from auxseg.artifacts.atomic import write_json
from auxseg.counts import counted
from auxseg.encoded import IGNORE, PALETTE
from auxseg.formats.writer import Item, Options, Writer


class MmsegWriter(Writer):
    """Grey PNGs of contiguous class indices. Everything can be expressed."""

    def __init__(self, folder: Path, options: Options):
        super().__init__(folder, options)
        self._suffixes: Counter[str] = Counter()

    def image_place(self, item: Item) -> str:
        """Return where the copy of an image is, relative to the folder."""
        return f"img_dir/{item.split}/{item.image_name}"

    def write(self, item: Item) -> None:
        """Write the mask of an item."""
        buffer = io.BytesIO()
        Image.fromarray(item.mask).save(buffer, "PNG")
        self.write_bytes(f"ann_dir/{item.split}/{item.id}.png", buffer.getvalue())
        self._suffixes[Path(item.image).suffix] += 1

    def finish(self) -> None:
        """Write the arguments of the data set."""
        suffix = self._suffixes.most_common(1)[0][0] if self._suffixes else ".jpg"
        if others := self._suffixes.total() - self._suffixes[suffix]:
            have = counted(others, "image has", "images have")
            self.notes.append(f"{have} another file extension than {suffix}: mmsegmentation reads only one")
        names = list(self.options.names)
        arguments = {
            "metainfo": {"classes": names, "palette": PALETTE[: len(names)].tolist()},
            "data_prefix": {"img_path": "img_dir/train", "seg_map_path": "ann_dir/train"},
            "img_suffix": suffix,
            "seg_map_suffix": ".png",
            "ignore_index": IGNORE,
            "reduce_zero_label": False,
        }
        write_json(self.folder / "dataset.json", arguments)
