"""Images shard by shard: a process keeps a limited number of archives open, and opening one takes long."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.parallel import map_processes

R = TypeVar("R")


def by_shard(records: Sequence[ImageRecord], shards: Sequence[str]) -> list[ImageRecord]:
    """Return the records in the order of their shards, and of their ids within one."""
    return sorted(records, key=lambda record: (shard_of(record.id, shards), record.id))


def map_by_shard(
    function: Callable[[ImageRecord], R], records: Sequence[ImageRecord], shards: Sequence[str], title: str
) -> list[R]:
    """Apply `function` to every record in worker processes, by shard; results are in the order of `records`."""
    ordered = by_shard(records, shards)
    done = map_processes(function, ordered, title)
    found = dict(zip((record.id for record in ordered), done, strict=True))
    return [found[record.id] for record in records]
