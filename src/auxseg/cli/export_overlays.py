"""`auxseg export overlays`: every image with its mask drawn over it, as in the report; JPEGs of at most 1024 pixels."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from auxseg.artifacts.store import Store
from auxseg.cli.chosen_round import choose_round
from auxseg.cli.mask_files import (
    MaskFile,
    add_mask_options,
    check_leftovers,
    check_target,
    find_masks,
    mask_values,
    write_class_table,
    write_overlay,
)
from auxseg.cli.next_step import print_next, require_result
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.photos import read_photo
from auxseg.errors import DataError
from auxseg.parallel import map_processes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add split, round and target folder."""
    parser.description = "Classes are coloured, the background is faded, ignored pixels are hatched."
    add_mask_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the JPEGs and classes.csv; nothing is written if a mask or an image is missing."""
    check_target(arguments.to)
    store = Store()
    require_result(store.classes)
    round_ = choose_round(arguments.round)
    dataset = Dataset(store)
    classes = dataset.classes
    values = mask_values(classes)
    masks, reasons = find_masks(round_, arguments.split)
    check_leftovers(arguments.to, (f"{mask.record.id}.jpg" for mask in masks), ".jpg")
    root = dataset.root
    for path in (root / mask.record.path for mask in masks):
        if not path.is_file():
            raise DataError(f"{path}: no such image; put it back, or run `auxseg scan` and then `auxseg run`")
    map_processes(partial(_write, root=root, folder=arguments.to, values=values), masks, "overlays")
    write_class_table(arguments.to, classes.with_background, values)
    print(f"{counted(len(masks), 'overlay')} of {round_} in {arguments.to}; classes.csv names the colours")
    for reason in reasons:
        print(reason)
    print_next(f"look through {arguments.to}; {store.report / 'index.html'} shows why a pixel has its label")


def _write(mask: MaskFile, root: Path, folder: Path, values: np.ndarray) -> None:
    write_overlay(folder / f"{mask.record.id}.jpg", read_photo(root, mask.record), values[mask.read()])
