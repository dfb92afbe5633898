"""Which weights are taken, and that a download is right and whole or leaves nothing."""

import hashlib
import logging
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from auxseg.errors import DataError
from auxseg.saliency import weights

CONTENT = bytes(range(256)) * 9000  # more than one chunk
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/ok: the content. /cut: promises more than it sends. Anything else: 404."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path not in ("/ok", "/cut"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/ok" else CONTENT[: len(CONTENT) // 2])

    def log_message(self, *arguments):
        """Stay quiet."""


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_download_once(server, tmp_path):
    target = tmp_path / "cache/auxseg/net.onnx"
    assert weights.download(f"{server.url}/ok", target, DIGEST) == target
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["net.onnx"]
    weights.download(f"{server.url}/ok", target, DIGEST)
    assert server.asked == ["/ok"]


def test_a_damaged_copy_is_fetched_again(server, tmp_path):
    target = tmp_path / "net.onnx"
    target.write_bytes(CONTENT[:100])
    weights.download(f"{server.url}/ok", target, DIGEST)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "digest", "reason"),
    [
        ("ok", "0" * 64, f"SHA-256 {DIGEST}, expected {'0' * 64}"),
        ("cut", DIGEST, "expected"),
        ("gone", DIGEST, "download failed"),
    ],
)
def test_a_bad_download_leaves_nothing(server, tmp_path, page, digest, reason):
    with pytest.raises(DataError) as error:
        weights.download(f"{server.url}/{page}", tmp_path / "cache/net.onnx", digest)
    check_line(error, f"{server.url}/{page}", reason)
    assert list((tmp_path / "cache").iterdir()) == []


def test_nobody_answers(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError) as error:
        weights.download(f"{url}/ok", tmp_path / "cache/net.onnx", DIGEST)
    check_line(error, f"{url}/ok", "download failed")
    assert list((tmp_path / "cache").iterdir()) == []


def check_line(error, url, reason):
    message = str(error.value)
    assert message.startswith(f"{url}: ") and reason in message and "give the file as saliency.path" in message
    assert "\n" not in message


def test_the_packaged_file_is_the_published_one():
    found = weights.find_weights()
    assert found == weights.packaged_weights()
    content = found.read_bytes()
    assert hashlib.sha256(content).hexdigest() == weights.SHA256
    assert hashlib.md5(content).hexdigest() == "8e83ca70e441ab06c318d82300c84806"


def test_the_package_is_not_imported():
    weights.find_weights()
    assert weights.PACKAGE not in sys.modules


def test_without_the_package_it_is_downloaded(server, tmp_path, monkeypatch):
    use_server(server, monkeypatch, tmp_path)
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_here")
    assert weights.find_weights() == tmp_path / "auxseg/u2netp.onnx"
    assert (tmp_path / "auxseg/u2netp.onnx").read_bytes() == CONTENT


def test_another_file_in_the_package_is_not_used(server, tmp_path, monkeypatch, caplog):
    use_server(server, monkeypatch, tmp_path)  # now the packaged file is not the expected one
    assert weights.find_weights() == tmp_path / "auxseg/u2netp.onnx"
    assert "its SHA-256 differs" in caplog.text


def use_server(server, monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(weights, "URL", f"{server.url}/ok")
    monkeypatch.setattr(weights, "SHA256", DIGEST)


def test_a_named_file_is_used_and_a_difference_logged(tmp_path, caplog):
    named = tmp_path / "mine.onnx"
    shutil.copy(weights.packaged_weights(), named)
    with caplog.at_level(logging.WARNING):
        assert weights.find_weights(named) == named
        assert caplog.text == ""
        named.write_bytes(b"others")
        assert weights.find_weights(named) == named
    assert "mine.onnx: not the published U2-Net-p" in caplog.text


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(DataError, match=r"mine\.onnx: no such weights; fix saliency\.path"):
        weights.find_weights(tmp_path / "mine.onnx")
