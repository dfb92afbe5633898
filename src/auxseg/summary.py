"""The tables of the stage `summary`: figures of all rounds side by side, as data frames.

Without masks the tables of scores have no rows. The tables of labels and confidence have the same rows as with masks.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas

from auxseg.artifacts.rounds import Round
from auxseg.datasets.manifest import SPLITS
from auxseg.guard.figures import FIGURES as GUARD_FIGURES
from auxseg.guard.figures import NUMBERS as GUARD_NUMBERS
from auxseg.guard.judge import slipped
from auxseg.guard.record import Judgement
from auxseg.metrics.confusion import confusion_rows
from auxseg.metrics.histogram import BINS, Histograms
from auxseg.metrics.saliency import FIGURES as SALIENCY_FIGURES
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.segmentation import Counts

LABELS, CAM, FINAL = "labels", "cam alone (oracle threshold)", "model+ms+crf"
"""The CAM is the stored one, which `propagate.prediction_share` mixes with the segmentation's own probabilities."""
SETS = {LABELS: "train", CAM: "train", "model": "val", "model+ms": "val", FINAL: "val"}
"""What is scored -> the split it is scored on, in the order of the tables."""
PLOTTED = (LABELS, "model", FINAL)
FIGURES = ("miou", "precision", "recall")
CLASS_FIGURES = ("iou", "precision", "recall")
CORRECTION_COLUMNS = ("round", "corrected", "images", "share")
MEASURES = ("cam", "confidence")

Scores = Mapping[tuple[str, str], Counts]
"""(round, key of SETS) -> counts."""


def with_best_cam(pooled: Mapping[str, Counts]) -> dict[str, Counts]:
    """Return the counts of a round's labels; of the CAM alone only the threshold with the highest mIoU, as CAM.

    Args:
        pooled: as the stage `score` writes them: `labels`, and `cam><threshold>` for every threshold.
    """
    cams = [count for kind, count in pooled.items() if kind.startswith("cam")]
    kept = {kind: count for kind, count in pooled.items() if not kind.startswith("cam")}
    if cams:
        kept[CAM] = max(cams, key=lambda count: count.means()["miou"] or 0)
    return kept


def score_table(scores: Scores) -> pandas.DataFrame:
    """Return a row for everything that is scored: round, what, set, number of images, and FIGURES in per cent.

    `classes` is the number of classes, background included, that mIoU is the mean of.
    """
    rows = [
        {
            "round": name,
            "what": what,
            "set": SETS[what],
            "images": count.images,
            "classes": int(np.isfinite(count.iou()).sum()),
            **count.means(),
        }
        for (name, what), count in scores.items()
    ]
    return _in_order(pandas.DataFrame(rows, columns=["round", "what", "set", "images", "classes", *FIGURES]))


def class_score_table(scores: Scores, names: Sequence[str]) -> pandas.DataFrame:
    """Return a row for everything that is scored and every class: round, what, class and CLASS_FIGURES in per cent."""
    header = ["round", "what", "class", *CLASS_FIGURES]
    tables = [pandas.DataFrame(columns=header)]
    for (name, what), count in scores.items():
        figures = {figure: 100 * getattr(count, figure)() for figure in CLASS_FIGURES}
        tables.append(pandas.DataFrame({"round": name, "what": what, "class": names, **figures}))
    return _in_order(pandas.concat(tables[1:] or tables))


