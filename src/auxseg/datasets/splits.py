"""Which images an automatic split puts into val: by a hash of the id, and all of one origin together.

Images of one origin are those of one group (the column `group`), and files with the same bytes: a copy in val would be
one that was trained on.
"""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.errors import DataError

_TAIL = 4096
"""Bytes at the end of a file that are compared before all of it is read: raw images of one camera have one size."""


@dataclass(frozen=True)
class Candidate:
    """An image to be split: `path` of its file, `split` where it is given, `group` if it has one."""

    path: Path
    has_mask: bool
    split: str | None = None
    group: str | None = None


def split_images(
    images: Mapping[str, Candidate], share: float, mask_needed: bool, one_at_least: bool
) -> dict[str, str]:
    """Return id -> split; images whose split is given keep it, and the others of their origin follow it.

    Args:
        images: by id.
        share: of the origins that go to val.
        mask_needed: whether only an origin with a mask may go to val.
        one_at_least: whether, of several origins none of which the hash chooses, one goes to val.
    """
    given = {key: image.split for key, image in images.items() if image.split is not None}
    if share == 0 or len(given) == len(images):
        origin = {key: image.group or key for key, image in images.items()}
    else:
        origin = _origins(images)
    fixed: dict[str, str] = {}
    for key, split in given.items():
        fixed.setdefault(origin[key], split)
    free = {origin[key] for key, image in images.items() if image.split is None} - set(fixed)
    masked = {origin[key] for key, image in images.items() if image.has_mask}
    may_be_val = free & masked if mask_needed else free
    val = {one for one in may_be_val if in_val(one, share)}
    if not val and share and one_at_least and len(free) > 1:
        val = set(sorted(may_be_val, key=_draw)[:1])
    return {
        key: given.get(key) or fixed.get(origin[key]) or ("val" if origin[key] in val else "train") for key in images
    }


def _origins(images: Mapping[str, Candidate]) -> dict[str, str]:
    """Return id -> its origin: the group or the id; one of those of all files with the same bytes."""
    name = {key: image.group or key for key, image in images.items()}
    above = {one: one for one in name.values()}

    def top(one: str) -> str:
        while above[one] != one:
            one = above[one]
        return one

    for keys in same_files({key: image.path for key, image in images.items()}):
        tops = sorted({top(name[key]) for key in keys})
        above.update(dict.fromkeys(tops, tops[0]))
    return {key: top(one) for key, one in name.items()}


def same_files(paths: Mapping[str, Path]) -> list[list[str]]:
    """Return the sets of ids whose files have the same bytes; a file that cannot be read is in none.

    Only files of one size and with the same end are read whole.
    """
    sets: list[list[str]] = [list(paths)]
    marks: tuple[Callable[[Path], object], ...] = (_size, _end, sha256_file)
    for mark in marks:
        sets = [found for keys in sets for found in _alike(keys, paths, mark)]
    return sets


def _alike(keys: Collection[str], paths: Mapping[str, Path], mark: Callable[[Path], object]) -> Iterable[list[str]]:
    found: dict[object, list[str]] = {}
    for key in keys:
        with contextlib.suppress(OSError, DataError):  # the check of the images says what is wrong
            found.setdefault(mark(paths[key]), []).append(key)
    return (one for one in found.values() if len(one) > 1)


def _size(path: Path) -> int:
    return path.stat().st_size


def _end(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-min(_TAIL, _size(path)), 2)
        return stream.read()


def in_val(image_id: str, share: float) -> bool:
    """Tell whether an id is in the validation share, independently of all other images."""
    return _draw(image_id) < share * 2**64


def _draw(image_id: str) -> int:
    """Return a hash of an id, below 2^64."""
    # the prefix makes this hash independent of the one that chooses the shard
    return int.from_bytes(hashlib.sha256(b"val:" + image_id.encode()).digest()[:8], "big")
