"""Stage tag_score: how well the classifier finds the image-level labels of val images (mean average precision)."""

import numpy as np
import torch

from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.rounds import R0
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.photos import read_photos
from auxseg.metrics.tags import VAL_PRECISION, mean_average_precision
from auxseg.models.checks import check_outputs
from auxseg.models.classifier import load_classifier
from auxseg.models.device import prepare_device
from auxseg.models.inputs import to_tensor
from auxseg.models.precision import noted_precision
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run


@torch.no_grad()
def main(stage: Stage) -> None:
    weights, dataset = stage.inputs.weights(R0), Dataset(stage.inputs)
    runtime = noted_precision(stage.params(RuntimeParams), weights)
    device, classes = prepare_device(runtime), dataset.classes
    network = load_classifier(weights, stage.params(BackboneParams), len(classes), device)
    records, scores = [record for record in dataset.records("val") if record.is_tagged], []
    photos = track(read_photos(dataset.root, records), "tag_score", total=len(records))
    for record, photo in zip(records, photos, strict=True):
        logits = network(to_tensor(photo, device, runtime))[0].cpu().numpy()
        check_outputs({"class score": logits}, f"image '{record.id}'")
        scores.append(logits)
    tags = [classes.multi_hot(record.tags) for record in records]
    figure = mean_average_precision(np.stack(scores), np.stack(tags)) if records else None
    write_json(stage.outputs.classifier_metrics, {VAL_PRECISION: figure})


if __name__ == "__main__":
    run("tag_score", main)
