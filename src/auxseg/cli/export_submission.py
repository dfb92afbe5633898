"""`auxseg export voc-submission`: predictions of VOC 2012 test, in the folders that VOC's server expects."""

import argparse
from pathlib import Path

from auxseg.artifacts.atomic import write_bytes
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import print_next
from auxseg.counts import counted
from auxseg.datasets import id_lists
from auxseg.datasets.listing import require_folder
from auxseg.errors import DataError
from auxseg.files import read_bytes
from auxseg.png_files import read_index_png

SUBMISSION = Path("results/VOC2012/Segmentation/comp6_test_cls")
"""comp6 is for methods trained on more than VOC's own images; weights from ImageNet and the labels of SBD count."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add predictions and target folder."""
    parser.add_argument("--predictions", required=True, metavar="FOLDER", type=a_path, help="made by `auxseg predict`")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help=f"{SUBMISSION} is created in it")


def run(arguments: argparse.Namespace) -> None:
    """Check that the predictions are those of VOC 2012 test, and copy them into the server's folders."""
    fix = "make them with `auxseg predict --images JPEGImages --list ImageSets/Segmentation/test.txt`"
    require_folder(arguments.predictions, fix)
    paths = sorted(arguments.predictions.glob("*.png"))
    ids = [path.stem for path in paths]
    id_lists.check_list(str(arguments.predictions), "test", ids, id_lists.VOC_LISTS, fix)
    for path in paths:
        if (highest := int(read_index_png(path).max())) > 20:
            raise DataError(f"{path}: value {highest} is not a class of VOC (0..20); predict with its class table")
    for path in paths:
        write_bytes(arguments.to / SUBMISSION / path.name, read_bytes(path))
    print(f"{counted(len(paths), 'prediction')} in {arguments.to / SUBMISSION}")
    print_next(f"tar -C {arguments.to} -czf results.tgz results, and give results.tgz to the server")
