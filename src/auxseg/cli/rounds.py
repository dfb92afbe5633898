"""`auxseg rounds N`: how many times the network is trained."""

import argparse
from typing import Any

from auxseg.cli.arguments import whole_number
from auxseg.cli.edit import edit_params, flow, report_removed
from auxseg.cli.next_step import REPRO, print_next
from auxseg.params.dag import MOST_ROUNDS, chain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of rounds."""
    parser.add_argument(
        "count", metavar="N", type=whole_number(MOST_ROUNDS), help=f"rounds r1 to rN, at most {MOST_ROUNDS}"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write `rounds` and `label_rounds` to params.yaml."""

    def change(document: dict[str, Any]) -> None:
        rounds, label_rounds = chain(arguments.count)
        document["rounds"], document["label_rounds"] = flow(rounds), flow(label_rounds)

    removed = edit_params(change, repairs=True)
    print(f"params.yaml: rounds r1 to r{arguments.count}" if arguments.count > 1 else "params.yaml: round r1")
    report_removed(removed)
    print_next(f"{REPRO} (older rounds are not run again)")
