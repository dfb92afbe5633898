"""Keep Snakemake's jobs while Slurm's controller is down for a while.

When slurmctld restarts, squeue fails, although jobs continue. Snakemake's Slurm plugin asks a few times within a second
and then forgets the jobs, and Snakemake waits for them forever. So the plugin asks only while the controller answers.
"""

import re
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

Look = Callable[[Any, list[Any]], AsyncIterator[Any]]


def when_slurm_answers(look: Look) -> Look:
    """Wrap the plugin's `check_active_jobs`: while the controller is down, all jobs keep their state."""

    async def check_active_jobs(executor: Any, jobs: list[Any]) -> AsyncIterator[Any]:
        if not slurm_answers():
            executor.logger.warning("Slurm's controller does not answer; jobs continue, and it will be asked again")
            for job in jobs:
                yield job
            return
        async for job in look(executor, jobs):
            yield job

    return check_active_jobs


def slurm_answers() -> bool:
    """Tell whether Slurm's controller answers, the primary one or a backup."""
    answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False)
    return "UP" in re.split(r"[\s/]+", answer.stdout)
