"""What squeue says of the jobs of a test."""

import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

HASTY = str(Path(__file__).with_name("hasty_snakemake.py"))


class Job(NamedTuple):
    """One line of squeue."""

    number: str
    name: str
    state: str
    address: str
    """The stage instance, as labels@r1-00; only the plugin says it."""
    memory: str
    limit: str
    """Days-hours:minutes:seconds."""
    gpus: str
    """gres:gpu:1, or N/A."""
    nodes: str
    folder: str


FIELDS = ("JobID", "Name", "State", "Comment", "MinMemory", "TimeLimit", "tres-per-job", "NumNodes", "WorkDir")
"""squeue's names of them."""


class Queue:
    """The jobs of a project that were submitted since this was made."""

    def __init__(self, folder: Path):
        self._folder = str(folder)
        self._before = {job.number for job in _squeue()}

    def jobs(self, address: str = "") -> list[Job]:
        """Return the jobs in the order of submission, ended ones too; those of one instance if it is named."""
        own = [job for job in _squeue() if job.folder == self._folder and job.number not in self._before]
        return sorted((job for job in own if address in ("", job.address)), key=lambda job: int(job.number))


class Watch(threading.Thread):
    """Looks into the queue all the time of a `with` block."""

    def __init__(self):
        super().__init__()
        self.states: dict[str, set[str]] = {}
        """Number of a job -> every state that it was seen in."""
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.3):
            for job in _squeue():
                self.states.setdefault(job.number, set()).add(job.state)

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self.join()


def _squeue() -> list[Job]:
    form = ",".join(f"{field}:|" for field in FIELDS)  # each followed by a bar
    command = ["squeue", "--states=all", "--noheader", f"--Format={form}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    jobs = [Job(*line.split("|")[:-1]) for line in answer.splitlines()]
    return [job._replace(address=_address(job.address)) for job in jobs]


def _address(comment: str) -> str:
    # as the plugin writes it: rule_labels_wildcards_r1-00
    stage, _, key = comment.removeprefix("rule_").partition("_wildcards_")
    return stage if key == "all" else f"{stage}@{key}"
