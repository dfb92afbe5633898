"""The expected IoU of every label of a round, and of every class with an interval, without masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tensors import opened_tensors
from auxseg.datasets.by_shard import map_by_shard
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord, shard_of
from auxseg.datasets.stored import read_cam, read_label, read_map, read_saliency
from auxseg.encoded import as_share
from auxseg.maps import upsample
from auxseg.metrics.expected import Overlap, label_overlap

DRAWS = 1000
"""Samples of the bootstrap."""
GROUPS = 1000
"""Of more images than this, groups are drawn: as good, and the memory does not grow with the images."""
TAIL = 5
"""Per cent of the samples outside the interval, at each end."""


class Expected(NamedTuple):
    """The expected IoU of a class, or their mean, in 0..1; 90 % of the samples lie between `low` and `high`."""

    iou: float
    low: float
    high: float


@dataclass(frozen=True)
class QualityJob:
    """What the expected overlap of a label is computed from, shard -> file; passed to worker processes."""

    classes: ClassTable
    labels: Mapping[str, Path]
    prior: Mapping[str, Path]
    saliency: Mapping[str, Path]
    maps: Mapping[str, Path]

    @classmethod
    def of(cls, dataset: Dataset, round_: Round) -> Self:
        """Find the files of a round.

        Raises:
            DataError: a shard is missing or left over.
        """
        store, find = dataset.store, dataset.every_shard
        return cls(
            dataset.classes,
            find(partial(store.labels, round_)),
            find(store.saliency),
            find(partial(store.saliency_labels, round_)),
            find(partial(store.maps, round_)),
        )

    def __call__(self, record: ImageRecord) -> Overlap:
        """Return the expected overlap of the label of one training image, for all classes."""
        shard, count = shard_of(record.id, list(self.labels)), len(self.classes)
        maps = opened_tensors(self.maps[shard])
        label = read_label(opened_archive(self.labels[shard]), record, count)
        saliency = [
            as_share(read_saliency(opened_archive(files[shard]), record)) for files in (self.prior, self.saliency)
        ]
        cam = upsample(read_cam(maps, record), *label.shape)
        present = [self.classes.index(tag) for tag in record.tags]
        prediction = confidence = None
        if f"{record.id}.prediction" in maps:  # r0 has no network
            prediction = read_map(maps, record, "prediction", count)
            confidence = read_map(maps, record, "confidence")
        return label_overlap(label, present, cam, saliency, prediction, confidence, count + 1)


def measure(job: QualityJob, records: Sequence[ImageRecord], title: str) -> list[Overlap]:
    """Return the expected overlap of the label of each record; `title` is for the progress bar."""
    return map_by_shard(job, records, list(job.labels), title)


def expected_iou(overlaps: Sequence[Overlap]) -> tuple[list[Expected], Expected]:
    """Return the expected IoU of each class, background first, and their mean, both over all images.

    The intervals are those of a bootstrap over images: they say how much the figure depends on which images there
    happen to be, and not how far the maps it is computed from are wrong. A class without a pixel has NaN.

    Args:
        overlaps: of every label; at least one.
    """
    groups = [sum(overlaps[start + GROUPS :: GROUPS], overlaps[start]) for start in range(min(GROUPS, len(overlaps)))]
    intersections, unions = (np.stack(values) for values in zip(*groups, strict=True))
    whole = Overlap(intersections.sum(axis=0), unions.sum(axis=0))
    random = np.random.default_rng(0)
    times = random.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), DRAWS)
    drawn = [Overlap(count @ intersections, count @ unions) for count in times]
    by_class, means = np.stack([one.iou() for one in drawn]), [one.mean() for one in drawn]
    absent = np.isnan(whole.iou())
    lows, highs = np.nanpercentile(np.where(absent, 0, by_class), [TAIL, 100 - TAIL], axis=0)
    lows[absent] = highs[absent] = np.nan
    classes = [Expected(*map(float, row)) for row in zip(whole.iou(), lows, highs, strict=True)]
    low, high = np.percentile(means, [TAIL, 100 - TAIL])
    return classes, Expected(whole.mean(), float(low), float(high))
