"""Downloads: HTTPS alone, checked, continued where they stopped; archives that stay in their folder."""

import hashlib
import io
import re
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_server import serving

from auxseg import downloads
from auxseg.datasets import coco, voc_sbd
from auxseg.downloads import download, unpack
from auxseg.errors import DataError

CONTENT = bytes(range(256)) * 9000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/plain knows no ranges, /cut sends 100,000 bytes at most, /away redirects to `server.away`."""

    def do_GET(self):
        first = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(first[1]) if first and self.path != "/plain" else 0
        self.server.asked.append((self.path, start))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", self.server.away)
            self.end_headers()
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:][: 100_000 if self.path == "/cut" else None])

    def log_message(self, *arguments):
        """Stay quiet."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloads, "SCHEMES", ("http",))
    with serving(Handler, monkeypatch) as server:
        yield server


def test_every_attempt_continues_where_the_last_one_stopped(server, tmp_path):
    target = tmp_path / "new/a.bin"
    for attempt in (1, 2):
        with pytest.raises(DataError, match=r"/cut: download failed \(.*run the same command again, it continues$"):
            download(f"{server.url}/cut", DIGEST, target)
        assert (tmp_path / "new/a.bin.part").stat().st_size == 65_536 * attempt
    assert download(f"{server.url}/ok", DIGEST, target).read_bytes() == CONTENT
    assert server.asked == [("/cut", 0), ("/cut", 65_536), ("/ok", 131_072)]
    assert [path.name for path in target.parent.iterdir()] == ["a.bin"]
    download(f"{server.url}/ok", DIGEST, target)
    assert len(server.asked) == 3  # it is there


def test_a_server_without_ranges_sends_all_of_it(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:1000])
    assert download(f"{server.url}/plain", DIGEST, tmp_path / "a.bin").read_bytes() == CONTENT


def test_all_of_it_was_there(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert download(f"{server.url}/ok", DIGEST, tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_wrong_beginning_is_thrown_away(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match=f"expected SHA-256 {DIGEST}, but got "):
        download(f"{server.url}/ok", DIGEST, tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []
    download(f"{server.url}/ok", DIGEST, tmp_path / "a.bin")


def test_only_https_is_followed(server, tmp_path, monkeypatch):
    checked = []
    server.away = f"{server.url}/ok"
    with monkeypatch.context() as patch:
        patch.setattr(downloads, "_require_scheme", checked.append)
        download(f"{server.url}/away", DIGEST, tmp_path / "a.bin")
    assert set(checked) == {f"{server.url}/away", server.away}
    monkeypatch.setattr(downloads, "SCHEMES", ("https",))
    with pytest.raises(DataError, match=r"/ok: not a URL of https"):
        download(f"{server.url}/ok", DIGEST, tmp_path / "b.bin")
    assert len(server.asked) == 2


def test_what_is_published_has_https_and_a_sha256():
    assert downloads.SCHEMES == ("https",)
    files = [voc_sbd.VOC_ARCHIVE, voc_sbd.SBD_ARCHIVE]
    files += [(f"{coco._HOST}/{path}", sha256) for path, sha256 in coco.SOURCE_FILES]
    for url, sha256 in files:
        assert url.startswith("https://") and re.fullmatch("[0-9a-f]{64}", sha256)


def write_tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, **values) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = 0 if "type" in values else 1
    for key, value in values.items():
        setattr(info, key, value)
    return info


def test_a_folder_of_an_archive_is_unpacked(tmp_path):
    tar = write_tar(tmp_path / "a.tgz", member("top/inner/a.txt"), member("top/other.txt"))
    unpack(tar, "top/inner", tmp_path / "new/here")
    assert (tmp_path / "new/here/a.txt").read_text() == "x"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner/b.txt", "b")
    unpack(tmp_path / "a.zip", "inner", tmp_path / "there")
    assert (tmp_path / "there/b.txt").read_text() == "b"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz", "a.zip", "new", "there"]


@pytest.mark.parametrize(
    "bad",
    [
        member("../out.txt"),
        member("inner/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("inner/device", type=tarfile.CHRTYPE),
    ],
)
def test_a_member_that_leaves_the_folder_is_rejected(tmp_path, bad):
    tar = write_tar(tmp_path / "a.tgz", member("inner/a.txt"), bad)
    with pytest.raises(DataError, match=r"a\.tgz: cannot be unpacked"):
        unpack(tar, "inner", tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


def test_a_folder_that_is_there_is_kept(tmp_path):
    tar = write_tar(tmp_path / "a.tgz", member("inner/a.txt"))
    (tmp_path / "here").mkdir()
    with pytest.raises(DataError, match=r"here: exists, but lacks a part .*; remove it"):
        unpack(tar, "inner", tmp_path / "here")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_one_line(tmp_path, content):
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar: cannot be unpacked .*; remove it and try again"):
        unpack(tmp_path / "a.tar", "inner", tmp_path / "here")


def test_two_that_want_the_same_file_download_it_once(server, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: download(f"{server.url}/ok", DIGEST, tmp_path / "a.bin"), range(4)))
    assert {path.read_bytes() == CONTENT for path in found} == {True}
    assert server.asked == [("/ok", 0)]
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
