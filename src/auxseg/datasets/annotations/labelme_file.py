"""One JSON file of labelme: shapes and flags of one image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auxseg.datasets.annotations.annotated import read_annotations
from auxseg.datasets.annotations.drawing import size_of
from auxseg.errors import DataError
from auxseg.files import open_file

AREAS = ("polygon", "rectangle", "oriented_rectangle", "circle", "mask")
"""Types of shape that enclose an area; points and lines only name a class."""


@dataclass(frozen=True)
class LabelmeFile:
    """`image`: the path that the file gives. `size`: height and width. `flags`: names that are set for the image."""

    image: str
    size: tuple[int, int]
    shapes: tuple[dict[str, Any], ...]
    flags: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that the image shows, from shapes and flags."""
        return (*(str(shape["label"]).strip() for shape in self.shapes), *self.flags)


def parse_labelme(path: Path) -> dict[str, Any] | None:
    """Return the content of a JSON file of labelme, or None for any other file."""
    try:
        value = read_annotations(path)
    except DataError:
        return None
    return value if isinstance(value, dict) and "shapes" in value and "imagePath" in value else None


def require_other(path: Path) -> None:
    """Check that a file which `parse_labelme` does not know is whole, or looks like none of labelme's.

    Raises:
        DataError: it is damaged, and was one of labelme's.
    """
    try:
        read_annotations(path)
    except DataError:
        with open_file(path) as stream:
            content = stream.read()
        if any(key in content for key in (b'"shapes"', b'"imagePath"')):
            raise


def read_labelme_file(path: Path, parsed: dict[str, Any] | None = None) -> LabelmeFile:
    """Read a file; `parsed` is its content, if it has been parsed: it may hold the image too, and be large.

    Raises:
        DataError: it is missing, or not one of labelme's.
    """
    try:
        content = read_annotations(path) if parsed is None else parsed
        shapes = tuple(content["shapes"])
        for shape in shapes:
            shape["label"], shape["points"]  # a KeyError names what is missing
        flags = tuple(name for name, is_set in (content.get("flags") or {}).items() if is_set)
        return LabelmeFile(
            str(content["imagePath"]), size_of(content["imageHeight"], content["imageWidth"]), shapes, flags
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: not a JSON of labelme ({type(error).__name__}: {error}); save it again") from None


def is_outside(shape: dict[str, Any], size: tuple[int, int]) -> bool:
    """Tell whether a polygon or rectangle lies wholly outside an image of `size`; False if its points are damaged."""
    if (shape.get("shape_type") or "polygon") not in ("polygon", "rectangle"):
        return False
    try:
        x, y = (sorted(float(point[axis]) for point in shape["points"]) for axis in (0, 1))
    except (TypeError, ValueError, LookupError):
        return False
    return bool(x) and (x[-1] < 0 or y[-1] < 0 or x[0] >= size[1] or y[0] >= size[0])
