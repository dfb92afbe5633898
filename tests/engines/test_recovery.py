"""What a killed DVC leaves half-written is repaired by what starts next; a signal to `auxseg run` leaves nothing."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auxseg.artifacts.atomic import write_text
from auxseg.cli.main import main
from auxseg.engines.dvc_internals import DvcException, LockError, Repo
from auxseg.engines.heartbeat import FOLDER, heartbeat
from auxseg.engines.recovery import one_line_errors, repair, repair_project
from auxseg.errors import DataError

STAGES = """\
stages:
  a: {cmd: echo a >> ran.txt; cp in.txt a.txt, deps: [in.txt], outs: [a.txt]}
  b: {cmd: echo b >> ran.txt; cp a.txt b.txt, deps: [a.txt], outs: [b.txt]}
"""


WHOLE = """\
schema: '2.0'
stages:
  a:
    cmd: echo a
    deps:
    - path: in.txt
      hash: md5
      md5: c4ca4238a0b923820dcc509a6f75849b
      size: 1
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project of two stages that ran."""
    folder = tmp_path_factory.mktemp("finished")
    Repo.init(str(folder), no_scm=True).close()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    (folder / "in.txt").write_text("1")
    (folder / "dvc.yaml").write_text(STAGES)
    subprocess.run([sys.executable, "-m", "dvc", "-q", "repro"], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(finished, tmp_path, monkeypatch):
    folder = shutil.copytree(finished, tmp_path / "project")
    monkeypatch.chdir(folder)
    Path("ran.txt").unlink()
    return folder


def repro(module: str = "dvc", *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", *([module, "repro"] if module == "dvc" else [module]), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def reproduce() -> None:
    """Do what `dvc repro` does, in this process; raise what it prints."""
    with Repo(".") as repo:
        try:
            repo.reproduce()
        except DvcException as error:
            raise (error.__cause__ or error) from None


def ran() -> str:
    return Path("ran.txt").read_text() if Path("ran.txt").exists() else ""


def entries() -> list[Path]:
    return sorted(Path(".dvc/cache/runs").glob("*/*"))


def empty_rwlock() -> str:
    Path(".dvc/tmp/rwlock").write_text("")
    return "rwlock: incomplete"


def foreign_rwlock() -> str:
    Path(".dvc/tmp/rwlock").write_text("[1, 2]")
    return "rwlock: incomplete"


def _with_runs(content: dict[str, str]) -> str:
    for folder in entries():  # of both stages, which run again because their outputs are unknown
        shutil.rmtree(folder)
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    Path("dvc.lock").unlink(missing_ok=True)
    return "run cache: "


def empty_run() -> str:
    return _with_runs({})


def half_run() -> str:
    return _with_runs({".AAAAAAAAAAAAAAAAAAAAAA.tmp": "cmd: ec"})


def zero_run() -> str:
    return _with_runs({"0123": ""})


def cut_lock() -> str:
    Path("dvc.lock").write_text(WHOLE.split("md5:")[0] + "md")
    return "dvc.lock: incomplete"


def empty_lock() -> str:
    Path("dvc.lock").write_text("")
    return "dvc.lock: incomplete"


STOPS = {
    empty_rwlock: "JSON structure is corrupted",
    foreign_rwlock: "format error",
    empty_run: r"join\(\) argument must be str",
    half_run: "outs",
    zero_run: r"join\(\) argument must be str",
    cut_lock: "could not find expected ':'",
    empty_lock: "required key not provided",
}
"""What was left half-written -> what DVC says to it."""


@pytest.mark.parametrize(("left", "message"), STOPS.items(), ids=[left.__name__ for left in STOPS])
def test_what_stops_dvc_is_repaired(project, left, message):
    said = left()
    with pytest.raises(Exception, match=message):
        reproduce()
        left()  # DVC removes a damaged entry of its run cache but not its folder: it stops next time
        for folder in entries():
            for file in folder.iterdir():
                file.unlink()
        reproduce()
    left()
    lines = repair_project()
    assert lines and all(line.startswith(said) for line in lines)
    assert repair_project() == []
    reproduce()
    assert Path("b.txt").read_text() == "1"


def test_without_its_lock_a_project_finds_its_results_in_the_run_cache(project):
    cut_lock()
    assert repro("auxseg.engines.repro").returncode == 0
    assert ran() == ""
    assert Path(".dvc/tmp/dvc.lock.broken").exists()


def test_what_is_whole_stays(project):
    files = [Path("dvc.lock"), *Path(".dvc/cache").rglob("*")]
    before = {path: path.read_bytes() for path in files if path.is_file()}
    assert repair_project() == []
    assert {path: path.read_bytes() for path in before} == before
    Path("dvc.lock").write_text("<<<<<<< ours\n")
    assert repair_project() == []


def test_an_entry_that_is_being_written_stays(project):
    folder = entries()[0]
    (content,) = [path.read_bytes() for path in folder.iterdir()]
    shutil.rmtree(folder)
    folder.mkdir()  # another clone, which shares this cache, writes it
    writer = threading.Timer(0.3, lambda: (folder / "0123").write_bytes(content))
    writer.start()
    with Repo(".") as repo:
        assert repair(repo, seconds=1.0) == []
    writer.join()
    assert (folder / "0123").exists()


def test_check_repairs_too(project, capsys):
    import default_params

    Path("params.yaml").write_text(default_params.TEXT)
    params = "compatibility runtime data saliency backbone classify cam labels review guard network train propagate"
    Path("dvc.yaml").write_text(f"stages: {{a: {{cmd: x, params: [{', '.join(params.split())}]}}}}\n")
    empty_rwlock()
    assert main(["check"]) == 0
    assert "cleared rwlock: incomplete, because a process was killed while it wrote\n" in capsys.readouterr().out


def test_auxseg_run_is_rejected_while_a_job_is_at_work_on_another_machine(project):
    Path("in.txt").write_text("2")
    write_text(FOLDER / "train/r1", "another-node 17\n")
    rejected = repro("auxseg.engines.repro")
    assert rejected.returncode == 2 and ran() == ""
    assert rejected.stderr.startswith("error: 1 job of another run is still running (first: train r1 on another-")
    with heartbeat("train@r2"):  # one on this machine is waited for where it is in the way
        (FOLDER / "train/r1").unlink()
        assert repro("auxseg.engines.repro").returncode == 0
    assert ran() == "a\nb\n"


SLOW = """\
import sys, time
from auxseg.engines import repro
serialize = sys.modules["dvc.utils.serialize"]
dump_yaml = serialize.dump_yaml
def slow(path, data, **options):
    time.sleep(1)
    dump_yaml(path, data, **options)
