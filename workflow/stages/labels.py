"""Stage labels: segmentation and saliency labels of a round and shard from stored maps (docs/method.md section 2)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import opened_archive, write_archive
from auxseg.artifacts.tensors import opened_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord, read_classes, read_shard
from auxseg.datasets.photos import read_photo
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.fusion import fuse, saliency_label
from auxseg.images import decode_grey, encode_grey, encode_label
from auxseg.maps import upsample
from auxseg.parallel import map_processes
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import Stage, run
from auxseg.seeds.labels import LabelFolder


@dataclass(frozen=True)
class LabelJob:
    """Everything that labels one image; handed to worker processes."""

    params: LabelsParams
    classes: ClassTable
    root: Path
    maps: Path
    prior: Path
    initial: LabelFolder | None = None
    """Labels of another method, r0 only."""

    def __call__(self, record: ImageRecord) -> tuple[bytes, bytes]:
        """Return the encoded pseudo label and saliency label."""
        maps, prior_png = opened_tensors(self.maps), opened_archive(self.prior)[f"{record.id}.png"]
        saliency_png = prior_png
        if f"{record.id}.saliency" in maps:  # r0 has the prior alone
            image = read_photo(self.root, record)
            refined = maps[f"{record.id}.saliency"].astype(np.float32)
            saliency_png = encode_grey(saliency_label(image, decode_grey(prior_png), refined, self.params))
        if self.initial is not None:
            return encode_label(self.initial(record)), saliency_png
        saliency = decode_grey(saliency_png)
        cam = upsample(maps[f"{record.id}.cam"], *saliency.shape)
        present = [self.classes.index(name) for name in record.labels]
        label = fuse(cam, present, saliency, self.params.cam_threshold, self.params.saliency_threshold)
        return encode_label(label), saliency_png


def main(stage: Stage) -> None:
    records = read_shard(stage.input(f"data/manifest/{stage.shard}.csv"), "train")
    params, dataset = stage.params(LabelsParams), stage.input("data/manifest/dataset.json")
    classes, root = read_classes(stage.input("data/manifest/classes.csv")), photos_root(dataset)
    precomputed = stage.round == "r0" and params.initial == "precomputed"
    job = LabelJob(
        params,
        classes,
        root,
        stage.input(f"data/maps/{stage.round}/{stage.shard}.safetensors"),
        stage.input(f"data/saliency/{stage.shard}.zip"),
        LabelFolder.of(params, root, classes, mask_policy(dataset)) if precomputed else None,
    )
    done = map_processes(job, records, f"labels {stage.key}")
    names = [f"{record.id}.png" for record in records]
    labels = dict(zip(names, (label for label, _ in done), strict=True))
    saliency = dict(zip(names, (saliency for _, saliency in done), strict=True))
    write_archive(stage.output(f"data/labels/{stage.round}/{stage.shard}.zip"), labels)
    write_archive(stage.output(f"data/saliency_labels/{stage.round}/{stage.shard}.zip"), saliency)


if __name__ == "__main__":
    run("labels", main, rounds=True, shards=True)
