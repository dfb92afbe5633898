"""Read the score files of every round as the tables of `auxseg.summary`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas

from auxseg import summary
from auxseg.artifacts.archive import Archive
from auxseg.artifacts.atomic import finished
from auxseg.artifacts.damage import damaged
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.datasets.dataset import Dataset
from auxseg.errors import DataError
from auxseg.metrics.confusion import read_confusion
from auxseg.metrics.histogram import Histograms
from auxseg.metrics.label_tables import ALL, class_table, image_table, read_areas
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts

KINDS = ("areas", "confidence", "confusion", "counts", "saliency")
"""Kinds of score files."""
Files = dict[Round, list[Path]]
"""Round, in order -> the files of all shards."""
Tables = dict[str, pandas.DataFrame]
"""Name of the CSV file, without extension -> table."""


def find_score_files(dataset: Dataset) -> dict[str, Files]:
    """Return kind of score file -> round -> files.

    Raises:
        DataError: a shard is missing or left over.
    """
    store = dataset.store
    if missing := [kind for kind in KINDS if not (store.scores / kind).is_dir()]:
        raise DataError(f"{store.scores / missing[0]}: no such folder; `dvc pull` it, or run `dvc repro`")
    return {
        kind.name: {
            round_: list(dataset.every_shard(partial(store.score, kind.name, round_)).values())
            for round_ in sorted(Round.parse(path.name) for path in finished(kind, "r*"))
        }
        for kind in finished(store.scores, "*")
    }


def count_corrected(store: Store) -> dict[str, int]:
    """Return round, in order -> number of labels corrected by hand that the training on its labels uses."""
    found = {Round.parse(path.stem): len(Archive(path)) for path in finished(store.all_corrected, "r*.zip")}
    return {str(one): found[one] for one in sorted(found)}


def read_scores(dataset: Dataset, counts: Files) -> dict[tuple[str, str], Counts]:
    """Return `auxseg.summary.Scores`: the labels of every round on train, and every round's model on val."""
    classes = len(dataset.classes)
    found = {str(one): summary.with_best_cam(read_counts(paths, classes)) for one, paths in counts.items()}
    for path in finished(dataset.store.evaluations, "r*.csv"):
        found[path.stem] = found.get(path.stem, {}) | read_counts([path], classes)
    return {(name, what): count for name, kinds in found.items() for what, count in kinds.items()}


def score_tables(scores: summary.Scores, names: Sequence[str]) -> Tables:
    """Return the tables of scores; `names` are the class names, 0 = background."""
    rounds, classes = summary.score_table(scores), summary.class_score_table(scores, names)
    by_round, last = summary.miou_by_round(rounds), summary.last_round(classes, names)
    return {"rounds": rounds, "classes": classes, "miou": by_round, "last_round": last}


def label_tables(
    areas: Files,
    confusion: Files,
    names: Sequence[str],
    tags: Mapping[str, tuple[str, ...]],
    measured: Mapping[str, int],
    append_images: Callable[[pandas.DataFrame], None],
) -> Tables:
    """Return the tables of what the labels look like.

    Args:
        areas: score files of this kind.
        confusion: score files of this kind.
        names: class names, 0 = background.
        tags: id of a training image -> its image-level labels.
        measured: round -> number of training images with a mask, where there are any.
        append_images: is given the table of images of each round, one round at a time: a million images have some
            three million areas.
    """
    by_class, confusions = [], {}
    for round_, paths in areas.items():
        name, found_areas = str(round_), read_areas(paths)
        if strange := set(found_areas["image_id"]) - tags.keys():
            raise damaged(paths[0].parent, f"'{min(strange)}' is not a training image")
        confusions[name] = read_confusion(confusion[round_], len(names) - 1)
        by_class.append(class_table(name, found_areas, tags, confusions[name], names, measured.get(name, 0)))
        append_images(image_table(name, found_areas, names))
    labels, last = pandas.concat(by_class), str(max(areas))
    return {
        "labels": labels,
        "labels_by_round": labels[labels["class"] == ALL],
        "confusion": summary.confusion_table(confusions, names),
        "last_confusion": summary.confusion_table({last: confusions[last]}, names),
    }


def measure_tables(saliency: Files, confidence: Files) -> Tables:
    """Return the tables of the saliency labels, and of the values of CAMs and confidence."""
    measured = {str(round_): SaliencyMeasures.read(paths) for round_, paths in saliency.items()}
    shares = summary.confidence_table({str(round_): Histograms.read(paths) for round_, paths in confidence.items()})
    return {
        "saliency": summary.saliency_table(measured),
        "confidence": shares,
        "last_confidence": summary.last_confidence(shares, str(list(confidence)[-1])),
    }
