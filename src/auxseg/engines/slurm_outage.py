"""Keep Snakemake's Slurm plugin from losing jobs: when Slurm is down for a while, and when a job cannot be submitted.

- When slurmctld restarts, squeue fails, although jobs continue. The plugin asks a few times within a second and then
  forgets the jobs, and Snakemake waits for them forever. So jobs keep their state until squeue answers.
- It waits forever for a job that squeue no longer lists: one that has ended and that Slurm has forgotten since
  (MinJobAge), or that was preempted where this ends a job. After LOOKS looks such a job has failed. Another attempt is
  safe even if it still runs, because it waits for the first one's heartbeat.
- To the plugin, a submission that fails is a failed attempt, and a minute without Slurm uses up all of them. So it
  submits only while the controller answers.
- It submits in threads and drops their exceptions, such as one for a wrong account. The job is then neither submitted
  nor failed.
"""

import functools
import re
import subprocess
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

SECONDS_BETWEEN_TRIES = 30.0
LOOKS = 3
"""A job may be missing for a moment, for example until sacct knows it."""

Look = Callable[[Any, list[Any]], AsyncIterator[Any]]
Query = Callable[[str, Any], Awaitable[tuple[dict[str, str] | None, float | None]]]
Submit = Callable[[Any, Any], None]
End = Callable[[Any], None]


def submitting_with_care(submit: Submit, end: End, report: Callable[[Any, Any, str], None]) -> tuple[Submit, End]:
    """Wrap the plugin's `run_job` and `shutdown`.

    A job is submitted when the controller answers, or never if Snakemake ends before. One that cannot be submitted has
    failed, as told to `report(executor, job, why)`.
    """
    ended = threading.Event()

    @functools.wraps(submit)
    def run_job(executor: Any, job: Any) -> None:
        try:
            if not slurm_answers():
                executor.logger.warning("Slurm's controller does not answer; jobs are submitted when it does")
                while not (ended.wait(SECONDS_BETWEEN_TRIES) or slurm_answers()):
                    pass
            if not ended.is_set():
                submit(executor, job)
        except Exception as error:  # nobody would see it
            report(executor, job, f"not submitted: {error}\n")

    @functools.wraps(end)
    def shutdown(executor: Any) -> None:
        ended.set()  # the plugin waits for its threads
        end(executor)

    return run_job, shutdown


class _NoAnswerError(Exception):
    """Neither squeue nor sacct, whichever the plugin asks, says anything about any job."""


def keeping_jobs(look: Look, query: Query) -> tuple[Look, Query]:
    """Wrap the plugin's `check_active_jobs` and `query_job_status`.

    Without an answer, all jobs keep their state. A job that is missing in LOOKS answers in a row has failed.
    """
    away = False
    listed: set[str] = set()
    missing: Counter[str] = Counter()

    @functools.wraps(query)
    async def query_job_status(command: str, logger: Any) -> tuple[dict[str, str] | None, float | None]:
        nonlocal away
        states, seconds = await query(command, logger)
        if states is None:
            if not away:
                logger.warning("Slurm does not answer; jobs continue, and it will be asked again")
            away = True
            raise _NoAnswerError  # not repeated here: Ctrl-C does not cancel jobs that are being asked about
        away = False
        listed.clear()
        listed.update(map(_without_task, states))
        return states, seconds

    @functools.wraps(look)
    async def check_active_jobs(executor: Any, jobs: list[Any]) -> AsyncIterator[Any]:
        try:
            async for job in look(executor, jobs):
                number = job.external_jobid
                missing[number] = 0 if _without_task(number) in listed else missing[number] + 1
                if missing[number] < LOOKS:
                    yield job
                else:
                    executor.report_job_error(job, msg=f"Slurm no longer knows job {number}\n")
        except _NoAnswerError:  # before it yielded any job
            executor.next_seconds_between_status_checks = SECONDS_BETWEEN_TRIES
            for job in jobs:
                yield job

    return check_active_jobs, query_job_status


def _without_task(number: str) -> str:
    # squeue may list many tasks of a job array in one line: 77_[3-9]
    return number.split("_")[0]


def slurm_answers() -> bool:
    """Tell whether Slurm's controller answers, the primary one or a backup; True where no command can tell."""
    try:
        answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return True
    return "UP" in re.split(r"[\s/]+", answer.stdout)
