"""Compute the figures of a round from its artifacts, with the images spread over worker processes."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.damage import damaged, read_whole
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tables import read_artifact
from auxseg.artifacts.tensors import opened_tensors
from auxseg.datasets.by_shard import by_shard
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord, shard_of
from auxseg.datasets.stored import read_cam, read_label, read_map, read_saliency
from auxseg.encoded import as_share
from auxseg.guard.figures import ImageFigures, label_figures, pool, prediction_figures
from auxseg.maps import upsample
from auxseg.metrics.tags import VAL_PRECISION, mean_average_precision
from auxseg.parallel import map_processes


@dataclass(frozen=True)
class RoundFiles:
    """Artifacts of one round, shard -> file; passed to worker processes."""

    classes: ClassTable
    labels: Mapping[str, Path]
    before: Mapping[str, Path] | None
    """Labels of the round before, or None."""
    saliency: Mapping[str, Path]
    """Saliency labels; for r0 the prior."""
    maps: Mapping[str, Path]
    curve: Path | None = None
    """Losses of the round's training, or None for r0: those of the classifier are not comparable with later ones."""
    prior: Mapping[str, Path] | None = None
    """The off-the-shelf saliency; None for r0, where it is the saliency label."""

    @classmethod
    def of(cls, dataset: Dataset, round_: Round) -> Self:
        """Find the files of a round and, except for r0, the labels of the round before.

        Raises:
            DataError: a shard is missing or left over.
            ParamsError: the stage does not declare one of the files.
        """
        store, find = dataset.store, dataset.every_shard
        return cls(
            dataset.classes,
            find(partial(store.labels, round_)),
            None if round_.is_initial else find(partial(store.labels, round_.previous)),
            find(partial(store.saliency_labels, round_)),
            find(partial(store.maps, round_)),
            None if round_.is_initial else store.curve(round_),
            None if round_.is_initial else find(store.saliency),
        )

    def __call__(self, record: ImageRecord) -> ImageFigures:
        """Return the figures of one training image."""
        shard, classes = shard_of(record.id, list(self.labels)), len(self.classes)
        label = read_label(opened_archive(self.labels[shard]), record, classes)
        before = None if self.before is None else read_label(opened_archive(self.before[shard]), record, classes)
        saliency = as_share(read_saliency(opened_archive(self.saliency[shard]), record))
        prior = None if self.prior is None else as_share(read_saliency(opened_archive(self.prior[shard]), record))
        maps = opened_tensors(self.maps[shard])
        present = [self.classes.index(tag) for tag in record.tags]
        cam = upsample(read_cam(maps, record), *label.shape)
        if f"{record.id}.prediction" not in maps:  # r0 has no network
            return label_figures(label, before, present, cam, saliency)
        prediction = read_map(maps, record, "prediction", classes)
        confidence, entropy = (read_map(maps, record, kind) for kind in ("confidence", "entropy"))
        figures = label_figures(label, before, present, cam, saliency, prior, prediction, confidence)
        # `propagate` writes zeros where the network has no affinity
        spread = entropy if np.any(entropy) else None
        return figures | prediction_figures(prediction, confidence, spread, label, present)

    def tag_precision(self, records: Sequence[ImageRecord]) -> float | None:
        """Return the mean average precision of the image-level labels of some images, as far as they are known.

        Returns None if there are no class scores: other methods' CAMs come without, and r0 has none of val.
        """
        scores, tags, shards = [], [], list(self.maps)
        for record in records:
            maps = opened_tensors(self.maps[shard_of(record.id, shards)])
            if record.is_tagged and f"{record.id}.scores" in maps:
                scores.append(read_map(maps, record, "scores", len(self.classes)))
                tags.append(self.classes.multi_hot(record.tags))
        return mean_average_precision(np.stack(scores), np.stack(tags)) if scores else None

    def loss(self) -> float | None:
        """Return the loss of the last row of the training's curve."""
        if self.curve is None:
            return None
        rows = read_artifact(self.curve, ("epoch", "loss"))
        with read_whole(self.curve):
            loss = float(rows[-1]["loss"])
        if not math.isfinite(loss):
            raise damaged(self.curve, f"its last loss is {loss}")
        return loss


def measure_round(files: RoundFiles, records: Sequence[ImageRecord], title: str) -> dict[str, float | None]:
    """Return the figures of a round, rounded to 4 decimals.

    Args:
        files: of the round.
        records: all images. Figures of labels and predictions are of train.
        title: for the progress bar.
    """
    ordered = by_shard(records, list(files.labels))
    train, val = ([record for record in ordered if record.split == split] for split in ("train", "val"))
    of_set = {
        "tag_precision": files.tag_precision(train),
        "val_tag_precision": files.tag_precision(val),
        "loss": files.loss(),
    }
    return pool(map_processes(files, train, title)) | {
        name: None if value is None else round(value, 4) for name, value in of_set.items()
    }


def read_val_precision(path: Path) -> float | None:
    """Return the classifier's mean average precision on val, as `tag_score` wrote it; None without tags of val images.

    Raises:
        DataError: the file is missing or damaged.
    """
    with read_whole(path):
        value = json.loads(path.read_text("utf-8"))[VAL_PRECISION]
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{VAL_PRECISION} is {value}")
        return None if value is None else round(value, 4)
