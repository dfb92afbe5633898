"""Stage score: count one round's pseudo labels against the masks of the training images, where there are masks.

Beside the labels it scores the CAM alone at fixed thresholds. The best of them is chosen by looking at masks: an
"oracle" figure, never used on the way to a model.
"""

from collections import defaultdict
from functools import partial

import numpy as np

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.manifest import read_classes, read_mask_list, read_shard
from auxseg.datasets.masks import read_mask
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.fusion import upsample
from auxseg.images import decode_indices
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts
from auxseg.parallel import track
from auxseg.pipeline.stage import Stage, run

CAM_THRESHOLDS = [round(0.05 * step, 2) for step in range(1, 15)]


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest/dataset.json").parent
    classes = read_classes(stage.input("data/manifest/classes.csv").parent)
    root, unlisted = photos_root(manifest), mask_policy(manifest)
    masks = read_mask_list(stage.input(f"data/masks/{stage.shard}.csv").parent, [stage.shard])
    labels = Archive(stage.input(f"data/labels/{stage.round}/{stage.shard}.zip"))
    maps = TensorFile(stage.input(f"data/maps/{stage.round}/{stage.shard}.safetensors"))

    counts: dict[str, Counts] = defaultdict(partial(Counts.zeros, len(classes)))
    for record in track(read_shard(stage.input(f"data/manifest/{stage.shard}.csv"), "train"), f"score {stage.key}"):
        if record.id not in masks:
            continue
        mask = read_mask(root / masks[record.id], classes, unlisted)
        counts["labels"] += Counts.of(decode_indices(labels[f"{record.id}.png"]), mask, len(classes))
        present = np.array([classes.index(name) for name in record.labels], np.uint8)
        cam = upsample(maps[f"{record.id}.cam"], *mask.shape)
        strongest, value = present[cam.argmax(axis=0)], cam.max(axis=0)
        for threshold in CAM_THRESHOLDS:
            prediction = np.where(value > threshold, strongest, 0).astype(np.uint8)
            counts[f"cam>{threshold:.2f}"] += Counts.of(prediction, mask, len(classes))
    write_counts(stage.output(f"data/score/{stage.round}/{stage.shard}.csv"), counts)


if __name__ == "__main__":
    run("score", main, rounds=True, shards=True)