serialize.dump_yaml = slow
sys.exit(repro.main([]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_dvc_saves_its_run_cache_waits_until_it_is_saved(project, number):
    Path("in.txt").write_text("2")
    Path("dvc.yaml").write_text(STAGES.replace("echo b", "sleep 2; echo b"))  # it may start before the signal counts
    known = set(entries())
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not set(entries()) - known:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (err, process.returncode, ran()) == ("", 143, "a\n")
    assert all(any(folder.iterdir()) for folder in entries())
    assert repair_project() == []
    reproduce()
    assert Path("b.txt").read_text() == "2" and ran() == "a\nb\n"  # what is saved does not run again


SLEEPER = "stages: {a: {cmd: touch started; sleep 600, outs: [out.txt]}}\n"


def test_sigterm_while_a_stage_runs_ends_both_without_a_word(project):
    Path("dvc.yaml").write_text(SLEEPER)
    process = subprocess.Popen(
        [sys.executable, "-m", "auxseg.engines.repro"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Path("started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143 and err == ""
    assert repair_project() == []


def test_no_line_about_a_lock_advises_to_remove_it():
    """DVC's own lines do, while another run may be alive."""
    advice = "Unable to acquire lock. Most likely another DVC process is running. Check the page <https://…>"
    with pytest.raises(DataError) as rejection, one_line_errors():
        raise LockError(advice)
    message = "another DVC process holds a lock of this project; run the same command again when it has ended"
    assert str(rejection.value) == message


def test_a_run_waits_for_the_files_of_another_one(project):
    Path("in.txt").write_text("2")
    wait = "touch started; until test -e go; do sleep 0.1; done"
    Path("dvc.yaml").write_text(STAGES.replace("cp in.txt", f"{wait}; cp in.txt"))
    first = subprocess.Popen([sys.executable, "-m", "dvc", "repro", "a"], stdout=subprocess.DEVNULL)
    while not Path("started").exists():
        assert first.poll() is None
        time.sleep(0.05)
    # what docs/sharing.md says of DVC alone
    with pytest.raises(DvcException, match="is busy, it is being blocked by"):
        reproduce()
    second = subprocess.Popen(
        [sys.executable, "-m", "auxseg.engines.repro"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    line = second.stderr.readline()
    assert (
        line.startswith("waiting for another run: '") and f"is busy, it is being blocked by: (PID {first.pid})" in line
    )
    assert "remove" not in line  # DVC's advice, to delete a file with the entries of both runs
    Path("go").touch()
    assert (first.wait(), second.communicate(timeout=60)[1], second.returncode) == (0, "", 0)
    assert ran() == "a\nb\n" and Path("b.txt").read_text() == "2"
