"""`auxseg weights import`: published weights as a file that `backbone.weights` or a round takes."""

import argparse

from auxseg.cli.arguments import a_path

SHOWN = 8
"""Names printed of what is not used."""


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("weights", help="work on network weights")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    importer = actions.add_parser(
        "import",
        help="bring published weights over to safetensors",
        description="Checks every name and shape, says what of the file is not used, and writes nothing on a misfit.",
    )
    importer.add_argument("file", metavar="FILE", type=a_path, help=".pth, .safetensors, or MXNet's .params")
    importer.add_argument("--to", required=True, metavar="OUT.safetensors", type=a_path)
    target = importer.add_mutually_exclusive_group(required=True)
    target.add_argument("--backbone", metavar="NAME", help="write what backbone.weights takes, e.g. for resnet38")
    target.add_argument(
        "--network",
        choices=("classifier", "auxsegnet"),
        help="write what data/models/rN.safetensors holds: PSA's classifier (r0) or the released AuxSegNet (r1 and on)",
    )
    importer.add_argument(
        "--leave-out", metavar="PREFIX", action="append", default=[], help="skip tensors by the beginning of their name"
    )
    importer.set_defaults(run=run)
    fetcher = actions.add_parser(
        "fetch",
        help="get the published weights, 22 MB, which `make env` also does",
        description="U2-Net-p and EfficientNet-Lite0, checked by SHA-256. What is there is not fetched again.",
    )
    fetcher.set_defaults(run=fetch)


def run(arguments: argparse.Namespace) -> None:
    """Read, check, write, report."""
    from auxseg.cli.next_step import print_next
    from auxseg.errors import DataError, ParamsError
    from auxseg.params.backbone import BACKBONE_NAMES
    from auxseg.params.section import suggest

    leave_out = tuple(arguments.leave_out)
    if arguments.to.suffix != ".safetensors":
        raise ParamsError(f"--to {arguments.to}: expected a name that ends in .safetensors")
    if not arguments.file.is_file():
        what = "a folder" if arguments.file.exists() else "no such file"
        raise DataError(f"{arguments.file}: {what}; give the downloaded weights")
    if not arguments.file.stat().st_size:
        raise DataError(f"{arguments.file}: an empty file; get the weights again")
    if arguments.backbone is not None and arguments.backbone not in BACKBONE_NAMES:
        hint = suggest(arguments.backbone, list(BACKBONE_NAMES), "backbones")
        raise ParamsError(f"--backbone {arguments.backbone}: no such backbone; {hint}")

    from auxseg.artifacts.tensors import write_tensors  # here: torch takes seconds, and refusals need none
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
    print(f"missing: none{f' but {imported.counters} step counters, set to 0' if imported.counters else ''}")
    print(f"{arguments.to} written")
    if arguments.backbone:
        print_next(f"set backbone.name: {arguments.backbone} and backbone.weights: {arguments.to}, then auxseg scan")
    elif arguments.network == "auxsegnet":
        print_next("as data/models/rN.safetensors, auxseg predict --round rN uses it; dvc repro would train its own")
    else:
        print_next("as data/models/r0.safetensors, the stage cam uses it; dvc repro would train its own")


def fetch(arguments: argparse.Namespace) -> int:
    """Get every published file into the weights folder."""
    from auxseg import published

    return published.main()


def _describe(state: dict) -> str:
    statistics = (".running_mean", ".running_var", ".num_batches_tracked")
    parameters = sum(value.numel() for name, value in state.items() if not name.endswith(statistics))
    return f"{len(state)} tensors, {parameters:,} parameters"
