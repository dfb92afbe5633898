"""What `auxseg export labels`, `auxseg export overlays` and `auxseg predict` have in common.

Which image has which mask, the tables that are written beside masks, and the folders that must not be written to.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.atomic import write_bytes
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_csv
from auxseg.audit.panels import encode_jpeg, label_panel, photo_panel
from auxseg.cli.arguments import a_path
from auxseg.cli.chosen_round import add_round
from auxseg.cli.next_step import REPRO, require_result
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.listing import is_inside
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.stored import read_label
from auxseg.encoded import IGNORE, PALETTE
from auxseg.errors import DataError, ParamsError
from auxseg.files import real_path
from auxseg.params.dag import read_params, require_round
from auxseg.params.data import DataParams
from auxseg.params.local import data_root

LABEL, PREDICTION = "label", "prediction"
LONGEST_SIDE = 1024
"""Of an overlay, in pixels; a larger image is scaled down."""
SPLITS = ("train", "val", "all")


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the masks to export, and where to."""
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="train",
        help="train: pseudo labels (the default); val: predictions; all: one mask for every image of the data set",
    )
    add_round(parser, "round of the masks; r0: the initial labels")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="created if it does not exist")


@dataclass(frozen=True)
class MaskFile:
    """The mask of one image: the pseudo label of a round, or its final prediction."""

    record: ImageRecord
    kind: str
    """LABEL or PREDICTION."""
    archive: Path
    classes: int
    """Number of object classes."""

    def read(self) -> np.ndarray:
        """Return the mask, uint8 (H, W): class indices, 255 = ignore."""
        return read_label(opened_archive(self.archive), self.record, self.classes)


def find_masks(round_: Round, split: str) -> tuple[list[MaskFile], list[str]]:
    """Find the masks of a round: the labels of train images, the predictions of val images.

    Args:
        round_: the round.
        split: `train`, `val` or `all`.

    Returns:
        The masks, sorted by image id, and one sentence for every reason why images of the data set are missing.

    Raises:
        ParamsError: there is no such round.
        DataError: a file is missing, or contains something that is not a mask; or no image has a mask to export.
    """
    values, store = require_round(str(round_)), Store()
    dataset = Dataset(store)
    records, classes = dataset.records(), len(dataset.classes)
    kinds = {"train": LABEL, "val": PREDICTION}
    archives = {"train": [store.labels(round_, shard) for shard in values["shards"]], "val": []}
    has_network = not round_.is_initial
    if has_network and any(record.split == "val" for record in records):
        archives["val"] = [store.predictions(round_)]
    found: list[MaskFile] = []
    reasons = []
    for part, kind in kinds.items():
        own = [record for record in records if record.split == part]
        asked = split in (part, "all")
        where = _members(archives[part]) if asked else {}
        masks = [MaskFile(record, kind, where[record.id], classes) for record in own if record.id in where]
        if missing := len(own) - len(masks):
            if part == "val" and not has_network:
                why = f"prediction of {round_}: it has no network"
            elif asked:
                why = f"{kind} of {round_}: run `{REPRO}`, or `dvc pull`"
            else:
                why = f"mask here: --split all writes the {kind}s too"
            reasons.append(f"{counted(missing, f'{part} image has', f'{part} images have')} no {why}")
        found += masks
    if not found:
        if not any(record.split == split for record in records) and split != "all":
            reasons = [f"the data set has no {split} images; --split all exports a mask for every image"]
        raise DataError(f"--split {split}: nothing to export: {'; '.join(reasons)}")
    return sorted(found, key=lambda mask: mask.record.id), reasons


def _members(archives: Iterable[Path]) -> dict[str, Path]:
    """Return image id -> the archive that contains its mask. Every archive must exist."""
    where = {}
    for path in archives:
        require_result(path)
        for name in opened_archive(path):
            # no file may be written outside the target folder
            if not is_inside(name) or not name.endswith(".png"):
                raise DataError(f"{path}: member '{name}' is not a label; run the stage that writes the archive again")
            where[name.removesuffix(".png")] = path
    return where


