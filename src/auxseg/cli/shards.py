"""`auxseg shards N`: into how many slices the images are cut."""

import argparse

from auxseg.cli.arguments import whole_number

MOST = 10_000
"""A million images in slices of a hundred."""


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("shards", help="set the number of slices of the images; re-runs all of them")
    parser.add_argument(
        "count", metavar="N", type=whole_number(MOST), help=f"slices, each worth 10 minutes or more; {MOST} at most"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write `shards` to params.yaml."""
    from auxseg.cli.edit import edit_params, flow, report_removed
    from auxseg.cli.next_step import REPRO, print_next
    from auxseg.params.dag import read_params, shard_names

    def change(document: dict) -> None:
        document["shards"] = flow(shard_names(arguments.count))

    before = read_params()["shards"]
    removed = edit_params(change)
    print(f"params.yaml: {arguments.count} shard{'s' if arguments.count > 1 else ''}")
    report_removed(removed)
    print_next(REPRO if before == shard_names(arguments.count) else f"{REPRO} (every stage runs again)")
