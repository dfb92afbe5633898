"""Confusion matrix of pseudo label and mask: pixels, int64 (C + 1, C + 2).

Row = class in the mask, column = class in the label; the last column is 255. Pixels that are 255 in the mask are left
out. Every score of docs/method.md section 6 follows from this matrix.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.tables import read_artifact, write_csv
from auxseg.encoded import IGNORE
from auxseg.metrics.segmentation import Counts

COLUMNS = ("mask", "label", "pixels")


def no_confusion(classes: int) -> np.ndarray:
    """Return zeros for C object classes and the background."""
    return np.zeros((classes + 1, classes + 2), np.int64)


def confuse(label: np.ndarray, mask: np.ndarray, classes: int) -> np.ndarray:
    """Return the confusion matrix of one label and one mask, both uint8 (H, W) of 0..C and 255."""
    known = mask != IGNORE
    columns = np.where(label == IGNORE, classes + 1, label).astype(np.int64)
    cells = mask[known].astype(np.int64) * (classes + 2) + columns[known]
    return np.bincount(cells, minlength=(classes + 1) * (classes + 2)).reshape(classes + 1, classes + 2)


def counts_of(confusion: np.ndarray) -> Counts:
    """Return the counts from which the scores are computed."""
    square = confusion[:, :-1]
    return Counts(square.diagonal(), square.sum(axis=0), confusion.sum(axis=1))


def write_confusion(path: Path, confusion: np.ndarray) -> None:
    """Write the nonzero cells: `mask,label,pixels`, with class indices."""
    rows = [[row, _value(column, confusion), confusion[row, column]] for row, column in np.argwhere(confusion)]
    write_csv(path, COLUMNS, rows)


def read_confusion(paths: Iterable[Path], classes: int) -> np.ndarray:
    """Read and pool the counts of several files."""
    pooled = no_confusion(classes)
    for path in paths:
        rows = read_artifact(path, COLUMNS)
        with read_whole(path):
            for row in rows:
                column = classes + 1 if int(row["label"]) == IGNORE else int(row["label"])
                pooled[int(row["mask"]), column] += np.int64(row["pixels"])
    return pooled


def confusion_rows(round_name: str, confusion: np.ndarray, names: Sequence[str]) -> list[dict[str, object]]:
    """Return a row for every pair `mask, label`; `share` is in per cent of the mask's class. Empty without masks."""
    columns = (*names, "ignore")
    return [
        {
            "round": round_name,
            "mask": names[row],
            "label": columns[column],
            "pixels": int(confusion[row, column]),
            "share": 100 * float(confusion[row, column]) / int(total),
        }
        for row, total in enumerate(confusion.sum(axis=1))
        if total
        for column in range(len(columns))
    ]


def _value(column: int, confusion: np.ndarray) -> int:
    return IGNORE if column == confusion.shape[1] - 1 else column
