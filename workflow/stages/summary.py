"""Stage summary: the figures of all rounds as tables, and what `dvc metrics` and `dvc plots` show.

Without masks the tables of scores have no rows, precision, recall and IoU of the labels are empty, and so are the
metrics; pixels, ignored shares, components and confidence are there all the same.
"""

from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import finished, write_json
from auxseg.artifacts.parquet import parquet_table, write_parquet
from auxseg.artifacts.tables import write_rows
from auxseg.datasets.manifest import ClassTable, manifest_shards, read_classes, read_manifest, shard_files
from auxseg.guard.figures import FIGURES as FIGURES_WITHOUT_MASKS
from auxseg.guard.record import read_judgements
from auxseg.metrics.confusion import confusion_rows, read_confusion
from auxseg.metrics.histogram import BINS, Histograms
from auxseg.metrics.labels import ALL, CLASS_COLUMNS, IMAGE_COLUMNS, class_table, image_table, read_areas
from auxseg.metrics.saliency import FIGURES as SALIENCY_FIGURES
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts
from auxseg.pipeline.stage import Stage, run

LABELS, CAM, FINAL = "labels", "cam alone (oracle threshold)", "model+ms+crf"
SETS = {LABELS: "train", CAM: "train", "model": "val", "model+ms": "val", FINAL: "val"}
PLOTTED = (LABELS, "model", FINAL)
FIGURES = ("miou", "precision", "recall")
MEASURES = ("cam", "confidence")


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    classes = read_classes(manifest / "classes.csv")
    files = _score_files(stage.input("data/score"), manifest_shards(manifest))
    _summarise_scores(stage, classes, files["counts"])
    tags = {record.id: record.labels for record in read_manifest(manifest, "train")}
    _summarise_labels(stage, classes, tags, files)
    _summarise_saliency(stage, files["saliency"])
    _summarise_confidence(stage, files["confidence"])
    _summarise_guard(stage, list(files["areas"]))


def _score_files(folder: Path, shards: list[str]) -> dict[str, dict[str, list[Path]]]:
    """Return kind of table -> round, in order -> its files."""
    return {
        kind.name: {
            path.name: list(shard_files(path, shards, ".csv").values())
            for path in sorted(finished(kind, "r*"), key=lambda path: int(path.name[1:]))
        }
        for kind in finished(folder, "*")
    }


def _summarise_scores(stage: Stage, classes: ClassTable, files: dict[str, list[Path]]) -> None:
    counts: dict[tuple[str, str], Counts] = {}
    for name, paths in files.items():
        counts |= {(name, kind): count for kind, count in _with_best_cam(read_counts(paths, len(classes))).items()}
    for path in finished(stage.input("data/evaluate"), "r*.csv"):
        counts |= {(path.stem, kind): count for kind, count in read_counts([path], len(classes)).items()}
    kinds = list(SETS)
    counts = dict(sorted(counts.items(), key=lambda item: (int(item[0][0][1:]), kinds.index(item[0][1]))))

    rounds = [
        {"round": name, "what": kind, "set": SETS[kind], **count.means()} for (name, kind), count in counts.items()
    ]
    per_class = [
        {"round": name, "what": kind, "class": class_name, "iou": 100 * iou, "precision": 100 * p, "recall": 100 * r}
        for (name, kind), count in counts.items()
        for class_name, iou, p, r in zip(
            classes.with_background, count.iou(), count.precision(), count.recall(), strict=True
        )
    ]
    miou: dict[str, dict[str, float | None]] = {}
    for row in rounds:
        miou.setdefault(row["round"], {})[row["what"]] = row["miou"]
    _write(stage, "rounds", rounds, ["round", "what", "set", *FIGURES])
    _write(stage, "classes", per_class, ["round", "what", "class", "iou", "precision", "recall"])
    shown = {name: {what: value and round(value, 2) for what, value in row.items()} for name, row in miou.items()}
    write_json(stage.output("data/summary/metrics.json"), {"miou": shown})
    by_round = [{"round": name, **{kind: figures.get(kind) for kind in PLOTTED}} for name, figures in miou.items()]
    _write(stage, "miou", by_round, ["round", *PLOTTED])
    last = max(miou, key=lambda name: int(name[1:]), default="")
    iou = {(row["what"], row["class"]): row["iou"] for row in per_class if row["round"] == last}
    shown_classes = classes.with_background if iou else ()
    last_rows = [{"class": name, **{what: iou.get((what, name)) for what in (LABELS, FINAL)}} for name in shown_classes]
    _write(stage, "last_round", last_rows, ["class", LABELS, FINAL])


