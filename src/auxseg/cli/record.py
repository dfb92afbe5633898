"""`auxseg record`: record what jobs without DVC finished, after a controller that died."""

import argparse


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "record", help="record finished jobs of `pipeline.record: controller` that a killed Snakemake did not"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Record every receipt that is still true; an error while jobs are at work."""
    from auxseg.engines.plan import check_no_running_jobs, record_results

    check_no_running_jobs()
    if not record_results():
        print("nothing to record")
