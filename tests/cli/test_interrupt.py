"""Ctrl-C on a terminal during `auxseg run`: one line says how to continue, at any moment; nothing keeps running."""

import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import default_params
import psutil
import pytest
import yaml

from auxseg.engines.dvc_internals import Repo
from auxseg.pipeline.declaration import fill, read_stages

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """\
'''A stage that takes long to start, and then works in processes.'''
import time
from pathlib import Path
Path("importing").touch()
time.sleep(2)
from auxseg import parallel
from auxseg.pipeline.stage import run
parallel.available_cpus = lambda: 2

def main(stage):
    Path("working").touch()
    parallel.map_processes(time.sleep, [1] * 600, "images")

if __name__ == "__main__":
    run("saliency", main)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    Path("script.py").write_text(SCRIPT)
    Path("params.yaml").write_text(default_params.TEXT)
    sections = {name for body in read_stages(ROOT / "dvc.yaml").values() for name in fill(body, {}).sections}
    stage = {"cmd": "python script.py", "params": sorted(sections), "outs": ["data/x.zip"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"saliency": stage}}))
    return tmp_path


@pytest.mark.skipif(shutil.which("setsid") is None, reason="no setsid, which gives a program a terminal of its own")
@pytest.mark.parametrize("moment", ["importing", "working"])
def test_ctrl_c_is_one_line(project, moment):
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "auxseg.cli.main", "run"], stdin=end, stdout=end, stderr=end
    )
    os.close(end)
    while not Path(moment).exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1.0 if moment == "working" else 0.0)
    started = psutil.Process(process.pid).children(recursive=True)
    os.write(terminal, b"\x03")
    assert process.wait(timeout=60) == 130
    said = b""
    while chunk := _read(terminal):
        said += chunk
    lines = said.decode().split("> python script.py\r\n")[1].replace("^C", "").splitlines()
    assert [line for line in lines if not line.startswith("INFO: ")] == ["stopped; `auxseg run` continues from there"]
    assert len(started) >= (4 if moment == "working" else 2)
    assert psutil.wait_procs(started, timeout=20)[1] == []


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other end is closed
        return b""
