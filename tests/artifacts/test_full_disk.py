"""A disk without room, and a folder that cannot be written: one line with the path, and the old file is still there."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest

from auxseg.artifacts import atomic
from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.atomic import atomic_dir, write_json, write_text
from auxseg.artifacts.frames import write_frame
from auxseg.artifacts.parquet import write_parquet
from auxseg.artifacts.tables import write_csv
from auxseg.artifacts.tensors import write_tensors
from auxseg.errors import ResourceError

WRITERS = {
    "text": lambda path: write_text(path, "x" * 100_000),
    "json": lambda path: write_json(path, list(range(50_000))),
    "csv": lambda path: write_csv(path, ["a"], [[number] for number in range(50_000)]),
    "frame": lambda path: write_frame(path, pandas.DataFrame({"a": range(50_000)})),
    "parquet": lambda path: write_parquet(
        path, pandas.DataFrame({"a": np.random.default_rng(0).random(50_000)}), {"a": float}
    ),
    "archive": lambda path: write_archive(path, {"a.png": bytes(100_000)}),
    "tensors": lambda path: write_tensors(path, {"a": np.zeros(100_000)}),
}

LIMITED = """
import resource, signal, sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from artifacts.test_full_disk import WRITERS
from auxseg.errors import AuxsegError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))  # as a quota: writing stops in the middle of a file
try:
    WRITERS[sys.argv[1]](Path(sys.argv[2]))
except AuxsegError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("kind", WRITERS)
def test_a_disk_that_fills_while_a_file_is_written(tmp_path, kind):
    path = tmp_path / "file"
    path.write_text("old")
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, kind, str(path), str(tests)], capture_output=True, text=True, check=False
    )
    assert done.stdout == (
        f"ResourceError {path}: cannot be written (File too large); free some space, then run the same command again\n"
    ), done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["file"] and path.read_text() == "old"


@pytest.mark.parametrize(
    ("number", "fix"), [(errno.ENOSPC, "free some"), (errno.EDQUOT, "free some"), (errno.EIO, "check the disk, then")]
)
def test_a_disk_that_fills_or_fails_when_it_is_flushed(tmp_path, monkeypatch, number, fix):
    def fsync(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "fsync", fsync)
    with pytest.raises(ResourceError, match=rf"{tmp_path / 'a'}: cannot be written \({os.strerror(number)}\); {fix}"):
        write_text(tmp_path / "a", "x")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_files(tmp_path):
    with (
        pytest.raises(ResourceError, match=rf"{tmp_path / 'report'}: cannot be written"),
        atomic_dir(tmp_path / "report") as folder,
    ):
        (folder / "a").write_text("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", WRITERS)
def test_a_place_that_cannot_be_written_is_named_as_the_user_knows_it(tmp_path, kind):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OSError, match="folder") as error:
        WRITERS[kind](tmp_path / "folder/file")
    assert ".tmp-" not in str(error.value.filename)


def test_a_read_only_folder_is_named_by_the_file(tmp_path, monkeypatch):
    """Root may write everywhere, so the error is made."""

    def opened(self, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(PermissionError) as error:
        write_text(tmp_path / "a", "x")
    assert error.value.filename == str(tmp_path / "a")
