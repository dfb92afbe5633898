"""What the CRF costs on large images, and what a grid (`evaluate.crf_side`) saves and loses.

    python benchmarks/crf_grid.py --project FOLDER [--enlarge 4] [--sides 320 640] [--images 60]
    python benchmarks/crf_grid.py --project FOLDER --labels --sides 160 240
    python benchmarks/crf_grid.py --project FOLDER --megapixels 12

The first command takes the last round's network of a finished project and its val images that have masks, enlarges
image and mask, because no set of large photographs with masks is at hand, and prints the mIoU of the final predictions
with the CRF at full size and on grids. The second makes the labels of the last round again, as the papers do, with the
saliency CRF at full size and on grids. The third prints CPU seconds (one thread) and peak memory of the process that
post-processes one image of that many megapixels, an enlarged photograph with noise (a smooth one would be quicker).
AUXSEG_DATA names the images, as for the project itself. Rows are appended to benchmarks/crf_grid.csv as they come.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas
from clones import head

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.crf import class_crf
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photo
from auxseg.encoded import decode_indices
from auxseg.labelling import LabelJob
from auxseg.maps import strongest
from auxseg.metrics.segmentation import Counts
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import read_params
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.labels import LabelsParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.post_processing import Views, with_confidence

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/crf_grid.csv"
COLUMNS = ("image", "classes", "side", "images", "miou", "cpu_seconds_per_image", "peak_gigabytes", "commit")


class Predicted(NamedTuple):
    """A val image with what the network makes of it."""

    rgb: np.ndarray
    mask: np.ndarray
    joined: np.ndarray
    """Class probabilities of all views, (C + 1, H, W)."""


def predicted(count: int, params: EvaluateParams) -> Iterator[Predicted]:
    """Yield the first val images with masks, as the last round's network of the current project sees them."""
    # imported here, because the process that measures memory is to be like a worker, which has no torch
    from auxseg.models.auxsegnet import load_auxsegnet
    from auxseg.models.device import prepare_device
    from auxseg.models.inputs import to_tensor
    from auxseg.models.precision import noted_precision
    from auxseg.prediction import predict

    values, dataset = read_params(), Dataset(Store())
    runtime = RuntimeParams.of(values)
    weights = dataset.store.weights(max(map(Round.parse, values["label_rounds"])))
    runtime = noted_precision(runtime, weights)
    masks, classes, device = Masks.of(dataset), dataset.classes, prepare_device(runtime)
    network = load_auxsegnet(weights, BackboneParams.of(values), NetworkParams.of(values), len(classes), device)
    records = [record for record in dataset.records("val") if record.id in masks][:count]
    for record in records:
        rgb = read_photo(dataset.root, record)
        _, joined = predict(
            network,
            to_tensor(rgb, device, runtime),
            params.scales,
            flip=params.flip,
            combine=params.combine,
            low_precision=runtime.low_precision,
            recognition=params.recognition,
        )
        yield Predicted(rgb, masks[record.id], joined.cpu().numpy())


def measure_miou(enlarge: float, sides: Sequence[int | None], count: int) -> list[dict]:
    """Return one row a side: mIoU of the final predictions of val, in the project of the current folder."""
    params, classes = EvaluateParams.of(read_params()), len(Dataset(Store()).classes)
    counts, seconds = [Counts.zeros(classes) for _ in sides], [0.0] * len(sides)
    for rgb, small_mask, joined in predicted(count, params):
        height, width = (round(side * enlarge) for side in rgb.shape[:2])
        large = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC)
        mask = cv2.resize(small_mask, (width, height), interpolation=cv2.INTER_NEAREST)
        for number, side in enumerate(sides):
            started = time.process_time()
            final = strongest(class_crf(large, joined, params.crf, side), height, width)
            seconds[number] += time.process_time() - started
            counts[number] += Counts.of(final, mask, classes)
    return [
        {
            "image": f"enlarged {enlarge:g} times",
            "classes": classes,
            "side": side or "full size",
            "images": total.images,
            "miou": f"{total.means()['miou']:.2f}",
            "cpu_seconds_per_image": f"{taken / total.images:.2f}",
        }
        for side, total, taken in zip(sides, counts, seconds, strict=True)
    ]


