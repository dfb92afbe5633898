"""`auxseg corrections import`: take labels that were corrected in an annotation tool into review/corrections."""

import argparse
import contextlib
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import write_bytes
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.corrections import (
    EXPORTED,
    SHOWN,
    Exported,
    count_labels,
    exported_folder,
    read_exported,
    read_labels,
    studio_notes,
    write_exported,
)
from auxseg.cli.mask_files import find_masks
from auxseg.cli.next_step import REPRO, print_next, require_run
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import encode_label, pixels_sha256
from auxseg.errors import DataError, shorten
from auxseg.files import read_bytes
from auxseg.params.dag import require_round
from auxseg.png_files import read_index_png
from auxseg.review.corrections import Correction, read_corrections, shown_classes, write_corrections


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add file, round and reviewer."""
    parser.description = (
        "Formats: labelme's JSON files, CVAT's 'Segmentation mask 1.1' (zip or unpacked), Label Studio's JSON. Labels "
        "that are as they were exported are not counted as corrected; a correction from the same folder is taken back "
        "if its label is again as exported. A second import of the same changes nothing."
    )
    parser.add_argument("path", metavar="PATH", type=a_path, help="what the annotation tool saved: a file or a folder")
    parser.add_argument("--round", required=True, metavar="rN", help="round of the labels that were corrected")
    parser.add_argument("--reviewer", default="", metavar="NAME", help="who corrected them")


@dataclass(frozen=True)
class Unchanged:
    """What an import does with the labels: the ids of those that nobody changed, and of those to take back."""

    same: list[str]
    restored: list[str]


def run(arguments: argparse.Namespace) -> None:
    """Check every label, then write; nothing is written if one of them is wrong."""
    path, name = arguments.path, arguments.round
    trained = require_round(name)["rounds"].values()
    round_, store = Round.parse(name), Store()
    require_run()
    dataset = Dataset(store)
    classes, records = dataset.classes, {record.id: record for record in dataset.records()}
    sizes = {record.id: (record.height, record.width) for record in records.values()}
    source, labels = read_labels(path, classes, sizes)
    for image_id, label in labels.items():
        _check(image_id, label, records, f"{path}: {source} label of '{image_id}'")
    folder = exported_folder(path)
    exported = read_exported(folder)
    _require_same_round(folder, exported, labels, name)
    found = _find_unchanged(labels, exported, round_, store)
    unchanged = {*found.same, *found.restored}
    changed = {image_id: label for image_id, label in labels.items() if image_id not in unchanged}
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = [
        Correction(
            image_id, name, shown_classes(label, classes), records[image_id].sha256, source, arguments.reviewer, date
        )
        for image_id, label in changed.items()
    ]
    added, replaced = _write(store, made, changed, [(round_, image_id) for image_id in found.restored])
    if folder is not None:
        _remember(folder, exported, changed, found.restored)
    own = sum(one.round == name for one in read_corrections(store.corrections))
    taken = f", {len(found.restored)} taken back: {shorten(found.restored, SHOWN)}" if found.restored else ""
    print(f"{store.corrections}: {count_labels(own)} of {name}, {added} new, {replaced} changed{taken}")
    if found.same:
        same = f"{len(found.same)} of {len(labels)}: {shorten(found.same, SHOWN)}"
        print(f"as exported, so not counted as corrected: {same}")
    if labels and (path.is_dir() or source != "labelme"):  # one file of labelme is one label, on purpose
        _name_absent(path, source, [image_id for image_id in exported if image_id not in labels], len(exported))
    if labels and source == "label-studio":
        for note in studio_notes(path):
            print(f"warning: {note}")
    _warn_untagged(changed, records, classes)
    if changed and folder is None and source != "cvat":
        print(
            f"warning: no {EXPORTED} in the folder of {path} or above it, so labels that nobody has changed count as "
            "corrected too; save the tool's files into the folder that `auxseg corrections export` wrote"
        )
    if changed and name not in trained:
        following = round_.number + 1
        print(f"warning: no round is trained on labels of {name}; `auxseg rounds {following}` adds one")
    if added + replaced + len(found.restored):
        print_next(f"git add {store.corrections.parent} and commit it, then {REPRO}: the next training uses them")
    elif not changed:
        print_next(f"nothing has changed in {path}; give the file or folder that the annotation tool exported")


def _require_same_round(
    folder: Path | None, exported: Mapping[str, Exported], labels: Mapping[str, np.ndarray], name: str
) -> None:
    """Reject labels that were exported from another round: they hold that round's pixels wherever nobody drew."""
    for image_id in labels:
        own = exported[image_id].round if image_id in exported else ""
        if own not in ("", name):
            raise DataError(
                f"{folder}/{EXPORTED}: the label of '{image_id}' was exported from {own}, not {name}; import with "
                f"--round {own}"
            )


