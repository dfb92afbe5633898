"""Counts in CSV files: one row per kind of prediction and class, `kind,class,correct,predicted,true,images`.

`images` is the number of measured images, the same in every row of a kind.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.tables import read_artifact, write_csv
from auxseg.metrics.segmentation import Counts

HEADER = ("kind", "class", "correct", "predicted", "true", "images")


def write_counts(path: Path, counts: Mapping[str, Counts]) -> None:
    """Write counts by kind; an empty mapping (no masks) gives a file with only the header."""
    rows = [
        [kind, index, int(count.correct[index]), int(count.predicted[index]), int(count.true[index]), count.images]
        for kind, count in counts.items()
        for index in range(len(count.true))
    ]
    write_csv(path, HEADER, rows)


def read_counts(paths: Iterable[Path], classes: int) -> dict[str, Counts]:
    """Read and pool the counts of several files, by kind in order of first appearance."""
    pooled: dict[str, Counts] = {}
    for path in paths:
        rows = read_artifact(path, HEADER)
        with read_whole(path):
            for row in rows:
                counts = pooled.setdefault(row["kind"], Counts.zeros(classes))
                for name in ("correct", "predicted", "true"):
                    getattr(counts, name)[int(row["class"])] += np.int64(row[name])
                if row["class"] == "0":
                    counts.images += int(row["images"])
    return pooled
