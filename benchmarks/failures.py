"""Count what is wrong with labels and predictions, by cause, in a finished project, and draw the worst of each cause.

    python benchmarks/failures.py --project FOLDER --round r1 --to benchmarks/failures_voc6.csv
    python benchmarks/failures.py --project FOLDER --picture docs/images/failures.jpg      (the embedded scenes only)

Every wrong pixel has one cause, the first that applies:

- outline: the truth changes within 8 pixels, half a position of a network of stride 16;
- ignored: a label of 255 (labels only);
- other class: an object is taken for one of another class;
- class missed, part missed: an object is taken for background, and the image shows nothing or something of its class
  where it is;
- class invented, spilled: background is taken for an object of a class that the image does not show, or does.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.audit import panels
from auxseg.audit.figures import mean_iou
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photo
from auxseg.encoded import IGNORE, decode_indices

CAUSES = ("outline", "ignored", "other class", "class missed", "part missed", "class invented", "spilled")
REACH = 8
"""Pixels."""
POOR = 0.5
"""An image with a lower mean IoU than this is counted by its largest cause."""
SHOWN = 3
"""Images of each cause in the picture."""
CELL = (120, 120)
"""Largest height and width of a photo there, pixels."""
NAME_WIDTH = 130


def causes(found: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Return cause -> where it applies, bool (H, W); together they are the wrong pixels, and no two overlap.

    Args:
        found: label or prediction, uint8 (H, W) of class indices, 255 = ignore.
        truth: the mask, likewise; where it is 255, nothing is wrong.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH + 1,) * 2)
    wrong = (truth != IGNORE) & (found != truth)
    hit = np.unique(truth[(found == truth) & (truth != IGNORE)])
    both = (truth > 0) & (found > 0)
    applies = {
        "outline": cv2.dilate(truth, kernel) != cv2.erode(truth, kernel),
        "ignored": found == IGNORE,
        "other class": both,
        "class missed": (truth > 0) & ~np.isin(truth, hit),
        "part missed": truth > 0,
        "class invented": ~np.isin(found, truth),
        "spilled": np.ones_like(wrong),
    }
    result, left = {}, wrong
    for name in CAUSES:
        result[name] = left & applies[name]
        left = left & ~applies[name]
    return result


def images(dataset: Dataset, split: str, round_: Round) -> Iterator[tuple[ImageRecord, np.ndarray]]:
    """Yield the images of a split and their labels (train) or stored predictions (val)."""
    shards = list(dataset.shards)
    files = {shard: dataset.store.labels(round_, shard) for shard in shards}
    archives = {key: Archive(path) for key, path in files.items()} if split == "train" else {}
    predictions = Archive(dataset.store.predictions(round_)) if split == "val" else None
    for record in dataset.records(split):
        archive = predictions or archives[shard_of(record.id, shards)]
        yield record, decode_indices(archive[f"{record.id}.png"])


def main() -> None:
    """Count, and draw if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--round", type=Round.parse, default="r1")
    parser.add_argument("--to", type=Path, help="a CSV")
    parser.add_argument("--picture", type=Path, help="a JPEG of val images")
    arguments = parser.parse_args()
    to, picture = (path and path.resolve() for path in (arguments.to, arguments.picture))
    os.chdir(arguments.project)
    dataset = Dataset(Store())
    masks = Masks.of(dataset)
    rows, worst = [], {}
    for split, what in (("train", "labels"), ("val", "model+ms+crf")):
        pixels, poor, whole, shown = dict.fromkeys(CAUSES, 0), dict.fromkeys(CAUSES, 0), 0, []
        for record, found in images(dataset, split, arguments.round):
            if record.id not in masks:
                continue
            truth = masks[record.id]
            count = {name: int(np.count_nonzero(where)) for name, where in causes(found, truth).items()}
            pixels = {name: pixels[name] + count[name] for name in CAUSES}
            whole += int(np.count_nonzero(truth != IGNORE))
            shown.append((record, found, truth, count))
            iou = mean_iou(found, truth, len(dataset.classes))
            if iou is not None and iou < POOR:
                poor[max(CAUSES, key=lambda name: count[name])] += 1
        for name in CAUSES:
            rows.append(
                {
                    "what": what,
                    "round": str(arguments.round),
                    "cause": name,
                    "of_pixels": round(100 * pixels[name] / whole, 2),
                    "of_wrong_pixels": round(100 * pixels[name] / max(1, sum(pixels.values())), 1),
                    "poor_images": poor[name],
                    "images": len(shown),
                }
            )
        worst = {name: sorted(shown, key=lambda one: -one[3][name] / one[2].size)[:SHOWN] for name in CAUSES}
    if to:
        write_rows(to, rows)
    for row in rows:
        print(*row.values(), sep="\t")
    if picture:
        draw(dataset, worst, picture)


def draw(dataset: Dataset, worst: dict[str, list], to: Path) -> None:
    """Draw, for each cause, the val images with most of it: photo, mask, prediction, and where the cause applies."""
    lines = []
    for name, chosen in worst.items():
        if not any(count[name] for *_, count in chosen):
            continue
        cells = [_name(name)]
        for record, found, truth, count in chosen:
            photo = panels.photo_panel(read_photo(dataset.root, record), CELL)
            where = np.where(causes(found, truth)[name], np.uint8(1), np.uint8(0))
            pictures = [photo, panels.label_panel(truth, photo), panels.label_panel(found, photo)]
            marked = panels.change_panel(np.zeros_like(where), where, photo)
            cells += [cv2.copyMakeBorder(one, 0, CELL[0] - len(one), 2, CELL[1] - one.shape[1], cv2.BORDER_CONSTANT,
                      value=(255, 255, 255)) for one in (*pictures, marked)] if count[name] else []  # fmt: skip
        width = NAME_WIDTH + SHOWN * 4 * (CELL[1] + 2)
        line = np.hstack(cells)
        lines.append(cv2.copyMakeBorder(line, 2, 2, 0, width - line.shape[1], cv2.BORDER_CONSTANT, value=(255,) * 3))
    to.write_bytes(panels.encode_jpeg(np.vstack(lines)))


def _name(text: str) -> np.ndarray:
    cell = np.full((CELL[0], NAME_WIDTH, 3), 255, np.uint8)
    cv2.putText(cell, text, (4, CELL[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    main()
