"""`auxseg labels export`: pseudo labels as loose PNGs, for programs that read folders."""

import argparse
import re
from pathlib import Path

LABELS = Path("data/labels")


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("labels", help="work on the pseudo labels")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    export = actions.add_parser("export", help="unpack a round's label archives to <id>.png files")
    export.add_argument("--round", required=True, metavar="rN", help="round of the labels (r0 = the initial ones)")
    export.add_argument("--to", required=True, metavar="FOLDER", type=Path, help="made when missing")
    export.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write every member of the round's archives; nothing is written when a shard is missing."""
    from auxseg.artifacts.archive import Archive
    from auxseg.artifacts.atomic import atomic_path
    from auxseg.errors import DataError, ParamsError
    from auxseg.params.dag import read_params

    values = read_params()
    if arguments.round not in values["label_rounds"]:
        raise ParamsError(f"--round {arguments.round}: no such round; choose of {', '.join(values['label_rounds'])}")
    paths = [LABELS / arguments.round / f"{shard}.zip" for shard in values["shards"]]
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file; run `dvc repro`, or `dvc pull`")
    archives = [Archive(path) for path in paths]
    for archive in archives:
        for name in archive:
            # ids may hold folders; nothing may land outside the one that was asked for
            if not re.fullmatch(r"[^/\\]+(/[^/\\]+)*\.png", name) or ".." in name.split("/"):
                raise DataError(f"{archive.path}: member '{name}' is no label; run the stage that writes it again")
    for archive in archives:
        for name, content in archive.items():
            with atomic_path(arguments.to / name) as temporary:
                temporary.write_bytes(content)
    print(f"{sum(map(len, archives))} labels of {arguments.round} in {arguments.to}")
