"""The fingerprint of the raw folder."""

import os
from pathlib import Path

import pytest
import yaml

from auxseg.datasets.scan import check_content, check_raw, content_sha256, remember, scan, write_raw
from auxseg.errors import DataError, ParamsError
from auxseg.params.saliency import SaliencyParams


@pytest.fixture
def raw(tmp_path):
    for name, content in {"a.jpg": b"1", "sub/b.jpg": b"2", ".DS_Store": b"3", ".git/x": b"4"}.items():
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "raw"


def test_hidden_files_do_not_count_and_the_place_does_not_matter(raw, tmp_path):
    found = scan(raw)
    assert found["files"] == 2
    assert scan(raw.rename(tmp_path / "moved")) == found


@pytest.mark.parametrize("name", ["Thumbs.db", "sub/desktop.ini", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg"])
def test_looking_at_a_folder_from_windows_or_a_nas_changes_nothing(raw, name):
    before = scan(raw)
    (raw / name).parent.mkdir(parents=True, exist_ok=True)
    (raw / name).write_bytes(b"7")
    assert scan(raw) == before


@pytest.mark.parametrize("change", ["content", "name", "new", "gone"])
def test_every_change_is_seen(raw, change):
    before = scan(raw)
    if change == "content":
        (raw / "a.jpg").write_bytes(b"9")
    elif change == "name":
        (raw / "a.jpg").rename(raw / "c.jpg")
    elif change == "new":
        (raw / "d.jpg").write_bytes(b"")
    else:
        (raw / "a.jpg").unlink()
    assert scan(raw)["sha256"] != before["sha256"]


def test_linked_folders_are_followed_and_loops_end(raw, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/e.jpg").write_bytes(b"5")
    (raw / "linked").symlink_to(tmp_path / "elsewhere")
    (raw / "sub/loop").symlink_to(raw)
    assert scan(raw)["files"] == 3


def test_a_link_led_to_another_folder_of_the_set_is_seen(raw):
    (raw / "other").mkdir()
    (raw / "other/b.jpg").write_bytes(b"9")
    (raw / "JPEGImages").symlink_to("sub")
    before = scan(raw)
    (raw / "JPEGImages").unlink()
    (raw / "JPEGImages").symlink_to("other")
    assert scan(raw)["sha256"] != before["sha256"]


def test_a_name_that_is_no_utf8_is_read_too(raw):
    before = scan(raw)
    (raw / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"from an old archive")
    assert scan(raw) != before and scan(raw) == scan(raw)


def test_rejections(raw, tmp_path):
    (raw / "broken.jpg").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"broken\.jpg: cannot be read"):
        scan(raw)
    with pytest.raises(DataError, match="no such folder"):
        scan(tmp_path / "nowhere")


def test_a_folder_that_may_not_be_read_is_one_line(raw, monkeypatch):
    """Passed over, its images could change unseen."""
    scandir = os.scandir

    def rejecting(path):
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", rejecting)
    with pytest.raises(DataError, match=r"sub: cannot be read \(Permission denied\); fix its permissions"):
        scan(raw)


def test_raw_yaml_is_written_only_when_it_changes(raw, tmp_path):
    path = tmp_path / "data/raw.yaml"
    found = scan(raw)
    assert write_raw(path, found)
    assert not write_raw(path, found)
    assert yaml.safe_load(path.read_text()) == found
    assert write_raw(path, {"files": 0, "sha256": "none"})


def test_the_comment_is_the_one_in_the_repository(tmp_path):
    write_raw(tmp_path / "raw.yaml", {"files": 0, "sha256": "none"})
    committed = Path(__file__).parents[2] / "data/raw.yaml"
    assert (tmp_path / "raw.yaml").read_text() == committed.read_text()


def test_content_that_was_not_scanned_is_rejected(raw, tmp_path, monkeypatch):
    """A file and a folder: both hashes, and what to do; a missing one is left to its reader."""
    monkeypatch.chdir(tmp_path)
    for path in (raw / "sub", raw / "a.jpg"):
        right = content_sha256(path, "saliency.path", "root")
        kind = "u2netp" if path.is_file() else "precomputed"
        check_content(SaliencyParams(provider=kind, path=path.name, sha256=right), raw)
        with pytest.raises(
            DataError, match=rf"{path.name}: .* SHA-256 {right}, .*saliency\.sha256: 0{{64}}; .*auxseg scan"
        ):
            check_content(SaliencyParams(provider=kind, path=path.name, sha256="0" * 64), raw)
        with pytest.raises(ParamsError, match=r"saliency\.sha256.*run `auxseg scan`"):
            check_content(SaliencyParams(provider=kind, path=path.name), raw)
    check_content(SaliencyParams(provider="precomputed", path="nowhere", sha256="0" * 64), raw)
    check_content(SaliencyParams(provider="boundary", path="nowhere"), raw)


@pytest.mark.parametrize("change", ["none", "content", "new", "gone", "damaged notes"])
def test_a_folder_is_hashed_again_only_if_a_file_changed(raw, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    maps, section = raw / "sub", SaliencyParams(provider="precomputed", path="sub", sha256="0" * 64)
    remember(maps, "0" * 64)  # a hash that the content does not have shows whether the content was read
    if change == "content":
        (maps / "b.jpg").write_bytes(b"9")
    elif change == "new":
        (maps / "d.jpg").write_bytes(b"")
    elif change == "gone":
        (maps / "b.jpg").unlink()
    elif change == "damaged notes":
        Path(".auxseg/scanned.json").write_text("[1]")
    if change == "none":
        check_content(section, raw)
    else:
        with pytest.raises(DataError, match="its content has SHA-256"):
            check_content(section, raw)


def test_prepare_reads_only_what_was_scanned(raw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noted = tmp_path / "raw.yaml"
    write_raw(noted, {"files": 0, "sha256": "none"})
    with pytest.raises(DataError, match=r"raw was not scanned, .*; run `auxseg scan`"):
        check_raw(raw, noted)
    write_raw(noted, scan(raw))
    check_raw(raw, noted)
    with monkeypatch.context() as patch:  # remembered: an unchanged folder is not hashed again
        patch.delattr("auxseg.datasets.scan.scan")
        check_raw(raw, noted)
    (raw / "d.jpg").write_bytes(b"5")
    with pytest.raises(DataError, match=r"raw: not the content that .*raw.yaml says .*; run `auxseg scan`"):
        check_raw(raw, noted)
