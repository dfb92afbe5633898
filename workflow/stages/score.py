"""Stage score: count what one round's pseudo labels look like, and how they and the saliency labels meet the masks.

Areas, components and confidence need no mask; the rest is counted where there is one. Beside the labels it scores the
CAM alone at fixed thresholds. The best of them is chosen by looking at masks: an "oracle" figure, never used on the
way to a model.
"""

from collections import defaultdict
from functools import partial

import numpy as np

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.manifest import read_classes, read_mask_list, read_shard
from auxseg.datasets.masks import read_mask
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.images import decode_indices
from auxseg.maps import upsample
from auxseg.metrics.confusion import confuse, no_confusion, write_confusion
from auxseg.metrics.histogram import Histograms
from auxseg.metrics.labels import measure_label, write_areas
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts
from auxseg.parallel import track
from auxseg.pipeline.stage import Stage, run

CAM_THRESHOLDS = [round(0.05 * step, 2) for step in range(1, 15)]


def main(stage: Stage) -> None:
    dataset = stage.input("data/manifest/dataset.json")
    classes = read_classes(stage.input("data/manifest/classes.csv"))
    root, unlisted = photos_root(dataset), mask_policy(dataset)
    masks = read_mask_list([stage.input(f"data/masks/{stage.shard}.csv")])
    labels = Archive(stage.input(f"data/labels/{stage.round}/{stage.shard}.zip"))
    saliency_labels = Archive(stage.input(f"data/saliency_labels/{stage.round}/{stage.shard}.zip"))
    maps = TensorFile(stage.input(f"data/maps/{stage.round}/{stage.shard}.safetensors"))

    counts: dict[str, Counts] = defaultdict(partial(Counts.zeros, len(classes)))
    areas, confusion = [], no_confusion(len(classes))
    histograms, saliency = Histograms(), SaliencyMeasures()
    for record in track(read_shard(stage.input(f"data/manifest/{stage.shard}.csv"), "train"), f"score {stage.key}"):
        label, cam = decode_indices(labels[f"{record.id}.png"]), maps[f"{record.id}.cam"]
        areas += measure_label(record.id, label)
        if len(cam):
            histograms.add("cam", cam.max(axis=0))
        if f"{record.id}.confidence" in maps:  # r0 has no network
            histograms.add("confidence", maps[f"{record.id}.confidence"])
        if record.id not in masks:
            continue
        mask = read_mask(root / masks[record.id], classes, unlisted)
        confusion += confuse(label, mask, len(classes))
        saliency.add(decode_indices(saliency_labels[f"{record.id}.png"]), mask)
        counts["labels"] += Counts.of(label, mask, len(classes))
        strongest, value = _strongest(upsample(cam, *mask.shape), [classes.index(name) for name in record.labels])
        for threshold in CAM_THRESHOLDS:
            prediction = np.where(value > threshold, strongest, 0).astype(np.uint8)
            counts[f"cam>{threshold:.2f}"] += Counts.of(prediction, mask, len(classes))
    write_counts(stage.output(f"data/score/counts/{stage.round}/{stage.shard}.csv"), counts)
    write_areas(stage.output(f"data/score/areas/{stage.round}/{stage.shard}.csv"), areas)
    write_confusion(stage.output(f"data/score/confusion/{stage.round}/{stage.shard}.csv"), confusion)
    saliency.write(stage.output(f"data/score/saliency/{stage.round}/{stage.shard}.csv"))
    histograms.write(stage.output(f"data/score/confidence/{stage.round}/{stage.shard}.csv"))


def _strongest(cam: np.ndarray, present: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return class index and value of the strongest CAM (L, H, W) in every pixel; zeros for an image without tags."""
    if not present:
        return np.zeros(cam.shape[1:], np.uint8), np.zeros(cam.shape[1:], np.float32)
    return np.array(present, np.uint8)[cam.argmax(axis=0)], cam.max(axis=0)


if __name__ == "__main__":
    run("score", main, rounds=True, shards=True)
