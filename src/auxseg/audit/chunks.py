"""One chunk of the report, made in a worker process: evidence, thumbnails and figures of a few images.

    images/<chunk>.js                  photos, stored PNGs and maps of all rounds
    thumbs/base/<kind>/<chunk>.jpg     thumbnails that all rounds share: photo, prior, CAM of r0, mask
    thumbs/<round>/<kind>/<chunk>.jpg  thumbnails of one round

A sheet of thumbnails has only one kind of picture, because a ranking takes its cards from many sheets, and a browser
has to decode a whole sheet to show one picture of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from auxseg.artifacts.rounds import Round
from auxseg.audit import figures, panels
from auxseg.audit.evidence import ImageEvidence, RoundEvidence, load_image, load_round, recompute
from auxseg.audit.scripts import data_script, encode_bytes, encode_map
from auxseg.audit.sources import Sources
from auxseg.datasets.manifest import ImageRecord
from auxseg.encoded import as_share, decode_indices
from auxseg.maps import upsample
from auxseg.metrics.agreement import disagreement
from auxseg.metrics.expected import label_overlap
from auxseg.metrics.labels import changed_share, ignored_share

CHUNK = 32
"""Most images per chunk. An image takes about 100 kB, so opening one reads a few megabytes."""
CHUNK_PIXELS = 10_000_000
"""Most pixels per chunk of several images: 32 images of 640 x 480. Labels and saliency maps have the image's size, and
a browser holds several chunks in memory."""
BASE_KINDS = ("photo", "prior", "cam0", "mask")
"""Pictures that all rounds of an image share; the other kinds belong to a round."""
KINDS = ("photo", "prior", "cam0", "cam", "refined", "saliency", "label", "corrected", "prediction", "change", "mask")
"""Every kind of picture, in the order of the page."""

_THUMB = (panels.CELL_HEIGHT, panels.CELL_WIDTH)


@dataclass(frozen=True)
class Chunk:
    """A few images of one split and shard."""

    name: str
    split: str
    records: tuple[ImageRecord, ...]


def kinds_of(rounds: Sequence[Round], round_: Round, split: str, sources: Sources) -> list[str]:
    """Return the kinds of pictures that a round has for a split; `rounds` are those of the split."""
    absent = set() if sources.masks else {"mask"}
    if split == "val" or not sources.has_corrections(round_):
        absent.add("corrected")
    if round_.is_initial:
        absent |= {"cam", "refined", "saliency", "prediction"}
    if split == "val":
        absent |= {"cam0", "saliency"}
    if round_ == rounds[0]:
        absent.add("change")
    return [kind for kind in KINDS if kind not in absent]


def sheet_folders(rounds: Sequence[Round], split: str, sources: Sources) -> list[str]:
    """Return the folders of a split's thumbnails, `base/<kind>` or `<round>/<kind>`."""
    kinds = ((round_, kind) for round_ in rounds for kind in kinds_of(rounds, round_, split, sources))
    return sorted({f"{'base' if kind in BASE_KINDS else round_}/{kind}" for round_, kind in kinds})


def rounds_of(rounds: Sequence[Round], split: str) -> Sequence[Round]:
    """Return the rounds that have labels (train, from r0 on) or predictions (val, from r1 on) in a split."""
    return rounds if split == "train" else rounds[1:]


