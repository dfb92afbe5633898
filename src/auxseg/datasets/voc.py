"""The VOC devkit's layout.

JPEGImages/<id>.jpg             photographs; .png and other photo formats too
SegmentationClass/<id>.png      masks, optional, also image by image
ImageSets/Segmentation/<split>.txt   ids, one a line
"""

from collections.abc import Iterator
from pathlib import Path

from auxseg.datasets.listing import MASKS, PHOTOS, Folder, Listed, locate, require_folder
from auxseg.datasets.tags import image_id
from auxseg.errors import DataError

LISTS = Path("ImageSets/Segmentation")


def list_voc(root: Path, train_split: str, val_split: str | None) -> list[Listed]:
    """Return the images of both lists; `split` is `train` or `val` whatever the lists are called.

    Raises:
        DataError: a missing folder, list or photo, an id listed twice or in both lists.
    """
    require_folder(
        root / "JPEGImages", "a VOC-layout data root holds JPEGImages and ImageSets; set the data root to it"
    )
    rows = [(key, "train", where) for key, where in _read_list(root, train_split, "train_split")]
    if val_split is not None:
        rows += [(key, "val", where) for key, where in _read_list(root, val_split, "val_split")]
    return locate(rows, Folder(root, "JPEGImages", PHOTOS), Folder(root, "SegmentationClass", MASKS))


def _read_list(root: Path, split: str, key: str) -> Iterator[tuple[str, str]]:
    path = root / LISTS / f"{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        there = ", ".join(sorted(other.stem for other in path.parent.glob("*.txt"))) or "none"
        raise DataError(f"{path}: no such list; add it, or set data.{key} to one that exists ({there})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a UTF-8 text ({error}); save it again as UTF-8") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield image_id(line), f"{path} line {number}"
