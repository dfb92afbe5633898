"""Stage cam: multi-scale CAMs of the classifier for the training images of one shard."""

import numpy as np
import torch

from auxseg.artifacts.tensors import write_tensors
from auxseg.cam import multi_scale_cam
from auxseg.datasets.manifest import read_classes, read_shard
from auxseg.datasets.root import photos_root
from auxseg.models.backbones import build_backbone
from auxseg.models.classifier import Classifier
from auxseg.models.inputs import image_tensor
from auxseg.models.weights import load_weights, setup
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(CamParams)
    device = setup(runtime)
    classes = read_classes(stage.input("data/manifest/classes.csv").parent)
    root = photos_root(stage.input("data/manifest/dataset.json").parent)
    network = Classifier(build_backbone(stage.params(BackboneParams), pretrained=False), len(classes))
    load_weights(stage.input("data/models/r0.safetensors"), network)
    network.to(device).eval()
    low_precision = runtime.precision == "bfloat16" and network.backbone.dense_convolutions

    maps = {}
    for record in track(read_shard(stage.input(f"data/manifest/{stage.shard}.csv"), "train"), f"cam {stage.key}"):
        image = image_tensor(root / record.path, device, runtime.max_side)
        present = [classes.index(name) - 1 for name in record.labels]
        with torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            cam = multi_scale_cam(network, image, present, params.scales, params.flip)
        maps[f"{record.id}.cam"] = cam.cpu().numpy().astype(np.float16)
    write_tensors(stage.output(f"data/maps/r0/{stage.shard}.safetensors"), maps)


if __name__ == "__main__":
    run("cam", main, shards=True)
