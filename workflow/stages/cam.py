"""Stage cam: the CAMs of r0 for the training images of one shard, from the classifier or from another method."""

from collections.abc import Iterator, Sequence

import numpy as np

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.tensors import write_tensors
from auxseg.cam import classifier_cams
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.external.cams import CamFolder
from auxseg.models.classifier import load_classifier
from auxseg.models.device import prepare_device
from auxseg.models.precision import noted_precision
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    params, dataset = stage.params(CamParams), Dataset(stage.inputs)
    records = dataset.records("train", stage.shard)
    if params.provider == "classifier":
        maps = own_maps(stage, dataset, records, params)
    else:
        maps = given_maps(dataset, records, params)
    tensors: dict[str, np.ndarray] = {}
    for record, found in zip(records, track(maps, f"cam {stage.key}", total=len(records)), strict=True):
        tensors |= {f"{record.id}.{name}": value.copy() for name, value in found.items()}  # out of pinned memory
    write_tensors(stage.outputs.maps(R0, stage.shard), tensors)


def given_maps(dataset: Dataset, records: Sequence[ImageRecord], params: CamParams) -> Iterator[dict[str, np.ndarray]]:
    cam_of = CamFolder.of(params, dataset.root, dataset.classes)
    return ({"cam": cam_of(record)} for record in records)


def own_maps(
    stage: Stage, dataset: Dataset, records: Sequence[ImageRecord], params: CamParams
) -> Iterator[dict[str, np.ndarray]]:
    weights, backbone = stage.inputs.weights(R0), stage.params(BackboneParams)
    runtime = noted_precision(stage.params(RuntimeParams), weights)
    device = prepare_device(runtime)
    network = load_classifier(weights, backbone, len(dataset.classes), device)
    return classifier_cams(network, dataset, records, params, runtime, device)


if __name__ == "__main__":
    run("cam", main, shards=True)
