"""`auxseg corrections export`: write labels of a round for an annotation tool, the worst first."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_table, require_columns
from auxseg.audit.panels import encode_jpeg
from auxseg.audit.ranking import KEYS, SMALLEST_FIRST, rank_labels
from auxseg.cli.arguments import a_path, whole_number
from auxseg.cli.corrections import FORMATS, SHOWN, count_labels, write_labels
from auxseg.cli.format_options import tolerance
from auxseg.cli.mask_files import check_target, find_masks
from auxseg.cli.next_step import print_next, require_run
from auxseg.cli.verdicts import hashes_of
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.photos import read_photo
from auxseg.encoded import decode_indices
from auxseg.errors import DataError, shorten
from auxseg.files import read_text
from auxseg.formats.export import require_new
from auxseg.params.dag import require_round
from auxseg.params.review import ReviewParams
from auxseg.review.corrections import corrected_labels
from auxseg.review.verdicts import latest, read_verdicts

QUALITY = 95
"""Of the exported JPEGs."""
STEPS = {
    "labelme": "open {to} in labelme and save what you change; then auxseg corrections import {to}",
    "cvat": "make a task of {to}/images in CVAT with the labels of labels.json, and upload segmentation_mask.zip as "
    "'Segmentation mask 1.1'; export the task in the same format into {to}; then auxseg corrections import "
    "{to}/EXPORT.zip",
    "label-studio": "make a project with the interface config.xml in Label Studio, which serves {to} as local files, "
    "and import tasks.json; export the project as JSON into {to}; then auxseg corrections import {to}/EXPORT.json",
}
"""Format -> what to do next. What comes back is saved beside EXPORTED, so that the import finds it."""


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
        "--by", choices=KEYS, default=KEYS[0], help=f"figure of the report that orders; default: {KEYS[0]}"
    )
    parser.add_argument("--format", choices=FORMATS, default="labelme", help="of the annotation tool; default: labelme")
    parser.add_argument(
        "--tolerance",
        type=tolerance,
        default=1.0,
        metavar="PIXELS",
        help="of polygons: fewer corners, outlines this far off; 0 keeps every pixel; default: 1",
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="new or empty")


def run(arguments: argparse.Namespace) -> None:
    """Write images and labels; nothing is written if an input is missing."""
    to, name = arguments.to, arguments.round
    require_run()
    check_target(to)
    require_new(to)  # somebody's corrections could be overwritten
    params = ReviewParams.parse(require_round(name).get(ReviewParams.key))
    round_, store = Round.parse(name), Store()
    masks, _ = find_masks(round_, "train")
    found, dataset = {mask.record.id: mask for mask in masks}, Dataset(store)
    records = [mask.record for mask in masks]
    corrected = corrected_labels(store, round_, records, dataset.classes, params)
    hashes = hashes_of(name) or {}
    if arguments.worst:
        ranked = rank_labels(store.report, round_, arguments.by, hashes)
        chosen = [image_id for image_id in ranked if image_id not in corrected][: arguments.worst]
        first = "smallest" if arguments.by in SMALLEST_FIRST else "largest"
        what = f"in the report's order, {first} '{arguments.by}' first"
    else:
        chosen, what = read_ids(arguments.images, name, hashes), f"those of {arguments.images}"
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

    def photo(image_id: str) -> bytes:
        return encode_jpeg(read_photo(dataset.root, found[image_id].record), QUALITY)

    notes = write_labels(
        to,
        arguments.format,
        labels,
        photo,
        dataset.classes,
        arguments.tolerance,
        corrected.keys() & labels.keys(),
        name,
    )
    print(f"{count_labels(len(chosen))} of {name} in {to}, {what}: {shorten(chosen, SHOWN)}")
    for note in notes:
        print(note)
    print_next(f"{STEPS[arguments.format].format(to=to)} --round {name}")


def read_ids(path: Path, name: str, hashes: Mapping[str, str]) -> list[str]:
    """Return the image ids of a file, each once.

    Args:
        path: ids, one a line, or a CSV with a column image_id; of a table of verdicts, the latest of this round that do
            not accept the label as it is.
        name: the round.
        hashes: from `label_hashes`.
    """
    header, rows = read_table(path)
    cells = {part.strip() for cell in header for part in re.split("[,;\t]", cell)}  # of a header with other separators
    if "image_id" in cells:
        require_columns(path, header, ("image_id",))
    else:
        lines = read_text(path).splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if "verdict" in header and "round" in header:
        verdicts = latest((verdict for verdict in read_verdicts(path) if verdict.round == name), hashes)
        chosen = [one.image_id for one in verdicts if one.verdict != "accept" or one.drop_classes]
    else:
        chosen = [row["image_id"] for row in rows.values()]
    return list(dict.fromkeys(chosen))
