"""`auxseg download voc|coco`: fetch a published data set, check it, and write it in the layout the pipeline reads."""

import argparse
from pathlib import Path

from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import print_next
from auxseg.datasets import coco, voc_sbd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the data set and the target folder."""
    parser.add_argument("name", choices=("voc", "coco"), help="voc: 2 GB, and 1.4 GB of SBD; coco: 19 GB")
    parser.add_argument(
        "--to", required=True, metavar="FOLDER", type=a_path, help="existing files are not fetched again"
    )


def run(arguments: argparse.Namespace) -> None:
    """Fetch, convert, and print the next step."""
    folder = arguments.to.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    root = {"voc": _voc, "coco": _coco}[arguments.name](folder)
    preset = {"voc": "voc-auxsegnet", "coco": "coco-auxsegnet-plus"}[arguments.name]
    print(f"data root {root}")
    print_next(f"auxseg use {preset} --data {root}")


def _voc(folder: Path) -> Path:
    voc_sbd.fetch(folder)
    for name, count in voc_sbd.assemble(folder).items():
        print(f"{name:<10}{count:>7} ids, as published")
    return folder / voc_sbd.VOC_FOLDER


def _coco(folder: Path) -> Path:
    coco.fetch(folder / "source")
    for name, split in coco.convert(folder / "source", folder / "COCO2014").items():
        fate = "left out" if name == "train" else "kept, all background"
        print(f"{name:<10}{len(split.ids):>7} ids, as published; {split.without_annotation} without annotation: {fate}")
    return folder / "COCO2014"
