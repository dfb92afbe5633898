"""`auxseg check`: is params.yaml valid?"""

import argparse
from pathlib import Path


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="validate params.yaml: keys, types, ranges, names of rounds")
    parser.add_argument("file", nargs="?", default="params.yaml", type=Path, help="default: params.yaml")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Validate every section."""
    from auxseg.params.registry import check

    check(arguments.file)
    print(f"{arguments.file} is valid")
