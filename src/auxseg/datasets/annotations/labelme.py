"""labelme: one JSON file an image, beside the images or in a folder of its own.

Image-level labels are the labels of the shapes and the flags that are set. Polygons, rectangles, circles and masks make
the mask. An image with points or lines, or with flags alone, has no mask. `__ignore__` is 255, `_background_` is 0.
"""

from pathlib import Path

from auxseg.counts import counted
from auxseg.datasets.annotations.annotated import Annotated, ImageFiles, Item, object_names, split_of
from auxseg.datasets.annotations.labelme_file import (
    AREAS,
    LabelmeFile,
    is_outside,
    parse_labelme,
    read_labelme_file,
    require_other,
)
from auxseg.datasets.mask_form import MaskForm
from auxseg.datasets.problems import ANNOTATIONS, STRICT, Problems
from auxseg.datasets.scan import raw_files
from auxseg.errors import DataError, shorten
from auxseg.parallel import track
from auxseg.params.data import DataParams

SHOWN = 3
"""Number of files that a note names."""


def read_labelme(root: Path, params: DataParams, problems: Problems = STRICT) -> Annotated:
    """Read all JSON files of labelme under `data.annotations`, or under the data root.

    Raises:
        DataError: there is none, one is damaged, or an image's name is ambiguous.
    """
    place = root if params.annotations is None else root / params.annotations
    files = ImageFiles(root, params.folder.images)
    items: list[Item] = []
    missing: list[str] = []
    names: set[str] = set()
    others: list[str] = []
    empty: list[str] = []
    without_area = 0
    jsons = [path for path in sorted(raw_files(place)) if path.suffix == ".json"]
    for path in track(jsons, "labelme", unit="file"):
        parsed = parse_labelme(path)
        if parsed is None:
            with problems.of(ANNOTATIONS):
                require_other(path)
            continue
        with problems.of(ANNOTATIONS):
            content, relative = read_labelme_file(path, parsed), path.relative_to(root)
            beside = path.with_suffix(Path(content.image).suffix).name
            named = files.find(content.image, path)
            found = named or files.find(beside, path)
            if found is None:
                missing.append(content.image)
                continue
            if named is None:
                others.append(f"{relative.as_posix()} names '{content.image}', read is {found}")
            empty += [
                f"shape {number} ('{shape['label']}') of {relative.as_posix()}"
                for number, shape in enumerate(content.shapes, 1)
                if is_outside(shape, content.size)
            ]
            has_mask = _has_mask(content)
            without_area += not has_mask
            names.update(content.names)
            split = split_of(*relative.parts[:-1])
            mask = relative.as_posix() if has_mask else None
            items.append(Item(found, split, object_names(content.names), mask, str(path)))
    if not items and not missing:
        raise DataError(f"{place}: no JSON of labelme; add them, or set data.annotations to their folder")
    have = counted(without_area, "image has", "images have")
    notes = [f"{have} only points, lines or flags, and so no mask"] if without_area else []
    if others:
        have = counted(len(others), "file names an image that is", "files name images that are")
        notes.append(
            f"{have} not there, so the one called as the JSON is read: {shorten(others, SHOWN)}; correct imagePath if "
            "it is another"
        )
    if empty:
        have = counted(len(empty), "shape lies", "shapes lie")
        notes.append(
            f"{have} outside the image, so the mask lacks what is among the labels; the first is {empty[0]}: draw or "
            "remove it"
        )
    return Annotated(tuple(sorted(object_names(names))), items, MaskForm("labelme"), tuple(missing), tuple(notes))


def _has_mask(content: LabelmeFile) -> bool:
    """Tell whether the shapes say what every pixel shows; without shapes and flags it is all background."""
    drawn = [(shape.get("shape_type") or "polygon") in AREAS for shape in content.shapes]
    return all(drawn) and (bool(drawn) or not content.flags)
