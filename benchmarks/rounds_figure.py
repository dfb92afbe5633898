"""Draw docs/images/rounds.png from the artifacts of a demo run: a few scenes with their labels in every round.

    make demo && python benchmarks/rounds_figure.py [--ids train00017 …]      needs matplotlib (the extra `dev`)

Rows are training images, by default spread evenly over all ids, so they are not chosen by their result. Only the
embedded scenes can be drawn, because images of a data set must not end up in git.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.rounds import R0, Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tensors import TensorFile
from auxseg.audit import panels
from auxseg.audit.sources import list_rounds, spread
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ClassTable, ImageRecord, shard_of
from auxseg.datasets.masks import Masks
from auxseg.datasets.root import read_dataset
from auxseg.encoded import IGNORE, PALETTE, decode_indices
from auxseg.errors import DataError
from auxseg.images import read_rgb
from auxseg.models.auxsegnet import load_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.precision import noted_precision
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import read_params
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.prediction import predict_photos

SIDE = 1.5
"""Inches of a panel."""


def pick(records: Sequence[ImageRecord], ids: Sequence[str], rows: int) -> list[ImageRecord]:
    """Return the images to draw: the named ones, else `rows` spread evenly.

    Raises:
        DataError: an id is not that of a training image.
    """
    by_id = {record.id: record for record in records}
    for name in ids:
        if name not in by_id:
            raise DataError(f"--ids {name}: no training image of the manifest")
    return [by_id[name] for name in ids] or spread(records, rows)


def final_predictions(photos: Sequence[np.ndarray], dataset: Dataset, last: Round) -> list[np.ndarray]:
    """Return what the stage `evaluate` would predict, uint8 (H, W); the stage itself predicts only val images."""
    values = read_params()
    backbone, network_params, evaluate, runtime = (
        section.of(values) for section in (BackboneParams, NetworkParams, EvaluateParams, RuntimeParams)
    )
    weights = dataset.store.weights(last)
    runtime = noted_precision(runtime, weights)
    device = prepare_device(runtime)
    network = load_auxsegnet(weights, backbone, network_params, len(dataset.classes), device)
    predictions = predict_photos(network, photos, evaluate, runtime, device)
    return [prediction.final for prediction in predictions]


def row_panels(
    record: ImageRecord, rgb: np.ndarray, prediction: np.ndarray, dataset: Dataset, masks: Masks, last: Round
) -> dict[str, np.ndarray]:
    """Return the panels of one image by caption, uint8 (h, w, 3) each; `last` is the last round."""
    store, shard, name = dataset.store, shard_of(record.id, dataset.shards), f"{record.id}.png"
    photo = panels.photo_panel(rgb)
    maps = {one: TensorFile(store.maps(one, shard)) for one in (R0, last)}
    labels = {one: decode_indices(Archive(store.labels(one, shard))[name]) for one in (R0, last)}
    prior = decode_indices(Archive(store.saliency(shard))[name])
    number = last.number
    return {
        "photo": photo,
        "saliency prior": panels.grey_panel(prior, photo.shape[:2]),
        "CAM": panels.heat_panel(maps[R0][f"{record.id}.cam"], photo),
        "initial label": panels.label_panel(labels[R0], photo),
        f"refined CAM, round {number}": panels.heat_panel(maps[last][f"{record.id}.cam"], photo),
        f"label after round {number}": panels.label_panel(labels[last], photo),
        f"prediction, round {number}": panels.label_panel(prediction, photo),
        "mask (never trained on)": panels.label_panel(masks[record.id], photo),
    }


def draw(rows: Sequence[dict[str, np.ndarray]], classes: ClassTable) -> plt.Figure:
    """Return the picture: one row per image, captions above, classes below."""
    captions = list(rows[0])
    size = (SIDE * len(captions), SIDE * len(rows) + 0.75)
    figure, grid = plt.subplots(len(rows), len(captions), figsize=size, squeeze=False)
    for number, (row, axes) in enumerate(zip(rows, grid, strict=True)):
        for caption, axis in zip(captions, axes, strict=True):
            axis.imshow(row[caption], interpolation="nearest")
            axis.set_axis_off()
            if number == 0:
                axis.set_title(caption, fontsize=8.5)
    entries = [
        plt.Rectangle((0, 0), 1, 1, facecolor=PALETTE[index] / 255, edgecolor="black", linewidth=0.5, label=name)
        for index, name in enumerate(classes.names, start=1)
    ]
    ignored = f"ignored ({IGNORE})"
    entries.append(plt.Rectangle((0, 0), 1, 1, facecolor="#f5f5f5", edgecolor="#282828", hatch="/////", label=ignored))
    figure.legend(handles=entries, loc="lower center", ncols=len(entries), frameon=False, fontsize=9)
    height = size[1]
    figure.subplots_adjust(0.004, 0.42 / height, 0.996, 1 - 0.3 / height, wspace=0.03, hspace=0.03)
    return figure


def main() -> None:
    """Draw the picture of the project in the current folder."""
    parser = argparse.ArgumentParser(description="Draw scenes from round to round.")
    parser.add_argument("--ids", nargs="*", default=[], metavar="ID", help="training images; default: spread evenly")
    parser.add_argument("--rows", type=int, default=4, help="number of images without --ids")
    parser.add_argument("--to", type=Path, default=Path("docs/images/rounds.png"))
    arguments = parser.parse_args()
    store = Store()
    if read_dataset(store.dataset)["format"] != "scenes":
        raise DataError(f"{store.manifest}: not the embedded scenes; run `auxseg use demo` and `dvc repro` first")
    dataset, last = Dataset(store), list_rounds(store)[-1]
    masks = Masks.of(dataset)
    chosen = pick(dataset.records("train"), arguments.ids, arguments.rows)
    photos = [read_rgb(dataset.root / record.path) for record in chosen]
    predictions = final_predictions(photos, dataset, last)
    rows = [
        row_panels(record, rgb, prediction, dataset, masks, last)
        for record, rgb, prediction in zip(chosen, photos, predictions, strict=True)
    ]
    figure = draw(rows, dataset.classes)
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.to, dpi=107, facecolor="white", pil_kwargs={"optimize": True})
    print(f"{arguments.to}: {', '.join(record.id for record in chosen)}")


if __name__ == "__main__":
    main()