def measure_labels(sides: Sequence[int | None]) -> list[dict]:
    """Return one row a side: mIoU of the last round's labels, of the project in the current folder."""
    values, dataset = read_params(), Dataset(Store())
    masks, classes, store = Masks.of(dataset), dataset.classes, dataset.store
    last, rows = max(map(Round.parse, values["label_rounds"])), []
    for side in sides:
        params = LabelsParams(crf_side=side)  # of the papers: own-data has no saliency CRF
        count, seconds = Counts.zeros(len(classes)), 0.0
        for shard in dataset.shards:
            job = LabelJob(params, classes, dataset.root, store.maps(last, shard), store.saliency(shard))
            records = [record for record in dataset.records("train", shard) if record.id in masks]
            started = time.process_time()
            labels = [job(record)[0] for record in records]
            seconds += time.process_time() - started
            for record, label in zip(records, labels, strict=True):
                count += Counts.of(decode_indices(label), masks[record.id], len(classes))
        rows.append(
            {
                "image": f"labels of {last}",
                "classes": len(classes),
                "side": side or "full size",
                "images": count.images,
                "miou": f"{count.means()['miou']:.2f}",
                "cpu_seconds_per_image": f"{seconds / count.images:.2f}",
            }
        )
    return rows


def measure_cost(photo: Path, megapixels: float, classes: int, side: int | None) -> dict:
    """Return the row of one image's post-processing in this process."""
    small = cv2.imread(str(photo))
    factor = (megapixels * 1e6 / (small.shape[0] * small.shape[1])) ** 0.5
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    large = cv2.add(large, np.random.default_rng(0).integers(0, 7, large.shape, np.uint8))
    height, width = large.shape[:2]
    grid = round(height * 1024 / max(height, width)), round(width * 1024 / max(height, width))
    blobs = cv2.GaussianBlur(
        np.random.default_rng(1).normal(size=(*grid, classes + 1)).astype(np.float32), (0, 0), sigmaX=40
    ).transpose(2, 0, 1)
    probabilities = np.exp(200 * blobs - (200 * blobs).max(axis=0))
    probabilities /= probabilities.sum(axis=0)
    before, started = _peak(), time.process_time()
    with_confidence(Views(large, probabilities, probabilities), EvaluateParams(crf_side=side))
    return {
        "image": f"{height * width / 1e6:.1f} megapixels",
        "classes": classes,
        "side": side or "full size",
        "images": 1,
        "cpu_seconds_per_image": f"{time.process_time() - started:.1f}",
        "peak_gigabytes": f"{_peak():.2f}" if _peak() > before else f"below {before:.2f}",
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _keep(rows: Sequence[dict]) -> None:
    table = pandas.DataFrame([{**row, "commit": head(ROOT)[:10]} for row in rows], columns=list(COLUMNS))
    table.to_csv(RESULTS, mode="a", index=False, header=not RESULTS.exists())
    print(table.to_csv(index=False, header=False), end="", flush=True)


def main() -> int:
    """Measure what the arguments say."""
    arguments = _parser().parse_args()
    sides = [None, *arguments.sides]
    if arguments.megapixels is None:
        os.chdir(arguments.project)
        miou = measure_labels(sides) if arguments.labels else measure_miou(arguments.enlarge, sides, arguments.images)
        _keep(miou)
    elif arguments.side is not None:
        _keep([measure_cost(arguments.project, arguments.megapixels, arguments.classes, arguments.side or None)])
    else:
        photo = sorted(Path(os.environ["AUXSEG_DATA"]).glob("images/*"))[0]
        for side in sides:
            own = ["--project", str(photo), "--megapixels", str(arguments.megapixels), "--side", str(side or 0)]
            subprocess.run([sys.executable, __file__, *own, "--classes", str(arguments.classes)], check=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, required=True, metavar="FOLDER", help="a finished project")
    parser.add_argument("--labels", action="store_true", help="measure labels of train instead of predictions of val")
    parser.add_argument("--enlarge", type=float, default=4.0, help="factor on both sides of the val images")
    parser.add_argument("--images", type=int, default=60, help="at most so many val images")
    parser.add_argument("--sides", type=int, nargs="+", default=[1024], help="evaluate.crf_side to compare")
    parser.add_argument("--megapixels", type=float, help="measure time and memory of one image of this size instead")
    parser.add_argument("--classes", type=int, default=6)
    parser.add_argument("--side", type=int, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
