"""What a round's pseudo labels look like, class by class; against the masks too where there are any.

Each label is counted once, in the stage `score`, into rows of `image_id, class, pixels, components`; `class_table`
pools them. No figure but precision, recall and IoU needs a mask.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.images import IGNORE
from auxseg.metrics.confusion import counts_of

IMAGE_COLUMNS = {"round": str, "image_id": str, "class": str, "pixels": int, "components": int}
"""Columns of the table of images, with their types."""
CLASS_COLUMNS = {
    "round": str, "class": str, "images": int, "pixels": int, "share": float, "ignore_share": float,
    "components": float, "precision": float, "recall": float, "iou": float,
}  # fmt: skip
"""Columns of the table of classes, with their types."""
ALL = "all"
"""Stands in the column `class` for the whole label."""


@dataclass(frozen=True, slots=True)
class ClassArea:
    """What one class, or 255, covers in one label: pixels and 8-connected components."""

    image_id: str
    index: int
    pixels: int
    components: int


def measure_label(image_id: str, label: np.ndarray) -> list[ClassArea]:
    """Measure every value of a label, uint8 (H, W) of class indices and 255, in ascending order."""
    values, pixels = np.unique(label, return_counts=True)
    return [
        ClassArea(image_id, int(value), int(count), count_components(label == value))
        for value, count in zip(values, pixels, strict=True)
    ]


def ignored_share(label: np.ndarray) -> float:
    """Return the share of 255 among the pixels of a label, uint8 (H, W), in [0, 1]."""
    return float(np.mean(label == IGNORE))


def changed_share(before: np.ndarray, label: np.ndarray) -> float:
    """Return the share of pixels in [0, 1] that differ between two labels of one image, both uint8 (H, W)."""
    return float(np.mean(before != label))


def count_components(region: np.ndarray) -> int:
    """Return the number of 8-connected components of a region, bool (H, W)."""
    return cv2.connectedComponents(region.astype(np.uint8), connectivity=8)[0] - 1


def write_areas(path: Path, areas: Iterable[ClassArea]) -> None:
    """Write one shard's areas; the class as its index."""
    rows = [[area.image_id, area.index, area.pixels, area.components] for area in areas]
    write_csv(path, ["image_id", "class", "pixels", "components"], rows)


def read_areas(paths: Iterable[Path]) -> list[ClassArea]:
    """Read the areas of several shards."""
    return [
        ClassArea(row["image_id"], int(row["class"]), int(row["pixels"]), int(row["components"]))
        for path in paths
        for row in read_csv(path)
    ]


def image_table(round_name: str, areas: Iterable[ClassArea], names: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield rows of IMAGE_COLUMNS, sorted by image; 255 is the class `ignore`."""
    for area in sorted(areas, key=lambda area: (area.image_id, area.index)):
        yield {
            "round": round_name, "image_id": area.image_id, "pixels": area.pixels, "components": area.components,
            "class": "ignore" if area.index == IGNORE else names[area.index],
        }  # fmt: skip


def class_table(
    round_name: str,
    areas: Sequence[ClassArea],
    tags: Mapping[str, Iterable[str]],
    confusion: np.ndarray,
    names: Sequence[str],
) -> list[dict[str, object]]:
    """Return rows of CLASS_COLUMNS: one for every class, and one for ALL. Shares and scores are in per cent.

    `images` have the class in their label, `components` is the mean number among these. `share` is of all pixels.
    `ignore_share` is the share of 255 in the images that are tagged with the class (the background: in all).

    Args:
        round_name: goes into the rows.
        areas: of every image of the round.
        tags: image id -> class names.
        confusion: as `auxseg.metrics.confusion`; zeros where there are no masks.
        names: by class index, 0 = background.
    """
    size, ignored = _by_image(areas), _by_image(area for area in areas if area.index == IGNORE)
    total = sum(size.values())
    counts = counts_of(confusion)
    scores = np.stack([counts.precision(), counts.recall(), counts.iou()], axis=1) * 100
    rows = []
    for index, name in enumerate(names):
        own = [area for area in areas if area.index == index]
        tagged = [image_id for image_id in size if index == 0 or name in tags[image_id]]
        rows.append(_row(round_name, name, own, total, _share(ignored, size, tagged), scores[index]))
    labelled = [area for area in areas if area.index != IGNORE]
    means = counts.means()
    scores = [means["precision"], means["recall"], means["miou"]]
    return [*rows, _row(round_name, ALL, labelled, total, _share(ignored, size, size), scores)]


def _row(
    round_name: str, name: str, areas: Sequence[ClassArea], total: int, ignore_share: float | None, scores: Sequence
) -> dict[str, object]:
    images = len({area.image_id for area in areas})
    pixels = sum(area.pixels for area in areas)
    precision, recall, iou = (None if score is None or np.isnan(score) else float(score) for score in scores)
    return {
        "round": round_name, "class": name, "images": images, "pixels": pixels,
        "share": 100 * pixels / total if total else None, "ignore_share": ignore_share,
        "components": sum(area.components for area in areas) / images if images else None,
        "precision": precision, "recall": recall, "iou": iou,
    }  # fmt: skip


def _by_image(areas: Iterable[ClassArea]) -> dict[str, int]:
    pixels: dict[str, int] = {}
    for area in areas:
        pixels[area.image_id] = pixels.get(area.image_id, 0) + area.pixels
    return pixels


def _share(part: Mapping[str, int], whole: Mapping[str, int], images: Iterable[str]) -> float | None:
    images = list(images)
    pixels = sum(whole[image_id] for image_id in images)
    return 100 * sum(part.get(image_id, 0) for image_id in images) / pixels if pixels else None
