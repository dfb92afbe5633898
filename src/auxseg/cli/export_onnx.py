"""`auxseg export onnx`: the network of a round as one ONNX file, checked against torch."""

import argparse

from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.chosen_round import add_round, choose_network
from auxseg.cli.next_step import print_next, require_result, require_run
from auxseg.counts import counted
from auxseg.datasets.manifest import read_classes
from auxseg.errors import DataError
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import read_params
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add round and target file."""
    parser.description = (
        "Batch, height and width are free. The graph predicts at one scale without CRF; docs/onnx.md has a script."
    )
    add_round(parser, "round of the network")
    parser.add_argument("--to", required=True, metavar="FILE.onnx", type=a_path, help="overwritten if it exists")


def run(arguments: argparse.Namespace) -> None:
    """Export, compare with torch at six sizes, and write the file only if they agree."""
    values, to = read_params(), arguments.to
    if to.suffix != ".onnx" or to.is_dir():
        raise DataError(f"--to {to}: give the name of a file that ends with .onnx")
    require_run()
    round_, store = choose_network(arguments.round), Store()
    weights = store.weights(round_)
    require_result(weights)
    backbone, network_params = BackboneParams.of(values), NetworkParams.of(values)
    runtime, params = RuntimeParams.of(values), EvaluateParams.of(values)
    classes = read_classes(store.classes)

    # imported here because torch takes seconds, which an error should not wait for
    import torch

    from auxseg.models.auxsegnet import load_auxsegnet
    from auxseg.onnx_export import checked_sizes, export_onnx

    torch.set_num_threads(runtime.threads)
    network = load_auxsegnet(weights, backbone, network_params, len(classes), torch.device("cpu"))
    difference = export_onnx(
        to,
        network,
        classes.with_background,
        (0, *classes.values),
        runtime,
        params.recognition,
        f"auxseg {round_}",
    )
    size, sizes = to.stat().st_size / 2**20, len(checked_sizes(runtime))
    shown = counted(len(classes), "class", "classes")
    print(
        f"{to}: {size:.0f} MB, network of {round_}, {shown} and the background; at {counted(sizes, 'size')} "
        f"its probabilities differ from torch's by at most {difference:.1g}"
    )
    print_next("run it with the script of docs/onnx.md")
