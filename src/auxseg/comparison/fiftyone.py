"""A folder that FiftyOne can import, written without FiftyOne: images, labels of every round, a table.

    data/<id>.<extension>   the images
    labels/<id>.png         labels of the last round: 8-bit grey, class indices, 255 = ignore
    labels_<round>/<id>.png the same of every earlier round
    labels.csv              `filepath` and figures of every image and round
    mask_targets.json       class index -> name

The folder is both an `ImageSegmentationDirectory` (data/ and labels/, matched by file name) and a `CSVDataset` (data/
and labels.csv). Labels are grey because FiftyOne reads palette PNGs as colours.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.atomic import atomic_dir, write_json
from auxseg.artifacts.tables import write_rows
from auxseg.comparison.label_set import LabelSet
from auxseg.datasets.manifest import SEPARATOR, ImageRecord
from auxseg.datasets.stored import read_label
from auxseg.encoded import IGNORE
from auxseg.errors import DataError
from auxseg.parallel import track


def write_fiftyone(
    folder: Path, records: Sequence[ImageRecord], root: Path, labels: Mapping[str, LabelSet], names: Sequence[str]
) -> None:
    """Write the folder, completely or not at all.

    Args:
        folder: new or empty.
        records: the images; each has a label in every round.
        root: folder that the records' paths are relative to.
        labels: by round, in order.
        names: class names by index, 0 = background.

    Raises:
        DataError: the folder is not empty, or an image or label is missing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: {'is not empty' if folder.is_dir() else 'is a file'}; name a new folder")
    last = list(labels)[-1]
    folders = {name: "labels" if name == last else f"labels_{name}" for name in labels}
    with atomic_dir(folder) as made:
        rows = []
        for record in track(records, "fiftyone"):
            photo = f"{record.id}{Path(record.path).suffix}"
            _copy(root / record.path, made / "data" / photo)
            row: dict[str, object] = {"filepath": photo, "tags": SEPARATOR.join(record.tags)}
            for name, one in labels.items():
                if record.id not in one.archives:
                    raise DataError(f"{name}: no label of '{record.id}'; run `auxseg run`, or `dvc pull`")
                label = read_label(opened_archive(one.archives[record.id]), record, len(names) - 1)
                _write_grey(made / folders[name] / f"{record.id}.png", label)
                row |= _figures(name, label, names)
            rows.append(row)
        write_rows(made / "labels.csv", rows, list(rows[0]) if rows else ["filepath"])
        write_json(made / "mask_targets.json", {str(index): name for index, name in _targets(names).items()})


def _figures(round_name: str, label: np.ndarray, names: Sequence[str]) -> dict[str, object]:
    present = [names[value] for value in np.unique(label) if value not in (0, IGNORE)]
    return {
        f"{round_name}_classes": SEPARATOR.join(present),
        f"{round_name}_ignore_share": 100 * float((label == IGNORE).mean()),
    }


def _targets(names: Sequence[str]) -> dict[int, str]:
    return {**dict(enumerate(names)), IGNORE: "ignore"}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise DataError(f"{source}: no such image; run `auxseg scan`, then `auxseg run`") from None


def _write_grey(path: Path, label: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(label).save(path)
