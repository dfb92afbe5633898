"""A crash leaves the old file or none."""

import errno
import json
import os
import stat
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from auxseg.artifacts.atomic import atomic_dir, atomic_path, finished, sha256_file, write_json, write_text
from auxseg.errors import ResourceError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_exception_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old\n")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old\n"
    assert names(tmp_path) == ["a.txt"]


def test_an_exception_leaves_no_new_file(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "sub" / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert names(tmp_path / "sub") == []


def test_an_exception_leaves_the_old_folder(tmp_path):
    with atomic_dir(tmp_path / "d") as temporary:
        (temporary / "old").write_text("1")
    with pytest.raises(RuntimeError), atomic_dir(tmp_path / "d") as temporary:
        (temporary / "new").write_text("2")
        raise RuntimeError
    assert names(tmp_path) == ["d"]
    assert names(tmp_path / "d") == ["old"]


def test_a_folder_is_replaced_whole(tmp_path):
    for name in ("one", "two"):
        with atomic_dir(tmp_path / "d") as temporary:
            (temporary / name).write_text("x")
    assert names(tmp_path / "d") == ["two"]


def test_a_folder_that_cannot_be_moved_leaves_the_old_one(tmp_path, monkeypatch):
    with atomic_dir(tmp_path / "d") as made:
        (made / "old").touch()
    move = Path.replace

    def replace(self, target):
        if target == tmp_path / "d" and (self / "new").exists():
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(self))
        return move(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="Invalid cross-device link") as error, atomic_dir(tmp_path / "d") as made:
        (made / "new").touch()
    assert error.value.filename == str(tmp_path / "d")
    assert names(tmp_path) == ["d"] and names(tmp_path / "d") == ["old"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_file_systems_that_flush_no_folders(tmp_path, monkeypatch, number):
    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ResourceError, match="a: cannot be written") if number == errno.EIO else nullcontext():
        write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.parametrize("kind", ["atomic_path", "atomic_dir"])
def test_a_killed_process_leaves_the_old_output_and_only_ignored_names(tmp_path, kind):
    """SIGKILL in the middle: no handler runs, what is left is called `.tmp-*`, as .dvcignore says."""
    out = tmp_path / "out"
    if kind == "atomic_dir":
        out.mkdir()
        (out / "part").write_text("old")
    else:
        out.write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path; from auxseg.artifacts import atomic\n"
        "with getattr(atomic, sys.argv[1])(Path(sys.argv[2])) as temporary:\n"
        "    (temporary / 'part' if temporary.is_dir() else temporary).write_text('new')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, kind, str(out)], check=False)
    assert done.returncode == -9
    assert (out / "part" if out.is_dir() else out).read_text() == "old"
    left = [name for name in names(tmp_path) if name != "out"]
    assert left
    assert all(name.startswith(".tmp-") for name in left)


def test_json_is_sorted_and_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [0.5]})
    assert list(json.loads((tmp_path / "a.json").read_text())) == ["a", "b"]
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", {"a": float("nan")})
    assert names(tmp_path) == ["a.json"]


def test_sha256_of_known_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example B.1
    assert sha256_file(tmp_path / "abc") == expected


def test_finished_files_are_sorted_and_without_what_a_killed_process_left(tmp_path):
    for name in ("b.csv", "a.csv", ".tmp-7-c.csv", "d.zip"):
        (tmp_path / name).touch()
    assert [path.name for path in finished(tmp_path, "*.csv")] == ["a.csv", "b.csv"]


def test_a_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    with atomic_dir(tmp_path / "link") as made:
        (made / "new").touch()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there/new").is_file()
