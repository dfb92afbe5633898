"""`auxseg download voc|coco`: a published data set, fetched, checked and in the layout that the pipeline reads."""

import argparse
from pathlib import Path

from auxseg.cli.arguments import a_path


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("download", help="fetch VOC 2012 with SBD, or COCO 2014, and check them")
    parser.add_argument("name", choices=("voc", "coco"), help="voc: 2 GB and SBD's 1.4 GB. coco: 19 GB")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="what is there is not fetched again")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Fetch, convert, and say how to go on."""
    from auxseg.cli.next_step import print_next

    folder = arguments.to.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    root = {"voc": _voc, "coco": _coco}[arguments.name](folder)
    preset = {"voc": "voc-auxsegnet", "coco": "coco-auxsegnet-plus"}[arguments.name]
    print(f"data root {root}")
    print_next(f"auxseg use {preset} --data {root}")


def _voc(folder: Path) -> Path:
    from auxseg.datasets.voc_sbd import VOC_FOLDER, assemble, fetch

    fetch(folder)
    for name, count in assemble(folder).items():
        print(f"{name:<10}{count:>7} ids, as published")
    return folder / VOC_FOLDER


def _coco(folder: Path) -> Path:
    from auxseg.datasets.coco import convert, fetch

    fetch(folder / "source")
    for name, split in convert(folder / "source", folder / "COCO2014").items():
        fate = "left out" if name == "train" else "kept, all background"
        print(f"{name:<10}{len(split.ids):>7} ids, as published; {split.without_annotation} without annotation: {fate}")
    return folder / "COCO2014"
