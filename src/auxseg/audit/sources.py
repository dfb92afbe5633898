"""The sources of the report: the artifacts of every round, opened when they are needed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.tables import read_csv
from auxseg.datasets.manifest import ClassTable, ImageRecord, shard_files
from auxseg.datasets.masks import Unlisted
from auxseg.errors import DataError
from auxseg.guard.record import Judgement
from auxseg.params.labels import LabelsParams


@dataclass(frozen=True)
class Sources:
    """Folders of artifacts, as the stage declares them; small enough to pass to worker processes."""

    photos: Path
    saliency: Path
    maps: Path
    labels: Path
    saliency_labels: Path
    predictions: Path
    models: Path
    reviews: Path
    guard: Path
    classes: ClassTable
    shards: tuple[str, ...]
    masks: Mapping[str, str]
    """Id -> path relative to `photos`; empty without masks."""
    unlisted: Unlisted
    rule: LabelsParams
    """Thresholds with which the labels were made."""

    def check(self, rounds: Sequence[str]) -> None:
        """Check that every round has all its shards, no extra ones, and its network.

        Raises:
            DataError: names the first wrong file.
        """
        shard_files(self.saliency, self.shards, ".zip")
        for name in rounds:
            shard_files(self.maps / name, self.shards, ".safetensors")
            shard_files(self.labels / name, self.shards, ".zip")
            shard_files(self.saliency_labels / name, self.shards, ".zip")
            if not (weights := self.models / f"{name}.safetensors").is_file():
                raise DataError(f"{weights}: no such file; `dvc repro` makes it")
            Judgement.read(self.guard / f"{name}.json")


def list_rounds(summary: Path, labels: Path) -> list[str]:
    """Return the rounds to show: r0 to the last round of the result table or, without masks, of the label folders.

    The table takes precedence, because folders of removed rounds may still be under `labels` (DVC keeps them). The
    rounds in the table may start after r0, namely if only validation images have masks.

    Raises:
        DataError: there is no round.
    """
    found = {row["round"] for row in read_csv(summary) if row["round"]}
    if found:
        return [f"r{number}" for number in range(max(int(name[1:]) for name in found) + 1)]
    folders = {path.name for path in labels.iterdir() if re.fullmatch(r"r\d+", path.name)}
    rounds: list[str] = []
    while f"r{len(rounds)}" in folders:
        rounds.append(f"r{len(rounds)}")
    if not rounds:
        raise DataError(f"{labels}: no labels of r0; run `dvc repro`")
    return rounds


def spread(records: Sequence[ImageRecord], count: int | None) -> list[ImageRecord]:
    """Return at most `count` records (None: all), spread evenly over the ids; the same ones in every round."""
    ordered = sorted(records, key=lambda record: record.id)
    count = len(ordered) if count is None else min(count, len(ordered))
    return [ordered[position * len(ordered) // count] for position in range(count)]
