"""One folder per class, as torchvision's ImageFolder reads it: `cat/1.jpg`, or `train/cat/1.jpg` and `val/dog/7.jpg`.

The id of an image is its path without extension, such as `cat/001`; its one image-level label is the folder's name.
A folder `background` has images without any object.
"""

from pathlib import Path, PurePosixPath

from auxseg.datasets.annotations.annotated import Annotated, ImageFiles, Item, object_names, split_of
from auxseg.datasets.listing import mask_folder, require_masks
from auxseg.datasets.mask_form import IGNORE_NAMES, MaskForm
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
        DataError: no folder contains an image, two images have the same id, or some images are in folders of splits and
            classes, and others are not.
    """
    files = ImageFiles(root, params.folder.images)
    base = root / files.folder
    require_masks(root, params.folder)
    masks = mask_folder(root, params)
    paths: list[PurePosixPath] = []
    left_out: list[PurePosixPath] = []
    for path in sorted(raw_files(base)):
        inner = PurePosixPath(path.relative_to(base).as_posix())
        is_mask = masks is not None and path.is_relative_to(masks.path)
        if path.suffix.lower() in PHOTO_SUFFIXES and not is_mask:
            (paths if len(inner.parts) > 1 else left_out).append(inner)
    if not paths:
        raise DataError(f"{base}: no folder with images; make one for each class, as in {base / 'cat' / '001.jpg'}")
    in_splits = [path for path in paths if len(path.parts) > 2 and split_of(path.parts[0])]
    # a class may be called `train`
    only_splits = all(split_of(path.parts[0]) for path in paths)
    if has_splits := bool(in_splits) and (only_splits or 2 * len(in_splits) > len(paths)):
        form = f"in a folder of a split and a class, as {in_splits[0]} is"
        problems.reject(
            ANNOTATIONS,
            [f"{base / path}: not {form}; move or remove it" for path in sorted(set(paths) - set(in_splits))],
        )
        paths = in_splits
    items = []
    for inner in paths:
        name = inner.parts[1 if has_splits else 0]
        photo = inner.as_posix() if files.folder == "." else f"{files.folder}/{inner}"
        mask = None
        with problems.of(ANNOTATIONS):
            mask = masks.find(files.id_of(photo)) if masks is not None else None
        split = split_of(inner.parts[0]) if has_splits else None
        if name in (params.classes or ()):
            shown: tuple[str, ...] = (name,)
        elif name.casefold() in IGNORE_NAMES:
            left_out.append(inner)
            continue
        else:
            shown = object_names((name,))
        items.append(Item(photo, split, shown, mask, str(root / photo)))
    names = sorted({name for item in items for name in item.names})
    without_row = tuple(str(path.with_suffix("")) for path in left_out)
    return Annotated(tuple(names), items, MaskForm(), without_row=without_row)


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
