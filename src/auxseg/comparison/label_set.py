"""The labels that are compared: those of one round, on disk or as a revision of the project recorded them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from auxseg.artifacts.archive import opened_archive
from auxseg.artifacts.rounds import Round
from auxseg.datasets.dataset import Dataset


@dataclass(frozen=True)
class LabelSet:
    """The labels of one state: its class names (index 0 = background), and the archive of each image."""

    classes: tuple[str, ...]
    archives: Mapping[str, Path]

    @classmethod
    def of(cls, classes: Sequence[str], files: Iterable[Path]) -> "LabelSet":
        """Index the label archives of one round."""
        return cls(tuple(classes), {name.removesuffix(".png"): path for path in files for name in opened_archive(path)})


def round_labels(dataset: Dataset, round_: Round) -> LabelSet:
    """Return the labels of a round on disk.

    Raises:
        DataError: a shard is missing or left over.
    """
    files = dataset.every_shard(partial(dataset.store.labels, round_))
    return LabelSet.of(dataset.classes.with_background, files.values())
