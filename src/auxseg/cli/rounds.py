"""`auxseg rounds N`: how many times the network is trained."""

import argparse

from auxseg.cli.arguments import whole_number

MOST = 100
"""Each round is a stage of every kind in the DAG, and the papers stop at five."""


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("rounds", help="set the number of trainings; an older round never re-runs")
    parser.add_argument("count", metavar="N", type=whole_number(MOST), help=f"trainings: r1 to rN, {MOST} at most")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write `rounds` and `label_rounds` to params.yaml."""
    from auxseg.cli.edit import edit_params, flow, report_removed
    from auxseg.cli.next_step import REPRO, print_next
    from auxseg.params.dag import chain

    def change(document: dict) -> None:
        rounds, label_rounds = chain(arguments.count)
        document["rounds"], document["label_rounds"] = flow(rounds), flow(label_rounds)

    removed = edit_params(change)
    print(f"params.yaml: rounds r1 to r{arguments.count}" if arguments.count > 1 else "params.yaml: round r1")
    report_removed(removed)
    print_next(f"{REPRO} (older rounds are not run again)")
