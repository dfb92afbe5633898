"""`auxseg export overlays`: every photo with its mask over it, as the report shows it; JPEGs of at most 1024 pixels."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from auxseg.cli.arguments import a_path
from auxseg.cli.chosen_round import add_round, choose_round
from auxseg.cli.export_labels import add_split

if TYPE_CHECKING:
    import numpy as np

    from auxseg.cli.mask_files import MaskFile


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the action."""
    parser = subparsers.add_parser(
        "overlays",
        help="a JPEG per image: the photo with its mask over it; and classes.csv, which names the colours",
        description="Classes are coloured, the background is faded, ignored pixels are hatched.",
    )
    add_split(parser)
    add_round(parser, "round of the masks; r0: the initial labels")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="created if it does not exist")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the JPEGs and classes.csv; nothing is written if a mask or a photo is missing."""
    from functools import partial

    from auxseg.cli.mask_files import MANIFEST, check_target, find_masks, mask_values, write_class_table
    from auxseg.cli.next_step import print_next
    from auxseg.datasets.manifest import read_classes
    from auxseg.datasets.root import photos_root
    from auxseg.errors import DataError
    from auxseg.parallel import map_processes

    check_target(arguments.to)
    name = choose_round(arguments.round)
    classes = read_classes(MANIFEST / "classes.csv")
    values = mask_values(classes)
    masks, reasons = find_masks(name, arguments.split)
    root = photos_root(MANIFEST / "dataset.json")
    for mask in masks:
        if not (root / mask.record.path).is_file():
            raise DataError(f"{root / mask.record.path}: no such photo; put it back, or run `auxseg scan` and the rest")
    map_processes(partial(_write, root=root, folder=arguments.to, values=values), masks, "overlays")
    write_class_table(arguments.to, classes.with_background, values)
    print(f"{len(masks)} overlays of {name} in {arguments.to}; classes.csv names the colours")
    for reason in reasons:
        print(reason)
    print_next(f"look through {arguments.to}; data/audit/index.html shows why a pixel has its label")


def _write(mask: "MaskFile", root: Path, folder: Path, values: "np.ndarray") -> None:
    from auxseg.cli.mask_files import write_overlay
    from auxseg.datasets.photos import read_photo

    write_overlay(folder / f"{mask.record.id}.jpg", read_photo(root, mask.record), values[mask.read()])
