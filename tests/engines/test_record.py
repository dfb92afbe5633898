"""`pipeline.record: controller`: jobs without DVC, receipts, and a record that is the one that jobs would have made."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from stub import ALL, dvc, make_project, planned, ran, snakemake

from auxseg.cli.main import main
from auxseg.engines.dvc_internals import Repo
from auxseg.engines.heartbeat import FOLDER
from auxseg.engines.job import run_alone
from auxseg.engines.plan_file import PLAN_FILE, Node, Task
from auxseg.engines.receipts import FOLDER as RECEIPTS
from auxseg.engines.receipts import Receipt, cache_key, digest, read_receipts
from auxseg.engines.record import record_receipts

JOBS = ALL - {"code"}


@pytest.fixture(scope="module")
def unrecorded(tmp_path_factory) -> Path:
    """A project whose jobs all ran and whose controller died before it recorded one."""
    folder = make_project(tmp_path_factory.mktemp("unrecorded"))
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("record: job", "record: controller"))
    snakemake(folder, "--cores", "2", "--no-hooks")
    return folder


@pytest.fixture
def project(unrecorded, tmp_path, monkeypatch) -> Path:
    folder = shutil.copytree(unrecorded, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def locked(folder: Path) -> dict:
    return yaml.safe_load((folder / "dvc.lock").read_text())["stages"]


def outputs(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("data/**/*") if path.is_file()}


def record(folder: Path) -> set[str]:
    with Repo(str(folder)) as repo:
        return set(record_receipts(repo))


def test_digests_and_keys_are_those_of_dvc(finished, monkeypatch):
    monkeypatch.chdir(finished)
    folders = set()
    for address, entry in locked(finished).items():
        for item in entry["deps"] + entry["outs"]:
            assert digest(Path(item["path"])) == item["md5"]
            folders |= {item["path"]} if item["md5"].endswith(".dir") else set()
        receipt = Receipt(
            address=address,
            cmd=entry["cmd"],
            inputs={item["path"]: item["md5"] for item in entry["deps"]},
            params=entry.get("params", {}).get("params.yaml", {}),
            outputs={},
            files=[],
        )
        key = cache_key(receipt, [item["path"] for item in entry["outs"]])
        assert (finished / ".dvc/cache/runs" / key[:2] / key).is_dir(), address
    assert folders >= {"data/labels/r0", "data/models", "src/auxseg"}


def test_jobs_leave_receipts_and_dvc_is_not_asked(unrecorded):
    assert sorted((unrecorded / "logs/ran.txt").read_text().split()) == sorted(JOBS)
    assert set(locked(unrecorded)) == {"code"}
    assert {path.parent.name for path in unrecorded.glob(".snakemake/dvc-receipts/*/*.json")} == {
        "prepare",
        "labels",
        "train",
        "summary",
    }
    assert not any(unrecorded.glob(".snakemake/dvc-jobs/*/*"))


def test_next_run_records_what_a_dead_controller_left_and_runs_nothing(project, finished):
    ran(project)
    dry = snakemake(project, "-n")
    assert "7 finished results are not recorded yet" in dry.stderr
    assert set(locked(project)) == {"code"}

    assert "Nothing to be done" in snakemake(project, "--cores", "2").stderr
    assert ran(project) == []
    assert locked(project) == locked(finished)
    assert outputs(project) == outputs(finished)
    assert "up to date" in dvc(project, "status").stdout
    assert not any(project.glob(".snakemake/dvc-receipts/*/*.json"))
    assert {path.parent.name for path in (project / ".dvc/cache/runs").glob("*/*")} == {
        path.parent.name for path in (finished / ".dvc/cache/runs").glob("*/*")
    }

    # a living controller records at its end; a stage below whose inputs come out as before is left to DVC, which knows
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("prior_weight: 0.5", "prior_weight: 0.4"))
    result = snakemake(project, "--cores", "2")
    assert "recorded 5 of 5 results in dvc.lock" in result.stderr
    assert set(ran(project)) == JOBS - {"prepare", "summary"}
    assert "up to date" in dvc(project, "status").stdout
    assert planned(project) == set()


def test_auxseg_run_records_them_too_instead_of_computing_them_again(project):
    ran(project)
    heart = project / FOLDER / "train/r1"
    heart.parent.mkdir(parents=True, exist_ok=True)
    heart.write_text(f"{socket.gethostname()} {os.getpid()}\n")
    run = [sys.executable, "-m", "auxseg.engines.repro"]
    rejected = subprocess.run(run, cwd=project, capture_output=True, text=True, check=False)
    assert rejected.returncode == 2 and "train r1" in rejected.stderr
    heart.unlink()
    done = subprocess.run(run, cwd=project, capture_output=True, text=True, check=True)
    assert "recorded 7 of 7 results" in done.stderr
    assert ran(project) == []


def test_the_command_records_what_a_dead_controller_left(project, finished, capsys):
    assert main(["record"]) == 0
    assert "recorded 7 of 7 results in dvc.lock" in capsys.readouterr().err
    assert locked(project) == locked(finished)
    assert main(["record"]) == 0
    assert capsys.readouterr() == ("nothing to record\n", "")


@pytest.mark.parametrize(
    ("path", "old", "new", "dropped"),
    [
        ("params.yaml", "later_rate: 1.0", "later_rate: 0.5", {"train@r1"}),
        ("params.yaml", "prior_weight: 0.5", "prior_weight: 0.4", {a for a in JOBS if a.startswith("labels")}),
        ("data/models/r1.txt", "train", "untrained", {"train@r1", "summary"}),  # output of one, input of the other
        ("data/labels/r0/01.zip", "labels", "label", {"labels@r0-01", "train@r1"}),
        ("dvc.yaml", "train.py data/models/${key}.txt", "train.py  data/models/${key}.txt", {"train@r1"}),
    ],
)
def test_no_result_of_other_inputs_is_recorded(project, path, old, new, dropped):
    text = (project / path).read_text()
    assert old in text
    (project / path).write_text(text.replace(old, new))
    assert record(project) == JOBS - dropped
    assert set(locked(project)) == ALL - dropped
    assert read_receipts() == []


def test_what_a_job_has_read_is_not_read_again(project, finished):
    """It may be a terabyte, and the controller is one process on a login node."""
    wrote = [Path(path) for receipt in read_receipts() for path in receipt["outputs"]]
    for path in wrote:  # other bytes, which only reading them could tell: size and time of change stay
        state = path.stat()
        path.write_bytes(path.read_bytes()[::-1])
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert len(wrote) == len(JOBS)
    assert record(project) == JOBS
    assert locked(project) == locked(finished)


def test_a_file_that_changed_after_its_job_is_read(project):
    labels = project / "data/labels/r0/01.zip"
    labels.write_bytes(labels.read_bytes()[::-1])  # as long as before
    assert record(project) == JOBS - {"labels@r0-01", "train@r1"}


def test_a_receipt_of_a_lost_output_or_of_no_instance_is_dropped(project):
    (project / "data/summary.txt").unlink()
    receipt = next(one for one in read_receipts() if one["address"] == "labels@r0-00")
    other = project / ".snakemake/dvc-receipts/labels/r9-00.json"
    other.write_text(json.dumps({**receipt, "address": "labels@r9-00"}))
    assert record(project) == JOBS - {"summary"}


def test_killed_while_recording_it_begins_again(project, monkeypatch, finished):
    def killed(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("auxseg.engines.record.write_entries", killed)
        with pytest.raises(KeyboardInterrupt):
            record(project)
    assert set(locked(project)) == {"code"}
    assert not list(project.glob(".tmp-*"))
    assert record(project) == JOBS
    assert locked(project) == locked(finished)


def test_half_a_receipt_of_a_killed_job_is_nobodys(project):
    waiting = read_receipts()
    (project / RECEIPTS / "train/.tmp-7-r1.json").write_text("")
    assert read_receipts() == waiting


def task(cmd: str) -> Task:
    return Task(cmd=cmd, inputs=["in.txt"], params=[], outputs=["out.txt"], recorded="", run_cache="runs")


def test_a_job_that_starts_late_does_not_do_again_what_is_done(tmp_path, monkeypatch, capfd):
    """Its Snakemake is gone, and the next one has run the same instance."""
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("old")
    Path("params.yaml").write_text("{}")
    once = task("echo ran; cp in.txt out.txt")
    assert [run_alone("copy", once), run_alone("copy", once)] == [0, 0]
    assert capfd.readouterr().out.count("\nran\n") == 1
    for path in ("in.txt", "out.txt"):
        Path(path).write_text("new " + path)
        assert run_alone("copy", once) == 0
        assert capfd.readouterr().out.count("\nran\n") == 1
        assert Path("out.txt").read_text() == "new in.txt"


@pytest.mark.parametrize(
    ("cmd", "code"),
    [
        ("cp in.txt out.txt", 0),
        ("cp in.txt out.txt; exit 2", 2),  # a rejection stays a rejection
        ("kill -9 $$", 137),
        ("true", 1),  # no output
        ("cp in.txt out.txt; echo more >> in.txt", 1),
    ],
)
def test_only_a_command_that_succeeded_on_unchanged_inputs_leaves_a_receipt(tmp_path, monkeypatch, cmd, code):
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("images")
    Path("out.txt").write_text("of an earlier run")
    Path("params.yaml").write_text("labels: {}\n")
    assert run_alone("labels@r0-00", task(cmd)) == code
    assert [receipt["outputs"] for receipt in read_receipts()] == ([{"out.txt": digest(Path("in.txt"))}] * (not code))


def started_job(folder: Path, cmd: str) -> subprocess.Popen:
    """Start a job and wait until its command has made started.txt."""
    (folder / "in.txt").write_text("images")
    (folder / "params.yaml").write_text("labels: {}\n")
    (folder / PLAN_FILE).parent.mkdir()
    (folder / PLAN_FILE).write_text(json.dumps({"labels@r0-00": Node(deps=[], stale=True, task=task(cmd))}))
    job = subprocess.Popen([sys.executable, "-m", "auxseg.engines.job", "labels@r0-00"], cwd=folder)
    while not (folder / "started.txt").exists():
        assert job.poll() is None
        time.sleep(0.1)
    return job


def test_a_terminated_job_ends_when_its_command_has_ended(tmp_path):
    """The shell between them is gone at once; a batch system kills what outlives the job."""
    (tmp_path / "command.py").write_text(
        "import pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        "    time.sleep(1)\n"
        "    pathlib.Path('checkpoint').touch()\n"
        "    sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "pathlib.Path('started.txt').touch()\n"
        "time.sleep(60)\n"
    )
    job = started_job(tmp_path, f"{sys.executable} command.py; true")  # `; true`: a shell stays between them
    job.terminate()
    assert job.wait() == 128 + signal.SIGTERM
    assert (tmp_path / "checkpoint").exists()


def test_a_terminated_job_ends_its_command_and_leaves_nothing(tmp_path):
    job = started_job(tmp_path, "touch started.txt; exec sleep 60")
    assert (tmp_path / FOLDER / "labels/r0-00").exists()  # its heartbeat
    job.terminate()
    assert job.wait() == 128 + signal.SIGTERM
    assert not any((tmp_path / ".snakemake").glob("dvc-*/*/*"))
