"""What leaving unlikely classes out of the CRF saves and changes (`evaluate.crf_least`).

    python benchmarks/performance/crf_classes.py --project FOLDER [--images 100] [--classes 21] [--least 0.05 0.01]

Takes the last round's network of a finished project and its val images that have masks. With --classes, the network's
probabilities get further classes, which it finds unlikely: each is a random class's map, halved a few times. Rows are
added to benchmarks/performance/crf_classes.csv: mIoU, pixels that differ from the CRF with all classes, CPU seconds of
one thread, and their ratio. AUXSEG_DATA names the images, as for the project itself.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import RESULTS, keep, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crf_grid import predicted

from auxseg.artifacts.store import Store
from auxseg.crf import class_crf
from auxseg.datasets.dataset import Dataset
from auxseg.maps import strongest
from auxseg.metrics.segmentation import Counts
from auxseg.params.dag import read_params
from auxseg.params.evaluate import EvaluateParams

LOWEST, HIGHEST = -14.0, -7.0
"""Binary logarithms between which the highest probability of a further class lies: 0.00006 to 0.008."""


def main() -> None:
    """Measure each cut-off on every image."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--classes", type=int, default=0, help="classes and background, at least those of the project")
    parser.add_argument("--least", type=float, nargs="+", default=[0.05, 0.01, 0.001])
    arguments = parser.parse_args()
    os.chdir(arguments.project)
    params, own = EvaluateParams.of(read_params()), len(Dataset(Store()).classes)
    cutoffs = [0.0, *arguments.least]
    counts, seconds, changed = [Counts.zeros(own) for _ in cutoffs], [0.0] * len(cutoffs), [0] * len(cutoffs)
    pixels, taking_part = 0, [0] * len(cutoffs)
    generator = np.random.default_rng(0)
    for rgb, mask, joined in predicted(arguments.images, params):
        probabilities = widened(joined, arguments.classes, generator)
        pixels += mask.size
        finals = []
        for number, least in enumerate(cutoffs):
            started = time.process_time()
            refined = class_crf(rgb, probabilities, params.crf, params.crf_side, least)
            finals.append(strongest(refined, *rgb.shape[:2]))
            seconds[number] += time.process_time() - started
            taking_part[number] += int((probabilities.max(axis=(1, 2)) >= least).sum())
            changed[number] += int((finals[number] != finals[0]).sum())
            counts[number] += Counts.of(np.where(finals[number] > own, 0, finals[number]), mask, own)
    rows: list[dict[str, Any]] = [
        {
            "labels": max(arguments.classes, own + 1),
            "least": least,
            **machine(torch.device("cpu")),
            "images": total.images,
            "taking_part": round(taken_part / total.images, 1),
            "miou": round(total.means()["miou"], 2),
            "changed_pixels_percent": round(100 * different / pixels, 4),
            "cpu_seconds_per_image": round(spent / total.images, 3),
            "ratio": round(spent / seconds[0], 3),
        }
        for least, total, spent, different, taken_part in zip(
            cutoffs, counts, seconds, changed, taking_part, strict=True
        )
    ]
    keep(RESULTS / "crf_classes.csv", rows, ("labels", "least", "machine"))


def widened(probabilities: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return probabilities with so many maps: further ones are scaled copies of random maps."""
    further = classes - len(probabilities)
    if further <= 0:
        return probabilities
    copies = probabilities[generator.integers(0, len(probabilities), further)]
    heights = 2.0 ** generator.uniform(LOWEST, HIGHEST, further)
    copies = copies * (heights / copies.max(axis=(1, 2)))[:, None, None]
    joined = np.concatenate([probabilities, copies.astype(np.float32)])
    return joined / joined.sum(axis=0)


if __name__ == "__main__":
    main()
