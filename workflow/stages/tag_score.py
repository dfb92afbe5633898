"""Stage tag_score: how well the classifier finds the image-level labels of val images (mean average precision)."""

from collections.abc import Sequence

import numpy as np
import torch

from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.rounds import R0
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
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


def main(stage: Stage) -> None:
    dataset = Dataset(stage.inputs)
    records = [record for record in dataset.records("val") if record.is_tagged]
    figure = None
    if records:  # otherwise no GPU is needed
        tags = np.stack([dataset.classes.multi_hot(record.tags) for record in records])
        figure = mean_average_precision(scores_of(stage, dataset, records), tags)
    write_json(stage.outputs.classifier_metrics, {VAL_PRECISION: figure})


@torch.no_grad()
def scores_of(stage: Stage, dataset: Dataset, records: Sequence[ImageRecord]) -> np.ndarray:
    weights = stage.inputs.weights(R0)
    runtime = noted_precision(stage.params(RuntimeParams), weights)
    device, scores = prepare_device(runtime), []
    network = load_classifier(weights, stage.params(BackboneParams), len(dataset.classes), device)
    photos = track(read_photos(dataset.root, records), "tag_score", total=len(records))
    for record, photo in zip(records, photos, strict=True):
        logits = network(to_tensor(photo, device, runtime))[0].cpu().numpy()
        check_outputs({"class score": logits}, f"image '{record.id}'")
        scores.append(logits)
    return np.stack(scores)


if __name__ == "__main__":
    run("tag_score", main)
