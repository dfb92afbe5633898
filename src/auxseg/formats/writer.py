"""What every writer of a format is given, and the folder that it fills."""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from auxseg.errors import DataError

IGNORE_NAME = "ignore"
"""What a format that has no ignore index calls the pixels with value 255."""

Shapes = Literal["rle", "polygons"]


@dataclass(frozen=True)
class Item:
    """One image with its mask."""

    id: str
    """Identifier; a slash in it stands for a folder."""
    split: str
    """train or val."""
    image: str
    """Path of the image relative to `Options.root`, with forward slashes."""
    mask: np.ndarray
    """uint8 (H, W): class indices, 0 = background, 255 = ignore."""

    @property
    def image_name(self) -> str:
        """The id with the file extension of the image."""
        return f"{self.id}{Path(self.image).suffix}"


@dataclass(frozen=True)
class Options:
    """What the user chose, and the class table."""

    names: Sequence[str]
    """Class names by index, 0 = background."""
    values: np.ndarray
    """Class index -> stored value, uint8 (256,); 255 stays."""
    source: str
    """What made the masks, such as `auxseg r2`."""
    root: Path | None = None
    """Folder that the paths of images are relative to; None if no image is needed."""
    shapes: Shapes = "rle"
    """Whether regions are run lengths (exact) or polygons, where a format has both."""
    tolerance: float = 1.0
    """Largest distance of a simplified polygon from the exact one, pixels; 0 = exact."""
    with_images: bool = False
    """Copy the images too."""
    image_url: str = "/data/local-files/?d="
    """Label Studio: what comes before the path of an image."""

    def name(self, index: int) -> str:
        """Return the name of a class index, or `ignore` for 255."""
        return IGNORE_NAME if index == 255 else self.names[index]


def require_image(path: Path) -> None:
    """Check that an image of the data set is there.

    Raises:
        DataError: it is not.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such image; put it back, or run `auxseg scan` and then `auxseg run`")


class Writer(ABC):
    """Writes items one by one into `folder`, so that memory use does not depend on their number."""

    reads_images: ClassVar[bool] = False
    """Whether the format refers to the images by their path on this machine."""
    images: ClassVar[str] = "images"
    """Folder of the copied images."""

    def __init__(self, folder: Path, options: Options):
        self.folder = folder
        self.options = options
        self.notes: list[str] = []
        """Sentences for the user about what the format could not take."""

    def add(self, item: Item) -> None:
        """Write one item, and its image if the user asked for it."""
        if self.options.with_images:
            self._copy(item, self.folder / self.image_place(item))
        self.write(item)

    def image_place(self, item: Item) -> str:
        """Return where the copy of an image is, relative to the folder."""
        return f"{self.images}/{item.image_name}"

    @abstractmethod
    def write(self, item: Item) -> None:
        """Write the mask of an item."""

    def finish(self) -> None:  # noqa: B027 - a format of one file per image has nothing left to write
        """Write what is known only after the last item."""

    def source_image(self, item: Item) -> Path:
        """Return the path of an item's image on this machine."""
        if self.options.root is None:
            raise ValueError(f"{type(self).__name__} needs Options.root")
        return self.options.root / item.image

    def _copy(self, item: Item, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self.source_image(item)
        require_image(source)
        shutil.copyfile(source, target)

    def write_bytes(self, relative: str, content: bytes) -> None:
        """Write a file of the folder, which is flushed and renamed as a whole."""
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class JsonList:
    """A JSON array that is written value by value to an open file."""

    def __init__(self, stream: Any):
        self._stream, self._separator = stream, "\n"
        stream.write("[")

    def add(self, value: object) -> None:
        """Append a value."""
        self._stream.write(self._separator + json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        self._separator = ",\n"

    @classmethod
    @contextmanager
    def file(cls, path: Path) -> Iterator["JsonList"]:
        """Open a file that contains one array."""
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            values = cls(stream)
            yield values
            values.close()
            stream.write("\n")

    def close(self) -> None:
        """End the array."""
        self._stream.write("\n]")
