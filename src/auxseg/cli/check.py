"""`auxseg check`: is params.yaml valid?"""

import argparse

from auxseg.cli.arguments import a_path


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="validate params.yaml: keys, types, ranges, names of rounds")
    parser.add_argument("file", nargs="?", default="params.yaml", type=a_path, help="default: params.yaml")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Validate every section, and refuse outputs of rounds or shards that are gone."""
    from auxseg.errors import DataError
    from auxseg.params.dag import PARAMS_FILE
    from auxseg.params.registry import check
    from auxseg.pipeline.ghosts import find_ghosts

    values = check(arguments.file)
    ghosts = find_ghosts(values) if arguments.file == PARAMS_FILE else []
    if ghosts:
        rounds, shards = len(values["rounds"]), len(values["shards"])
        raise DataError(
            f"{ghosts[0]}: belongs to no round and shard of params.yaml (and {len(ghosts) - 1} more), but would be "
            f"read; `auxseg rounds {rounds}` or `auxseg shards {shards}` clears"
        )
    print(f"{arguments.file} is valid")
