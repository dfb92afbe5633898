"""Jobs in trouble on a real Slurm: tried again with more, rejected, cancelled; and Slurm without Snakemake's plugin."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import stub
from slurm_queue import HASTY, Queue

pytestmark = pytest.mark.cluster

PROFILE = (sys.executable, HASTY, "--workflow-profile", "workflow/profiles/slurm", "--latency-wait", "5")
GENERIC = (
    "--workflow-profile",
    "workflow/profiles/slurm-generic",
    "--seconds-between-status-checks",
    "1",
    "--latency-wait",
    "5",
)

TROUBLE = """\
import importlib, time
trouble = pathlib.Path("trouble", os.environ["DVC_STAGE"])
kind = trouble.read_text() if trouble.exists() else ""
if kind == "bad input":
    importlib.import_module("auxseg.pipeline.rejection").leave_note(kind)  # by name: it is not part of this project
    sys.exit("bad input")
trouble.unlink(missing_ok=True)  # once
if kind == "failure":
    sys.exit("no luck today")
if kind in ("slow", "hang"):
    time.sleep(20 if kind == "slow" else 600)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory, slurm) -> Path:
    """A project that never ran, and whose stages get into the trouble that files in `trouble` name."""
    folder = stub.make_project(tmp_path_factory.mktemp("jobs") / "project")
    for stage in ("labels", "train"):
        line = "import os, pathlib, sys\n"
        stub.replace(folder, f"workflow/stages/{stage}.py", line, line + TROUBLE)
    (folder / "trouble").mkdir()
    return folder


def make_trouble(folder: Path, **kinds: str) -> None:
    """Write what is to befall instances, named as labels_r0_00 for labels@r0-00."""
    for name, kind in kinds.items():
        stage, _, key = name.partition("_")
        (folder / "trouble" / f"{stage}@{key.replace('_', '-')}").write_text(kind)


def cancel_in_the_middle(folder: Path, queue: Queue) -> None:
    """Cancel the first job of train@r1, from another thread, when its stage hangs."""

    def wait() -> None:
        while (folder / "trouble/train@r1").exists():
            time.sleep(0.3)
        subprocess.run(["scancel", queue.jobs("train@r1")[0].number], check=True)

    threading.Thread(target=wait, daemon=True).start()


def test_trouble_of_every_kind_in_one_run(project):
    make_trouble(project, labels_r0_00="failure", labels_r1_01="bad input", train_r1="hang")
    queue = Queue(project)
    cancel_in_the_middle(project, queue)
    printed = stub.run(project, *PROFILE, code=1).stderr

    # a failure: again, with twice the memory (MB) and the time of dvc.yaml
    attempts = queue.jobs("labels@r0-00")
    assert [job.state for job in attempts] == ["FAILED", "COMPLETED"]
    assert [(job.memory, job.limit) for job in attempts] == [("100M", "5:00"), ("200M", "10:00")]
    assert "no luck today" in printed

    # bad input: run once, and the rest continues
    assert [job.state for job in queue.jobs("labels@r1-01")] == ["FAILED"]
    assert (project / ".snakemake/rejected/labels/r1-01").read_text() == "bad input\n"

    # a job that somebody cancelled: again
    assert [job.state for job in queue.jobs("train@r1")] == ["CANCELLED", "COMPLETED"]
    assert [job.state for job in queue.jobs("summary")] == ["COMPLETED"]
    assert stub.planned(project) == {"labels@r1-01"}


def test_fixed_input_is_tried_again(project):
    (project / "trouble/labels@r1-01").unlink(missing_ok=True)
    queue = Queue(project)
    stub.run(project, *PROFILE)
    assert [(job.address, job.state) for job in queue.jobs()] == [("labels@r1-01", "COMPLETED")]
    assert "up to date" in stub.dvc(project, "status").stdout
    assert not (project / ".snakemake/rejected").exists()


def test_without_the_plugin(project):
    stub.replace(project, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")
    make_trouble(project, train_r1="failure")
    stub.ran(project)
    queue = Queue(project)
    stub.snakemake(project, *GENERIC)
    assert [(job.name, job.state, job.memory, job.gpus) for job in queue.jobs()] == [
        ("auxseg-train-r1", "FAILED", "200M", "gres:gpu:1"),
        ("auxseg-train-r1", "COMPLETED", "400M", "gres:gpu:1"),
        ("auxseg-summary-all", "COMPLETED", "1000M", "gres:gpu:0"),
    ]
    assert stub.ran(project) == ["summary", "train@r1"]
    assert "up to date" in stub.dvc(project, "status").stdout


@pytest.mark.nightly
def test_a_controller_that_is_away_for_a_while(project):
    stub.replace(project, "params.yaml", "prior_weight: 0.5", "prior_weight: 0.4")
    make_trouble(project, labels_r0_00="slow")
    queue = Queue(project)

    def restart() -> None:
        while (project / "trouble/labels@r0-00").exists():
            time.sleep(0.3)
        subprocess.run(["scontrol", "shutdown", "slurmctld"], check=True)
        time.sleep(40)  # squeue itself tries for ten seconds
        subprocess.run(["slurmctld"], check=True)

    controller = threading.Thread(target=restart)
    controller.start()
    printed = stub.run(project, *PROFILE).stderr
    controller.join()
    assert "Slurm does not answer" in printed
    assert [job.state for job in queue.jobs("labels@r0-00")] == ["COMPLETED"]
    assert "up to date" in stub.dvc(project, "status").stdout
