"""`auxseg check`: is params.yaml valid?"""

import argparse
from pathlib import Path

from auxseg.cli.arguments import a_path


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="validate params.yaml: keys, types, ranges, names of rounds")
    parser.add_argument("file", nargs="?", default="params.yaml", type=a_path, help="default: params.yaml")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Validate the file and say so."""
    from auxseg.cli.next_step import REPRO, print_next
    from auxseg.params.dag import PARAMS_FILE
    from auxseg.params.presets import FOLDER

    check_file(arguments.file)
    print(f"{arguments.file} is valid")
    if arguments.file == PARAMS_FILE:
        print_next(REPRO)
    elif arguments.file.parent == FOLDER:
        print_next(f"auxseg use {arguments.file.stem}")
    else:
        print_next(f"cp {arguments.file} {PARAMS_FILE} uses it")


def check_file(path: Path) -> None:
    """Validate every section; of params.yaml, reject outputs of rounds or shards that are gone too.

    Raises:
        AuxsegError: names the key or the file, and what to do.
    """
    from auxseg.errors import DataError
    from auxseg.params.dag import PARAMS_FILE
    from auxseg.params.presets import read_preset
    from auxseg.params.registry import check
    from auxseg.pipeline.ghosts import find_ghosts

    values = check(path) if path == PARAMS_FILE else read_preset(path)
    ghosts = find_ghosts(values) if path == PARAMS_FILE else []
    if ghosts:
        rounds, shards = len(values["rounds"]), len(values["shards"])
        raise DataError(
            f"{ghosts[0]}: belongs to no round and shard of params.yaml (and {len(ghosts) - 1} more), but would be "
            f"read; `auxseg rounds {rounds}` or `auxseg shards {shards}` clears"
        )
