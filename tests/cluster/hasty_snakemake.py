"""Snakemake whose Slurm plugin does not wait: `python tests/cluster/hasty_snakemake.py ARGUMENTS`.

With jobs of 10 s the plugin's pauses were two thirds of the tests' time. All else, sbatch and squeue among it, is as
anywhere, and the jobs run Snakemake as it is.
"""

import sys

from auxseg.engines.snakemake_internals import remove_slurm_pauses, run_snakemake

if __name__ == "__main__":
    remove_slurm_pauses()
    run_snakemake(*sys.argv[1:])
