"""One folder per class, as torchvision's ImageFolder reads it: `cat/1.jpg`, or `train/cat/1.jpg` and `val/dog/7.jpg`.

The id of an image is its path without extension, such as `cat/001`; its one image-level label is the folder's name.
"""

from pathlib import Path, PurePosixPath

from auxseg.datasets.annotations.annotated import Annotated, ImageFiles, Item, split_of
from auxseg.datasets.listing import mask_folder, require_masks
from auxseg.datasets.mask_form import MaskForm
from auxseg.datasets.problems import ANNOTATIONS, STRICT, Problems
from auxseg.datasets.scan import raw_files
from auxseg.errors import DataError
from auxseg.images import PHOTO_SUFFIXES
from auxseg.params.data import DataParams

NOT_CLASSES = ("images", "jpegimages", "photos", "masks", "labels", "segmentationclass", "annotations")
"""Folders of images or masks, whatever lies in them."""


def read_class_folders(root: Path, params: DataParams, problems: Problems = STRICT) -> Annotated:
    """Read the images of all class folders under `data.folder.images`, or under the data root without that folder.

    Raises:
        DataError: no folder contains an image, or two images have the same id.
    """
    files = ImageFiles(root, params.folder.images)
    base = root / files.folder
    require_masks(root, params.folder)
    masks = mask_folder(root, params)
    paths = []
    for path in sorted(raw_files(base)):
        inner = PurePosixPath(path.relative_to(base).as_posix())
        is_mask = masks is not None and path.is_relative_to(masks.path)
        if len(inner.parts) > 1 and path.suffix.lower() in PHOTO_SUFFIXES and not is_mask:
            paths.append(inner)
    if not paths:
        raise DataError(f"{base}: no folder with images; make one for each class, as in {base / 'cat' / '001.jpg'}")
    has_splits = all(len(path.parts) > 2 and split_of(path.parts[0]) for path in paths)
    items = []
    for inner in paths:
        name = inner.parts[1 if has_splits else 0]
        photo = inner.as_posix() if files.folder == "." else f"{files.folder}/{inner}"
        mask = None
        with problems.of(ANNOTATIONS):
            mask = masks.find(files.id_of(photo)) if masks is not None else None
        split = split_of(inner.parts[0]) if has_splits else None
        items.append(Item(photo, split, (name,), mask, str(root / photo)))
    return Annotated(tuple(sorted({name for item in items for name in item.names})), items, MaskForm())


def has_class_folders(root: Path, images: str) -> bool:
    """Tell whether all images of a data root lie in two or more folders, and these look like classes.

    They do not beside a table or VOC's lists, and not if a folder has the name of a split without classes in it, of
    images, or of masks.
    """
    base = root / images if (root / images).is_dir() else root
    found = [path.relative_to(base).parts for path in raw_files(base) if path.suffix.lower() in PHOTO_SUFFIXES]
    if any(root.glob("*.csv")) or (root / "ImageSets").exists() or not all(len(parts) > 1 for parts in found):
        return False
    if any(name.lower() in NOT_CLASSES for parts in found for name in parts[:-1]):
        return False
    if all(split_of(parts[0]) for parts in found):
        found = [parts[1:] for parts in found]
    return all(len(parts) > 1 for parts in found) and len({parts[0] for parts in found}) > 1
