"""Measure which scales the evaluation should use: a round's network on val at each scale, and at runs of them.

    python benchmarks/evaluation_scales.py --project FOLDER --round r1 --scales 0.5 0.75 1.0 1.25 1.5 1.75 --to FILE.csv

Single scales are not mirrored. Several, joined as `evaluate.combine: mean` does, are mirrored too, and the CRF follows
for the best `--best` of them and for params.yaml's own. The program chooses on the val of its project: for choosing
settings, that must be the selection split (`held_out.make_root`). Weights are those of the round, or --weights.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photos
from auxseg.metrics.segmentation import Counts
from auxseg.models.auxsegnet import AuxSegNet, load_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.inputs import scaled, to_tensor
from auxseg.models.resampling import resample
from auxseg.parallel import background_processes
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import read_params
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.post_processing import Views, with_confidence


@dataclass(frozen=True)
class Seen:
    """A val image; `views` has class probabilities by scale, float16 (2, C + 1, H, W): plain, then mirrored back."""

    rgb: np.ndarray
    mask: np.ndarray
    views: dict[float, np.ndarray]

    def joined(self, scales: Sequence[float]) -> np.ndarray:
        """Return the mean over some scales and the mirrored image, float32 (C + 1, H, W)."""
        mean: np.ndarray = np.mean([self.views[scale].astype(np.float32).mean(axis=0) for scale in scales], axis=0)
        return mean


@torch.no_grad()
def seen_images(
    network: AuxSegNet, dataset: Dataset, scales: Sequence[float], runtime: RuntimeParams, device: torch.device
) -> Iterator[Seen]:
    """Yield the val images that have a mask as the network sees them at each scale."""
    masks = Masks.of(dataset)
    records = [record for record in dataset.records("val") if record.id in masks]
    for record, rgb in zip(records, read_photos(dataset.root, records), strict=True):
        image, views = to_tensor(rgb, device, runtime), {}
        for scale in scales:
            resized = scaled(image, scale)
            outputs = network(torch.cat([resized, resized.flip(3)]))
            shares = torch.softmax(resample(outputs.final_segmentation, image.shape[-2:]), dim=1)
            views[scale] = torch.stack([shares[0], shares[1].flip(2)]).cpu().numpy().astype(np.float16)
        yield Seen(rgb, masks[record.id], views)


def main() -> None:
    """Print and write one row for each choice of scales."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--round", type=Round.parse, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--scales", type=float, nargs="+", default=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75])
    parser.add_argument("--best", type=int, default=3)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    to, weights = arguments.to.resolve(), arguments.weights and arguments.weights.resolve()
    os.chdir(arguments.project)
    values, dataset = read_params(), Dataset(Store())
    params, runtime, classes = EvaluateParams.of(values), RuntimeParams.of(values), len(dataset.classes)
    device = prepare_device(runtime.model_copy(update={"precision": "float32"}))
    network = load_auxsegnet(
        weights or dataset.store.weights(arguments.round),
        BackboneParams.of(values),
        NetworkParams.of(values),
        classes,
        device,
    )
    images = list(seen_images(network, dataset, arguments.scales, runtime, device))
    rows: list[dict] = []

    def add(scales: Sequence[float], what: str, predictions: Sequence[np.ndarray]) -> None:
        pairs = zip(images, predictions, strict=True)
        counts = sum((Counts.of(found, one.mask, classes) for one, found in pairs), Counts.zeros(classes))
        rows.append({"scales": " ".join(map(str, scales)), "what": what, **counts.means()})
        print(*rows[-1].values(), flush=True)
        write_rows(to, rows)

    for scale in arguments.scales:
        add([scale], "model", [one.views[scale][0].argmax(axis=0).astype(np.uint8) for one in images])
    runs = [
        tuple(arguments.scales[start:end])
        for start, end in combinations(range(len(arguments.scales) + 1), 2)
        if end - start > 1 and 1.0 in arguments.scales[start:end]
    ]
    for scales in runs:
        add(scales, "model+ms", [one.joined(scales).argmax(axis=0).astype(np.uint8) for one in images])
    order = sorted(range(len(runs)), key=lambda number: -rows[len(arguments.scales) + number]["miou"])
    own = tuple(params.scales)
    chosen = [runs[number] for number in order[: arguments.best]]
    for scales in dict.fromkeys([*chosen, *([own] if own in runs else [])]):
        joined = ((one.rgb, one.joined(scales)) for one in images)
        views = (Views(rgb, shares, shares) for rgb, shares in joined)
        done = background_processes(partial(with_confidence, params=params), views)
        add(scales, "model+ms+crf", [prediction for prediction, _ in done])


if __name__ == "__main__":
    main()