@dataclass(frozen=True)
class ChunkJob:
    """Callable that writes one chunk under `folder` and returns the index row of every image and round."""

    sources: Sources
    rounds: tuple[Round, ...]
    folder: Path
    photo_side: int

    def __call__(self, chunk: Chunk) -> dict[Round, list[dict[str, Any]]]:
        """Return round -> index rows, in the order of the chunk's images."""
        cv2.setNumThreads(1)  # the processes are parallel already
        rounds = rounds_of(self.rounds, chunk.split)
        rows: dict[Round, list[dict[str, Any]]] = {round_: [] for round_ in rounds}
        content, thumbs = [], []
        for record in chunk.records:
            image = load_image(self.sources, record)
            thumb = panels.photo_panel(image.photo, _THUMB)
            drawn = {"base": _base_thumbs(image, thumb)}
            shown: dict[str, dict[str, Any]] = {}
            previous: np.ndarray | None = None
            for round_ in rounds:
                found = load_round(self.sources, record, round_)
                if round_.is_initial and found.cam is not None:
                    drawn["base"]["cam0"] = panels.heat_panel(found.cam, thumb)
                rows[round_].append(self._row(record, round_, image, found, previous))
                drawn[str(round_)] = _round_thumbs(found, previous, thumb)
                shown[str(round_)] = _round_content(found)
                previous = found.label
            thumbs.append(drawn)
            content.append(self._content(record, image, shown))
        (self.folder / f"images/{chunk.name}.js").write_bytes(data_script(f"images/{chunk.name}", content))
        for path in sheet_folders(rounds, chunk.split, self.sources):
            owner, kind = path.split("/")
            sheet = panels.sheet([drawn[owner].get(kind) for drawn in thumbs])
            (self.folder / f"thumbs/{path}/{chunk.name}.jpg").write_bytes(panels.encode_jpeg(sheet))
        return rows

    def _content(self, record: ImageRecord, image: ImageEvidence, shown: dict[str, dict[str, Any]]) -> dict[str, Any]:
        photo = panels.photo_panel(image.photo, (self.photo_side, self.photo_side))
        return {
            "id": record.id,
            "path": record.path,
            "photo": encode_bytes(panels.encode_jpeg(photo)),
            "prior": encode_bytes(image.prior),
            "mask": encode_bytes(image.mask),
            "hashes": {"photo": record.sha256, "prior": _sha256(image.prior), "mask": image.mask_sha256},
            "rounds": shown,
        }

    def _row(
        self,
        record: ImageRecord,
        round_: Round,
        image: ImageEvidence,
        found: RoundEvidence,
        previous: np.ndarray | None,
    ) -> dict[str, Any]:
        """Return the figures of one image and round, and the class lists that the page filters by."""
        classes, label = self.sources.classes, found.label
        cam = upsample(found.cam, *label.shape)
        pixels = figures.class_pixels(label)
        tags = {classes.index(tag) for tag in record.tags}
        seen: dict[int, float] = dict(pixels)
        if found.prediction is not None:
            factor = label.size / found.prediction.size
            seen |= {
                index: max(seen.get(index, 0), count * factor)
                for index, count in figures.class_pixels(found.prediction).items()
            }
        missing = sorted(tags - set(pixels))
        untagged = sorted(
            index
            for index, count in seen.items()
            if record.is_tagged and index not in tags and count >= figures.UNTAGGED_SHARE * label.size
        )
        mask, corrected = (None if png is None else decode_indices(png) for png in (image.mask, found.corrected))
        return {
            "label": _sha256(found.png),
            "pixels": pixels,
            "size": int(label.size),
            "missing": missing,
            "untagged": untagged,
            "changes": {} if previous is None else figures.class_changes(previous, label, len(classes) + 1),
            "figures": {
                "expected_iou": self._expected_iou(record, cam, image, found),
                "disagreement": disagreement(cam, found.salient(image)),
                "change": None if previous is None else changed_share(previous, label),
                "corrected": None if corrected is None else changed_share(label, corrected),
                "ignored": ignored_share(label),
                "object": sum(pixels.values()) / label.size,
                "entropy": _mean(found.entropy),
                "margin": figures.margin(cam, label),
                "confidence": _mean(found.confidence),
                "missing": len(missing) if record.is_tagged else None,
                "untagged": len(untagged) if record.is_tagged else None,
                "components": figures.components(label),
                "mismatch": recompute(self.sources, record, round_, image, found, cam),
                "iou": None if mask is None else figures.mean_iou(label, mask, len(classes)),
            },
        }

    def _expected_iou(
        self, record: ImageRecord, cam: np.ndarray, image: ImageEvidence, found: RoundEvidence
    ) -> float | None:
        if record.split != "train":  # a final prediction is no label, and it may show classes that are not tagged
            return None
        present = [self.sources.classes.index(tag) for tag in record.tags]
        saliency = as_share(decode_indices(image.prior)), found.salient(image)
        return label_overlap(found.label, present, cam, saliency, found.prediction, found.confidence).mean()


def _base_thumbs(image: ImageEvidence, thumb: np.ndarray) -> dict[str, np.ndarray]:
    thumbs = {"photo": thumb, "prior": panels.grey_panel(decode_indices(image.prior), thumb.shape[:2])}
    if image.mask is not None:
        thumbs["mask"] = panels.label_panel(decode_indices(image.mask), thumb)
    return thumbs


def _round_thumbs(found: RoundEvidence, previous: np.ndarray | None, thumb: np.ndarray) -> dict[str, np.ndarray]:
    thumbs = {"label": panels.label_panel(found.label, thumb)}
    if found.refined is not None and found.prediction is not None:
        refined = np.rint(found.refined.astype(np.float32) * 255).astype(np.uint8)
        thumbs["cam"] = panels.heat_panel(found.cam, thumb)
        thumbs["refined"] = panels.grey_panel(refined, thumb.shape[:2])
        thumbs["prediction"] = panels.label_panel(found.prediction, thumb)
    if found.corrected is not None:
        thumbs["corrected"] = panels.label_panel(decode_indices(found.corrected), thumb)
    if found.saliency is not None:
        thumbs["saliency"] = panels.grey_panel(decode_indices(found.saliency), thumb.shape[:2])
    if previous is not None:
        thumbs["change"] = panels.change_panel(previous, found.label, thumb)
    return thumbs


def _round_content(found: RoundEvidence) -> dict[str, Any]:
    maps = {name: getattr(found, name) for name in ("cam", "refined", "prediction", "confidence", "entropy")}
    return {
        "label": encode_bytes(found.png),
        "corrected": encode_bytes(found.corrected),
        "saliency": encode_bytes(found.saliency),
        **{name: encode_map(values) for name, values in maps.items()},
        "hashes": {
            "label": _sha256(found.png),
            "corrected": _sha256(found.corrected),
            "saliency": _sha256(found.saliency),
            **{name: None if values is None else _sha256(values.tobytes()) for name, values in maps.items()},
        },
    }


def _mean(values: np.ndarray | None) -> float | None:
    return None if values is None else float(values.mean(dtype=np.float64))


def _sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
