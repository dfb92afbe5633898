"""`auxseg audit fiftyone`: images and labels of every round as a folder that FiftyOne imports."""

import argparse

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.cli.arguments import a_path
from auxseg.cli.next_step import require_result
from auxseg.comparison.fiftyone import write_fiftyone
from auxseg.comparison.label_set import round_labels
from auxseg.counts import counted
from auxseg.datasets.dataset import Dataset
from auxseg.params.dag import read_params


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target folder."""
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="new or empty")


def run(arguments: argparse.Namespace) -> None:
    """Write the training images with the labels of all rounds."""
    dataset = Dataset(Store())
    require_result(dataset.store.classes)
    labels = {name: round_labels(dataset, Round.parse(name)) for name in read_params()["label_rounds"]}
    records = dataset.records("train")
    write_fiftyone(arguments.to, records, dataset.root, labels, dataset.classes.with_background)
    print(f"{arguments.to}: {counted(len(records), 'image')} with labels of {', '.join(labels)}")
