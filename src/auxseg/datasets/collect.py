"""A data set as `prepare` needs it: class table, listed images, image-level labels, checked against each other."""

import difflib
import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auxseg.counts import are, counted
from auxseg.datasets.annotations.annotated import ImageFiles, check_images_are_there, photo_folder
from auxseg.datasets.annotations.readers import READERS
from auxseg.datasets.class_table import RESERVED, class_table
from auxseg.datasets.csv_tags import CsvTags, read_csv_tags
from auxseg.datasets.folder import list_folder
from auxseg.datasets.json_tags import read_json_tags
from auxseg.datasets.leakage import check_groups
from auxseg.datasets.listing import BY_ROW, Folders, Listed, ListedBy, mask_folder, way_of_listing
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_form import PLAIN, MaskForm
from auxseg.datasets.mask_values import own_table, png_form
from auxseg.datasets.matching import Matches, match_files, unread_images
from auxseg.datasets.other_tables import unread_tables
from auxseg.datasets.problems import ANNOTATIONS, ROWS, STRICT, WHOLE, Problems
from auxseg.datasets.scenes import SCENES_CLASSES
from auxseg.datasets.spelling import KnownNames, fold, unify
from auxseg.datasets.splits import Candidate, split_images
from auxseg.datasets.tag_cells import joined_names
from auxseg.datasets.tags import Tags, read_npy_tags, read_xml_tags
from auxseg.datasets.voc import list_tags, list_voc
from auxseg.errors import CONTROLS, DataError, ParamsError
from auxseg.params.data import COCO_CLASSES, VOC_CLASSES, DataParams

log = logging.getLogger(__name__)

_NO_OBJECT = (
    "remove it (labels name only the objects in an image, and an empty cell means that there is none), or give the "
    "class another name"
)
CLASSES_SHOWN = 8
"""Number of classes that a message lists."""


