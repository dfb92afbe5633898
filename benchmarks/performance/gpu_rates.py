"""Part of gpu.py: images a second of what the stages do, from JPEGs to arrays, against the bare network.

The images are of VOC's size, the network is ResNet38 with random weights; the bare network gets one image that is on
the device already, at the same scales.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch
from gpu_rows import CLASSES, descent, on_device, random_network, random_part, row
from timing import timed

from auxseg.cam import classifier_cams, multi_scale_cam
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import encode_grey, encode_label
from auxseg.models.classifier import Classifier
from auxseg.models.device import prepare_device
from auxseg.params.augmentation import AugmentParams
from auxseg.params.cam import CamParams
from auxseg.params.propagate import PropagateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.propagation import propagate_image, propagate_images
from auxseg.training.distributed import Team
from auxseg.training.loop import fit
from auxseg.training.multi_task import training_step
from auxseg.training.samples import TrainingSamples

HEIGHT, WIDTH, IMAGES, CROP, BATCH = 375, 500, 96, 321, 16
STAGE, TRAIN = 0.8, 0.9
"""The share of the bare network's rate that the stages should reach."""
ROUND_IMAGES, ROUND_EPOCHS, ROUND_MINUTES = 10_582, 15, 30
"""A round on VOC's augmented training set, estimated from the rates."""


def measure(device: torch.device, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows."""
    tiny = arguments.tiny
    backbone, stride = ("efficientnet_lite0", 16) if tiny else ("resnet38", 8)
    count, crop, batch = (4, 64, 2) if tiny else (IMAGES, CROP, BATCH)
    precision: Any = "float32" if device.type == "cpu" else "bfloat16"
    runtime = RuntimeParams(threads=torch.get_num_threads(), precision=precision, deterministic=False)
    prepare_device(runtime, training=True)
    names = tuple(f"class{number}" for number in range(CLASSES))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        records = list(write_images(root, count, names, (64, 96) if tiny else (HEIGHT, WIDTH)))
        dataset: Any = SimpleNamespace(root=root, classes=ClassTable(names, tuple(range(1, CLASSES + 1))))
        network = random_network(backbone, stride).to(device)
        rates = {"train": train_rates(network, dataset, records, crop, batch, runtime, device)}
        network.eval()
        prepare_device(runtime)
        rates["propagate"] = propagate_rates(network, dataset, records, runtime, device)
        classifier = Classifier(network.backbone, CLASSES).to(device).eval()
        rates["cam"] = cam_rates(classifier, dataset, records, runtime, device)
    rows: list[dict[str, Any]] = []
    for what, (stage, bare) in rates.items():
        least = TRAIN if what == "train" else STAGE
        checked = stage / bare >= least if device.type == "cuda" else None
        rows += [row(what, "images/s", stage), row(what, "images/s, bare network", bare)]
        rows.append(row(what, "share", stage / bare, f">= {least}", checked))
    minutes = ROUND_IMAGES * (ROUND_EPOCHS / rates["train"][0] + 1 / rates["propagate"][0]) / 60
    checked = minutes <= ROUND_MINUTES if device.type == "cuda" else None
    rows.append(row("a round of VOC's 10,582 images", "minutes, estimated", minutes, f"<= {ROUND_MINUTES}", checked))
    return rows


def write_images(root: Path, count: int, names: tuple[str, ...], size: tuple[int, int]) -> Iterator[ImageRecord]:
    """Write JPEGs of noise that is some pixels wide, and yield their records."""
    random, (height, width) = np.random.default_rng(0), size
    for number in range(count):
        small = random.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        cv2.imwrite(str(root / f"{number}.jpg"), cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
        yield ImageRecord(f"{number}", f"{number}.jpg", width, height, "train", names[:2], "")


def train_rates(
    network: Any, dataset: Any, records: list[ImageRecord], crop: int, batch: int, runtime: RuntimeParams, device: Any
) -> tuple[float, float]:
    """Return images a second of an epoch of `fit`, without its start, and of the bare step."""
    random, shape = np.random.default_rng(0), (records[0].height, records[0].width)
    label = encode_label(random.integers(0, CLASSES + 1, shape).astype(np.uint8))
    labels = {record.id: label for record in records}
    params = TrainParams(batch_size=batch, augment=AugmentParams(crop=crop))
    samples = TrainingSamples(
        records * 4,
        dataset.root,
        dataset.classes,
        params.augment,
        0,
        labels,
        dict.fromkeys(labels, encode_grey(random.random(shape))),
        runtime=runtime,
    )
    step = training_step(network, params, runtime)

    def seconds(epochs: int) -> float:
        length = params.model_copy(update={"epochs": epochs})
        return timed(lambda: fit(network, step, samples, length, Team(device)), 1, device).median

    whole = (seconds(3) - seconds(1)) / 2  # the start of its workers takes as long in both
    part, divisors = on_device(random_part(batch, crop), device)
    bare = timed(descent(network, lambda: step(part, divisors)["loss"]), 5, device).median
    return len(samples) / whole, batch / bare


def propagate_rates(
    network: Any, dataset: Any, records: list[ImageRecord], runtime: RuntimeParams, device: Any
) -> tuple[float, float]:
    """Return images a second of `propagate` and of the bare network."""
    params = PropagateParams()

    def bare() -> object:
        return propagate_image(
            network, _image(records[0], device), [0, 1], renormalise=True, low_precision=runtime.low_precision,
            scales=params.scales, flip=params.flip,
        )  # fmt: skip

    def stage() -> object:
        return propagate_images(network, dataset, records, {}, params, runtime, device, "propagate")  # type: ignore[arg-type]

    return _rates(stage, bare, len(records), device)


def cam_rates(
    network: Classifier, dataset: Any, records: list[ImageRecord], runtime: RuntimeParams, device: Any
) -> tuple[float, float]:
    """Return images a second of `cam` and of the bare classifier."""
    params = CamParams()

    def bare() -> object:
        with torch.autocast(device.type, torch.bfloat16, enabled=runtime.low_precision):
            return multi_scale_cam(network, _image(records[0], device), [0, 1], params.scales, params.flip)

    return _rates(
        lambda: list(classifier_cams(network, dataset, records, params, runtime, device)), bare, len(records), device
    )


def _rates(
    stage: Callable[[], object], bare: Callable[[], object], count: int, device: torch.device
) -> tuple[float, float]:
    whole, one = timed(stage, 1, device).median, timed(bare, 8, device).median
    return count / whole, 1 / one


def _image(record: ImageRecord, device: torch.device) -> torch.Tensor:
    return torch.full((1, 3, record.height, record.width), 100.0, device=device)
