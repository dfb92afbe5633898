"""`auxseg record`: record what jobs without DVC finished, after a controller that died."""

import argparse


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "record", help="record finished jobs of `pipeline.record: controller` that a killed Snakemake did not"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Record every receipt that is still true; refuse while jobs are at work."""
    from auxseg.pipeline.plan import record_results, refuse_living_jobs

    refuse_living_jobs()
    if not record_results():
        print("nothing to record")
