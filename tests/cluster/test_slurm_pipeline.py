"""The real stages through the `slurm` profile on a real Slurm, compared with `dvc repro`.

Twelve scenes, two shards, two rounds. The nodes and their GPUs are made up (slurm.sh): no CUDA is tried, but GPUs,
memory and time are asked of Slurm as they are anywhere.
"""

import csv
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tiny
from slurm_queue import HASTY, Queue, Watch

pytestmark = pytest.mark.cluster

SNAKEMAKE = (
    sys.executable,
    HASTY,
    "--workflow-profile",
    "workflow/profiles/slurm",
    "--slurm-keep-successful-logs",
    "--latency-wait",
    "5",
)

SHARDS = ("00", "01")
ADDRESSES = (
    {"prepare", "classify", "tag_score", "baseline", "summary", "audit"}
    | {f"{stage}@{name}" for stage in ("train", "guard", "evaluate") for name in ("r1", "r2")}
    | {f"review@{name}" for name in ("r0", "r1", "r2")}
    | {f"{stage}@{shard}" for stage in ("saliency", "cam") for shard in SHARDS}
    | {f"propagate@{name}-{shard}" for name in ("r1", "r2") for shard in SHARDS}
    | {f"{stage}@{name}-{shard}" for stage in ("labels", "score") for name in ("r0", "r1", "r2") for shard in SHARDS}
)


def make_project(folder: Path) -> Path:
    tiny.make_project(folder)
    tiny.edit_params(folder, "data", format="scenes", classes=None, scenes={"train": 9, "val": 3, "side": 64})
    tiny.edit_params(folder, "train", dropout=0.0)  # of which every process would draw its own
    tiny.run(folder, "auxseg", "rounds", "2")
    tiny.run(folder, "auxseg", "shards", str(len(SHARDS)))
    return folder


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """`dvc repro` on one machine, beside the Slurm run: a future of all it printed, and its project."""
    folder = make_project(tmp_path_factory.mktemp("reference") / "project")
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(tiny.run, folder, "dvc", "repro"), folder


@pytest.fixture(scope="module")
def ran(tmp_path_factory, slurm, reference):
    """The project after the run, the queue, and the states that its jobs were seen in."""
    folder = make_project(tmp_path_factory.mktemp("slurm") / "project")
    queue = Queue(folder)
    with Watch() as watch:
        tiny.run(folder, *SNAKEMAKE)
    return folder, queue, watch.states


def test_every_instance_was_one_job_that_slurm_ran(ran):
    folder, queue, states = ran
    jobs = queue.jobs()
    assert sorted(job.address for job in jobs) == sorted(ADDRESSES)
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert all("RUNNING" in states[job.number] for job in jobs)
    for job in jobs:
        stage, _, key = job.address.partition("@")
        log = (folder / f"logs/snakemake/{stage}/{key or 'all'}.log").read_text()
        assert f"Running stage '{job.address}':" in log
        assert (folder / f".snakemake/slurm_logs/rule_{stage}/{key or 'all'}/{job.number}.log").is_file()


def test_slurm_was_asked_for_what_dvc_yaml_says(ran):
    _, queue, _ = ran
    by_address = {job.address: job for job in queue.jobs()}
    train, labels = by_address["train@r1"], by_address["labels@r1-01"]
    assert (train.memory, train.limit, train.gpus) == ("24000M", "1-00:00:00", "gres:gpu:1")
    assert (labels.memory, labels.limit, labels.gpus) == ("4000M", "4:00:00", "N/A")


def test_bytes_are_those_of_dvc_repro_and_dvc_finds_nothing_to_do(ran, reference):
    folder, _, _ = ran
    printed, other = reference
    assert len(re.findall("Running stage", printed.result())) == len(ADDRESSES) + 1  # and `code`
    assert tiny.hashes(folder) == tiny.hashes(other)
    assert tiny.status(folder) == "Data and pipelines are up to date."
    assert "Nothing to be done" in tiny.run(folder, *SNAKEMAKE)


def test_training_on_two_nodes_gives_the_curve_of_one(ran):
    folder, queue, _ = ran
    before = losses(folder)
    tiny.edit_params(folder, "train", nodes=2)
    tiny.run(folder, *SNAKEMAKE, ".snakemake/dvc/train/r1")
    job = queue.jobs("train@r1")[-1]
    assert (job.state, job.nodes) == ("COMPLETED", "2")
    assert losses(folder) == pytest.approx(before, rel=1e-4)


@pytest.mark.nightly
def test_a_training_that_is_cancelled_goes_on_and_ends_with_the_same_bytes(ran):
    folder, queue, _ = ran
    tiny.edit_params(folder, "train", nodes=1, epochs=60)
    with ThreadPoolExecutor(1) as pool:
        cancelled = pool.submit(cancel_after_some_epochs, folder, queue)
        tiny.run(folder, *SNAKEMAKE, ".snakemake/dvc/train/r1")
        cancelled.result()
    assert [job.state for job in queue.jobs("train@r1")[-2:]] == ["CANCELLED", "COMPLETED"]
    assert "resumed at epoch" in (folder / "logs/train/r1.log").read_text()
    weights = folder / "data/models/r1.safetensors"
    broken = weights.read_bytes()
    tiny.run(folder, "dvc", "repro", "--single-item", "--force", "--no-run-cache", "train@r1")
    assert weights.read_bytes() == broken


def cancel_after_some_epochs(folder: Path, queue: Queue) -> None:
    before, log = len(queue.jobs("train@r1")), folder / "logs/train/r1.log"
    while len(queue.jobs("train@r1")) == before or not log.exists() or "epoch 3/60" not in log.read_text():
        time.sleep(0.1)
    subprocess.run(["scancel", queue.jobs("train@r1")[-1].number], check=True)


def losses(folder: Path) -> list[float]:
    with (folder / "data/curves/r1.csv").open() as stream:
        return [float(row["loss"]) for row in csv.DictReader(stream)]
