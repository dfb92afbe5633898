"""The difference of pseudo labels between two states: two rounds, or two revisions of the project.

255 means no label; the background is a class like the others. A pixel that differs is one of

    added         no label before, class k now
    removed       class k before, no label now
    changed       class j before, class k now: counts in `changed_from` of j and in `changed_to` of k

so that for every class before + added + changed_to - removed - changed_from = after. If an image is missing in one
state, or has a different size there, it counts there as unlabelled in every pixel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.archive import opened_archive
from auxseg.comparison.label_set import LabelSet
from auxseg.encoded import IGNORE, decode_indices
from auxseg.parallel import map_processes

FIGURES = ("before", "after", "added", "removed", "changed_from", "changed_to")
"""Pixel counts of a class, in the order of the rows of `compare`."""


@dataclass(frozen=True)
class ImageDiff:
    """One image: `figures`, int64 (len(FIGURES), classes); `state` is both, before, after or resized."""

    image_id: str
    state: str
    figures: np.ndarray

    @property
    def differing(self) -> int:
        """Number of pixels whose label differs."""
        _, _, added, removed, changed, _ = self.figures.sum(axis=1)
        return int(added + removed + changed)


def compare(before: np.ndarray, after: np.ndarray, classes: int) -> np.ndarray:
    """Count one image's pixels, int64 (len(FIGURES), classes), rows as in FIGURES.

    Args:
        before: uint8 (H, W), class indices and 255.
        after: the same shape.
        classes: number of classes including the background.
    """
    pairs = np.bincount(before.reshape(-1).astype(np.int64) * 256 + after.reshape(-1), minlength=1 << 16)
    pairs = pairs.reshape(256, 256)  # [before, after]
    kept = pairs.diagonal()[:classes]
    rows, columns = pairs.sum(axis=1)[:classes], pairs.sum(axis=0)[:classes]
    added, removed = pairs[IGNORE, :classes], pairs[:classes, IGNORE]
    return np.stack([rows, columns, added, removed, rows - kept - removed, columns - kept - added])


def diff_labels(before: LabelSet, after: LabelSet) -> tuple[tuple[str, ...], list[ImageDiff]]:
    """Compare every image of two states; return the class names of both and the differences, sorted by id.

    Classes are matched by name.
    """
    names = tuple(dict.fromkeys([*before.classes, *after.classes]))
    job = _Job(_renumbered(before.classes, names), _renumbered(after.classes, names), len(names))
    ids = sorted({*before.archives, *after.archives})
    return names, map_processes(
        job, [(image_id, before.archives.get(image_id), after.archives.get(image_id)) for image_id in ids], "diff"
    )


def image_rows(names: Sequence[str], diffs: Iterable[ImageDiff]) -> list[dict[str, object]]:
    """Return a row for every image and class that occurs in one of its two labels."""
    return [
        {"image_id": diff.image_id, "state": diff.state, "class": name, **_figures(diff.figures[:, index])}
        for diff in diffs
        for index, name in enumerate(names)
        if diff.figures[:2, index].any()
    ]


def summary_rows(names: Sequence[str], diffs: Sequence[ImageDiff]) -> list[dict[str, object]]:
    """Return a row for every class, and `all`; `images` counts images with a differing pixel of the class."""
    total = sum((diff.figures for diff in diffs), np.zeros((len(FIGURES), len(names)), np.int64))
    differing = np.array([diff.figures[2:].any(axis=0) for diff in diffs]).reshape(len(diffs), len(names))
    rows = [
        {"class": name, "images": int(differing[:, index].sum()), **_figures(total[:, index])}
        for index, name in enumerate(names)
    ]
    return [*rows, {"class": "all", "images": int(differing.any(axis=1).sum()), **_figures(total.sum(axis=1))}]


def _figures(column: np.ndarray) -> dict[str, int]:
    return dict(zip(FIGURES, column.tolist(), strict=True))


def _renumbered(old: Sequence[str], new: Sequence[str]) -> np.ndarray:
    """Return a look-up table, uint8 (256,): class index among `old` -> index among `new`; 255 stays."""
    table = np.full(256, IGNORE, np.uint8)
    table[: len(old)] = [new.index(name) for name in old]
    return table


@dataclass(frozen=True)
class _Job:
    """Callable that compares one image; passed to worker processes."""

    before: np.ndarray
    after: np.ndarray
    classes: int

    def __call__(self, item: tuple[str, Path | None, Path | None]) -> ImageDiff:
        image_id, *paths = item
        before, after = (
            None if path is None else table[decode_indices(opened_archive(path)[f"{image_id}.png"])]
            for path, table in zip(paths, (self.before, self.after), strict=True)
        )
        if before is not None and after is not None and before.shape == after.shape:
            return ImageDiff(image_id, "both", compare(before, after, self.classes))
        gone = 0 if before is None else compare(before, np.full_like(before, IGNORE), self.classes)
        new = 0 if after is None else compare(np.full_like(after, IGNORE), after, self.classes)
        state = "after" if before is None else "before" if after is None else "resized"
        return ImageDiff(image_id, state, np.asarray(gone + new))
