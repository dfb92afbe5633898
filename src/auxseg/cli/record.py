"""`auxseg record`: record the results of finished jobs in DVC, after the Snakemake that started them was killed."""

import argparse

from auxseg.engines.plan import check_no_running_jobs, record_results


def run(arguments: argparse.Namespace) -> None:
    """Record every receipt that is still valid; it is an error while jobs are running."""
    check_no_running_jobs()
    if not record_results():
        print("nothing to record")
