"""Stage classify: train the single-task classifier on image-level labels (docs/method.md section 2, r0)."""

import torch
import torch.nn.functional as F

from auxseg.artifacts.tables import write_rows
from auxseg.datasets.manifest import read_classes, read_manifest
from auxseg.datasets.root import photos_root
from auxseg.models.backbones import build_backbone
from auxseg.models.classifier import Classifier
from auxseg.models.weights import save_weights, setup
from auxseg.params.backbone import BackboneParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.training.loop import fit
from auxseg.training.samples import TrainingSamples


def main(stage: Stage) -> None:
    runtime = stage.params(RuntimeParams)
    params = stage.params(ClassifyParams)
    backbone = stage.params(BackboneParams)
    manifest = stage.input("data/manifest")
    classes = read_classes(manifest)
    device = setup(runtime)

    torch.manual_seed(params.seed)
    network = Classifier(build_backbone(backbone, pretrained=True), len(classes), params.dropout)
    records = read_manifest(manifest, "train")
    samples = TrainingSamples(records, photos_root(manifest), classes, params.augment, params.seed)
    low_precision = runtime.precision == "bfloat16" and network.backbone.dense_convolutions

    def step(batch):
        with torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            logits = network(batch.image)
        return {"loss": F.multilabel_soft_margin_loss(logits.float(), batch.classes)}

    curve = fit(
        network, step, samples, epochs=params.epochs, batch_size=params.batch_size, optimiser=params.optimiser,
        batch_norm=params.batch_norm, device=device,
    )  # fmt: skip
    save_weights(stage.output("data/models/r0.safetensors"), network, {"classes": list(classes.names)})
    write_rows(stage.output("data/curves/r0.csv"), curve)


if __name__ == "__main__":
    run("classify", main)
