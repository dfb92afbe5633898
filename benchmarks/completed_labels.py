"""Measure the labels of every round as they are and as `auxseg export labels --complete` writes them, on train masks.

    python benchmarks/completed_labels.py --project FOLDER --to benchmarks/auxseg-best/completed.csv

Precision, recall and mIoU in per cent, over the training images that have a mask. For a run without
`labels.completion`, whose labels are completed already.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.export_labels import Completion
from auxseg.cli.mask_files import MaskFile, find_masks
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.metrics.segmentation import Counts
from auxseg.parallel import map_processes
from auxseg.params.dag import read_params
from auxseg.params.labels import LabelsParams


@dataclass(frozen=True)
class Measure:
    """Counts of one image's label, as it is and completed; passed to worker processes."""

    masks: Masks
    completion: Completion

    def __call__(self, label: MaskFile) -> tuple[Counts, Counts]:
        """Return both counts."""
        truth, classes = self.masks[label.record.id], label.classes
        return Counts.of(label.read(), truth, classes), Counts.of(self.completion(label), truth, classes)


def main() -> None:
    """Write one row for each round and kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--to", type=Path, help="a CSV")
    arguments = parser.parse_args()
    to = arguments.to and arguments.to.resolve()
    os.chdir(arguments.project)
    values, dataset = read_params(), Dataset(Store())
    params = LabelsParams.of(values)
    if params.completion != "none":
        sys.exit(f"error: labels.completion is {params.completion}: labels of this run are complete already")
    completion = Completion(dataset.root, dataset.classes, params.crf_side)
    measure, rows = Measure(Masks.of(dataset), completion), []
    for name in values["label_rounds"]:
        labels = [label for label in find_masks(Round.parse(name), "train")[0] if label.record.id in measure.masks]
        measured = map_processes(measure, labels, name)
        for kind, counts in zip(("labels", "labels, completed"), zip(*measured, strict=True), strict=True):
            means = sum(counts[1:], counts[0]).means()
            rows.append({"round": name, "what": kind, **{key: np.round(value, 2) for key, value in means.items()}})
            print(*rows[-1].values(), sep="\t", flush=True)
    if to:
        write_rows(to, rows)


if __name__ == "__main__":
    main()
