"""What is added to Snakemake's Slurm plugin: it forgets no job while Slurm is away, and drops none without a word."""

import asyncio
import contextlib
import importlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from auxseg.engines import slurm_outage
from auxseg.engines.slurm_outage import slurm_answers
from auxseg.engines.snakemake_internals import SLURM, survive_slurm_outages


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Return a function that sets what a command of Slurm prints, and how it ends; the controller is up."""

    def says(name: str, text: str, code: int = 0) -> None:
        script = tmp_path / "script"
        script.write_text(f"#!/bin/sh\ncat <<END\n{text}\nEND\nexit {code}\n")
        script.chmod(0o755)
        script.rename(tmp_path / name)  # whole, because a thread may be about to run it

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    says("scontrol", UP)
    return says


UP = "Slurmctld(primary) at a is UP\nMinJobAge = 300 sec"
DOWN = "Slurmctld(primary) at a is DOWN"


@pytest.mark.parametrize(
    ("said", "code", "expected"),
    [
        (UP, 0, True),
        (DOWN, 1, False),
        ("Slurmctld(primary) at a is DOWN\nSlurmctld(backup) at b is UP", 0, True),
        ("Slurmctld(primary/backup) at a/b are DOWN/UP", 0, True),  # Slurm before 18.08
        ("", 1, False),
    ],
)
def test_a_controller_that_answers(commands, said, code, expected):
    commands("scontrol", said, code)
    assert slurm_answers() is expected


@pytest.fixture
def plugin(monkeypatch, commands):
    """The real plugin, which is as it was after the test."""
    plugin = importlib.import_module(SLURM)
    monkeypatch.setattr(plugin, "query_job_status", plugin.query_job_status)
    for name in ("check_active_jobs", "run_job", "shutdown"):
        monkeypatch.setattr(plugin.Executor, name, getattr(plugin.Executor, name))
    return plugin


@pytest.fixture
def executor(plugin):
    """The plugin's executor as far as it submits and asks.

    `failed` are the jobs that it reported, and why; `done` those that succeeded; `submitted` those of `submitting`.
    """
    executor = object.__new__(plugin.Executor)
    executor.logger, executor.array_jobs, executor._main_event_loop = logging.getLogger("executor"), set(), None
    executor._job_submission_executor = ThreadPoolExecutor(1)
    executor.failed, executor.done, executor.submitted = [], [], []
    executor.report_job_error = lambda info, msg, **_: executor.failed.append((info.job, msg))
    executor.report_job_success = lambda info: executor.done.append(info.job)
    settings = SimpleNamespace(status_command="squeue", status_attempts=5, keep_successful_logs=True, requeue=True)
    executor.workflow, executor.run_uuid = SimpleNamespace(executor_settings=settings), "uuid"
    executor.status_rate_limiter, executor._preemption_warning = contextlib.nullcontext(), False
    executor._status_query_calls = executor._status_query_failures = executor._status_query_max_seconds = 0
    executor._status_query_total_seconds, executor._status_query_min_seconds = 0.0, None
    executor._status_query_cycle_rows, executor._next_seconds_between_status_checks = [], 40
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
    end = time.monotonic() + 60
    while "jobs are submitted when it does" not in caplog.text and time.monotonic() < end:
        time.sleep(0.01)
    assert "jobs are submitted when it does" in caplog.text


def test_a_controller_that_is_down_costs_no_attempt(submitting, executor, commands, caplog):
    commands("scontrol", DOWN)
    submit(executor, JOB)
    wait_for_a_warning(caplog)
    assert (executor.submitted, executor.failed) == ([], [])
    commands("scontrol", UP)
    executor._job_submission_executor.shutdown()
    assert (executor.submitted, executor.failed) == ([JOB], [])


def test_nothing_is_submitted_when_snakemake_ends(submitting, executor, commands, caplog):
    """Otherwise Ctrl-C would wait for the controller, and then submit."""
    commands("scontrol", DOWN)
    submit(executor, JOB, JOB)
    wait_for_a_warning(caplog)
    executor.shutdown()
    assert (executor.submitted, executor.failed) == ([], [])


def test_without_scontrol_the_plugin_just_submits(submitting, executor, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    submit(executor, JOB)
    executor._job_submission_executor.shutdown()
    assert executor.submitted == [JOB]


def still_active(executor, *numbers: str) -> list[str]:
    """Look once at jobs of these numbers, and return those that have not ended."""

    async def look():
        jobs = [SimpleNamespace(job=number, external_jobid=number, aux={}) for number in numbers]
        return [info.job async for info in executor.check_active_jobs(jobs)]

    with ThreadPoolExecutor(1) as pool:  # the browser of other tests has an event loop in this thread
        return pool.submit(asyncio.run, look()).result()


def test_no_job_is_forgotten_when_squeue_fails(plugin, executor, commands, caplog):
    """Not even while `scontrol ping` says that the controller is up."""
    survive_slurm_outages()
    commands("squeue", "slurm_load_jobs error: Socket timed out", 1)
    for _ in range(2):
        assert still_active(executor, "7", "8") == ["7", "8"]
    assert caplog.text.count("Slurm does not answer") == 1
    assert executor.next_seconds_between_status_checks == 30  # not the 180 s that it may be by now
    commands("squeue", "7|COMPLETED\n8|RUNNING")
    assert still_active(executor, "7", "8") == ["8"]
    assert (executor.done, executor.failed) == (["7"], [])


def test_a_job_that_slurm_forgot_has_failed(plugin, executor, commands):
    """It may be missing for a moment, and many tasks of an array may share a line."""
    survive_slurm_outages()
    rest = "8|RUNNING\n9_[3-5]|PENDING"
    for answer in (rest, rest, f"7|PREEMPTED\n{rest}", rest, rest):
        commands("squeue", answer)
        assert still_active(executor, "7", "8", "9_4") == ["7", "8", "9_4"]
    assert still_active(executor, "7", "8", "9_4") == ["8", "9_4"]
    assert executor.failed == [("7", "Slurm no longer knows job 7\n")]
