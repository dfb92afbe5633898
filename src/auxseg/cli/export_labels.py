"""`auxseg export labels`: masks of a round as PNGs, with a table of the masks and one of the classes."""

import argparse

from auxseg.artifacts.atomic import write_bytes
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.chosen_round import choose_round
from auxseg.cli.mask_files import (
    add_mask_options,
    check_target,
    find_masks,
    mask_values,
    shares,
    write_class_table,
)
from auxseg.cli.next_step import print_next, require_result
from auxseg.datasets.manifest import SEPARATOR, read_classes
from auxseg.images import IGNORE, encode_label
from auxseg.parallel import track

COLUMNS = ("image_id", "file", "kind", "round", "split", "ignored_share", "classes")
"""Columns of masks.csv: `kind` is label or prediction, `ignored_share` is in per cent, `classes` are joined by `;`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add split, values, round and target folder."""
    parser.description = "Pseudo labels exist for train images, final predictions of the network for val images."
    add_mask_options(parser)
    parser.add_argument(
        "--indices", action="store_true", help="write class indices 0..C instead of the data set's mask values"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write one PNG per image, masks.csv and classes.csv; nothing is written if an input is missing."""
    check_target(arguments.to)
    require_result(Store().classes)
    name = choose_round(arguments.round)
    classes = read_classes(Store().classes)
    values = mask_values(None if arguments.indices else classes)
    masks, reasons = find_masks(name, arguments.split)
    rows = []
    for mask in track(masks, "export"):
        label = mask.read()
        found = shares(label)
        file = f"{mask.record.id}.png"
        present = [classes.with_background[index] for index in found if index not in (0, IGNORE)]
        write_bytes(arguments.to / file, encode_label(values[label]))
        cells = (mask.record.id, file, mask.kind, str(name), mask.record.split, found.get(IGNORE, 0.0))
        rows.append(dict(zip(COLUMNS, (*cells, SEPARATOR.join(present)), strict=True)))
    write_rows(arguments.to / "masks.csv", rows, COLUMNS)
    write_class_table(arguments.to, classes.with_background, values)
    kind = "class indices" if arguments.indices else "mask values"
    print(f"{len(masks)} masks of {name} in {arguments.to}, {kind}; masks.csv lists them, classes.csv the classes")
    for reason in reasons:
        print(reason)
    print_next(f"look at them: auxseg export overlays --round {name} --split {arguments.split} --to FOLDER")
