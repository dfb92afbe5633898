"""`auxseg check`: is params.yaml valid?"""

import argparse
from pathlib import Path

from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import REPRO, print_next
from auxseg.errors import DataError
from auxseg.params.dag import PARAMS_FILE
from auxseg.params.presets import FOLDER, read_preset
from auxseg.params.registry import check
from auxseg.pipeline.instances import require_sections
from auxseg.pipeline.orphans import find_orphans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file."""
    parser.add_argument("file", nargs="?", default="params.yaml", type=a_path, help="default: params.yaml")


def run(arguments: argparse.Namespace) -> None:
    """Validate the file and say so; for params.yaml, also repair what a killed run left half-written."""
    check_file(arguments.file)
    print(f"{arguments.file} is valid")
    if arguments.file == PARAMS_FILE:
        from auxseg.engines.recovery import repair_project  # imports DVC, which takes a second

        for line in repair_project():
            print(f"cleared {line}")
        print_next(REPRO)
    elif arguments.file.parent == FOLDER:
        print_next(f"auxseg use {arguments.file.stem}")
    else:
        print_next(f"cp {arguments.file} {PARAMS_FILE} uses it")


def check_file(path: Path) -> None:
    """Validate every section.

    For params.yaml, also reject missing sections, and outputs of rounds and shards that it no longer has.

    Raises:
        AuxsegError: names the key or the file, and what to do.
    """
    if path != PARAMS_FILE:
        read_preset(path)
        return
    values = check(path)
    require_sections(values)
    if orphans := find_orphans(values):
        rounds, shards = len(values["rounds"]), len(values["shards"])
        raise DataError(
            f"{orphans[0]}: belongs to no round and shard of params.yaml (and {len(orphans) - 1} more), but would be "
            f"read; `auxseg rounds {rounds}` or `auxseg shards {shards}` removes it"
        )
