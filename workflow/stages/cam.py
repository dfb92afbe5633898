"""Stage cam: the CAMs of r0 for the training images of one shard, from the classifier or from another method."""

from collections.abc import Callable

import numpy as np

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.tensors import write_tensors
from auxseg.cam import classifier_cams
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.external.cams import CamFolder
from auxseg.models.classifier import load_classifier
from auxseg.models.device import prepare_device
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    params, dataset = stage.params(CamParams), Dataset(stage.inputs)
    own = params.provider == "classifier"
    maps_of = own_maps(stage, dataset, params) if own else given_maps(dataset, params)
    tensors: dict[str, np.ndarray] = {}
    for record in track(dataset.records("train", stage.shard), f"cam {stage.key}"):
        tensors |= {f"{record.id}.{name}": value for name, value in maps_of(record).items()}
    write_tensors(stage.outputs.maps(R0, stage.shard), tensors)


def given_maps(dataset: Dataset, params: CamParams) -> Callable[[ImageRecord], dict[str, np.ndarray]]:
    cam_of = CamFolder.of(params, dataset.root, dataset.classes)
    return lambda record: {"cam": cam_of(record)}


def own_maps(stage: Stage, dataset: Dataset, params: CamParams) -> Callable[[ImageRecord], dict[str, np.ndarray]]:
    runtime = stage.params(RuntimeParams)
    device = prepare_device(runtime)
    weights, backbone = stage.inputs.weights(R0), stage.params(BackboneParams)
    network = load_classifier(weights, backbone, len(dataset.classes), device)
    return classifier_cams(network, dataset, params, runtime, device)


if __name__ == "__main__":
    run("cam", main, shards=True)