def _name_absent(path: Path, source: str, absent: Sequence[str], count: int) -> None:
    """Print the exported labels that did not come back: a person may think that they have been imported."""
    if absent:
        print(f"not in {path}, so left as they are: {len(absent)} of {count}: {shorten(absent, SHOWN)}")
        if source == "cvat":
            print(
                "note: CVAT writes no mask of an image without any shape; if such an image is all background, draw a "
                "shape of the label background"
            )


def _find_unchanged(
    labels: Mapping[str, np.ndarray], exported: Mapping[str, Exported], round_: Round, store: Store
) -> Unchanged:
    """Tell which labels are as exported or the pseudo label, and which of these had been corrected from this folder.

    A label that somebody else corrected, from another folder, is not taken back.
    """
    found = {mask.record.id: mask for mask in find_masks(round_, "train")[0]}
    known = {one.image_id for one in read_corrections(store.corrections) if one.round == str(round_)}
    result = Unchanged([], [])
    for image_id, label in labels.items():
        row = exported.get(image_id, Exported(image_id, ""))
        is_ours = image_id in known and row.imported != "" and row.imported == _stored(store, round_, image_id)
        if image_id in found and np.array_equal(found[image_id].read(), label):
            is_restored = is_ours or (image_id in known and row.corrected and row.sha256 != pixels_sha256(label))
            (result.restored if is_restored else result.same).append(image_id)
        elif row.sha256 == pixels_sha256(label):
            if is_ours and row.corrected:
                continue  # changed, and changed back to the correction that was exported
            (result.restored if is_ours else result.same).append(image_id)
    return result


def _stored(store: Store, round_: Round, image_id: str) -> str:
    """Return the digest of a correction, or nothing if its PNG is missing."""
    path = store.correction(round_, image_id)
    return pixels_sha256(read_index_png(path)) if path.is_file() else ""


def _remember(
    folder: Path, exported: Mapping[str, Exported], changed: Mapping[str, np.ndarray], restored: Sequence[str]
) -> None:
    """Write into the table of the export what was imported from its folder, so that it can be taken back later."""
    rows = dict(exported)
    for image_id in exported.keys() & changed.keys():
        rows[image_id] = replace(rows[image_id], imported=pixels_sha256(changed[image_id]))
    for image_id in exported.keys() & set(restored):
        rows[image_id] = replace(rows[image_id], imported="")
    if rows != exported:
        with contextlib.suppress(OSError):  # the folder may be read-only; nothing can be taken back from it then
            write_exported(folder, rows.values())


def _write(
    store: Store, made: Sequence[Correction], labels: Mapping[str, np.ndarray], restored: Sequence[tuple[Round, str]]
) -> tuple[int, int]:
    """Add corrections to the folder and remove those of `restored`.

    Returns:
        How many are new, and how many replace another one of the same image and round.
    """
    table = {one.key: one for one in read_corrections(store.corrections)}
    changed: dict[Path, bytes] = {}
    replaced = 0
    for one in made:
        old, png, file = table.get(one.key), encode_label(labels[one.image_id]), store.correction(*one.key)
        is_known = old and (old.classes, old.image_sha256) == (one.classes, one.image_sha256)
        if is_known and file.is_file() and read_bytes(file) == png:
            continue
        replaced += old is not None
        table[one.key], changed[file] = one, png
    for file, png in changed.items():
        write_bytes(file, png)
    for key in restored:
        del table[key]
    if changed or restored:
        write_corrections(store.corrections, table.values())
    for key in restored:  # after the table, because a row without its PNG is an error
        store.correction(*key).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it has other corrections
            store.correction(*key).parent.rmdir()
    return len(changed) - replaced, replaced


def _check(image_id: str, label: np.ndarray, records: Mapping[str, ImageRecord], where: str) -> None:
    if image_id not in records:
        raise DataError(f"{where}: the data set has no such image; the file must have the name of the image")
    record = records[image_id]
    if record.split != "train":
        raise DataError(
            f"{where}: the image is in split {record.split}, and only training labels are corrected; leave it out of "
            "the export"
        )
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
        show = "shows" if len(found) == 1 else "show"
        print(
            f"warning: {count_labels(len(found))} {show} a class that is not among "
            f"the image's labels: {shorten(found, SHOWN)}; the label is used as it is, but fix the image-level labels "
            "too"
        )
