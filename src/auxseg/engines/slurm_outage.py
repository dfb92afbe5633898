"""Slurm's controller may be away for a while; jobs go on, and Snakemake must not forget them.

When slurmctld restarts, squeue fails. Snakemake's Slurm plugin then asks a few times within a second, forgets the jobs
that it asked about, and Snakemake waits for them for ever. So the plugin asks only a controller that answers.
"""

import re
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

Look = Callable[[Any, list[Any]], AsyncIterator[Any]]


def when_slurm_answers(look: Look) -> Look:
    """Wrap the plugin's `check_active_jobs`: while the controller is away all jobs are as they were."""

    async def check_active_jobs(executor: Any, jobs: list[Any]) -> AsyncIterator[Any]:
        if not slurm_answers():
            executor.logger.warning("Slurm's controller does not answer; jobs go on, and it is asked again")
            for job in jobs:
                yield job
            return
        async for job in look(executor, jobs):
            yield job

    return check_active_jobs


def slurm_answers() -> bool:
    """Tell whether a controller of Slurm is there, the first or a backup."""
    answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False)
    return "UP" in re.split(r"[\s/]+", answer.stdout)
