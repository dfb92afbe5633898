"""Entry point of `auxseg`: the table of commands, and how an error becomes one line and an exit code.

Each command is a module of this package, with these functions:

    run(arguments)          does the work; returns the exit code, or None for 0
    add_arguments(parser)   adds the options of the command to its parser, if it has any

Only the module of the chosen command is imported, so `auxseg --help` and typing errors are answered at once.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auxseg.errors import (
    DISK_ERRORS,
    EXIT_FAILED,
    EXIT_REJECTED,
    AuxsegError,
    ParamsError,
    ResourceError,
    first_line,
    memory_shortage,
)

COMMANDS = {
    "download": ("download", "fetch VOC 2012 with SBD, or COCO 2014, and check them"),
    "use": ("use", "make a preset the params.yaml; without a name, list the presets"),
    "rounds": ("rounds", "set the number of training rounds; existing rounds are not run again"),
    "shards": ("shards", "set the number of shards; every stage runs again"),
    "check": ("check", "validate params.yaml; repair what a killed run left half-written"),
    "scan": ("scan", "record what the data folder contains now; or say what another folder is"),
    "run": ("run", "check params.yaml, run what is out of date (dvc repro), print the result table"),
    "verify": ("verify", "compare every artifact and image with what was recorded; run stages again with --deep"),
    "table": ("table", "print the result table: labels and models of every round"),
    "quality": ("quality", "print what IoU the labels of each round can be expected to have, without masks"),
    "predict": ("predict", "segment a folder of images with the network of a round"),
    "export": (None, "export labels, overlays, CAMs and networks for other programs, or a submission to VOC's server"),
    "export labels": ("export_labels", "masks of a round: PNGs, COCO, CVAT, labelme, Label Studio, mmseg, VOC"),
    "export overlays": ("export_overlays", "images with their masks drawn over them, as JPEGs, with classes.csv"),
    "export cams": ("export_cams", "CAMs of a round for the training images, in the format of another method"),
    "export onnx": ("export_onnx", "the network of a round as an ONNX file: RGB bytes in, class of every pixel out"),
    "export voc-submission": ("export_submission", "predictions of VOC 2012 test as VOC's server expects them"),
    "params": (None, "work on a parameter file"),
    "params render": ("params", "rewrite it: the same values, every key, comments from the models"),
    "weights": (None, "work on network weights"),
    "weights import": ("weights", "convert published weights to safetensors"),
    "weights fetch": ("weights_fetch", "get U2-Net-p and EfficientNet-Lite0, 22 MB; `make env` does it too"),
    "verdicts": (None, "reviewers' verdicts on the pseudo labels"),
    "verdicts import": ("verdicts_import", "merge CSV files that the report exported into review/verdicts.csv"),
    "verdicts status": ("verdicts_status", "count the verdicts of every round; list stale ones and disagreements"),
    "corrections": (None, "labels corrected by hand in an annotation tool"),
    "corrections export": ("corrections_export", "write the worst labels of a round for labelme, CVAT or Label Studio"),
    "corrections import": ("corrections_import", "take corrected labels back; the next round's training uses them"),
    "audit": (None, "compare the labels of rounds and revisions; export them to FiftyOne"),
    "audit diff": ("audit_diff", "added, removed and changed pixels per class; see docs/review.md"),
    "audit table": ("audit_table", "one figure of every class, rounds side by side"),
    "audit fiftyone": ("audit_fiftyone", "write a folder that FiftyOne imports; see docs/review.md"),
    "record": ("record", "record finished jobs of `pipeline.record: controller` after Snakemake was killed"),
}
"""Name -> module and help text. A name without a module is a group of commands, which follow it."""

ANYWHERE = ("download", "weights")
"""Commands that do not need a project in the current folder."""


class _CommandParser(argparse.ArgumentParser):
    """The parser of one command. Imports the command's module when argparse chooses the command."""

    def __init__(self, *, module: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._module = module

    def parse_known_args(  # type: ignore[override]  # typeshed has an overload for each type of namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        if self._module:
            command = importlib.import_module(f"auxseg.cli.{self._module}")
            if hasattr(command, "add_arguments"):
                command.add_arguments(self)
            self.set_defaults(run=command.run)
        return super().parse_known_args(args, namespace)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="auxseg",
        description="Set up the pipeline, run it, look at its results. `dvc repro` and `snakemake` run it too.",
    )
    groups = {"": parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_CommandParser)}
    for name, (module, text) in COMMANDS.items():
        group, _, action = name.rpartition(" ")
        command = groups[group].add_parser(action, help=text, module=module)
        if module is None:
            groups[name] = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        if parsed.command not in ANYWHERE:
            _require_project()
        code = parsed.run(parsed) or 0
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED if isinstance(error, ResourceError) else EXIT_REJECTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has gone; Python would complain at exit
        return EXIT_FAILED
    except OSError as error:  # a folder where a file was expected, no permission, a full disk
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}; fix that or give another path", file=sys.stderr)
        return EXIT_FAILED if error.errno in DISK_ERRORS else EXIT_REJECTED
    except KeyboardInterrupt:
        return 130
    except (MemoryError, RuntimeError) as error:
        if not (place := memory_shortage(error)):
            raise
        print(f"error: {place} has too little memory; lower runtime.max_side ({first_line(error)})", file=sys.stderr)
        return EXIT_FAILED
    return code


def _require_project() -> None:
    if not Path("dvc.yaml").is_file():
        raise ParamsError("dvc.yaml: no such file here; run auxseg in the project's root, the folder that holds it")
    from auxseg.pipeline.own_code import require_own_package  # not for `auxseg --help`

    require_own_package()


if __name__ == "__main__":
    sys.exit(main())
