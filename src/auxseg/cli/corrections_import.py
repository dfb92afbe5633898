"""`auxseg corrections import`: take labels that were corrected in an annotation tool into review/corrections."""

import argparse
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import write_bytes
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.corrections import digest, read_exported, read_labels, shorten
from auxseg.cli.mask_files import find_masks
from auxseg.cli.next_step import REPRO, print_next
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.errors import DataError
from auxseg.images import encode_label
from auxseg.params.dag import require_round
from auxseg.review.corrections import Correction, read_corrections, shown_classes, write_corrections


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add file, round and reviewer."""
    parser.description = (
        "Formats: labelme's JSON files, a folder of CVAT's 'Segmentation mask 1.1', Label Studio's JSON. Labels that "
        "are as they were exported are not counted as corrected. A second import of the same changes nothing."
    )
    parser.add_argument("path", metavar="PATH", type=a_path, help="what the annotation tool saved: a file or a folder")
    parser.add_argument("--round", required=True, metavar="rN", help="round of the labels that were corrected")
    parser.add_argument("--reviewer", default="", metavar="NAME", help="who corrected them")


def run(arguments: argparse.Namespace) -> None:
    """Check every label, then write; nothing is written if one of them is wrong."""
    path, name = arguments.path, arguments.round
    require_round(name)
    round_, store = Round.parse(name), Store()
    dataset = Dataset(store)
    classes, records = dataset.classes, {record.id: record for record in dataset.records()}
    source, labels = read_labels(path, classes.with_background)
    for image_id, label in labels.items():
        _check(image_id, label, records, f"{path}: {source} label of '{image_id}'")
    same = _as_exported(path, round_, labels)
    changed = {image_id: label for image_id, label in labels.items() if image_id not in same}
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = [
        Correction(
            image_id, name, shown_classes(label, classes), records[image_id].sha256, source, arguments.reviewer, date
        )
        for image_id, label in changed.items()
    ]
    added, replaced = _write(store, made, changed)
    own = sum(one.round == name for one in read_corrections(store.corrections))
    print(f"{store.corrections}: {own} labels of {name}, {added} new, {replaced} changed")
    if same:
        print(f"as exported, so not counted as corrected: {len(same)} of {len(labels)}: {shorten(same)}")
    _warn_untagged(changed, records, classes)
    if added + replaced:
        print_next(f"git add {store.corrections.parent} and commit it, then {REPRO}: the next training uses them")


def _as_exported(path: Path, round_: Round, labels: Mapping[str, np.ndarray]) -> list[str]:
    """Return the ids of the labels that nobody has changed: what was exported, or the round's pseudo label."""
    exported, found = read_exported(path), {mask.record.id: mask for mask in find_masks(round_, "train")[0]}
    return [
        image_id
        for image_id, label in labels.items()
        if exported.get(image_id) == digest(label)
        or (image_id in found and np.array_equal(found[image_id].read(), label))
    ]


def _write(store: Store, made: Sequence[Correction], labels: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Add corrections to the folder; return how many are new, and how many replace another one of image and round."""
    table = {one.key: one for one in read_corrections(store.corrections)}
    changed: dict[Path, bytes] = {}
    replaced = 0
    for one in made:
        old, png, file = table.get(one.key), encode_label(labels[one.image_id]), store.correction(*one.key)
        is_known = old and (old.classes, old.image_sha256) == (one.classes, one.image_sha256)
        if is_known and file.is_file() and file.read_bytes() == png:
            continue
        replaced += old is not None
        table[one.key], changed[file] = one, png
    for file, png in changed.items():
        write_bytes(file, png)
    if changed:
        write_corrections(store.corrections, table.values())
    return len(changed) - replaced, replaced


def _check(image_id: str, label: np.ndarray, records: Mapping[str, ImageRecord], where: str) -> None:
    if image_id not in records:
        raise DataError(f"{where}: the data set has no such image; the file must have the name of the image")
    record = records[image_id]
    if record.split != "train":
        raise DataError(f"{where}: the image is in split {record.split}, and only training labels are corrected")
    if label.shape != (record.height, record.width):
        size = f"{label.shape[1]}x{label.shape[0]}"
        raise DataError(f"{where}: {size}, but the image is {record.width}x{record.height}; annotate it at full size")


def _warn_untagged(labels: Mapping[str, np.ndarray], records: Mapping[str, ImageRecord], classes: ClassTable) -> None:
    """Print how many labels show a class that their image is not tagged with."""
    found = []
    for image_id, label in labels.items():
        shown = [classes.with_background[index] for index in np.unique(label) if 0 < index <= len(classes)]
        if untagged := [name for name in shown if name not in records[image_id].tags]:
            found.append(f"{image_id} ({', '.join(untagged)})")
    if found:
        print(
            f"warning: {len(found)} labels show a class that is not among the image's labels: {shorten(found)}; the "
            "label is used as it is, but fix the image-level labels too"
        )
