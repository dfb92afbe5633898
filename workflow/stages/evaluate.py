"""Stage evaluate: a round's model on val, without and with post-processing (docs/method.md section 6).

Writes the final predictions (multi-scale + CRF) as label PNGs, and counts for three kinds: `model` (single scale),
`model+ms` (multi-scale) and `model+ms+crf`. Without masks the predictions are written and the counts stay empty.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

import numpy as np

from auxseg.artifacts.archive import write_archive
from auxseg.crf import class_crf
from auxseg.datasets.manifest import ImageRecord, manifest_shards, read_classes, read_manifest, read_mask_list
from auxseg.datasets.masks import read_mask
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.fusion import upsample
from auxseg.images import encode_label, read_rgb
from auxseg.inference import predict
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts
from auxseg.models.auxsegnet import load_auxsegnet
from auxseg.models.inputs import to_tensor
from auxseg.models.weights import setup
from auxseg.parallel import background_processes, track
from auxseg.params.backbone import BackboneParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(EvaluateParams)
    device = setup(runtime)
    manifest = stage.input("data/manifest")
    classes = read_classes(manifest)
    root, unlisted = photos_root(manifest), mask_policy(manifest)
    masks = read_mask_list(stage.input("data/masks"), manifest_shards(manifest))
    weights = stage.input(f"data/models/{stage.round}.safetensors")
    network = load_auxsegnet(weights, stage.params(BackboneParams), stage.params(NetworkParams), len(classes))
    network.to(device).eval()
    records = read_manifest(manifest, "val")

    def predictions() -> Iterator[tuple[ImageRecord, np.ndarray, np.ndarray, np.ndarray]]:
        for record in track(records, f"evaluate {stage.round}"):
            rgb = read_rgb(root / record.path)
            image = to_tensor(rgb, device, runtime.max_side)
            single, joined = predict(
                network, image, params.scales, flip=params.flip, combine=params.combine,
                low_precision=runtime.precision == "bfloat16",
            )  # fmt: skip
            yield record, rgb, single, joined

    counts: dict[str, Counts] = defaultdict(partial(Counts.zeros, len(classes)))
    files = {}
    post_process = partial(_post_process, crf=params.crf)
    for record, single, joined, final in background_processes(post_process, predictions()):
        files[f"{record.id}.png"] = encode_label(final)
        if record.id in masks:
            mask = read_mask(root / masks[record.id], classes, unlisted)
            for kind, prediction in (("model", single), ("model+ms", joined), ("model+ms+crf", final)):
                counts[kind] += Counts.of(prediction, mask, len(classes))
    write_archive(stage.output(f"data/predictions/{stage.round}.zip"), files)
    write_counts(stage.output(f"data/evaluate/{stage.round}.csv"), counts)


def _post_process(item, crf):
    record, rgb, single, joined = item
    single, joined = (upsample(map_, *rgb.shape[:2]) for map_ in (single, joined))  # to the size of the photograph
    refined = class_crf(rgb, joined, crf)
    return record, *(probabilities.argmax(axis=0).astype(np.uint8) for probabilities in (single, joined, refined))


if __name__ == "__main__":
    run("evaluate", main, rounds=True)
