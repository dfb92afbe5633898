"""Slurm's controller is away for a while: no job is asked about, none is forgotten."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from auxseg.engines.slurm_outage import when_slurm_answers

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
