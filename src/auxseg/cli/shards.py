"""`auxseg shards N`: the number of shards that the images are divided into."""

import argparse
from typing import Any

from auxseg.cli.arguments import whole_number
from auxseg.cli.edit import edit_params, flow, report_removed
from auxseg.cli.next_step import REPRO, print_next
from auxseg.counts import counted
from auxseg.params.dag import MOST_SHARDS, read_file, shard_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of shards."""
    parser.add_argument(
        "count",
        metavar="N",
        type=whole_number(MOST_SHARDS),
        help=f"at most {MOST_SHARDS}; a stage should work on a shard for 10 minutes or more",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write `shards` to params.yaml."""

    def change(document: dict[str, Any]) -> None:
        document["shards"] = flow(shard_names(arguments.count))

    before = read_file()
    removed = edit_params(change, repairs=True)
    print(f"params.yaml: {counted(arguments.count, 'shard')}")
    report_removed(removed)
    print_next(REPRO if before.get("shards") == shard_names(arguments.count) else f"{REPRO} (every stage runs again)")
