"""What a reviewer's verdicts leave for the next round's training."""

import enum
from collections.abc import Iterable, Mapping
from pathlib import Path

from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.errors import DataError
from auxseg.params.review import ReviewParams

VERDICTS = ("accept", "reject", "unsure")
COLUMNS = ("image_id", "label_sha256", "round", "verdict", "note", "reviewer", "date")


class Use(enum.StrEnum):
    """How training uses an image's pseudo label."""

    TRAIN = "train"
    LEAVE_OUT = "leave_out"
    IGNORE = "ignore"
    """Image-level labels only: every pixel counts as 255."""


def read_verdicts(path: Path, round_name: str) -> dict[str, tuple[str, str]]:
    """Read one round's verdicts: image id -> (verdict, SHA-256 of the judged label); the last row of an image counts.

    Raises:
        DataError: a column is missing or a verdict is unknown.
    """
    verdicts = {}
    for number, row in enumerate(read_csv(path), start=2):
        missing = [name for name in COLUMNS if row.get(name) is None]
        if missing:
            raise DataError(f"{path}: row {number} has no column '{missing[0]}'; the header is {','.join(COLUMNS)}")
        if row["verdict"] not in VERDICTS:
            raise DataError(f"{path}: row {number}: verdict '{row['verdict']}' is none of {', '.join(VERDICTS)}")
        if row["round"] == round_name:
            verdicts[row["image_id"]] = row["verdict"], row["label_sha256"]
    return verdicts


def decide_uses(
    hashes: Mapping[str, str], verdicts: Mapping[str, tuple[str, str]], params: ReviewParams
) -> tuple[dict[str, Use], list[str]]:
    """Return the use of every image, and the ids whose verdict is stale: their label has changed since, or is gone.

    Args:
        hashes: image id -> SHA-256 of the round's label PNG.
        verdicts: as `read_verdicts` returns.
        params: what a rejection does.
    """
    uses = dict.fromkeys(hashes, Use.TRAIN)
    stale = []
    for image_id, (verdict, judged) in verdicts.items():
        if hashes.get(image_id) != judged:
            stale.append(image_id)
        elif verdict == "reject":
            uses[image_id] = Use(params.rejected)
    return uses, sorted(stale)


def write_uses(path: Path, uses: Mapping[str, Use]) -> None:
    """Write image id and use, sorted by id."""
    write_csv(path, ["image_id", "use"], [[image_id, uses[image_id].value] for image_id in sorted(uses)])


def read_uses(path: Path) -> dict[str, Use]:
    """Read what `write_uses` wrote."""
    return {row["image_id"]: Use(row["use"]) for row in read_csv(path)}


def summarise(uses: Iterable[Use]) -> str:
    """Return a line for the log: how many images are used how."""
    uses = list(uses)
    return ", ".join(f"{uses.count(use)} {use.value}" for use in Use)
