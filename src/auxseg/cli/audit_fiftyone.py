"""`auxseg audit fiftyone`: images and labels of every round as a folder that FiftyOne imports."""

import argparse
from pathlib import Path

from auxseg.audit.diff import LabelSet
from auxseg.audit.fiftyone import write_fiftyone
from auxseg.cli.arguments import a_path
from auxseg.datasets.manifest import manifest_shards, read_classes, read_manifest, shard_files
from auxseg.datasets.root import photos_root
from auxseg.params.dag import read_params

MANIFEST, LABELS = Path("data/manifest"), Path("data/labels")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target folder."""
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="new or empty")


def run(arguments: argparse.Namespace) -> None:
    """Write the training images with the labels of all rounds."""
    names = read_classes(MANIFEST / "classes.csv").with_background
    labels = {
        name: LabelSet.of(names, shard_files(LABELS / name, manifest_shards(MANIFEST), ".zip").values())
        for name in read_params()["label_rounds"]
    }
    records = read_manifest(MANIFEST, "train")
    write_fiftyone(arguments.to, records, photos_root(MANIFEST / "dataset.json"), labels, names)
    print(f"{arguments.to}: {len(records)} images with labels of {', '.join(labels)}")
