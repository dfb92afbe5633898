"""The training of the single-task classifier, and how well it does on val (docs/method.md section 2, r0)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from auxseg.datasets.dataset import Dataset
from auxseg.datasets.photos import read_photo
from auxseg.datasets.scan import check_content
from auxseg.metrics.tags import mean_average_precision
from auxseg.models.backbones import build_backbone
from auxseg.models.checks import check_outputs
from auxseg.models.classifier import Classifier
from auxseg.models.inputs import to_tensor
from auxseg.parallel import track
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


@torch.no_grad()
def val_precision(network: Classifier, dataset: Dataset, runtime: RuntimeParams, device: torch.device) -> float | None:
    """Return the mean average precision on the val images whose tags are known, negatives among them; None without.

    The network is put into eval mode, and cuDNN no longer measures its kernels.
    """
    network.eval()
    torch.backends.cudnn.benchmark = False  # of no use any more: nearly every image has a size of its own
    val = [record for record in dataset.records("val") if record.is_tagged]
    images = (to_tensor(read_photo(dataset.root, record), device, runtime) for record in track(val, "val"))
    scores = [network(image)[0].cpu().numpy() for image in images]
    for record, score in zip(val, scores, strict=True):
        check_outputs({"class score": score}, f"image '{record.id}'")
    tags = [dataset.classes.multi_hot(record.tags) for record in val]
    return mean_average_precision(np.stack(scores), np.stack(tags)) if scores else None
