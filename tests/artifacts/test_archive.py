"""The bytes of an archive depend only on its members."""

import os
import pickle
import resource
import subprocess
import sys
import zipfile

import pytest

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.atomic import sha256_file
from auxseg.errors import DataError, ResourceError

MEMBERS = {"b.png": b"two", "a.png": b"one", "ü.png": b""}


def test_order_and_time_do_not_change_a_byte(tmp_path, monkeypatch):
    write_archive(tmp_path / "1.zip", MEMBERS)
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_archive(tmp_path / "2.zip", dict(reversed(MEMBERS.items())))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_another_process_with_another_hash_seed_and_umask_writes_the_same(tmp_path):
    write_archive(tmp_path / "1.zip", MEMBERS)
    code = (
        "import os, sys; from auxseg.artifacts.archive import write_archive; os.umask(0o077)\n"
        f"write_archive(sys.argv[1], {{name: {MEMBERS!r}[name] for name in set({MEMBERS!r})}})"
    )
    environment = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "2.zip")], env=environment, check=True)
    assert sha256_file(tmp_path / "1.zip") == sha256_file(tmp_path / "2.zip")


def test_members_are_stored_sorted_and_dated_1980(tmp_path):
    write_archive(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        infos = archive.infolist()
    assert [info.filename for info in infos] == ["a.png", "b.png", "ü.png"]
    assert {(info.compress_type, info.date_time) for info in infos} == {(zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))}


def test_archive_reads_as_a_mapping_also_when_pickled(tmp_path):
    write_archive(tmp_path / "a.zip", MEMBERS)
    for archive in (Archive(tmp_path / "a.zip"), pickle.loads(pickle.dumps(Archive(tmp_path / "a.zip")))):
        assert dict(archive) == MEMBERS
        assert len(archive) == 3
        assert "c.png" not in archive


def test_rejections_name_the_file_and_the_member(tmp_path):
    write_archive(tmp_path / "a.zip", MEMBERS)
    with pytest.raises(DataError, match=r"a\.zip: does not contain 'c\.png'"):
        Archive(tmp_path / "a.zip")["c.png"]
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"a\.zip: not a readable zip"):
        Archive(tmp_path / "a.zip")


def test_a_damaged_member_is_named(tmp_path):
    path = tmp_path / "a.zip"
    write_archive(path, {"a.png": b"stored as it is", "b.png": b"whole"})
    path.write_bytes(path.read_bytes().replace(b"stored", b"spoilt"))
    archive = Archive(path)
    with pytest.raises(DataError, match=r"a\.zip: 'a\.png' is damaged .*; run the stage that writes it again"):
        archive["a.png"]
    assert archive["b.png"] == b"whole"


def test_too_many_open_files_are_no_damage(tmp_path):
    write_archive(tmp_path / "a.zip", MEMBERS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        with pytest.raises(ResourceError, match=r"a\.zip: too many open files; raise `ulimit -n`"):
            Archive(tmp_path / "a.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
