"""The sources of the report: the artifacts of every round, opened when they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.rounds import R0, Round, is_round_name
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_artifact
from auxseg.datasets.contradictions import Contradictions
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.masks import Masks
from auxseg.errors import DataError
from auxseg.guard.record import Judgement
from auxseg.params.labels import LabelsParams


@dataclass(frozen=True)
class Sources:
    """Paths of the artifacts that the report shows; small enough to pass to worker processes."""

    dataset: Dataset
    masks: Masks
    rule: LabelsParams
    """Thresholds with which the labels were made."""

    @property
    def store(self) -> Store:
        """The artifacts of the project."""
        return self.dataset.store

    @property
    def photos(self) -> Path:
        """The folder that the paths of the records are relative to."""
        return self.dataset.root

    @property
    def classes(self) -> ClassTable:
        """The class table."""
        return self.dataset.classes

    @property
    def shards(self) -> Sequence[str]:
        """The shards of the manifest, sorted."""
        return self.dataset.shards

    @cached_property
    def contradictions(self) -> Contradictions:
        """The images whose mask contradicts their image-level labels."""
        return Contradictions.read(self.store.contradictions)

    def has_corrections(self, round_: Round) -> bool:
        """Return whether labels corrected by hand replace labels of a round in training."""
        return len(opened_archive(self.store.corrected(round_))) > 0

    def check(self, rounds: Sequence[Round]) -> None:
        """Check that every round has all its shards, no extra ones, and its network.

        Raises:
            DataError: names the first wrong file.
        """
        store, find = self.store, self.dataset.every_shard
        find(store.saliency)
        for one in rounds:
            for file in (store.maps, store.labels, store.saliency_labels):
                find(partial(file, one))
            if not (weights := store.weights(one)).is_file():
                raise DataError(f"{weights}: no such file; `dvc repro` makes it")
            Judgement.read(store.judgement(one))


def list_rounds(store: Store) -> list[Round]:
    """Return the rounds to show: r0 to the last round of the result table or, without masks, of the label folders.

    The table takes precedence, because folders of removed rounds may still be there (DVC keeps them). The rounds in the
    table may start after r0, namely if only validation images have masks.

    Raises:
        DataError: there is no round.
    """
    found = {Round.parse(row["round"]) for row in read_artifact(store.table("rounds.csv"), ("round",)) if row["round"]}
    if found:
        return Round.up_to(max(found))
    labels = store.label_rounds
    folders = {Round.parse(path.name) for path in labels.iterdir() if is_round_name(path.name)}
    if R0 not in folders:
        raise DataError(f"{labels}: no labels of r0; run `dvc repro`")
    return list(takewhile(folders.__contains__, Round.up_to(max(folders))))


def spread(records: Sequence[ImageRecord], count: int | None) -> list[ImageRecord]:
    """Return at most `count` records (None: all), spread evenly over the ids; the same ones in every round."""
    ordered = sorted(records, key=lambda record: record.id)
    count = len(ordered) if count is None else min(count, len(ordered))
    return [ordered[position * len(ordered) // count] for position in range(count)]
