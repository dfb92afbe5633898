"""The evidence of one image: every stored artifact that its labels came from, byte for byte.

PNG bytes are kept as in the archives, so that the report shows, hashes and recomputes exactly what training reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tensors import opened_tensors
from auxseg.audit.sources import Sources
from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.datasets.photos import read_photo
from auxseg.datasets.stored import check_png, decode_label, read_cam, read_map
from auxseg.encoded import decode_grey, encode_label
from auxseg.fusion import fuse
from auxseg.maps import upsample
from auxseg.params.labels import LabelsParams


@dataclass(frozen=True)
class ImageEvidence:
    """The evidence that all rounds of an image share."""

    photo: np.ndarray
    """uint8 (H, W, 3)."""
    prior: bytes
    """The off-the-shelf saliency, 8-bit grey PNG (H, W)."""
    mask: bytes | None
    """The mask as class indices, palette PNG (H, W)."""
    mask_sha256: str | None
    """SHA-256 of the mask's file, which contains mask values."""


@dataclass(frozen=True)
class RoundEvidence:
    """The artifacts of one image in one round. Maps are at network resolution (h, w)."""

    png: bytes
    """The label to judge, palette PNG (H, W): pseudo label of a train image, final prediction of a val image."""
    label: np.ndarray
    """The same, uint8 (H, W): class indices and 255."""
    cam: np.ndarray
    """float16 (L, h, w), in the order of the image's tags; r0: from the classifier, later: refined by the affinity,
    with shares of the CAM of r0 (`propagate.initial_share`) and of the prediction (`propagate.prediction_share`)."""
    saliency: bytes | None
    """The saliency label after the CRF, grey PNG (H, W); None in r0, where it is the prior, and for val images."""
    refined: np.ndarray | None
    """sigma(P_sal'), with a share of the prediction (`propagate.prediction_share`), float16 (h, w); None in r0."""
    prediction: np.ndarray | None
    """argmax P_seg', uint8 (h, w); None in r0."""
    confidence: np.ndarray | None
    """Softmax probability of the prediction, float16 (h, w); None in r0."""
    entropy: np.ndarray | None
    """Entropy of the rows of the affinity in 0..1, float16 (h, w); None in r0."""

    corrected: bytes | None
    """The label corrected by hand that training uses instead, palette PNG (H, W); None if there is none."""

    def salient(self, image: ImageEvidence) -> np.ndarray:
        """Return the saliency to show beside the round's label or prediction, float32 (H, W) in [0, 1]."""
        if self.saliency is None and self.refined is not None:
            shown: np.ndarray = upsample(self.refined[None], *image.photo.shape[:2])[0]
            return shown
        return decode_grey(self.saliency or image.prior)


def load_image(sources: Sources, record: ImageRecord) -> ImageEvidence:
    """Read the evidence that all rounds of an image share."""
    shard = shard_of(record.id, sources.shards)
    mask = mask_sha256 = None
    if record.id in sources.masks:
        mask, mask_sha256 = encode_label(sources.masks[record.id]), sources.masks.sha256(record.id)
    prior = _png(sources.store.saliency(shard), record)
    return ImageEvidence(read_photo(sources.photos, record), prior, mask, mask_sha256)


def load_round(sources: Sources, record: ImageRecord, round_: Round) -> RoundEvidence:
    """Read the artifacts of one image in one round."""
    store, shard = sources.store, shard_of(record.id, sources.shards)
    maps = opened_tensors(store.maps(round_, shard))
    saliency = corrected = None
    if record.split == "train":
        if f"{record.id}.png" in opened_archive(store.corrected(round_)):
            corrected = _png(store.corrected(round_), record)
        labels = store.labels(round_, shard)
        if not round_.is_initial:
            saliency = _png(store.saliency_labels(round_, shard), record)
    else:
        labels = store.predictions(round_)
    trained, classes = ("saliency", "prediction", "confidence", "entropy"), len(sources.classes)
    refined, prediction, confidence, entropy = (
        None if round_.is_initial else read_map(maps, record, name, classes) for name in trained
    )
    png = _png(labels, record)
    label = decode_label(png, record, classes, labels)
    return RoundEvidence(
        png, label, read_cam(maps, record), saliency, refined, prediction, confidence, entropy, corrected
    )


def _png(archive: Path, record: ImageRecord) -> bytes:
    """Return the PNG of an image from an archive, with a check of its size."""
    content = opened_archive(archive)[f"{record.id}.png"]
    check_png(content, record, archive)
    return content


def recompute(
    sources: Sources,
    record: ImageRecord,
    round_: Round,
    image: ImageEvidence,
    found: RoundEvidence,
    cam: np.ndarray,
) -> int | None:
    """Return the number of pixels of a stored label that fusion does not reproduce; 0 if everything is consistent.

    Returns None if fusion did not make the label: for a val image, and in r0 if another method made it.

    Args:
        cam: the round's CAM at image size, float32 (L, H, W).
    """
    if record.split != "train" or not is_fused(round_, sources.rule):
        return None
    present = [sources.classes.index(name) for name in record.tags]
    return differing_pixels(found.label, cam, present, found.salient(image), sources.rule)


def is_fused(round_: Round, rule: LabelsParams) -> bool:
    """Tell whether fusion alone made the pseudo labels of a round.

    In r0 another method may have, and a CRF may have completed them, whose rounding differs between machines.
    """
    return rule.made_by(round_.is_initial) == "fusion"


def differing_pixels(
    label: np.ndarray, cam: np.ndarray, present: Sequence[int], saliency: np.ndarray, rule: LabelsParams
) -> int:
    """Return the number of pixels of a label that fusion of the stored CAM and saliency does not reproduce.

    Args:
        label: uint8 (H, W).
        cam: at image size, float32 (L, H, W).
        present: class indices of the L classes.
        saliency: float32 (H, W) in [0, 1].
        rule: the thresholds.
    """
    again = fuse(cam, present, saliency, *rule.thresholds)
    return int(np.count_nonzero(again != label))
