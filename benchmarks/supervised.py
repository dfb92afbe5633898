"""Measure an upper bound: the same network trained on the masks. This is not a stage, and no stage uses its result.

    python benchmarks/supervised.py --epochs 6

Run it in a project folder whose pipeline has finished: it reads the manifest, the masks, the classifier's weights and
params.yaml, trains on the masks of the training images (saliency target: object or not) and prints one JSON line with
the mIoU on val in per cent: single-scale, and multi-scale with CRF, with the project's `evaluate` parameters.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
import yaml

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.store import Store
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photo
from auxseg.encoded import IGNORE, encode_grey, encode_label
from auxseg.metrics.segmentation import Counts
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.precision import noted_precision
from auxseg.models.weights import load_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.prediction import predict_photos
from auxseg.training.augment import NO_SALIENCY, PixelSample
from auxseg.training.distributed import Team
from auxseg.training.loop import fit
from auxseg.training.losses import multi_task_loss
from auxseg.training.samples import TrainingSamples


class MaskSamples(TrainingSamples):
    """Training samples labelled with masks: where a mask is 255, the saliency is as unknown as the class."""

    def __getitem__(self, index: tuple[int, int, int]) -> PixelSample:
        sample = super().__getitem__(index)  # an 8-bit saliency label cannot say that it knows nothing
        return replace(sample, saliency=sample.saliency.masked_fill(sample.label == IGNORE, NO_SALIENCY))


def main() -> None:
    """Train on the masks, evaluate on val, print the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, required=True)
    epochs = parser.parse_args().epochs
    values = yaml.safe_load(Path("params.yaml").read_text())
    backbone, network_params, params, runtime = (
        section.of(values) for section in (BackboneParams, NetworkParams, TrainParams, RuntimeParams)
    )
    params = params.model_copy(update={"epochs": epochs, "steps": None, "accumulate": 1, "devices": 1, "nodes": 1})
    store = Store()
    dataset = Dataset(store)
    classes, root, found = dataset.classes, dataset.root, Masks.of(dataset)
    runtime = noted_precision(runtime, store.weights(R0))
    device = prepare_device(runtime, training=True)
    low_precision = runtime.low_precision

    train = [record for record in dataset.records("train") if record.id in found]
    masks = {record.id: found[record.id] for record in train}
    labels = {image_id: encode_label(mask) for image_id, mask in masks.items()}
    saliency = {image_id: encode_grey(((mask > 0) & (mask < 255)).astype(float)) for image_id, mask in masks.items()}

    torch.manual_seed(params.seed)
    network = build_auxsegnet(backbone, network_params, len(classes), params.dropout)
    load_weights(store.weights(R0), network, partial=True)
    network.backbone.freeze(params.frozen_layers)
    samples = MaskSamples(train, root, classes, params.augment, params.seed, labels, saliency, runtime=runtime)

    def step(part, divisors):
        outputs = network(part.image, low_precision=low_precision)
        return multi_task_loss(outputs, part, divisors, params.loss, params.saliency_target)

    fit(network, step, samples, params, Team(device))

    network.eval()
    evaluation = EvaluateParams.parse(values.get("evaluate"))
    counts = {"val_miou": Counts.zeros(len(classes)), "val_miou_ms_crf": Counts.zeros(len(classes))}
    val = [record for record in dataset.records("val") if record.id in found]
    photos = (read_photo(root, record) for record in val)
    for record, made in zip(val, predict_photos(network, photos, evaluation, runtime, device), strict=True):
        for name, prediction in (("val_miou", made.single), ("val_miou_ms_crf", made.final)):
            counts[name] += Counts.of(prediction, found[record.id], len(classes))
    figures = {name: round(count.means()["miou"], 2) for name, count in counts.items()}
    print(json.dumps({"supervised": "masks of train", "epochs": epochs, **figures}))


if __name__ == "__main__":
    main()
