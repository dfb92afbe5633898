"""`auxseg corrections export`: write labels of a round for an annotation tool, the worst first."""

import argparse
from pathlib import Path

from auxseg.artifacts.atomic import write_bytes
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_table
from auxseg.audit.panels import encode_jpeg
from auxseg.audit.ranking import KEYS, SMALLEST_FIRST, rank_labels
from auxseg.cli.arguments import a_path, whole_number
from auxseg.cli.corrections import IMAGES, image_file, shorten, write_labels
from auxseg.cli.mask_files import check_target, find_masks
from auxseg.cli.next_step import print_next
from auxseg.cli.verdicts import hashes_of
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.photos import read_photo
from auxseg.errors import DataError
from auxseg.images import decode_indices
from auxseg.params.dag import require_round
from auxseg.params.review import ReviewParams
from auxseg.review.corrections import corrected_labels

QUALITY = 95
"""Of the exported JPEGs."""
OPEN = {
    "labelme": "open the folder in labelme and save what you change",
    "cvat": "make a task of the images in CVAT, upload labelmap.txt, SegmentationClass and ImageSets as 'Segmentation "
    "mask 1.1'; later export the task in the same format and unpack it",
    "label-studio": "import tasks.json into Label Studio; later export the project as JSON",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add round, choice of the labels, format and target folder."""
    parser.description = "A label that is corrected already is exported as corrected, if --images names it."
    parser.add_argument("--round", required=True, metavar="rN", help="round of the labels")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument(
        "--worst", type=whole_number(999_999), metavar="N", help="the first N of the report's order; not corrected ones"
    )
    choice.add_argument(
        "--images",
        type=a_path,
        metavar="FILE",
        help="ids, one a line; or a CSV with a column image_id, such as verdicts.csv of the report: its labels of this "
        "round that are not accepted",
    )
    parser.add_argument(
        "--by", choices=KEYS, default="ignored", help="figure of the report that orders; default: ignored"
    )
    parser.add_argument("--format", choices=IMAGES, default="labelme", help="of the annotation tool; default: labelme")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=1.0,
        metavar="PIXELS",
        help="of polygons: fewer corners, outlines this far off; 0 keeps every pixel; default: 1",
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="new or empty")


def run(arguments: argparse.Namespace) -> None:
    """Write images and labels; nothing is written if an input is missing."""
    to, name = arguments.to, arguments.round
    check_target(to)
    if to.exists() and any(to.iterdir()):
        raise DataError(f"--to {to}: not empty, and somebody's corrections could be overwritten; give another folder")
    if not 0 <= arguments.tolerance <= 100:
        raise DataError(f"--tolerance {arguments.tolerance}: expected pixels from 0 to 100")
    params = ReviewParams.parse(require_round(name).get(ReviewParams.key))
    round_, store = Round.parse(name), Store()
    masks, _ = find_masks(round_, "train")
    found, dataset = {mask.record.id: mask for mask in masks}, Dataset(store)
    records = [mask.record for mask in masks]
    corrected = corrected_labels(store, round_, records, dataset.classes, params)
    if arguments.worst:
        ranked = rank_labels(store.report, round_, arguments.by, hashes_of(name) or {})
        chosen = [image_id for image_id in ranked if image_id not in corrected][: arguments.worst]
        first = "smallest" if arguments.by in SMALLEST_FIRST else "largest"
        what = f"in the report's order, {first} '{arguments.by}' first"
    else:
        chosen, what = read_ids(arguments.images, name), f"those of {arguments.images}"
    strange = [image_id for image_id in chosen if image_id not in found]
    if strange:
        raise DataError(f"{arguments.images}: '{strange[0]}' has no label in {name}; give ids of training images")
    if not chosen:
        raise DataError(
            f"no label of {name} to export; every one that the report ranks is corrected, or none is chosen"
        )
    labels = {
        image_id: decode_indices(corrected[image_id]) if image_id in corrected else found[image_id].read()
        for image_id in chosen
    }
    for image_id in chosen:
        photo = read_photo(dataset.root, found[image_id].record)
        write_bytes(to / image_file(arguments.format, image_id), encode_jpeg(photo, QUALITY))
    write_labels(to, arguments.format, labels, dataset.classes.with_background, arguments.tolerance)
    print(f"{len(chosen)} labels of {name} in {to}, {what}: {shorten(chosen)}")
    print_next(f"{OPEN[arguments.format]}; then auxseg corrections import {to} --round {name}")


def read_ids(path: Path, name: str) -> list[str]:
    """Return the image ids of a file, each once.

    Args:
        path: ids, one a line, or a CSV with a column image_id; of a table of verdicts, the rows of this round that do
            not accept the label as it is.
        name: the round.
    """
    header, rows = read_table(path)
    if "image_id" not in header:
        lines = path.read_text("utf-8-sig").splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    chosen = list(rows.values())
    if "verdict" in header and "round" in header:
        chosen = [
            row for row in chosen if row["round"] == name and (row["verdict"] != "accept" or row.get("drop_classes"))
        ]
    return list(dict.fromkeys(row["image_id"] for row in chosen))
