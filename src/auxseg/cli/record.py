"""`auxseg record`: record the results of finished jobs in DVC, after the Snakemake that started them was killed."""

import argparse

from auxseg.pipeline.plan import record_results, refuse_living_jobs


def run(arguments: argparse.Namespace) -> None:
    """Record every receipt that is still valid; it is an error while jobs are running."""
    refuse_living_jobs()
    if not record_results():
        print("nothing to record")
