"""`auxseg export labels`: masks of a round as PNGs or in a tool's format, with tables of masks and classes."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import write_bytes
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.chosen_round import choose_round
from auxseg.cli.format_options import PNG, add_format_options, check_format, check_images, format_options, needs_images
from auxseg.cli.mask_files import (
    LABEL,
    PREDICTION,
    MaskFile,
    add_mask_options,
    check_leftovers,
    check_target,
    find_masks,
    mask_values,
    shares,
    write_class_table,
)
from auxseg.cli.next_step import print_next, require_result
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import SEPARATOR, ClassTable
from auxseg.datasets.photos import read_photo
from auxseg.encoded import IGNORE, encode_label
from auxseg.formats.export import require_new, write_format
from auxseg.formats.writer import Item
from auxseg.fusion import complete
from auxseg.parallel import background_processes, track
from auxseg.params.dag import read_params
from auxseg.params.labels import LabelsParams

TABLE = "masks.csv"
COLUMNS = ("image_id", "file", "kind", "round", "split", "ignored_share", "classes")
"""Columns of this table: `file` is the PNG of format png, `kind` is label or prediction, `ignored_share` is in per
cent, `classes` are joined by `;`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add split, format, values, round and target folder."""
    parser.description = (
        "Pseudo labels exist for train images, final predictions of the network for val images. "
        "docs/data.md says what each format can express."
    )
    add_mask_options(parser)
    add_format_options(parser)
    parser.add_argument(
        "--complete",
        action="store_true",
        help="after a CRF on the image, pseudo labels have sharper outlines, and no ignored pixel unless a class of "
        "the image has no pixel (docs/quality.md)",
    )
    parser.add_argument(
        "--indices", action="store_true", help="write class indices 0..C instead of the data set's mask values"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the masks, masks.csv and classes.csv; nothing is written if an input is missing."""
    check_format(arguments)
    check_target(arguments.to)
    require_result(Store().classes)
    if arguments.format != PNG:
        require_new(arguments.to)
    round_ = choose_round(arguments.round)
    dataset = Dataset(Store())
    classes = dataset.classes
    as_indices = arguments.indices or arguments.format == "mmseg"
    values = mask_values(None if as_indices else classes)
    masks, reasons = find_masks(round_, arguments.split)
    if arguments.format == PNG:
        check_leftovers(arguments.to, (f"{mask.record.id}.png" for mask in masks), ".png")
    root = dataset.root if needs_images(arguments) else None
    if root is not None:
        check_images(root, [mask.record.path for mask in masks])
    rows: list[dict[str, object]] = []
    labels = _completed(masks, dataset, round_) if arguments.complete else map(MaskFile.read, masks)

    def items() -> Iterator[Item]:
        for mask, label in zip(masks, track(labels, "export", total=len(masks)), strict=True):
            rows.append(
                _row(mask, label, classes, round_, f"{mask.record.id}.png" if arguments.format == PNG else None)
            )
            yield Item(mask.record.id, mask.record.split, mask.record.path, label)

    def tables(folder: Path) -> None:
        write_rows(folder / TABLE, rows, COLUMNS)
        write_class_table(folder, classes.with_background, values)

    if arguments.format == PNG:
        (arguments.to / TABLE).unlink(missing_ok=True)  # written last: a folder without it is not finished
        for item in items():
            write_bytes(arguments.to / f"{item.id}.png", encode_label(values[item.mask]))
        tables(arguments.to)
    else:
        options = format_options(arguments, classes.with_background, values, f"auxseg {round_}", root)
        reasons = write_format(arguments.format, arguments.to, items(), options, tables) + reasons
    kind = "class indices" if as_indices else "mask values"
    what = kind if arguments.format == PNG else f"format {arguments.format}"
    written = counted(len(masks), "mask")
    print(f"{written} of {round_} in {arguments.to}, {what}; {TABLE} lists them, classes.csv the classes")
    for reason in reasons:
        print(reason)
    print_next(f"look at them: auxseg export overlays --round {round_} --split {arguments.split} --to FOLDER")


@dataclass(frozen=True)
class Completion:
    """Reads a mask, and completes it if it is a pseudo label; passed to worker processes."""

    root: Path
    classes: ClassTable
    side: int | None
    """`labels.crf_side`."""

    def __call__(self, mask: MaskFile) -> np.ndarray:
        """Return the mask, uint8 (H, W): class indices and 255, in a pseudo label only where `complete` keeps it."""
        label = mask.read()
        if mask.kind == PREDICTION:
            return label
        # labels of another method may show classes that the image is not tagged with
        present = {self.classes.index(tag) for tag in mask.record.tags} | set(np.unique(label).tolist()) - {0, IGNORE}
        return complete(read_photo(self.root, mask.record), label, sorted(present), self.side)


def _completed(masks: list[MaskFile], dataset: Dataset, round_: Round) -> Iterator[np.ndarray]:
    params = LabelsParams.of(read_params())
    if params.made_by(round_.is_initial) == "completion":
        return map(MaskFile.read, masks)  # the stage has done it
    check_images(dataset.root, [mask.record.path for mask in masks if mask.kind == LABEL])
    return background_processes(Completion(dataset.root, dataset.classes, params.crf_side), masks)


def _row(mask: MaskFile, label: np.ndarray, classes: ClassTable, round_: Round, file: str | None) -> dict[str, object]:
    found = shares(label)
    present = [classes.with_background[index] for index in found if index not in (0, IGNORE)]
    cells = (mask.record.id, file, mask.kind, str(round_), mask.record.split, found.get(IGNORE, 0.0))
    return dict(zip(COLUMNS, (*cells, SEPARATOR.join(present)), strict=True))
