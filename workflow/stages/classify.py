"""Stage classify: train the single-task classifier on image-level labels (docs/method.md section 2, r0)."""

from collections.abc import Iterable
from functools import partial

import numpy as np
import torch

from auxseg.artifacts.atomic import write_json
from auxseg.datasets.manifest import read_classes, read_manifest
from auxseg.datasets.photos import read_photo
from auxseg.datasets.root import photos_root
from auxseg.metrics.tags import mean_average_precision
from auxseg.models.backbones import build_backbone
from auxseg.models.classifier import Classifier
from auxseg.models.inputs import to_tensor
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.training.distributed import Team, train_together
from auxseg.training.job import train_and_save
from auxseg.training.losses import classification_loss
from auxseg.training.samples import TrainingSamples


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(ClassifyParams)
    train_together(params, runtime, partial(classify, stage, runtime, params))


def classify(stage: Stage, runtime: RuntimeParams, params: ClassifyParams, team: Team) -> None:
    backbone = stage.params(BackboneParams)
    manifest = stage.input("data/manifest")
    classes = read_classes(manifest / "classes.csv")

    torch.manual_seed(params.seed)
    network = Classifier(build_backbone(backbone, pretrained=True), len(classes), params.dropout)
    network.backbone.freeze(params.frozen_layers)
    records, root = read_manifest(manifest, "train"), photos_root(manifest / "dataset.json")
    samples = TrainingSamples(records, root, classes, params.augment, params.seed, runtime=runtime)
    low_precision = runtime.low_precision and network.backbone.dense_convolutions

    def step(part, counts):
        with torch.autocast(team.device.type, torch.bfloat16, enabled=low_precision):
            logits = network(part.image)
        return {"loss": classification_loss(logits.float(), part.classes, counts.images)}

    checkpoint = train_and_save(stage, network, step, samples, params, team, round_name="r0", classes=classes.names)
    if not checkpoint:
        return
    val = [record for record in read_manifest(manifest, "val") if record.labels]
    images = (to_tensor(read_photo(root, record), team.device, runtime) for record in track(val, "val"))
    tags = [classes.multi_hot(record.labels) for record in val]
    figure = _mean_average_precision(network.eval(), images, tags)
    write_json(stage.output("data/metrics/classifier.json"), {"val_mean_average_precision": figure})
    checkpoint.remove()


@torch.no_grad()
def _mean_average_precision(
    network: Classifier, images: Iterable[torch.Tensor], tags: list[np.ndarray]
) -> float | None:
    scores = [network(image)[0].cpu().numpy() for image in images]
    return mean_average_precision(np.stack(scores), np.stack(tags)) if scores else None


if __name__ == "__main__":
    run("classify", main)
