"""CVAT's export "Segmentation mask 1.1": colour masks, and `labelmap.txt` with the colour of each class.

labelmap.txt                          name:r,g,b:parts:actions
SegmentationClass/<id>.png            class masks in these colours; ids may have folders
ImageSets/Segmentation/<subset>.txt   ids, one per line; optional
JPEGImages/<id>.jpg                   images, if they were exported; otherwise in `data.folder.images`

Image-level labels are the classes that a mask shows. Images without a mask are left out, because CVAT writes none for
an image that nobody annotated.
"""

import os
from pathlib import Path

from auxseg.datasets.annotations.annotated import Annotated, Item, object_names, photo_folder, split_of
from auxseg.datasets.colour_png import packed_colours, read_colours
from auxseg.datasets.listing import Folder, require_folder
from auxseg.datasets.mask_form import MaskForm
from auxseg.datasets.problems import ANNOTATIONS, STRICT, Problems
from auxseg.datasets.scan import raw_files
from auxseg.errors import DataError
from auxseg.files import read_text
from auxseg.images import PHOTO_SUFFIXES
from auxseg.parallel import track
from auxseg.params.data import DataParams

LABELMAP = "labelmap.txt"


def read_cvat(root: Path, params: DataParams, problems: Problems = STRICT) -> Annotated:
    """Read the masks of SegmentationClass.

    Raises:
        DataError: labelmap.txt or a mask is missing or damaged, or a mask has a colour that no class has.
    """
    colours = read_colours(root / (params.colours or LABELMAP))
    require_folder(root / params.mask_folder, "unpack CVAT's export there, or set data.mask_folder")
    images = photo_folder(root, params)
    require_folder(root / images, "export with images, or put them there (data.folder.images)")
    photos = Folder(root, images, PHOTO_SUFFIXES)
    subsets = _subsets(root)
    masks = root / params.mask_folder
    items: list[Item] = []
    missing: list[str] = []
    paths = [path for path in sorted(raw_files(masks)) if path.suffix.lower() == ".png"]
    for path in track(paths, "masks", unit="file"):
        key = os.path.splitext(path.relative_to(masks).as_posix())[0]  # noqa: PTH122 - an id may have a point
        with problems.of(ANNOTATIONS):
            found = photos.find(key)
            if found is None:
                missing.append(key)
                continue
            shown = object_names(colours[colour] for colour in packed_colours(path)[1] if colour in colours)
            mask = path.relative_to(root).as_posix()
            items.append(Item(found, subsets.get(key), shown, mask, str(path)))
    if not items and not missing:
        raise DataError(f"{masks}: no mask (.png); unpack CVAT's export there, or set data.mask_folder")
    table = tuple((",".join(map(str, colour)), name) for colour, name in colours.items())
    return Annotated(object_names(colours.values()), items, MaskForm("colours", table), tuple(missing))


def _subsets(root: Path) -> dict[str, str | None]:
    """Return id -> split, from the lists of ImageSets; an id with spaces is in quotes there."""
    found = {}
    for path in sorted((root / "ImageSets/Segmentation").glob("*.txt")):
        for line in read_text(path).splitlines():
            if line.strip():
                found[line.strip().strip('"')] = split_of(path.stem)
    return found
