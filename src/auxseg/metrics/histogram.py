"""Histograms of values in [0, 1], pooled over images and shards."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.tables import read_artifact, write_csv

BINS = 20
"""Bins of equal width; the last one includes 1."""
COLUMNS = ("measure", "bin", "count")


class Histograms:
    """Counts by measure, int64 (BINS,)."""

    def __init__(self) -> None:
        self.counts: dict[str, np.ndarray] = {}

    def add(self, measure: str, values: np.ndarray) -> None:
        """Count values; values outside [0, 1] go to the outermost bins."""
        counts, _ = np.histogram(np.clip(values.astype(np.float32), 0, 1), bins=BINS, range=(0, 1))
        self.counts[measure] = self.counts.get(measure, 0) + counts

    def write(self, path: Path) -> None:
        """Write `measure,bin,count`."""
        rows = [[name, index, count] for name, counts in self.counts.items() for index, count in enumerate(counts)]
        write_csv(path, COLUMNS, rows)

    @classmethod
    def read(cls, paths: Iterable[Path]) -> "Histograms":
        """Read and pool the counts of several files."""
        pooled = cls()
        for path in paths:
            rows = read_artifact(path, COLUMNS)
            with read_whole(path):
                for row in rows:
                    counts = pooled.counts.setdefault(row["measure"], np.zeros(BINS, np.int64))
                    counts[int(row["bin"])] += np.int64(row["count"])
        return pooled

    def rows(self, round_name: str) -> list[dict[str, object]]:
        """Return a row for every measure and bin: its limits, the count, and its share in per cent."""
        return [
            {
                "round": round_name,
                "measure": measure,
                "lower": index / BINS,
                "upper": (index + 1) / BINS,
                "count": int(count),
                "share": 100 * int(count) / int(counts.sum()),
            }
            for measure, counts in self.counts.items()
            for index, count in enumerate(counts)
        ]
