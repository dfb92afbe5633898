"""From the raw folder to the manifest: the one place that reads lists, labels and masks of the raw data."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from auxseg.artifacts.atomic import atomic_dir, write_json
from auxseg.datasets.checks import decode_all
from auxseg.datasets.collect import collect
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest, write_mask_list
from auxseg.datasets.root import ensure_scenes
from auxseg.params.data import DataParams
from auxseg.params.local import data_root

log = logging.getLogger(__name__)


def prepare(params: DataParams, shards: Sequence[str], manifest: Path, masks: Path) -> None:
    """Check the data set and write its manifest and mask list; both folders whole or not at all.

        manifest/<shard>.csv, classes.csv     see auxseg.datasets.manifest
        manifest/dataset.json                 format, unlisted, scenes (parameters or null)
        masks/<shard>.csv                     see auxseg.datasets.manifest

    Raises:
        DataError, ParamsError: the first problem, in one line.
    """
    scenes = params.format == "scenes"
    root = ensure_scenes(params.scenes) if scenes else data_root(params.format)
    found = collect(root, params)
    decoded = decode_all(root, found.images, found.classes, params.unlisted)
    records = [
        ImageRecord(item.id, item.path, photo.width, photo.height, item.split, found.labels[item.id], photo.sha256)
        for item, photo in zip(found.images, decoded, strict=True)
    ]
    mask_list = {
        item.id: (item.mask, photo.mask_sha256) for item, photo in zip(found.images, decoded, strict=True) if item.mask
    }
    with atomic_dir(manifest) as manifest_folder, atomic_dir(masks) as mask_folder:
        write_manifest(manifest_folder, records, found.classes, shards)
        write_json(
            manifest_folder / "dataset.json",
            {
                "format": params.format,
                "unlisted": params.unlisted,
                "scenes": params.scenes.model_dump() if scenes else None,
            },
        )
        write_mask_list(mask_folder, mask_list, shards)
    counts = Counter(record.split for record in records)
    numbers = (counts["train"], counts["val"], len(found.classes), len(mask_list))
    log.info("%d train and %d val images, %d classes, %d masks", *numbers)
    _warn_of_shares(found.classes, [record.labels for record in records if record.split == "train"])


def _warn_of_shares(classes: ClassTable, train: Sequence[tuple[str, ...]]) -> None:
    """Warn of classes that a classifier cannot learn: in no image of `train`, the labels by image, or in all."""
    for name in classes.names:
        count = sum(name in labels for labels in train)
        if count == 0:
            log.warning("class '%s' has no train image, so it cannot be learned", name)
        elif count == len(train):
            log.warning(
                "class '%s' is in every train image: the classifier has nothing to tell it from, and its CAM means "
                "little; add images without it", name,
            )  # fmt: skip
