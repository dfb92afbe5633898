"""`auxseg check`: is params.yaml valid? With --data: what is wrong with the data set, all at once?"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import write_json
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import REPRO, print_next
from auxseg.counts import counted
from auxseg.errors import EXIT_FAILED, DataError, ParamsError
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import PARAMS_FILE, read_params
from auxseg.params.data import DataParams
from auxseg.params.network import NetworkParams
from auxseg.params.presets import FOLDER, read_preset
from auxseg.params.registry import check
from auxseg.pipeline.instances import require_sections
from auxseg.pipeline.orphans import reject_orphans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and the check of the data set."""
    parser.add_argument("file", nargs="?", default="params.yaml", type=a_path, help="default: params.yaml")
    parser.add_argument(
        "--data",
        action="store_true",
        help="run the checks of the stage prepare on all of the data set and list every problem, ten of each kind; "
        "exit code 1 if there are errors",
    )
    parser.add_argument("--json", type=a_path, metavar="FILE", help="with --data: also write the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Validate the file and, for params.yaml, repair what a killed run left; with --data, check the data set."""
    if arguments.json and not arguments.data:
        raise ParamsError("--json: only with --data, whose table it writes")
    check_file(arguments.file)
    if arguments.data:
        return check_data(arguments.file, arguments.json)
    print(f"{arguments.file} is valid")
    if arguments.file == PARAMS_FILE:
        from auxseg.engines.recovery import repair_project  # imports DVC, which takes a second

        for line in repair_project():
            print(f"cleared {line}")
        print_next(REPRO)
    elif arguments.file.parent == FOLDER:
        print_next(f"auxseg use {arguments.file.stem}")
    else:
        print_next(f"to use it: cp {arguments.file} {PARAMS_FILE}")
    return 0


def check_data(path: Path, json_file: Path | None) -> int:
    """Print every problem of the data set of a parameter file, write `json_file`; return 1 if there are errors.

    Raises:
        ParamsError: parameters contradict each other, or there is no data root.
    """
    if json_file is not None and json_file.is_dir():
        raise DataError(f"--json {json_file}: a folder; give the name of a file")
    # imported here, because it takes a while and other commands use this module
    from auxseg.datasets.prepare import report

    found = report(DataParams.of(read_preset(path) if path != PARAMS_FILE else read_params()))
    if json_file is not None:
        write_json(json_file, found.values())
    print(*found.lines(), sep="\n", end="\n" if found.found else "")
    errors, warnings = found.count("error"), found.count("warning")
    print(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}")
    if errors:
        return EXIT_FAILED
    print_next("auxseg scan")
    return 0


def check_file(path: Path) -> None:
    """Validate every section.

    For params.yaml, also reject missing sections, and outputs of rounds and shards that it no longer has.

    Raises:
        AuxsegError: names the key or the file, and what to do.
    """
    if path != PARAMS_FILE:
        check_backbone(read_preset(path), path)
        return
    values = check(path)
    require_sections(values)
    check_backbone(values, path)
    reject_orphans(values)


def check_backbone(values: Mapping[str, Any], path: Path = PARAMS_FILE) -> None:
    """Check that timm has the network of `backbone.name`, and that a decoder finds features in the backbone.

    A run would find out after it has computed saliency for hours.

    Raises:
        ParamsError: it has not, or it does not; names the file `path`.
    """
    backbone = BackboneParams.parse(values.get(BackboneParams.key))
    network = NetworkParams.parse(values.get(NetworkParams.key))
    if not backbone.is_timm and network.decoder is None:
        return
    # imported here because torch and timm take seconds, which no other network needs here
    from auxseg.models.auxsegnet import check_auxsegnet

    try:
        check_auxsegnet(backbone, network)
    except ParamsError as error:
        raise ParamsError(str(error).replace(f"{PARAMS_FILE}:", f"{path}:", 1)) from None