@dataclass(frozen=True)
class Collected:
    """The images to use, and their image-level labels (`tags`: names of the class table, in its order) by id.

    An image without tags shows no object, except for those in `unknown`: val images whose tags are not known.
    `is_derived`: the class table was made from the labels. `notes`: how ambiguous labels were read. `without_image`,
    `without_row`: ids of rows (or annotations) and of images that are left out.
    """

    classes: ClassTable
    images: list[Listed]
    tags: dict[str, tuple[str, ...]]
    unknown: frozenset[str] = frozenset()
    is_derived: bool = False
    notes: tuple[str, ...] = ()
    without_image: tuple[str, ...] = ()
    without_row: tuple[str, ...] = ()
    listed_by: ListedBy = BY_ROW
    hint: str = ""
    """A possible reason why a row has no image, or empty."""
    files: Matches = field(default_factory=Matches)
    """Which files of the folders of images and masks are not used."""
    form: MaskForm = PLAIN
    """How the masks are stored."""
    crowds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By id, the tags that the mask shows as ignored pixels alone."""


def collect(root: Path, params: DataParams, problems: Problems = STRICT) -> Collected:
    """Read lists and labels under the data root; no image is decoded.

    If `problems` collects them, what has a problem is left out; only without any list or table this is an error.

    Raises:
        DataError: a list, CSV, XML or .npy is missing or wrong; see `listing`, `tags` and `csv_tags`.
        ParamsError: parameters contradict each other.
    """
    if params.is_annotated:
        return _collect_annotated(root, params, problems)
    if params.format == "folder":
        return _collect_folder(root, params, problems)
    own = {"scenes": SCENES_CLASSES, "coco": COCO_CLASSES, "voc": VOC_CLASSES}[params.format]
    if params.format == "scenes":
        fixed = {
            "labels": "csv",
            "labels_file": "image_labels.csv",
            "train_split": "train",
            "score_split": None,
            "val_split": "val" if params.scenes.val else None,
            "mask_folder": "SegmentationClass",
            "mask_suffix": ".png",
        }
        params = params.model_copy(update=fixed)
    classes = class_table(params.classes, own)
    folders = Folders.of(root, params)
    images = list_voc(root, params, folders, problems)
    files = _match_files(root, params, images, folders, problems)
    tags = _read_tags(root, params, classes, images, problems)
    check_groups(images, tags.rows, problems)
    return replace(
        _match(images, tags.rows, own_table(params, classes), params, problems),
        notes=tags.notes,
        files=files,
        form=png_form(root, params, classes),
    )


def _collect_annotated(root: Path, params: DataParams, problems: Problems) -> Collected:
    """Collect what an annotation tool wrote; images without a split go to val as `split_images` says."""
    if params.has_mask_files:
        _check_classes_are_given(params)
    found = READERS[params.format](root, params, problems)
    unified, notes = unify([item.names for item in found.items], KnownNames(params.classes or ()))
    spelling = {fold(name): name for names in unified for name in names}
    files = ImageFiles(root, photo_folder(root, params))
    has_masks, has_split = any(item.mask for item in found.items), any(item.split for item in found.items)
    share = params.folder.val_fraction(can_validate=has_masks and not has_split)
    first = {files.id_of(item.path): item for item in reversed(found.items)}
    splits = split_images(
        {key: Candidate(root / item.path, item.mask is not None, item.split) for key, item in first.items()},
        share,
        mask_needed=True,
        one_at_least=False,
    )
    images: list[Listed] = []
    tags: dict[str, Tags] = {}
    crowds: dict[str, frozenset[str]] = {}
    for item, names in zip(found.items, unified, strict=True):
        key = files.id_of(item.path)
        if key in tags:
            twice = f"image '{key}' is annotated twice (first in {tags[key].where})"
            line = f"{item.where}: {twice}; remove one, or name its own image in it"
            problems.reject(ANNOTATIONS, [line])
            continue
        images.append(Listed(key, splits[key], item.path, item.mask, item.where))
        tags[key] = Tags(names, item.where, item.split)
        if item.crowds:
            crowds[key] = frozenset(spelling.get(fold(name), name) for name in item.crowds)
    masks = mask_folder(root, params) if params.has_mask_files else None
    unlisted, unread = files.others(found.items, masks)
    warnings = (*unread_images(str(root), unread), *unread_tables(root, params, tags.keys()))
    with problems.of(WHOLE):
        check_images_are_there(root, params, len(images), found.without_image)
        _check_masks_are_there(root, params, images)
    own = tuple(dict.fromkeys(spelling.get(fold(name), name) for name in found.names))
    unnamed = class_table(None, own) if params.classes is None else class_table(params.classes, ())
    classes = own_table(params, unnamed)
    return replace(
        _match(images, tags, classes, params, problems),
        is_derived=params.classes is None,
        notes=(*found.notes, *notes),
        files=Matches(warnings=warnings),
        crowds=crowds,
        without_image=found.without_image,
        without_row=tuple(dict.fromkeys((*found.without_row, *unlisted))),
        listed_by=way_of_listing(params.format),
        form=png_form(root, params, unnamed) if params.has_mask_files else found.form,
    )


def _check_masks_are_there(root: Path, params: DataParams, images: Sequence[Listed]) -> None:
    if params.has_mask_files and params.folder.masks is not None and not any(item.mask for item in images):
        folder, example = root / params.folder.masks, f"{images[0].id}{params.mask_suffixes[0]}"
        raise DataError(f"{folder}: no mask of an image; name each mask after its image, such as {folder / example}")


def _check_classes_are_given(params: DataParams) -> None:
    if params.classes is None and params.folder.masks is not None and params.colours is None:
        raise ParamsError(
            "params.yaml: key 'data.classes': null uses all names in the labels, in alphabetical order, so a new name "
            "would change what mask values mean; with data.folder.masks, list the classes here"
        )


def _collect_folder(root: Path, params: DataParams, problems: Problems) -> Collected:
    if params.labels != "csv":
        raise ParamsError(f"params.yaml: key 'data.labels': '{params.labels}' needs format voc; set it to csv")
    _check_classes_are_given(params)
    source = root / params.labels_file
    tags = _read_table(source, None if params.classes is None else list(params.classes), problems)
    if not any(row.names for row in tags.rows.values()):
        raise DataError(f"{source}: no row has a label; write class names into the column 'labels'")
    folders = Folders.of(root, params)
    listing = list_folder(root, params.folder, tags.rows, source, folders, problems)
    check_groups(listing.images, tags.rows, problems)
    unnamed = class_table(_named(listing.images, tags.rows, problems) if params.classes is None else params.classes, ())
    return replace(
        _match(listing.images, tags.rows, own_table(params, unnamed), params, problems),
        form=png_form(root, params, unnamed),
        is_derived=params.classes is None,
        notes=tags.notes,
        files=_match_files(root, params, listing.images, folders, problems),
        hint=listing.hint,
        without_image=listing.without_image,
        without_row=listing.without_row,
    )


def _match_files(
    root: Path, params: DataParams, images: Sequence[Listed], folders: Folders, problems: Problems
) -> Matches:
    with problems.of(WHOLE):
        return match_files(root, params, images, folders)
    return Matches()


def _named(images: Iterable[Listed], rows: Mapping[str, Tags], problems: Problems) -> list[str]:
    """Return the class names in the labels, in alphabetical order; rows without an image do not count."""
    used = [rows[item.id] for item in images]
    for row in used:
        with problems.of(ROWS):
            _check_reserved(row)
    return sorted({name for row in used for name in row.names if name.casefold() not in RESERVED})


def _check_reserved(row: Tags) -> None:
    if reserved := [name for name in row.names if name.casefold() in RESERVED]:
        raise DataError(f"{row.where}: label '{reserved[0]}' is not an object class; {_NO_OBJECT}")


def _read_tags(
    root: Path, params: DataParams, classes: ClassTable, images: list[Listed], problems: Problems
) -> CsvTags:
    if params.labels == "xml":
        return CsvTags(read_xml_tags(root / "Annotations", [item.id for item in images], params.difficult, problems))
    by_value = dict(zip(classes.values, classes.names, strict=True))
    if params.labels == "lists":
        return CsvTags(list_tags(root, params, by_value, problems))
    path = root / params.labels_file
    if params.labels == "npy":
        ids = [item.id for item in images]
        return CsvTags(read_npy_tags(path, by_value, ids, problems))
    return _read_table(path, classes.names, problems)


def _read_table(path: Path, known: Sequence[str] | None, problems: Problems) -> CsvTags:
    read = read_json_tags if path.suffix.lower() == ".json" else read_csv_tags
    return read(path, known, problems)


def _match(
    images: list[Listed], rows: Mapping[str, Tags], classes: ClassTable, params: DataParams, problems: Problems
) -> Collected:
    """Check labels against the class table. With `unlisted: ignore`, leave out images of unlisted classes only: their
    objects are neither classes nor background.
    """
    order = {name: position for position, name in enumerate(classes.names)}
    kept: list[Listed] = []
    tags: dict[str, tuple[str, ...]] = {}
    unknown_tags: set[str] = set()
    left_out: dict[str, int] = {}
    wrong: dict[str, str] = {}  # by the image's id
    for item in images:
        _check_printable(item)
        row = rows.get(item.id)
        names = row.names if row else ()
        unknown = [name for name in names if name not in order]
        if row and unknown and params.unlisted == "error":
            wrong[item.id] = f"{row.where}: label '{unknown[0]}' of '{item.id}' {_no_class(unknown[0], classes)}"
        elif unknown and len(unknown) == len(names) and params.unlisted == "ignore":
            left_out[item.split] = left_out.get(item.split, 0) + 1
            continue
        elif row is None and item.split == "train":
            wrong[item.id] = (
                f"{item.where}: {_source(params)} has no entry for it: train image '{item.id}' has no labels; add the "
                "classes that it shows (none if it shows no object), or remove it from the list"
            )
        elif row is None:
            unknown_tags.add(item.id)
        if item.id in wrong:
            unknown_tags.add(item.id)  # where problems are collected, it is no negative
        kept.append(item)
        tags[item.id] = tuple(sorted((name for name in names if name in order), key=order.__getitem__))
    problems.reject("images whose labels cannot be used", wrong.values(), list(wrong))
    for split, count in left_out.items():
        have = counted(count, f"image of {split} shows", f"images of {split} show")
        log.info("%s none of data.classes and %s left out", have, are(count))
    with problems.of(WHOLE):
        _check_train(kept, tags, classes, params, left_out)
    return Collected(classes, kept, tags, frozenset(unknown_tags))


def _check_train(
    kept: list[Listed],
    tags: Mapping[str, tuple[str, ...]],
    classes: ClassTable,
    params: DataParams,
    left_out: Mapping[str, int],
) -> None:
    """Check that there is something to learn from."""
    if not any(item.split == "train" for item in kept):
        reason = (
            f"{'its only' if left_out['train'] == 1 else 'each'} image shows unlisted classes only"
            if "train" in left_out
            else "all images are in val"
            if kept
            else "no image is listed"
        )
        raise DataError(
            f"{_train_list(params)}: the train split is empty ({reason}); list at least one image for train"
        )
    if not any(tags[item.id] for item in kept if item.split == "train"):
        shown = ", ".join(classes.names[:CLASSES_SHOWN])
        raise DataError(
            f"{_source(params)}: no train image shows one of data.classes ({shown}); label the images that do, or "
            "correct data.classes"
        )


def _check_printable(item: Listed) -> None:
    for text in (item.id, item.path, item.mask or ""):
        if CONTROLS.search(text):
            raise DataError(
                f"{item.where}: '{text}' has control characters or line breaks, or is not UTF-8; rename the file"
            )
    if item.id != item.id.strip():  # tables of verdicts and corrections are read without outer spaces
        raise DataError(f"{item.where}: '{item.id}' begins or ends with a space; rename the file")


@functools.cache  # the same wrong name may be in a hundred thousand rows
def _no_class(name: str, classes: ClassTable) -> str:
    if name.casefold() in RESERVED:
        return f"is not an object class; {_NO_OBJECT}"
    if parts := joined_names(name, KnownNames(classes.names)):
        return f"is not a known class; write '{'|'.join(parts)}' if it means {'that' if len(parts) == 1 else 'several'}"
    near = difflib.get_close_matches(name, classes.names, n=1, cutoff=0.5)
    shown = classes.names if len(classes) <= CLASSES_SHOWN else (*classes.names[: CLASSES_SHOWN - 1], "…")
    hint = f"did you mean '{near[0]}'?" if near else f"classes: {', '.join(shown)};"
    return f"is not a known class; {hint} correct it, or set data.unlisted to ignore or background to drop such labels"


def _source(params: DataParams) -> str:
    if params.is_annotated:
        return "the annotations"
    if params.labels == "xml":
        return "Annotations" if params.difficult else "Annotations (without difficult objects)"
    return "the list" if params.labels == "lists" else params.labels_file


def _train_list(params: DataParams) -> str:
    if params.is_annotated:
        return "the annotations"
    return params.labels_file if params.format == "folder" else f"ImageSets/Segmentation/{params.train_split}.txt"
