"""Is every image what the manifest says, and every label what fusion makes of its stored maps?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.atomic import sha256_file
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tensors import opened_tensors
from auxseg.audit.evidence import differing_pixels, is_fused
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord, shard_of
from auxseg.datasets.masks import Masks
from auxseg.datasets.stored import read_cam, read_label, read_saliency
from auxseg.encoded import as_share
from auxseg.errors import DataError
from auxseg.maps import upsample
from auxseg.params.labels import LabelsParams

IMAGE, MASK, MAP, LABEL = "image", "mask", "map", "label"
"""What a problem is about."""


class Problem(NamedTuple):
    """Something of an image that is not as it should be."""

    about: str
    """IMAGE, MASK, MAP or LABEL."""
    path: Path
    """The image, the mask or the archive."""
    line: str


class _Check(NamedTuple):
    about: str
    paths: tuple[Path, ...]
    """The files that it reads; the first one is to blame."""
    run: Callable[[], object]
    """Raises DataError for what is wrong."""


@dataclass(frozen=True)
class ImageChecks:
    """Checks everything that belongs to one image; handed to worker processes."""

    dataset: Dataset
    masks: Masks
    mask_sha256: Mapping[str, str]
    """By image id, from the lists of masks."""
    rules: Mapping[tuple[Round, str], LabelsParams]
    """Round and shard -> the parameters with which their labels were made."""
    skip: frozenset[Path] = frozenset()
    """Artifacts that are known to be wrong; what needs them is not checked."""

    def __call__(self, record: ImageRecord) -> list[Problem]:
        """Return what is wrong with an image, its mask, and its maps and labels of every round."""
        problems = []
        for check in (*self._raw(record), *self._stored(record)):
            if not self.skip.isdisjoint(check.paths):
                continue
            try:
                check.run()
            except DataError as error:
                problems.append(Problem(check.about, check.paths[0], str(error)))
            except (OSError, SyntaxError, ValueError) as error:  # Pillow's for a damaged PNG; a file without permission
                line = f"{check.paths[0]}: '{record.id}' cannot be read ({error})"
                problems.append(Problem(check.about, check.paths[0], line))
        return problems

    def _raw(self, record: ImageRecord) -> Iterator[_Check]:
        image = self.dataset.root / record.path
        yield _Check(IMAGE, (image,), partial(_require_image, image, record.sha256))
        if record.id in self.masks:
            mask, wanted = self.masks.file(record.id), self.mask_sha256[record.id]
            yield _Check(MASK, (mask,), partial(_require_mask, self.masks, record.id, wanted))

    def _stored(self, record: ImageRecord) -> Iterator[_Check]:
        store, shard, classes = self.dataset.store, shard_of(record.id, self.dataset.shards), len(self.dataset.classes)
        prior = store.saliency(shard)
        yield _Check(MAP, (prior,), partial(_grey, prior, record))
        for one, rule in ((one, rule) for (one, of), rule in self.rules.items() if of == shard):
            if record.split != "train":
                if not one.is_initial:
                    yield _Check(
                        LABEL, (store.predictions(one),), partial(_label, store.predictions(one), record, classes)
                    )
                continue
            saliency, labels, maps = store.saliency_labels(one, shard), store.labels(one, shard), store.maps(one, shard)
            yield _Check(MAP, (saliency,), partial(_grey, saliency, record))
            if one.is_initial:
                yield _Check(MAP, (saliency, prior), partial(_require_prior, saliency, prior, record))
            if is_fused(one, rule):
                check = partial(_require_fused, labels, saliency, maps, record, self.dataset.classes, rule)
                yield _Check(LABEL, (labels, saliency, maps), check)
            else:
                yield _Check(LABEL, (labels,), partial(_label, labels, record, classes))


def _require_image(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise DataError(f"{path}: no such file, but it is in the manifest")
    if sha256_file(path) != sha256:
        raise DataError(f"{path}: not the file in the manifest (its SHA-256 differs)")


def _require_mask(masks: Masks, image_id: str, sha256: str) -> None:
    if masks.sha256(image_id) != sha256:
        raise DataError(f"{masks.file(image_id)}: not the mask in the list of masks (its SHA-256 differs)")


def _require_prior(saliency: Path, prior: Path, record: ImageRecord) -> None:
    name = f"{record.id}.png"
    if opened_archive(saliency)[name] != opened_archive(prior)[name]:
        raise DataError(f"{saliency}: '{name}' is not the prior in {prior}")


def _require_fused(
    labels: Path, saliency: Path, maps: Path, record: ImageRecord, classes: ClassTable, rule: LabelsParams
) -> None:
    label, grey = _label(labels, record, len(classes)), as_share(_grey(saliency, record))
    cam, present = read_cam(opened_tensors(maps), record), [classes.index(name) for name in record.tags]
    if count := differing_pixels(label, upsample(cam, *label.shape), present, grey, rule):
        raise DataError(f"{labels}: '{record.id}.png': {count} pixels are not what fusion makes of the stored maps")


def _label(path: Path, record: ImageRecord, classes: int) -> np.ndarray:
    return read_label(opened_archive(path), record, classes)


def _grey(path: Path, record: ImageRecord) -> np.ndarray:
    return read_saliency(opened_archive(path), record)
