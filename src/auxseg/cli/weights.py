"""`auxseg weights import`: convert published weights to a file for `backbone.weights` or for a round."""

import argparse
from typing import TYPE_CHECKING

from auxseg.artifacts.tensors import write_tensors
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import print_next
from auxseg.counts import counted
from auxseg.errors import DataError, ParamsError
from auxseg.params.backbone import BACKBONE_NAMES
from auxseg.params.section import suggest

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 8
"""Number of unused tensors that are listed by name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add source, target, and what the weights are for."""
    parser.description = (
        "Check every name and shape, list the tensors that are not used, and convert. Nothing is written if a tensor "
        "does not fit."
    )
    parser.add_argument("file", metavar="FILE", type=a_path, help=".pth, .safetensors, or MXNet's .params")
    parser.add_argument("--to", required=True, metavar="OUT.safetensors", type=a_path)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--backbone", metavar="NAME", help="write a file for backbone.weights, e.g. of resnet38")
    target.add_argument(
        "--network",
        choices=("classifier", "auxsegnet"),
        help="write a file for data/models/rN.safetensors: PSA's classifier (r0) or the released AuxSegNet",
    )
    parser.add_argument(
        "--leave-out", metavar="PREFIX", action="append", default=[], help="skip tensors whose name starts with PREFIX"
    )


def run(arguments: argparse.Namespace) -> None:
    """Read, check, write, report."""
    leave_out = tuple(arguments.leave_out)
    if arguments.to.suffix != ".safetensors":
        raise ParamsError(f"--to {arguments.to}: expected a name that ends in .safetensors")
    if not arguments.file.is_file():
        what = "a folder" if arguments.file.exists() else "no such file"
        raise DataError(f"{arguments.file}: {what}; give the downloaded weights")
    if not arguments.file.stat().st_size:
        raise DataError(f"{arguments.file}: an empty file; download the weights again")
    if arguments.backbone is not None and arguments.backbone not in BACKBONE_NAMES:
        hint = suggest(arguments.backbone, list(BACKBONE_NAMES), "backbones")
        raise ParamsError(f"--backbone {arguments.backbone}: no such backbone; {hint}")

    # imported here because torch takes seconds, which an error should not wait for
    from auxseg.models.importing import import_auxsegnet, import_backbone, import_classifier

    if arguments.network == "classifier":
        imported = import_classifier(arguments.file, leave_out)
    elif arguments.network == "auxsegnet":
        imported = import_auxsegnet(arguments.file, leave_out)
    else:
        imported = import_backbone(arguments.file, arguments.backbone, leave_out)
    write_tensors(arguments.to, {name: value.numpy() for name, value in imported.state.items()})
    print(f"written: {_describe(imported.state)}")
    print(f"unused: {_describe(imported.unused)}")
    for name in sorted(imported.unused)[:SHOWN]:
        print(f"  {name} {tuple(imported.unused[name].shape)}")
    if len(imported.unused) > SHOWN:
        print(f"  and {len(imported.unused) - SHOWN} more")
    counters = counted(imported.counters, "step counter")
    print(f"missing: none{f' but {counters}, set to 0' if imported.counters else ''}")
    print(f"{arguments.to} written")
    if arguments.backbone:
        print_next(f"set backbone.name: {arguments.backbone} and backbone.weights: {arguments.to}, then auxseg scan")
    elif arguments.network == "auxsegnet":
        print_next("as data/models/rN.safetensors, auxseg predict --round rN uses it; dvc repro would train its own")
    else:
        print_next("as data/models/r0.safetensors, the stage cam uses it; dvc repro would train its own")


def _describe(state: dict[str, "Tensor"]) -> str:
    statistics = (".running_mean", ".running_var", ".num_batches_tracked")
    parameters = sum(value.numel() for name, value in state.items() if not name.endswith(statistics))
    return f"{len(state)} tensors, {parameters:,} parameters"
