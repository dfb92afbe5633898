"""Stage evaluate: a round's model on val, without and with post-processing (docs/method.md section 6).

Writes the final predictions (multi-scale + CRF) as label PNGs, and counts for three kinds: `model` (single scale),
`model+ms` (multi-scale) and `model+ms+crf`. Without masks the predictions are written and the counts stay empty.
"""

from collections import defaultdict
from functools import partial

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.manifest import (
    manifest_shards,
    read_classes,
    read_manifest,
    read_mask_list,
    shard_files,
)
from auxseg.datasets.masks import read_mask
from auxseg.datasets.photos import read_photo
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.images import encode_label
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts
from auxseg.models.auxsegnet import load_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.prediction import predict_photos

KINDS = ("model", "model+ms", "model+ms+crf")
"""Of a `Prediction`, in its order."""


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(EvaluateParams)
    device = prepare_device(runtime)
    manifest = stage.input("data/manifest")
    classes = read_classes(manifest / "classes.csv")
    root, unlisted = photos_root(manifest / "dataset.json"), mask_policy(manifest / "dataset.json")
    masks = read_mask_list(shard_files(stage.input("data/masks"), manifest_shards(manifest), ".csv").values())
    weights = stage.input(f"data/models/{stage.round}.safetensors")
    network = load_auxsegnet(weights, stage.params(BackboneParams), stage.params(NetworkParams), len(classes))
    network.to(device).eval()
    records = read_manifest(manifest, "val")

    counts: dict[str, Counts] = defaultdict(partial(Counts.zeros, len(classes)))
    files = {}
    photos = (read_photo(root, record) for record in track(records, f"evaluate {stage.round}"))
    predictions = predict_photos(network, photos, params, runtime, device)
    for record, prediction in zip(records, predictions, strict=True):
        files[f"{record.id}.png"] = encode_label(prediction.final)
        if record.id in masks:
            mask = read_mask(root / masks[record.id], classes, unlisted)
            for kind, indices in zip(KINDS, prediction, strict=True):
                counts[kind] += Counts.of(indices, mask, len(classes))
    write_archive(stage.output(f"data/predictions/{stage.round}.zip"), files)
    write_counts(stage.output(f"data/evaluate/{stage.round}.csv"), counts)


if __name__ == "__main__":
    run("evaluate", main, rounds=True)
