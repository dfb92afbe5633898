"""One image of the report: its strip of panels in every round, drawn in a worker process."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from auxseg.audit import panels
from auxseg.audit.sources import Sources, archive, tensors
from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.datasets.masks import read_mask
from auxseg.images import IGNORE, decode_indices, read_rgb

PHOTO, PRIOR, CAM, REFINED_CAM = "photo", "saliency prior", "CAM", "refined CAM"
SALIENCY, LABEL, PREDICTION, FINAL, MASK = (
    "saliency label", "pseudo label", "prediction", "final prediction", "mask",
)  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """One row of a page."""

    id: str
    labels: tuple[str, ...]
    picture: str
    """Path of the JPEG relative to the report, safe in a URL whatever the id is."""
    captions: tuple[str, ...]
    """What the panels show, from left to right."""
    width: int
    height: int
    cell: int
    """Width of one panel's cell, pixels."""
    ignored: float | None
    """Share of the pseudo label that is 255; None on a page without pseudo labels."""
    missing: tuple[str, ...]
    """Image-level classes that the pseudo label has no pixel of."""

    @property
    def anchor(self) -> str:
        """Name of the row in its page, the same in every round."""
        return f"i{Path(self.picture).stem}"


def page_name(round_name: str, split: str) -> str:
    """Return the name of a round's page, without its ending."""
    return round_name if split == "train" else f"{round_name}-{split}"


@dataclass(frozen=True)
class StripJob:
    """Draws all strips of one image; handed to worker processes."""

    sources: Sources
    rounds: tuple[str, ...]
    folder: Path
    """The report; strips go to pictures/<page>/<hash of the id>.jpg."""

    def __call__(self, record: ImageRecord) -> dict[str, Strip]:
        """Write the strips of one image; return them by page."""
        cv2.setNumThreads(1)  # one image a process is parallel enough
        photo = panels.photo_panel(read_rgb(self.sources.photos / record.path))
        draw = self._train if record.split == "train" else self._val
        mask = []
        if record.id in self.sources.masks:
            path = self.sources.photos / self.sources.masks[record.id]
            label = read_mask(path, self.sources.classes, self.sources.unlisted)
            mask = [(MASK, panels.label_panel(label, photo))]
        rounds = self.rounds if record.split == "train" else self.rounds[1:]
        return {page_name(name, record.split): draw(name, record, photo, mask) for name in rounds}

    def _train(
        self, round_name: str, record: ImageRecord, photo: np.ndarray, mask: list[tuple[str, np.ndarray]]
    ) -> Strip:
        sources, size = self.sources, photo.shape[:2]
        shard = shard_of(record.id, sources.shards)
        prior = decode_indices(archive(sources.saliency / f"{shard}.zip")[f"{record.id}.png"])
        refined = decode_indices(archive(sources.saliency_labels / round_name / f"{shard}.zip")[f"{record.id}.png"])
        label = decode_indices(archive(sources.labels / round_name / f"{shard}.zip")[f"{record.id}.png"])
        maps = tensors(sources.maps / round_name / f"{shard}.safetensors")
        first = round_name == "r0"
        shown = [
            (PHOTO, photo),
            (PRIOR, panels.grey_panel(prior, size)),
            (CAM if first else REFINED_CAM, panels.heat_panel(maps[f"{record.id}.cam"], photo)),
            (SALIENCY, panels.grey_panel(refined, size)),
            (LABEL, panels.label_panel(label, photo)),
        ]
        if not first:
            shown.append((PREDICTION, panels.label_panel(maps[f"{record.id}.prediction"], photo)))
        present = {sources.classes.names[index - 1] for index in np.unique(label) if 0 < index < IGNORE}
        missing = tuple(name for name in record.labels if name not in present)
        return self._write(round_name, record, shown + mask, float(np.mean(label == IGNORE)), missing)

    def _val(
        self, round_name: str, record: ImageRecord, photo: np.ndarray, mask: list[tuple[str, np.ndarray]]
    ) -> Strip:
        final = decode_indices(archive(self.sources.predictions / f"{round_name}.zip")[f"{record.id}.png"])
        shown = [(PHOTO, photo), (FINAL, panels.label_panel(final, photo))]
        return self._write(round_name, record, shown + mask, None, ())

    def _write(
        self,
        round_name: str,
        record: ImageRecord,
        shown: Sequence[tuple[str, np.ndarray]],
        ignored: float | None,
        missing: tuple[str, ...],
    ) -> Strip:
        name = hashlib.sha256(record.id.encode()).hexdigest()[:16]
        picture = f"pictures/{page_name(round_name, record.split)}/{name}.jpg"
        strip = panels.join([panel for _, panel in shown])
        (self.folder / picture).write_bytes(panels.encode_strip(strip))
        captions = tuple(caption for caption, _ in shown)
        cell = panels.cell_width(shown[0][1].shape[1])
        return Strip(
            record.id, record.labels, picture, captions, strip.shape[1], strip.shape[0], cell, ignored, missing
        )
