"""Stage cam: the CAMs of r0 for the training images of one shard, of the classifier or of another method."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from auxseg.artifacts.tensors import write_tensors
from auxseg.cam import multi_scale_cam
from auxseg.datasets.manifest import ClassTable, ImageRecord, read_classes, read_shard
from auxseg.datasets.photos import read_photo
from auxseg.datasets.root import photos_root
from auxseg.models.backbones import build_backbone
from auxseg.models.classifier import Classifier
from auxseg.models.device import prepare_device
from auxseg.models.inputs import to_tensor
from auxseg.models.weights import load_weights
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.seeds.cams import CamFolder


def main(stage: Stage) -> None:
    params = stage.params(CamParams)
    classes = read_classes(stage.input("data/manifest/classes.csv"))
    root = photos_root(stage.input("data/manifest/dataset.json"))
    records = read_shard(stage.input(f"data/manifest/{stage.shard}.csv"), "train")
    own = params.provider == "classifier"
    cam_of = _classifier_cams(stage, params, classes, root) if own else CamFolder.of(params, root, classes)
    maps = {f"{record.id}.cam": cam_of(record) for record in track(records, f"cam {stage.key}")}
    write_tensors(stage.output(f"data/maps/r0/{stage.shard}.safetensors"), maps)


def _classifier_cams(
    stage: Stage, params: CamParams, classes: ClassTable, root: Path
) -> Callable[[ImageRecord], np.ndarray]:
    runtime = stage.params(RuntimeParams)
    device = prepare_device(runtime)
    network = Classifier(build_backbone(stage.params(BackboneParams), pretrained=False), len(classes))
    load_weights(stage.input("data/models/r0.safetensors"), network)
    network.to(device).eval()
    low_precision = runtime.low_precision and network.backbone.dense_convolutions

    def cam_of(record: ImageRecord) -> np.ndarray:
        image = to_tensor(read_photo(root, record), device, runtime)
        present = [classes.index(name) - 1 for name in record.labels]
        with torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            cam = multi_scale_cam(network, image, present, params.scales, params.flip)
        return cam.cpu().numpy().astype(np.float16)

    return cam_of


if __name__ == "__main__":
    run("cam", main, shards=True)