def _summarise_labels(
    stage: Stage, classes: ClassTable, tags: dict[str, tuple[str, ...]], files: dict[str, dict[str, list[Path]]]
) -> None:
    names = classes.with_background
    by_class, confusions = [], []
    with parquet_table(stage.output("data/summary/images.parquet"), IMAGE_COLUMNS) as append:
        for name, paths in files["areas"].items():
            areas, confusion = read_areas(paths), read_confusion(files["confusion"][name], len(classes))
            by_class += class_table(name, areas, tags, confusion, names)
            append(image_table(name, areas, names))
            confusions.append(confusion_rows(name, confusion, names))
    _write(stage, "labels", by_class, list(CLASS_COLUMNS))
    _write(stage, "labels_by_round", [row for row in by_class if row["class"] == ALL], list(CLASS_COLUMNS))
    write_parquet(stage.output("data/summary/labels.parquet"), by_class, CLASS_COLUMNS)
    header = ["round", "mask", "label", "pixels", "share"]
    _write(stage, "confusion", [row for rows in confusions for row in rows], header)
    _write(stage, "last_confusion", confusions[-1], header)


def _summarise_saliency(stage: Stage, files: dict[str, list[Path]]) -> None:
    measured = {name: SaliencyMeasures.read(paths) for name, paths in files.items()}
    rows = [
        {"round": name, "what": "prior" if name == "r0" else "saliency label", "images": one.images, **one.figures()}
        for name, one in measured.items()
        if one.images
    ]
    _write(stage, "saliency", rows, ["round", "what", "images", *SALIENCY_FIGURES])


def _summarise_confidence(stage: Stage, files: dict[str, list[Path]]) -> None:
    histograms = {name: Histograms.read(paths) for name, paths in files.items()}
    rows = [row for name, one in histograms.items() for row in one.rows(name)]
    _write(stage, "confidence", rows, ["round", "measure", "lower", "upper", "count", "share"])
    last = {(row["measure"], row["lower"]): row["share"] for row in rows if row["round"] == list(files)[-1]}
    lowers = np.arange(BINS) / BINS
    shown = [{"lower": float(lower), **{name: last.get((name, lower)) for name in MEASURES}} for lower in lowers]
    _write(stage, "last_confidence", shown, ["lower", *MEASURES])


def _summarise_guard(stage: Stage, rounds: list[str]) -> None:
    judgements = read_judgements(rounds, stage.input("data/guard"))
    rows = [
        {
            "round": one.round,
            "good": "yes" if one.good else "no",
            "best": one.best,
            **{
                name: value if value is None or name == "components" else 100 * value
                for name, value in one.figures.items()
            },
            "warning": one.warning,
        }
        for one in judgements
    ]
    _write(stage, "guard", rows, ["round", "good", "best", *FIGURES_WITHOUT_MASKS, "warning"])


def _write(stage: Stage, name: str, rows: list[dict], header: list[str]) -> None:
    write_rows(stage.output(f"data/summary/{name}.csv"), rows, header)


def _with_best_cam(pooled: dict[str, Counts]) -> dict[str, Counts]:
    """Keep the labels, and of the CAM alone the threshold that is best against the masks."""
    cams = [count for kind, count in pooled.items() if kind.startswith("cam")]
    kept = {kind: count for kind, count in pooled.items() if not kind.startswith("cam")}
    if cams:
        kept[CAM] = max(cams, key=lambda count: count.means()["miou"] or 0)
    return kept


if __name__ == "__main__":
    run("summary", main)
