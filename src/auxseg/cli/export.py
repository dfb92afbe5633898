"""`auxseg export`: a round's labels, predictions and CAMs as loose files, for people and for other programs."""

import argparse

from auxseg.cli import export_cams, export_labels, export_overlays, export_submission


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser("export", help="labels, overlays and CAMs as loose files; VOC's test submission")
    actions = parser.add_subparsers(dest="action", required=True, metavar="WHAT")
    for action in (export_labels, export_overlays, export_cams, export_submission):
        action.add(actions)
