"""The training of the single-task classifier (docs/method.md section 2, r0)."""

from pathlib import Path

import torch
from torch import Tensor

from auxseg.datasets.dataset import Dataset
from auxseg.datasets.scan import check_content
from auxseg.models.backbones import build_backbone
from auxseg.models.classifier import Classifier
from auxseg.params.backbone import BackboneParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.runtime import RuntimeParams
from auxseg.training.augment import Sample
from auxseg.training.descent import Step
from auxseg.training.losses import Divisors, classification_loss
from auxseg.training.samples import TrainingSamples


def build_training(
    dataset: Dataset, backbone: BackboneParams, runtime: RuntimeParams, params: ClassifyParams, device: torch.device
) -> tuple[Classifier, Step, TrainingSamples]:
    """Return the network to train, the step that computes its losses, and the training set.

    Raises:
        DataError: the file that `backbone.weights` names does not fit, or is not the one that was scanned.
    """
    check_content(backbone, Path())
    torch.manual_seed(params.seed)
    network = Classifier(build_backbone(backbone, pretrained=True), len(dataset.classes), params.dropout)
    network.backbone.freeze(params.frozen_layers)
    samples = TrainingSamples(
        dataset.records("train"), dataset.root, dataset.classes, params.augment, params.seed, runtime=runtime
    )
    low_precision = runtime.low_precision and network.backbone.dense_convolutions

    def step(part: Sample, divisors: Divisors) -> dict[str, Tensor]:
        with torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            logits = network(part.image)
        return {"loss": classification_loss(logits.float(), part.classes, divisors.images)}

    return network, step, samples
