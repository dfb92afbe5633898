"""`auxseg audit`: look at what the stages made, beside the report."""

import argparse

from auxseg.cli import audit_diff, audit_fiftyone, audit_table


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser("audit", help="compare the labels of rounds and revisions; export them")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action in (audit_diff, audit_table, audit_fiftyone):
        action.add(actions)
