"""The manifest: what all stages after `prepare` know of the data set.

    data/manifest/classes.csv            index, name, mask_value     index 0 is the background
    data/manifest/<split>/<shard>.csv    id, path, width, height, split, labels, sha256; bits, bands where they are set
    data/masks/<shard>.csv               id, path, sha256            only score, evaluate and audit may read it
    data/masks/form.json                 see auxseg.datasets.mask_form

Trainings read the split `train` alone, and how masks are stored is not in the manifest, so that new val images or masks
cause no training. Paths are relative to the data root, with forward slashes. The column `labels` of an image without
any object is `background`; it is empty if the image-level labels of a val image are unknown. Rows are sorted by id. A
hash of the id assigns an image to a shard, so a new image does not change the other shards.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import finished, write_json
from auxseg.artifacts.damage import damaged, read_whole
from auxseg.artifacts.tables import read_artifact, write_csv
from auxseg.datasets.mask_form import PLAIN, MaskForm
from auxseg.errors import DataError
from auxseg.files import read_json

SEPARATOR = ";"
"""Between class names of one image in the manifest; class names may contain spaces."""
SPLITS = ("train", "val")
"""Each has a file for every shard, even one without images."""
COLUMNS = ("id", "path", "width", "height", "split", "labels", "sha256")
"""Columns of a shard; `bits` and `bands` may follow."""
NEGATIVE = "background"
"""The column `labels` of an image without any object; no class may have this name."""


@dataclass(frozen=True)
class ImageRecord:
    """One image: `tags` are its image-level labels, as class names; the column `labels` of the manifest.

    An image without tags is a negative, which shows no object; or, if `is_tagged` is false, it is a val image whose
    tags are unknown.
    """

    id: str
    path: str
    width: int
    height: int
    split: str
    tags: tuple[str, ...]
    sha256: str
    bits: int | None = None
    bands: tuple[int, ...] | None = None
    """How the file is read (`data.bits`, `data.bands`); the columns exist only where one of them is set."""
    is_tagged: bool = True

    @property
    def is_negative(self) -> bool:
        """Whether the image is known to show no object."""
        return self.is_tagged and not self.tags


@dataclass(frozen=True)
class ClassTable:
    """Names and mask values of the object classes. Class index k (1..C) is position k - 1; 0 is the background."""

    names: tuple[str, ...]
    values: tuple[int, ...]

    def __len__(self) -> int:
        """Number C of object classes, without the background."""
        return len(self.names)

    @property
    def with_background(self) -> tuple[str, ...]:
        """Names by class index, 0 = background."""
        return (NEGATIVE, *self.names)

    def index(self, name: str) -> int:
        """Return the class index (1..C) of a name.

        Raises:
            DataError: there is no such class.
        """
        if name not in self.names:
            raise DataError(f"class '{name}': not in the class table of the manifest; run the stage prepare again")
        return self.names.index(name) + 1

    def multi_hot(self, tags: Iterable[str]) -> np.ndarray:
        """Return the image-level labels as float32 (C,), 1 where the class is present."""
        hot = np.zeros(len(self.names), np.float32)
        for name in tags:
            hot[self.index(name) - 1] = 1
        return hot

    def indices_from_values(self, unlisted: int) -> np.ndarray:
        """Return a look-up table, uint8 (256,): mask value -> class index; 255 stays, others become `unlisted`."""
        table = np.full(256, unlisted, np.uint8)
        table[0], table[255] = 0, 255
        table[list(self.values)] = np.arange(1, len(self.values) + 1)
        return table


def shard_of(image_id: str, shards: Sequence[str]) -> str:
    """Return the shard of an image, by the SHA-256 of its id: the same on every machine."""
    return shards[int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") % len(shards)]


def write_manifest(folder: Path, records: Iterable[ImageRecord], classes: ClassTable, shards: Sequence[str]) -> None:
    """Write classes.csv and one file per split and shard (also for a shard without images)."""
    rows: dict[tuple[str, str], list[list[object]]] = {(split, shard): [] for split in SPLITS for shard in shards}
    records = sorted(records, key=lambda record: record.id)
    is_deep = any(record.bits or record.bands for record in records)
    for record in records:
        rows[record.split, shard_of(record.id, shards)].append(
            [
                record.id,
                record.path,
                record.width,
                record.height,
                record.split,
                NEGATIVE if record.is_negative else SEPARATOR.join(record.tags),
                record.sha256,
                *([record.bits or "", " ".join(map(str, record.bands or ()))] if is_deep else []),
            ]
        )
    header = [*COLUMNS, *(["bits", "bands"] if is_deep else [])]
    for (split, shard), listed in rows.items():
        write_csv(folder / split / f"{shard}.csv", header, listed)
    table = zip(range(len(classes) + 1), classes.with_background, (0, *classes.values), strict=True)
    write_csv(folder / "classes.csv", ["index", "name", "mask_value"], table)


def write_mask_list(
    folder: Path, masks: dict[str, tuple[str, str]], shards: Sequence[str], form: MaskForm = PLAIN
) -> None:
    """Write relative path and SHA-256 of every mask by id, one file per shard, and how the masks are stored.

    The hash is for DVC: without it, a corrected mask would not change the list, and no score would be computed again.
    """
    rows: dict[str, list[list[object]]] = {shard: [] for shard in shards}
    for image_id in sorted(masks):
        rows[shard_of(image_id, shards)].append([image_id, *masks[image_id]])
    for shard in shards:
        write_csv(folder / f"{shard}.csv", ["id", "path", "sha256"], rows[shard])
    write_json(folder / "form.json", form.stored())


def read_shard(path: Path) -> list[ImageRecord]:
    """Read one shard of the manifest, sorted by id.

    Raises:
        DataError: the file is missing or damaged, or empty: a shard without images has a header.
    """
    rows = read_artifact(path, COLUMNS)
    with read_whole(path):
        records = [
            ImageRecord(
                row["id"],
                row["path"],
                int(row["width"]),
                int(row["height"]),
                row["split"],
                () if row["labels"] == NEGATIVE else tuple(filter(None, row["labels"].split(SEPARATOR))),
                row["sha256"],
                int(row["bits"]) if row.get("bits") else None,
                tuple(map(int, row["bands"].split())) if row.get("bands") else None,
                bool(row["labels"]),
            )
            for row in rows
        ]
        for record in records:
            if record.split not in SPLITS or record.width < 1 or record.height < 1:
                raise ValueError(f"'{record.id}' has split '{record.split}', {record.width}x{record.height} pixels")
    if twice := [one for one, number in Counter(record.id for record in records).items() if number > 1]:
        raise damaged(path, f"id '{twice[0]}' appears twice")
    return records


def read_manifest(folder: Path, split: str | None = None) -> list[ImageRecord]:
    """Read all shards of the manifest, sorted by id; only those of `split` if it is given."""
    return read_shards(path for one in SPLITS if split in (None, one) for path in finished(folder / one, "*.csv"))


def read_shards(paths: Iterable[Path]) -> list[ImageRecord]:
    """Read some shards of the manifest, sorted by id.

    Raises:
        DataError: a file is missing or damaged, or has an image of the other split.
    """
    found = []
    for path in paths:
        records = read_shard(path)
        for record in records:
            if record.split != path.parent.name:
                raise damaged(path, f"'{record.id}' has split '{record.split}'")
        found += records
    return sorted(found, key=lambda record: record.id)


def manifest_shards(folder: Path) -> list[str]:
    """Return the shards of one split of a manifest, sorted."""
    return [path.stem for path in finished(folder, "*.csv")]


def read_classes(path: Path) -> ClassTable:
    """Read the class table, classes.csv of a manifest."""
    rows = read_artifact(path, ("index", "name", "mask_value"))[1:]
    with read_whole(path):
        table = ClassTable(tuple(row["name"] for row in rows), tuple(int(row["mask_value"]) for row in rows))
    if not table.names or len(set(table.names)) != len(table) or not all(0 <= value <= 254 for value in table.values):
        raise damaged(path, "it names no class, a class twice, or a mask value outside 0..254")
    return table


def read_mask_list(paths: Iterable[Path]) -> dict[str, str]:
    """Read the mask lists of some shards: id -> path relative to the data root."""
    return {row["id"]: row["path"] for path in paths for row in read_artifact(path, ("id", "path"))}


def read_mask_form(path: Path) -> MaskForm:
    """Read how the masks are stored.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        return MaskForm.of(read_json(path))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, DataError) as error:
        raise DataError(f"{path}: not readable ({error}); run the stage prepare again") from None


def read_mask_hashes(paths: Iterable[Path]) -> dict[str, str]:
    """Read the mask lists of some shards: id -> SHA-256."""
    return {row["id"]: row["sha256"] for path in paths for row in read_artifact(path, ("id", "sha256"))}


def shard_files(folder: Path, shards: Sequence[str], suffix: str) -> dict[str, Path]:
    """Return shard -> file of a folder with one file per shard.

    Raises:
        DataError: a file is missing, or there is one of another shard (DVC keeps old files).
    """
    found = {path.name.removesuffix(suffix): path for path in finished(folder, f"*{suffix}")}
    for shard in sorted(set(shards) - set(found)):
        raise DataError(f"{folder}/{shard}{suffix}: missing; `dvc pull` it, or run `auxseg run` first")
    for shard in sorted(set(found) - set(shards)):
        raise DataError(
            f"{folder}/{shard}{suffix}: left over from another number of shards; `auxseg shards {len(shards)}` removes "
            "it, then run again"
        )
    return {shard: found[shard] for shard in shards}
