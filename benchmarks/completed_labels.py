"""Measure the labels of every round as they are and as `auxseg export labels --complete` writes them, on train masks.

python benchmarks/completed_labels.py --project FOLDER --to benchmarks/auxseg-best/completed.csv
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photo
from auxseg.datasets.stored import read_label
from auxseg.fusion import complete
from auxseg.metrics.segmentation import Counts
from auxseg.parallel import map_processes
from auxseg.params.dag import read_params
from auxseg.params.labels import LabelsParams


@dataclass(frozen=True)
class Measure:
    """Counts of one image's label, as it is and completed; passed to worker processes."""

    dataset: Dataset
    masks: Masks
    round: Round
    side: int | None

    def __call__(self, record: ImageRecord) -> tuple[Counts, Counts]:
        """Return both counts."""
        classes = self.dataset.classes
        archive = opened_archive(self.dataset.store.labels(self.round, shard_of(record.id, list(self.dataset.shards))))
        label, mask = read_label(archive, record, len(classes)), self.masks[record.id]
        present = [classes.index(tag) for tag in record.tags]
        completed = complete(read_photo(self.dataset.root, record), label, present, self.side)
        return Counts.of(label, mask, len(classes)), Counts.of(completed, mask, len(classes))


def main() -> None:
    """Write one row for each round and kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--to", type=Path, help="a CSV")
    arguments = parser.parse_args()
    to = arguments.to and arguments.to.resolve()
    os.chdir(arguments.project)
    values, dataset = read_params(), Dataset(Store())
    masks, side = Masks.of(dataset), LabelsParams.of(values).crf_side
    records = [record for record in dataset.records("train") if record.id in masks]
    rows = []
    for name in values["label_rounds"]:
        measured = map_processes(Measure(dataset, masks, Round.parse(name), side), records, name)
        for kind, counts in zip(("labels", "labels, completed"), zip(*measured, strict=True), strict=True):
            means = sum(counts[1:], counts[0]).means()
            rows.append({"round": name, "what": kind, **{key: np.round(value, 2) for key, value in means.items()}})
            print(*rows[-1].values(), sep="\t", flush=True)
    if to:
        write_rows(to, rows)


if __name__ == "__main__":
    main()
