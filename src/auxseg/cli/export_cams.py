"""`auxseg export cams`: CAMs of a round for the training images, in the format of another method."""

import argparse

from auxseg.artifacts.store import Store
from auxseg.artifacts.tensors import TensorFile
from auxseg.cli.arguments import a_path
from auxseg.cli.chosen_round import add_round, choose_round
from auxseg.cli.mask_files import check_target
from auxseg.cli.next_step import print_next, require_result
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.stored import read_cam
from auxseg.external.cams import FORMATS, write_cams
from auxseg.parallel import track
from auxseg.params.dag import require_round


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add format, round and target folder."""
    parser.add_argument(
        "--format",
        required=True,
        choices=FORMATS,
        help="psa: also for SEAM and MCTformer; png: <class name>/<id>.png, 8-bit",
    )
    add_round(parser, "round of the CAMs; r0: those of the classifier")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="created if it does not exist")


def run(arguments: argparse.Namespace) -> None:
    """Write one file per image (png: one per class and image); nothing is written if a shard is missing."""
    check_target(arguments.to)
    dataset = Dataset(Store())
    require_result(dataset.store.classes)
    round_ = choose_round(arguments.round)
    paths = {shard: dataset.store.maps(round_, shard) for shard in require_round(str(round_))["shards"]}
    for path in paths.values():
        require_result(path)
    files = {shard: TensorFile(path) for shard, path in paths.items()}
    count = 0
    for shard, maps in files.items():
        for record in track(dataset.records("train", shard), f"export {shard}"):
            cams = dict(zip(record.tags, read_cam(maps, record), strict=True))
            write_cams(arguments.to, record, cams, dataset.classes, arguments.format)
            count += 1
    print(f"CAMs of {counted(count, 'image')} of {round_} in {arguments.to}, format {arguments.format}")
    print_next(f"give {arguments.to} to the program that reads this format")
