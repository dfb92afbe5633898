"""Do the archives of every round have exactly the images of the manifest?"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tensors import TensorFile
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError, shorten
from auxseg.review.uses import read_uses

NAMED = 3
"""Number of images that a line names."""


def compare_members(
    dataset: Dataset, rounds: Sequence[Round], skip: Collection[Path] = ()
) -> Iterator[tuple[Path, str]]:
    """Yield every archive and table that lacks an image of the manifest or has another one, and what is wrong.

    A file that cannot be read is wrong too. Files of `skip` are not opened.
    """
    for path, wanted in _expected(dataset, rounds):
        if path in skip:
            continue
        try:
            found = _ids(path)
        except DataError as error:
            yield path, str(error)
            continue
        for verb, ids in (("lacks", wanted - found), ("has, unlike the manifest,", found - wanted)):
            if ids:
                yield path, f"{path}: {verb} {counted(len(ids), 'image')}: {_some(ids)}"


def _expected(dataset: Dataset, rounds: Sequence[Round]) -> Iterator[tuple[Path, set[str]]]:
    """Yield every file with an entry for each image, and the ids of these images."""
    store, everything = dataset.store, dataset.records()
    train, val = ({one.id for one in everything if one.split == split} for split in ("train", "val"))
    for shard in dataset.shards:
        records = dataset.records(shard=shard)
        both, own = _keys(records), _keys(one for one in records if one.split == "train")
        yield store.saliency(shard), both
        for one in rounds:
            yield store.maps(one, shard), own if one.is_initial else both
            yield store.labels(one, shard), own
            yield store.saliency_labels(one, shard), own
    for one in rounds:
        yield store.uses(one), train
        if not one.is_initial:
            yield store.predictions(one), val


def _keys(records: Iterable[ImageRecord]) -> set[str]:
    return {record.id for record in records}


def _ids(path: Path) -> set[str]:
    if path.suffix == ".zip":
        return {name.removesuffix(".png") for name in Archive(path)}
    if path.suffix == ".csv":
        return set(read_uses(path))
    return {name.rpartition(".")[0] for name in TensorFile(path)}


def _some(ids: Collection[str]) -> str:
    return shorten((f"'{one}'" for one in sorted(ids)), NAMED)
