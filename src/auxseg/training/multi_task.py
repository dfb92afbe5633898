"""The training of one round's multi-task network (docs/method.md section 3)."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.damage import damaged
from auxseg.artifacts.rounds import Round
from auxseg.datasets.dataset import Dataset
from auxseg.errors import DataError, shorten
from auxseg.models.auxsegnet import AuxSegNet, build_auxsegnet
from auxseg.models.weights import load_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.review.uses import TrainingUse, Use, read_uses
from auxseg.training.augment import PixelSample, Sample
from auxseg.training.descent import Step
from auxseg.training.losses import Divisors, multi_task_loss
from auxseg.training.samples import LabelFiles, TrainingSamples

NAMED = 5
"""Classes that a message names."""


def start_network(
    weights: Path, backbone: BackboneParams, network: NetworkParams, classes: int, params: TrainParams
) -> tuple[AuxSegNet, bool]:
    """Return the network to train, and whether all its tensors come from `weights`, those of the previous round.

    The classifier has no task branches and no affinities, so it gives only the backbone and the classification branch.
    """
    torch.manual_seed(params.seed)
    built = build_auxsegnet(backbone, network, classes, params.dropout)
    missing = load_weights(weights, built, partial=True)
    logging.info("%d tensors are randomly initialised, the others come from round %s", len(missing), weights.stem)
    built.backbone.freeze(params.frozen_layers)
    return built, not missing


def training_set(dataset: Dataset, labelled: Round, params: TrainParams, runtime: RuntimeParams) -> TrainingSamples:
    """Return the training images with the labels of round `labelled`, used as its review says.

    Raises:
        DataError: an artifact is missing or damaged, or no pixel is labelled although segmentation is to be trained.
    """
    store, classes = dataset.store, dataset.classes
    uses = read_uses(store.uses(labelled))
    records = dataset.records("train")
    if missing := [record.id for record in records if record.id not in uses]:
        raise damaged(store.uses(labelled), f"it has no row of '{missing[0]}'")
    records = [record for record in records if uses[record.id].use is not Use.LEAVE_OUT]
    labels, saliency = (
        LabelFiles([Archive(path) for path in dataset.every_shard(partial(file, labelled)).values()])
        for file in (store.labels, store.saliency_labels)
    )
    samples = TrainingSamples(
        records,
        dataset.root,
        classes,
        params.augment,
        params.seed,
        labels,
        saliency,
        ignored={image_id for image_id, use in uses.items() if use.use is Use.IGNORE},
        dropped=_dropped(uses, classes.with_background, store.uses(labelled)),
        runtime=runtime,
        corrected=LabelFiles([Archive(store.corrected(labelled))]),
    )
    if params.loss.segmentation:
        _check_labels(samples, store.label_folder(labelled))
    return samples


def _check_labels(samples: TrainingSamples, source: Path) -> None:
    # the loss of no pixel is 0, so a training without labels ends well and predicts what its random weights do
    wanted = {0, *(samples.classes.index(name) for record in samples.records for name in record.tags)}
    found = samples.labelled(wanted)
    if samples.records and not found:
        raise DataError(
            f"{source}: the labels of all {len(samples)} training images are ignored (255) everywhere, so segmentation "
            "has nothing to learn; lower labels.cam_threshold, change labels.saliency_threshold, or look at what the "
            "reviewers rejected"
        )
    if missing := [samples.classes.with_background[index] for index in sorted(wanted - found)]:
        logging.warning(
            "%s: segmentation cannot learn %d of %d classes, because no pixel has their label: %s",
            source,
            len(missing),
            len(wanted),
            shorten(missing, NAMED),
        )


def training_step(network: AuxSegNet, params: TrainParams, runtime: RuntimeParams) -> Step:
    """Return the step that computes the losses of a part of a batch."""

    def step(part: Sample, divisors: Divisors) -> dict[str, Tensor]:
        if not isinstance(part, PixelSample):
            raise TypeError("the multi-task network trains on samples with labels")
        outputs = network(part.image, low_precision=runtime.low_precision)
        return multi_task_loss(outputs, part, divisors, params.loss, params.saliency_target)

    return step


def _dropped(uses: Mapping[str, TrainingUse], names: tuple[str, ...], source: Path) -> dict[str, list[int]]:
    """Return image id -> class indices whose pixels count as 255."""
    if strange := [name for use in uses.values() for name in use.dropped if name not in names]:
        raise damaged(source, f"'{strange[0]}' is not a class")
    return {image_id: [names.index(name) for name in use.dropped] for image_id, use in uses.items() if use.dropped}
