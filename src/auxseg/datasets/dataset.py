"""The data set as all stages after `prepare` see it: manifest, class table, image root and mask policy, no masks.

`auxseg.datasets.masks.Masks` reads the masks of a data set. Of the stages, only prepare (its checks), score, evaluate
and audit may import it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from auxseg.artifacts.store import Store
from auxseg.datasets.manifest import (
    SPLITS,
    ClassTable,
    ImageRecord,
    manifest_shards,
    read_classes,
    read_shards,
    shard_files,
)
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """The data set of a project, read from the store when it is needed. Picklable.

    Every member raises DataError if a file is missing or damaged, and ParamsError if the stage does not declare the
    file or, for `root`, if the data root of this machine is not set.
    """

    store: Store

    @cached_property
    def classes(self) -> ClassTable:
        """Names and mask values of the classes."""
        return read_classes(self.store.classes)

    @cached_property
    def root(self) -> Path:
        """The folder that the paths of the records are relative to; scenes are generated if they are missing."""
        return photos_root(self.store.dataset)

    @cached_property
    def unlisted(self) -> Literal["error", "ignore", "background"]:
        """How a mask value outside the class table is treated."""
        return mask_policy(self.store.dataset)

    @cached_property
    def shards(self) -> list[str]:
        """The shards of the manifest, sorted.

        Raises:
            DataError: there is none: the manifest is missing, or of a version of auxseg that had no folder for a split.
        """
        folder = self.store.manifest_of("train")
        if not (found := manifest_shards(folder)):
            raise DataError(f"{folder}: has no shard; run `auxseg run`, which writes the manifest again")
        return found

    def records(self, split: str | None = None, shard: str | None = None) -> list[ImageRecord]:
        """Return the images, sorted by id; only those of `split` and of `shard` if they are given."""
        splits, shards = SPLITS if split is None else (split,), self.shards if shard is None else [shard]
        return read_shards(self.store.records(one, name) for one in splits for name in shards)

    def every_shard(self, file: Callable[[str], Path]) -> dict[str, Path]:
        """Return shard -> file of an artifact that has one file per shard.

        Args:
            file: the store's method, with the round bound: `partial(store.labels, round)`.

        Raises:
            DataError: a file is missing, or there is one of another shard.
        """
        paths = [file(shard) for shard in self.shards]
        return shard_files(paths[0].parent, self.shards, paths[0].suffix) if paths else {}
