"""What is added to Snakemake's Slurm plugin: it forgets no job while Slurm is away, and drops none without a word."""

import asyncio
import importlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from auxseg.engines import slurm_outage
from auxseg.engines.slurm_outage import when_slurm_answers
from auxseg.engines.snakemake_internals import SLURM, survive_slurm_outages

EXECUTOR = SimpleNamespace(logger=logging.getLogger("executor"))


async def only_the_second_runs(executor, jobs):
    """Look as the plugin does: what is still at work is yielded, what has ended is not."""
    yield jobs[1]


def still_active(jobs: list[str]) -> list[str]:
    async def collect():
        return [job async for job in when_slurm_answers(only_the_second_runs)(EXECUTOR, jobs)]

    with ThreadPoolExecutor(1) as pool:  # the browser of other tests has an event loop in this thread
        return pool.submit(asyncio.run, collect()).result()


@pytest.mark.parametrize(
    ("said", "code", "expected"),
    [
        ("Slurmctld(primary) at a is UP", 0, ["two"]),
        ("Slurmctld(primary) at a is DOWN", 1, ["one", "two"]),
        ("Slurmctld(primary) at a is DOWN\nSlurmctld(backup) at b is UP", 0, ["two"]),
        ("Slurmctld(primary/backup) at a/b are DOWN/UP", 0, ["two"]),  # Slurm before 18.08
        ("", 1, ["one", "two"]),
    ],
)
def test_jobs_are_asked_about_when_a_controller_answers(tmp_path, monkeypatch, said, code, expected):
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\ncat <<END\n{said}\nEND\nexit {code}\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert still_active(["one", "two"]) == expected


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """Return a function that sets what `scontrol ping` says; the controller is up."""

    def says(state: str) -> None:
        (tmp_path / "state").write_text(f"Slurmctld(primary) at a is {state}\n")

    (tmp_path / "scontrol").write_text(f"#!/bin/sh\nexec cat {tmp_path}/state\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    says("UP")
    return says


@pytest.fixture
def plugin(monkeypatch, scontrol):
    """The real plugin, which is as it was after the test."""
    plugin = importlib.import_module(SLURM)
    for name in ("check_active_jobs", "run_job", "shutdown"):
        monkeypatch.setattr(plugin.Executor, name, getattr(plugin.Executor, name))
    return plugin


@pytest.fixture
def executor(plugin):
    """The plugin's executor as far as it submits; `failed` are the jobs that it reported, and why; `submitted`
    are those of `submitting`."""
    executor = object.__new__(plugin.Executor)
    executor.logger, executor.array_jobs, executor._main_event_loop = logging.getLogger("executor"), set(), None
    executor._job_submission_executor = ThreadPoolExecutor(1)
    executor.failed, executor.submitted = [], []
    executor.report_job_error = lambda info, msg: executor.failed.append((info.job, msg))
    return executor


def submit(executor, *jobs) -> None:
    """Submit as Snakemake does."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(executor.run_jobs, list(jobs)).result()


JOB = SimpleNamespace(name="train", rule=SimpleNamespace(name="train"), is_group=lambda: False)


def test_a_job_that_cannot_be_submitted_has_failed(plugin, executor, monkeypatch):
    def run_job(self, job):
        raise ValueError("The given account lba appears to be invalid.")

    monkeypatch.setattr(plugin.Executor, "run_job", run_job)
    survive_slurm_outages()
    submit(executor, JOB)
    executor._job_submission_executor.shutdown()
    assert executor.failed == [(JOB, "not submitted: The given account lba appears to be invalid.\n")]


@pytest.fixture
def submitting(plugin, executor, monkeypatch):
    """Submissions succeed; while the controller is down, it is asked a hundred times a second."""
    monkeypatch.setattr(plugin.Executor, "run_job", lambda self, job: self.submitted.append(job))
    monkeypatch.setattr(plugin.Executor, "shutdown", lambda self: self._job_submission_executor.shutdown())
    monkeypatch.setattr(slurm_outage, "SECONDS_BETWEEN_TRIES", 0.01)
    survive_slurm_outages()


def wait_for_a_warning(caplog) -> None:
    while "jobs are submitted when it does" not in caplog.text:
        time.sleep(0.01)


def test_a_controller_that_is_down_costs_no_attempt(submitting, executor, scontrol, caplog):
    scontrol("DOWN")
    submit(executor, JOB)
    wait_for_a_warning(caplog)
    assert (executor.submitted, executor.failed) == ([], [])
    scontrol("UP")
    executor._job_submission_executor.shutdown()
    assert (executor.submitted, executor.failed) == ([JOB], [])


def test_nothing_is_submitted_when_snakemake_ends(submitting, executor, scontrol, caplog):
    """Otherwise Ctrl-C would wait for the controller, and then submit."""
    scontrol("DOWN")
    submit(executor, JOB, JOB)
    wait_for_a_warning(caplog)
    executor.shutdown()
    assert (executor.submitted, executor.failed) == ([], [])


def test_without_scontrol_the_plugin_just_submits(submitting, executor, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    submit(executor, JOB)
    executor._job_submission_executor.shutdown()
    assert executor.submitted == [JOB]