def check_leftovers(folder: Path, written: Iterable[str], suffix: str) -> None:
    """Check that no file of an earlier run would stay beside those of this one, whose tables would not list it.

    Args:
        folder: to write to.
        written: paths of the files that this run writes or writes again, relative to `folder`.
        suffix: extension of such files, as `.png`.

    Raises:
        DataError: names the folder and the first such file.
    """
    known = set(written)
    others = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob(f"*{suffix}")))
    if left := [path for path in others if path not in known]:
        has = counted(len(left), f"{suffix} file is", f"{suffix} files are")
        raise DataError(
            f"--to {folder}: {has} there that this command does not write (first: {left[0]}); give a new folder, or "
            "remove them"
        )


def check_target(to: Path) -> None:
    """Reject a folder of the data set: its files could be overwritten, or new ones be read as images or masks.

    Raises:
        DataError: names the folder.
    """
    if to.exists() and not to.is_dir():
        raise DataError(f"--to {to}: a file; give the name of a folder")
    params = DataParams.parse(read_params().get(DataParams.key))
    if params.format == "scenes":
        return
    try:
        root = data_root(params.format)
    except ParamsError:  # without a data set there is nothing to overwrite
        return
    folders = [params.photos, params.masks]
    if params.in_voc_layout:
        folders += ["SegmentationClass", "SegmentationClassAug"]
    place, root = real_path(to), real_path(root)
    images = {real_path(root / folder) for folder in folders if folder} - {root}
    # the images of an annotated set may lie in any folder of the data root, and its readers look into all of them
    if params.is_annotated:
        images.add(root)
    # the CSV of image-level labels may have the name of a table that is written here
    if place in (root, real_path(root / params.labels_file).parent) or any(map(place.is_relative_to, images)):
        raise DataError(f"--to {to}: the data set's own files, which could be overwritten; give another folder")


def mask_values(classes: ClassTable | None) -> np.ndarray:
    """Return class index -> stored value, uint8 (256,): the data set's mask values, or the index itself for None."""
    if classes is None:
        return np.arange(256, dtype=np.uint8)
    table = np.full(256, IGNORE, np.uint8)
    table[: len(classes) + 1] = (0, *classes.values)
    return table


def write_class_table(folder: Path, names: Sequence[str], values: np.ndarray) -> None:
    """Write classes.csv: value, name, and the colour that a viewer shows for it, as #rrggbb.

    Args:
        folder: created if it does not exist.
        names: by class index, 0 = background.
        values: as `mask_values` returns them.
    """
    stored = [*((int(values[index]), name) for index, name in enumerate(names)), (IGNORE, "ignore")]
    rows = [[value, name, "#{:02x}{:02x}{:02x}".format(*PALETTE[value].tolist())] for value, name in stored]
    write_csv(folder / "classes.csv", ["value", "name", "colour"], rows)


def shares(label: np.ndarray) -> dict[int, float]:
    """Return value -> its share of the pixels in per cent, for the values that occur, in ascending order."""
    counts = np.bincount(label.ravel(), minlength=256)
    return {int(value): 100 * float(counts[value]) / label.size for value in np.flatnonzero(counts)}


def write_overlay(path: Path, rgb: np.ndarray, mask: np.ndarray) -> None:
    """Write a JPEG of an image with its mask drawn over it, at the image's size or scaled down to LONGEST_SIDE.

    Args:
        path: of the JPEG.
        rgb: uint8 (H, W, 3).
        mask: uint8 (H, W) of stored values, which decide the colours; 0 = background, 255 = ignore.
    """
    photo = photo_panel(rgb, (LONGEST_SIDE, LONGEST_SIDE))
    write_bytes(path, encode_jpeg(label_panel(mask, photo)))
