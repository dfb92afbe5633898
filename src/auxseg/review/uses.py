"""How training uses the label of each image: the table that `review` writes and `train` reads."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.tables import read_artifact, write_csv
from auxseg.datasets.manifest import SEPARATOR

COLUMNS = ("image_id", "use", "drop_classes")


class Use(enum.StrEnum):
    """How training uses an image."""

    TRAIN = "train"
    LEAVE_OUT = "leave_out"
    IGNORE = "ignore"
    """Image-level labels only: every pixel counts as 255."""
    CORRECTED = "corrected"
    """With a label corrected by hand in place of the pseudo label."""


@dataclass(frozen=True)
class TrainingUse:
    """An image's use, and the names of classes whose pixels count as 255."""

    use: Use = Use.TRAIN
    dropped: tuple[str, ...] = ()


def write_uses(path: Path, uses: Mapping[str, TrainingUse]) -> None:
    """Write image id, use and dropped classes, sorted by id."""
    rows = [[image_id, uses[image_id].use.value, SEPARATOR.join(uses[image_id].dropped)] for image_id in sorted(uses)]
    write_csv(path, COLUMNS, rows)


def read_uses(path: Path) -> dict[str, TrainingUse]:
    """Read what `write_uses` wrote.

    Raises:
        DataError: the file is missing or damaged.
    """
    rows = read_artifact(path, COLUMNS)
    with read_whole(path):
        return {
            row["image_id"]: TrainingUse(Use(row["use"]), tuple(filter(None, row["drop_classes"].split(SEPARATOR))))
            for row in rows
        }


def summarise(uses: Iterable[TrainingUse]) -> str:
    """Return a line for the log: the number of images for each use."""
    uses = list(uses)
    counts = [f"{sum(one.use is use for one in uses)} {use.value}" for use in Use]
    return ", ".join([*counts, f"{sum(bool(one.dropped) for one in uses)} with dropped classes"])
