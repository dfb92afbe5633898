"""Snakemake whose Slurm plugin does not wait: `python tests/cluster/hasty_snakemake.py ARGUMENTS`.

To spare a site's controller, the plugin sleeps 5 s before each submission, and after a look at the queue in which no
job had ended it looks 10 s later each time. With jobs of 10 s that was two thirds of the tests' time. All else,
sbatch and squeue among it, is as anywhere, and the jobs run Snakemake as it is.
"""

import asyncio
import time
from types import SimpleNamespace

import snakemake_executor_plugin_slurm as plugin
from snakemake.cli import main


async def sleep(executor: plugin.Executor) -> None:
    """Wait between two looks at the queue."""
    await asyncio.sleep(1)


plugin.Executor.sleep = sleep
plugin.time = SimpleNamespace(time=time.time, sleep=lambda seconds: None)

if __name__ == "__main__":
    main()
