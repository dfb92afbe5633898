"""Half-written files: nothing counts them as content, and the stage whose outputs they lie beside removes them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from auxseg.artifacts.atomic import finished, own_files, write_bytes
from auxseg.artifacts.leftovers import remove_leftovers
from auxseg.artifacts.tensors import write_tensors
from auxseg.engines.dvc_internals import Repo

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = (".tmp-7-00.zip", ".tmpAbC123", ".Zm9vYmFyYmF6cXV4MTIzNA.tmp", "00.zip.Zm9vYmFyYmF6cXV4MTIzNA.tmp")


@pytest.fixture
def dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def make(path: str, age: float = 0.0) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half")
    for one in (file, file.parent):
        os.utime(one, (time.time() - age,) * 2)
    return file


def test_they_are_no_content(tmp_path):
    for name in ("00.zip", *FOREIGN):
        make(f"{tmp_path}/labels/{name}")
    make(f"{tmp_path}/labels/.tmp-9-01.zip/01.zip")
    assert own_files(tmp_path) == [tmp_path / "labels/00.zip"]
    assert finished(tmp_path / "labels", "*.zip") == [tmp_path / "labels/00.zip"]


def test_dvc_ignores_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    shutil.copy(ROOT / ".dvcignore", tmp_path)
    paths = [make(f"data/labels/{name}") for name in FOREIGN]
    paths.append(make("data/.tmp-7-audit/index.html"))
    kept = [make("data/labels/00.zip"), make("data/labels/tmp.csv")]
    with Repo(".") as repo:
        assert all(repo.dvcignore.is_ignored_file(str(path.absolute())) for path in paths)
        assert not any(repo.dvcignore.is_ignored_file(str(path.absolute())) for path in kept)


def test_what_a_dead_process_left_of_ones_own_outputs_goes_at_once(tmp_path, monkeypatch, dead):
    monkeypatch.chdir(tmp_path)
    left = [make(f"data/labels/.tmp-{dead}-00.zip/00.zip").parent, make(f"data/.tmp-{dead}-audit/index.html").parent]
    left.append(make(f"data/.tmp-{dead}-old-audit/index.html").parent)
    left.append(make(f"data/labels/.tmp-{dead}{dead}{dead}-00.zip"))  # no such process id anywhere
    stay = [
        make(f"data/labels/.tmp-{os.getpid()}-00.zip"),  # alive
        make(f"data/labels/.tmp-{dead}-01.zip"),  # perhaps another machine's
        make("data/labels/.tmpAbC123"),
        make("data/labels/00.zip"),
    ]
    assert set(remove_leftovers([Path("data/labels/00.zip"), Path("data/audit"), Path("none/a")])) == set(left)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in stay)


def test_what_was_not_touched_for_an_hour_goes(tmp_path, monkeypatch, dead):
    monkeypatch.chdir(tmp_path)
    names = [*FOREIGN, f".tmp-{dead}-01.zip", f".tmp-{os.getpid()}-00.zip"]
    left = {make(f"data/labels/{name}", age=3700) for name in names}
    stay = [make("data/labels/00.zip", age=3700), make("data/labels/.tmp-scenes.lock", age=3700)]
    writing = make("data/labels/.tmp-5-02.zip/02.zip")
    os.utime(writing.parent, (0, 0))  # the folder is old, but its file grows
    assert set(remove_leftovers([Path("data/labels/00.zip")])) == left
    assert all(path.exists() for path in (*stay, writing))


def test_a_library_writes_nothing_beside_an_output(tmp_path, monkeypatch):
    """safetensors writes to a name of its own first."""
    seen = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, to: seen.extend(tmp_path.iterdir()) or replace(path, to))
    write_tensors(tmp_path / "00.safetensors", {"a": np.zeros(3)})
    write_bytes(tmp_path / "a.txt", b"1")
    assert {path.name for path in seen} == {
        f".tmp-{os.getpid()}-00.safetensors",
        f".tmp-{os.getpid()}-a.txt",
        "00.safetensors",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00.safetensors", "a.txt"]


def test_sigkill_while_safetensors_writes_leaves_one_folder_that_its_stage_removes(tmp_path):
    code = (
        "import os, signal, sys, threading, time; import numpy as np; from pathlib import Path\n"
        "from auxseg.artifacts.tensors import write_tensors\n"
        "def kill():\n"
        "    while not any(Path(sys.argv[1]).glob('.tmp*/.tmp*')): pass\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "threading.Thread(target=kill, daemon=True).start()\n"
        "while True: write_tensors(Path(sys.argv[1], '00.safetensors'), {'a': np.zeros(10**7)})\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(remove_leftovers([tmp_path / "00.safetensors"])) == 1
    assert [path.name for path in tmp_path.iterdir()] in ([], ["00.safetensors"])
