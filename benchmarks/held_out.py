"""Set training images aside for choosing settings: the selection split.

    python benchmarks/held_out.py --to FILE.csv

`make_root` makes a data root of links in which these images are `val` and have the only masks, so that no other mask
can be used. Run as a program in a project with such a root, this file labels these images as the stage `labels` would
(refined CAM and saliency are stored for val too) and scores the labels with the masks.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

import yaml

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.listing import Folder
from auxseg.datasets.masks import Masks
from auxseg.datasets.voc import LISTS
from auxseg.encoded import decode_indices
from auxseg.errors import ParamsError
from auxseg.labelling import LabelJob
from auxseg.metrics.segmentation import Counts
from auxseg.params.data import DataParams
from auxseg.params.labels import LabelsParams

SET = "selection"


def make_root(source: Path, target: Path, params: DataParams, count: int) -> None:
    """Make `target` a data root like `source`, in VOC layout, with `count` training images as `val`.

    The choice depends only on the ids. The official val list is left out.

    Raises:
        ParamsError: the training list is not longer than `count`.
    """
    listed = (source / LISTS / f"{params.train_split}.txt").read_text().split()
    if len(listed) <= count:
        raise ParamsError(
            f"{source / LISTS / params.train_split}.txt: {len(listed)} ids are too few to set {count} aside"
        )
    aside = set(sorted(listed, key=_draw)[:count])
    shutil.rmtree(target, ignore_errors=True)
    (target / LISTS).mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name not in (LISTS.parts[0], params.mask_folder):
            (target / entry.name).symlink_to(entry.resolve())
    for split, is_aside in ((params.train_split, False), (params.val_split, True)):
        ids = [image_id for image_id in listed if (image_id in aside) == is_aside]
        (target / LISTS / f"{split}.txt").write_text("".join(f"{image_id}\n" for image_id in ids))
    masks = Folder(source, params.mask_folder, params.mask_suffixes)
    (target / params.mask_folder).mkdir()
    for mask in filter(None, map(masks.find, aside)):
        (target / mask).symlink_to((source / mask).resolve())


def _draw(image_id: str) -> bytes:
    return hashlib.sha256(f"selection {image_id}".encode()).digest()


def score(project: Path) -> list[dict]:
    """Return one row per round as in the table rounds.csv: the scores of the labels of the images set aside."""
    values = yaml.safe_load((project / "params.yaml").read_text())
    store, params = Store(project), LabelsParams.parse(values.get("labels"))
    dataset = Dataset(store)
    classes, masks = dataset.classes, Masks.of(dataset)
    rows = []
    for name in values["rounds"]:
        counts = Counts.zeros(len(classes))
        for shard in dataset.shards:
            maps, prior = store.maps(Round.parse(name), shard), store.saliency(shard)
            job = LabelJob(params, classes, dataset.root, maps, prior)
            for record in dataset.records("val", shard):
                if record.id in masks:
                    label, _ = job(record)
                    counts += Counts.of(decode_indices(label), masks[record.id], len(classes))
        rows.append({"round": name, "what": "labels", "set": SET, **counts.means()})
    return rows


def main() -> None:
    """Score the project in the current folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True)
    write_rows(parser.parse_args().to, score(Path()))


if __name__ == "__main__":
    main()
