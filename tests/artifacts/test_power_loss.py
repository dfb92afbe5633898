"""If the power goes at any moment, a file is the old one or the new one; once it has been written, the new one."""

import shutil
from pathlib import Path

import numpy as np
import pandas
import pytest
from artifacts.power_loss import Disk, State, real

from auxseg.artifacts import atomic
from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.atomic import atomic_dir, write_bytes, write_json, write_text
from auxseg.artifacts.frames import write_frame
from auxseg.artifacts.parquet import write_parquet
from auxseg.artifacts.tables import write_csv
from auxseg.artifacts.tensors import write_tensors
from auxseg.encoded import encode_label
from auxseg.external.npy import write_npy_cams
from auxseg.review.verdicts import Verdict, write_verdicts


def label(number: int) -> bytes:
    return encode_label(np.full((5, 7), number, np.uint8))


def folder(path: Path, number: int) -> None:
    with atomic_dir(path) as made:
        (made / f"{number}.txt").write_text("one")
        (made / "same.txt").write_text(str(number))
        write_text(made / "sub/inner.txt", str(number))


def verdict(number: int) -> Verdict:
    return Verdict("a", "0" * 64, f"r{number}", "accept", (), "", "ann", "2026-01-31")


WRITERS = {
    "text": lambda path, number: write_text(path, f"{number}\n" * 1000),
    "json": lambda path, number: write_json(path, [number] * 1000),
    "table": lambda path, number: write_csv(path, ["a"], [[number]] * 1000),
    "frame": lambda path, number: write_frame(path, pandas.DataFrame({"a": [number] * 1000})),
    "parquet": lambda path, number: write_parquet(path, pandas.DataFrame({"a": [float(number)]}), {"a": float}),
    "archive of labels": lambda path, number: write_archive(path, {"a.png": label(number), "b.png": label(0)}),
    "label": lambda path, number: write_bytes(path, label(number)),
    "tensors": lambda path, number: write_tensors(path, {"a": np.full(1000, number)}, {"round": number}),
    "npy": lambda path, number: write_npy_cams(path, {number: np.ones((3, 4), np.float32)}, (3, 4), "psa"),
    "verdicts": lambda path, number: write_verdicts(path, [verdict(number)]),
    "folder": folder,
}
"""Kind -> its writer, which makes other content of another number."""


@pytest.fixture
def disk(tmp_path, monkeypatch):
    def start() -> Disk:
        started.append(Disk(tmp_path, monkeypatch))
        return started[-1]

    started: list[Disk] = []
    yield start
    for one in started:
        one.close()


def written(start, path: Path, write) -> tuple[State, State, list[tuple[str, set[State]]], set[State]]:
    """Return the old and the new content, and what the disk may hold while `write` writes, and afterwards."""
    old = real(path)
    disk = start()
    disk.watch(path)
    write()
    return old, real(path), [(moment, found[path]) for moment, found in disk.moments], disk.may_be(path)


@pytest.mark.parametrize("place", ["file", "new/folders/file"])
@pytest.mark.parametrize("kind", WRITERS)
def test_old_or_new_at_every_moment(tmp_path, disk, kind, place):
    path = tmp_path / place
    if place == "file":
        WRITERS[kind](path, 1)
    old, new, moments, after = written(disk, path, lambda: WRITERS[kind](path, 2))
    assert new not in (None, old) and (old is None) == (place != "file")
    legal = {old, new, None} if kind == "folder" else {old, new}
    assert [(moment, found - legal) for moment, found in moments if found - legal] == []
    assert {old, new} <= set().union(*(found for _, found in moments))
    assert after == {new}


def no_flush(path: Path) -> None:
    pass


FLUSH = atomic._flush
FAULTS = {
    "nothing is flushed": (no_flush, True, True),
    "no folder is flushed": (lambda path: None if path.is_dir() else FLUSH(path), False, True),
    "no file is flushed": (lambda path: FLUSH(path) if path.is_dir() else None, True, True),
}
"""What is wrong -> the flush, whether there may be a mix, and whether the old file may come back or more be lost."""


@pytest.mark.parametrize("kind", ["text", "archive of labels", "tensors"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_flush_that_is_missing_is_found(tmp_path, monkeypatch, disk, kind, fault):
    flush, mixed, lost = FAULTS[fault]
    WRITERS[kind](tmp_path / "file", 1)
    monkeypatch.setattr(atomic, "_flush", flush)
    path = tmp_path / "file"
    old, new, moments, after = written(disk, path, lambda: WRITERS[kind](path, 2))
    assert any(found - {old, new} for _, found in moments) == mixed
    assert (after != {new}) == lost


def test_a_folder_that_is_emptied_in_place_is_found(tmp_path, disk):
    path, other = tmp_path / "folder", tmp_path / "other"
    folder(path, 1)
    folder(other, 2)

    def replace() -> None:
        shutil.rmtree(path)
        other.replace(path)

    old, new, moments, _ = written(disk, path, replace)
    assert any(found - {old, new, None} for _, found in moments)
