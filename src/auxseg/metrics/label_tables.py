"""What a round's pseudo labels look like, class by class; also against the masks where there are any.

The tables pool the areas that the stage `score` measured (`auxseg.metrics.labels`). Only precision, recall and IoU need
masks.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas

from auxseg.artifacts.frames import read_frame
from auxseg.encoded import IGNORE
from auxseg.metrics.confusion import counts_of
from auxseg.metrics.labels import AREA_COLUMNS

IMAGE_COLUMNS = {"round": str, "image_id": str, "class": str, "pixels": int, "components": int}
"""Columns of the table of images, with their types."""
CLASS_COLUMNS = {
    "round": str,
    "class": str,
    "images": int,
    "pixels": int,
    "share": float,
    "ignore_share": float,
    "components": float,
    "measured": int,
    "precision": float,
    "recall": float,
    "iou": float,
}
"""Columns of the table of classes, with their types."""
ALL = "all"
"""Stands in the column `class` for the whole label."""


def read_areas(paths: Iterable[Path]) -> pandas.DataFrame:
    """Read the areas of several shards; columns are AREA_COLUMNS."""
    return read_frame(paths, AREA_COLUMNS)


def image_table(round_name: str, areas: pandas.DataFrame, names: Sequence[str]) -> pandas.DataFrame:
    """Return a row of IMAGE_COLUMNS for every image and class, sorted by image; 255 is the class `ignore`.

    Args:
        round_name: goes into the rows.
        areas: of every image of the round, see `read_areas`.
        names: class names by index, 0 = background.
    """
    rows = areas.sort_values(["image_id", "class"])
    labels = rows["class"].map({**dict(enumerate(names)), IGNORE: "ignore"})
    return rows.assign(round=round_name, **{"class": labels})[list(IMAGE_COLUMNS)]


def class_table(
    round_name: str,
    areas: pandas.DataFrame,
    tags: Mapping[str, Iterable[str]],
    confusion: np.ndarray,
    names: Sequence[str],
    measured: int,
) -> pandas.DataFrame:
    """Return rows of CLASS_COLUMNS: one for every class, and one for ALL. Shares and scores are in per cent.

    `images` is the number of images with the class in their label, `components` the mean number among these. `share` is
    of all pixels. `ignore_share` is the share of 255 in the images that are tagged with the class (for the background
    and ALL: in all images). `measured` is the number of images that precision, recall and IoU are of. What is not
    defined is NaN.

    Args:
        round_name: goes into the rows.
        areas: of every image of the round, see `read_areas`.
        tags: image id -> class names.
        confusion: as `auxseg.metrics.confusion`; zeros where there are no masks.
        names: class names by index, 0 = background.
        measured: the number of images with a mask.
    """
    ignored = areas["class"] == IGNORE
    by_image = areas.assign(ignored=areas["pixels"].where(ignored, 0)).groupby("image_id")[["pixels", "ignored"]].sum()
    rows_of = pandas.Series({key: [names[0], *tags[key], ALL] for key in by_image.index}, dtype=object).explode()
    tagged = by_image.loc[rows_of.index].groupby(rows_of.to_numpy()).sum().reindex([*names, ALL], fill_value=0)

    labelled = areas[~ignored]
    table = (
        pandas.concat([labelled, labelled.assign(**{"class": len(names)})])
        .groupby("class")
        .agg(images=("image_id", "nunique"), pixels=("pixels", "sum"), components=("components", "sum"))
    )
    table = table.reindex(range(len(names) + 1), fill_value=0)

    table["round"], table["class"] = round_name, [*names, ALL]
    table["share"] = _ratio(100 * table["pixels"], by_image["pixels"].sum())
    table["ignore_share"] = _ratio(100 * tagged["ignored"], tagged["pixels"])
    table["components"] = _ratio(table["components"], table["images"])
    table["measured"] = measured
    counts = counts_of(confusion)
    means = counts.means()
    for name, mean in (("precision", "precision"), ("recall", "recall"), ("iou", "miou")):
        table[name] = [*(100 * getattr(counts, name)()), np.nan if means[mean] is None else means[mean]]
    return table[list(CLASS_COLUMNS)]


def _ratio(part: pandas.Series, whole: pandas.Series | int) -> np.ndarray:
    """Return part / whole, float64; NaN where the whole is 0."""
    ratio: np.ndarray = part.to_numpy() / np.where(whole, whole, np.nan)
    return ratio
