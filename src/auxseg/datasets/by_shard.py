"""Work on images shard by shard: a process keeps a limited number of archives open, and opening one takes long."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.parallel import map_processes

R = TypeVar("R")


def map_by_shard(
    function: Callable[[ImageRecord], R], records: Sequence[ImageRecord], shards: Sequence[str], label: str
) -> list[R]:
    """Apply `function` to every record in worker processes; results are in the order of `records`."""
    order = sorted(range(len(records)), key=lambda position: shard_of(records[position].id, shards))
    done = map_processes(function, [records[position] for position in order], label)
    found = dict(zip(order, done, strict=True))
    return [found[position] for position in range(len(records))]
