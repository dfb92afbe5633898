"""Count what is wrong with labels and predictions, by cause, in a finished project, and draw the worst of each cause.

    python benchmarks/failures.py --project FOLDER --round r2 --to benchmarks/auxseg-best/failures.csv
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
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.audit import panels
from auxseg.audit.figures import mean_iou
from auxseg.cli.mask_files import MaskFile, find_masks
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photo
from auxseg.encoded import IGNORE

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


class Counted(NamedTuple):
    """A label or prediction that was compared with its mask."""

    found: MaskFile
    wrong: dict[str, int]
    """Pixels of each cause."""
    known: int
    """Pixels of the mask that are not 255."""
    is_poor: bool

    def share(self, cause: str) -> float:
        """Return the share of the image's pixels that have a cause."""
        return self.wrong[cause] / (self.found.record.width * self.found.record.height)


def count(found: MaskFile, truth: np.ndarray) -> Counted:
    """Count the causes in one label or prediction."""
    mask = found.read()
    wrong = {name: int(np.count_nonzero(where)) for name, where in causes(mask, truth).items()}
    iou = mean_iou(mask, truth, found.classes)
    return Counted(found, wrong, int(np.count_nonzero(truth != IGNORE)), iou is not None and iou < POOR)


def rows_of(what: str, round_: Round, counted: list[Counted]) -> list[dict]:
    """Return a row for each cause."""
    wrong = {name: sum(one.wrong[name] for one in counted) for name in CAUSES}
    known = sum(one.known for one in counted)
    largest = [max(CAUSES, key=lambda name: one.wrong[name]) for one in counted if one.is_poor]
    return [
        {
            "what": what,
            "round": str(round_),
            "cause": name,
            "of_pixels": round(100 * wrong[name] / known, 2),
            "of_wrong_pixels": round(100 * wrong[name] / max(1, sum(wrong.values())), 1),
            "poor_images": largest.count(name),
            "images": len(counted),
        }
        for name in CAUSES
    ]


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
    masks, counted = Masks.of(dataset), {}
    for split, what in (("train", "labels"), ("val", "model+ms+crf")):
        found = [one for one in find_masks(arguments.round, split)[0] if one.record.id in masks]
        counted[what] = [count(one, masks[one.record.id]) for one in found]
    rows = [row for what, ones in counted.items() for row in rows_of(what, arguments.round, ones)]
    if to:
        write_rows(to, rows)
    for row in rows:
        print(*row.values(), sep="\t")
    if picture:
        picture.write_bytes(panels.encode_jpeg(draw(dataset.root, masks, counted["model+ms+crf"])))


def draw(root: Path, masks: Masks, counted: list[Counted]) -> np.ndarray:
    """Draw, for each cause, the images with most of it: photo, mask, prediction, and where the cause applies."""
    lines = []
    for name in CAUSES:
        worst = [one for one in sorted(counted, key=lambda one: -one.share(name))[:SHOWN] if one.wrong[name]]
        cells = [cell for one in worst for cell in _cells(name, one.found, root, masks)]
        if cells:
            line = np.hstack([_name(name), *cells])
            lines.append(_padded(line, CELL[0] + 4, NAME_WIDTH + SHOWN * 4 * (CELL[1] + 2), above=2))
    return np.vstack(lines)


def _cells(cause: str, found: MaskFile, root: Path, masks: Masks) -> list[np.ndarray]:
    photo = panels.photo_panel(read_photo(root, found.record), CELL)
    mask, truth = found.read(), masks[found.record.id]
    where = causes(mask, truth)[cause].astype(np.uint8)
    marked = panels.change_panel(np.zeros_like(where), where, photo)
    shown = (photo, panels.label_panel(truth, photo), panels.label_panel(mask, photo), marked)
    return [_padded(one, CELL[0], CELL[1] + 2) for one in shown]


def _padded(picture: np.ndarray, height: int, width: int, above: int = 0) -> np.ndarray:
    below, right = height - above - picture.shape[0], width - picture.shape[1]
    return cv2.copyMakeBorder(picture, above, below, 0, right, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _name(text: str) -> np.ndarray:
    cell = np.full((CELL[0], NAME_WIDTH, 3), 255, np.uint8)
    cv2.putText(cell, text, (4, CELL[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    main()
