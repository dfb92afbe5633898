"""The labels of a round from stored maps (docs/method.md section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.tensors import opened_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.photos import read_photo
from auxseg.datasets.stored import decode_saliency, read_cam, read_map
from auxseg.encoded import as_share, decode_grey, encode_grey, encode_label
from auxseg.external.labels import LabelFolder
from auxseg.fusion import complete, fuse, saliency_label
from auxseg.maps import upsample
from auxseg.parallel import map_processes
from auxseg.params.labels import LabelsParams


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
        maps, saliency_png = opened_tensors(self.maps), opened_archive(self.prior)[f"{record.id}.png"]
        saliency = as_share(decode_saliency(saliency_png, record, self.prior))
        if f"{record.id}.saliency" in maps:  # r0 has the prior alone
            refined = read_map(maps, record, "saliency").astype(np.float32)
            label = saliency_label(read_photo(self.root, record), saliency, refined, self.params)
            saliency_png = encode_grey(label)
            saliency = decode_grey(saliency_png)  # as stored, so that the report computes the same
        if self.initial is not None and record.tags:  # without tags, `fuse` makes it background everywhere
            return encode_label(self.initial(record)), saliency_png
        cam = upsample(read_cam(maps, record), *saliency.shape)
        present = [self.classes.index(name) for name in record.tags]
        label = fuse(cam, present, saliency, *self.params.thresholds)
        if self.params.completion == "crf":
            label = complete(read_photo(self.root, record), label, present, self.params.crf_side)
        return encode_label(label), saliency_png


def label_images(
    job: LabelJob, records: Sequence[ImageRecord], title: str
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return pseudo labels and saliency labels of some images, `<id>.png` -> content.

    `title` is for the progress bar.
    """
    done = map_processes(job, records, title)
    names = [f"{record.id}.png" for record in records]
    labels = dict(zip(names, (label for label, _ in done), strict=True))
    saliency = dict(zip(names, (saliency for _, saliency in done), strict=True))
    return labels, saliency