def miou_by_round(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the mIoU of a `score_table`: one row per round, one column for each of PLOTTED.

    `images_train` and `images_val` are the numbers of images that it was measured on.
    """
    rounds = table["round"].unique()
    wide = table.pivot(index="round", columns="what", values="miou").reindex(index=rounds, columns=PLOTTED)
    measured = table.groupby(["round", "set"])["images"].first().unstack().reindex(index=rounds, columns=SPLITS)
    return wide.assign(**{f"images_{split}": measured[split].astype("Int64") for split in SPLITS}).reset_index()


def last_round(table: pandas.DataFrame, names: Sequence[str]) -> pandas.DataFrame:
    """Return the IoU of a `class_score_table` in the last round: one row per class, columns LABELS and FINAL."""
    last = table[table["round"] == (table["round"].iloc[-1] if len(table) else "")]
    wide = last.pivot(index="class", columns="what", values="iou")
    return (
        wide.reindex(index=list(names) if len(last) else [], columns=[LABELS, FINAL]).rename_axis("class").reset_index()
    )


def metrics(table: pandas.DataFrame) -> dict[str, Any]:
    """Return what `dvc metrics` shows of a `score_table`.

    `miou`: round -> what -> mIoU in per cent, or None. `images`: split -> number of images that it was measured on.
    """
    miou: dict[str, dict[str, float | None]] = {}
    for name, what, value in zip(table["round"], table["what"], table["miou"], strict=True):
        miou.setdefault(name, {})[what] = None if pandas.isna(value) else round(value, 2)
    images = {name: int(count) for name, count in table.groupby("set")["images"].max().items()}
    return {"miou": miou, "images": images}


def confusion_table(confusions: Mapping[str, np.ndarray], names: Sequence[str]) -> pandas.DataFrame:
    """Return the rows of `auxseg.metrics.confusion.confusion_rows` for every round; none without masks."""
    rows = [row for name, confusion in confusions.items() for row in confusion_rows(name, confusion, names)]
    return pandas.DataFrame(rows, columns=["round", "mask", "label", "pixels", "share"])


def saliency_table(measured: Mapping[str, SaliencyMeasures]) -> pandas.DataFrame:
    """Return a row for every round with measured images: round, what, images and the measures."""
    rows = [
        {
            "round": name,
            "what": "prior" if Round.parse(name).is_initial else "saliency label",
            "images": one.images,
            **one.figures(),
        }
        for name, one in measured.items()
        if one.images
    ]
    return pandas.DataFrame(rows, columns=["round", "what", "images", *SALIENCY_FIGURES])


def confidence_table(histograms: Mapping[str, Histograms]) -> pandas.DataFrame:
    """Return a row for every round, measure and bin: its limits, count, and share in per cent."""
    rows = [row for name, one in histograms.items() for row in one.rows(name)]
    return pandas.DataFrame(rows, columns=["round", "measure", "lower", "upper", "count", "share"])


def last_confidence(table: pandas.DataFrame, last: str) -> pandas.DataFrame:
    """Return the shares of a `confidence_table` in round `last`: one row per bin, one column for each of MEASURES."""
    wide = table[table["round"] == last].pivot(index="lower", columns="measure", values="share")
    lower = pandas.Index(np.arange(BINS) / BINS, name="lower")
    return wide.reindex(index=lower, columns=MEASURES).reset_index()


def guard_table(judgements: Iterable[Judgement]) -> pandas.DataFrame:
    """Return a row for every round: whether it is good, the best round so far, its figures, the warning, and all
    figures that are worse than in the good rounds before.

    Figures are in per cent, except those of `auxseg.guard.figures.NUMBERS`.
    """
    rows = []
    for one in judgements:
        good = "yes" if one.good else "no"
        worse = "; ".join(slipped(one))
        rows.append(
            {
                "round": one.round,
                "good": good,
                "best": one.best,
                **one.figures,
                "warning": one.warning,
                "slipped": worse,
            }
        )
    table = pandas.DataFrame(rows, columns=["round", "good", "best", *GUARD_FIGURES, "warning", "slipped"])
    shares = [name for name in GUARD_FIGURES if name not in GUARD_NUMBERS]
    table[shares] = 100 * table[shares].astype(float)
    return table


def correction_table(corrected: Mapping[str, int], images: int) -> pandas.DataFrame:
    """Return a row for every round with labels corrected by hand: round, corrected, images, and share in per cent.

    Args:
        corrected: round -> number of corrected labels that the training on this round's labels uses.
        images: number of training images.
    """
    rows = [
        {"round": name, "corrected": count, "images": images, "share": 100 * count / images}
        for name, count in corrected.items()
        if count
    ]
    return pandas.DataFrame(rows, columns=CORRECTION_COLUMNS)


def _in_order(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the rows by round, and within a round in the order of SETS."""
    rounds = table["round"].str.removeprefix("r").astype(int)
    ordered: pandas.DataFrame = table.iloc[np.lexsort([table["what"].map(list(SETS).index), rounds])]
    return ordered
