"""`auxseg export voc-submission`: predictions of VOC 2012 test, in the folders that VOC's server takes."""

import argparse
from pathlib import Path

from auxseg.cli.arguments import a_path

SUBMISSION = Path("results/VOC2012/Segmentation/comp6_test_cls")
"""comp6: trained on more than VOC's own images, as ImageNet's weights and SBD are."""


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the action."""
    parser = subparsers.add_parser("voc-submission", help="predictions of VOC 2012 test as its server takes them")
    parser.add_argument("--predictions", required=True, metavar="FOLDER", type=a_path, help="of `auxseg predict`")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help=f"gets {SUBMISSION}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Check that the predictions are those of VOC 2012 test, and copy them into the server's folders."""
    import numpy as np

    from auxseg.artifacts.atomic import write_bytes
    from auxseg.cli.next_step import print_next
    from auxseg.datasets.id_lists import VOC_LISTS, check_list
    from auxseg.datasets.listing import require_folder
    from auxseg.errors import DataError
    from auxseg.images import read_index_png

    mend = "make them with `auxseg predict --images JPEGImages --list ImageSets/Segmentation/test.txt`"
    require_folder(arguments.predictions, mend)
    paths = sorted(arguments.predictions.glob("*.png"))
    check_list(str(arguments.predictions), "test", [path.stem for path in paths], VOC_LISTS, mend)
    for path in paths:
        if (highest := int(np.max(read_index_png(path)))) > 20:
            raise DataError(f"{path}: value {highest} is not a class of VOC (0..20); predict with VOC's class table")
    for path in paths:
        write_bytes(arguments.to / SUBMISSION / path.name, path.read_bytes())
    print(f"{len(paths)} predictions in {arguments.to / SUBMISSION}")
    print_next(f"tar -C {arguments.to} -czf results.tgz results, and give results.tgz to the server")
