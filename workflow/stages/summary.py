"""Stage summary: the figures of all rounds as tables, and what `dvc metrics` and `dvc plots` show.

Without masks the tables of scores have no rows, precision, recall and IoU of the labels are empty, and so are the
metrics. Pixels, ignored shares, components and confidence need no masks.
"""

from pathlib import Path

import pandas

from auxseg import summary
from auxseg.artifacts.atomic import finished, write_json
from auxseg.artifacts.frames import write_frame
from auxseg.artifacts.parquet import parquet_table, write_parquet
from auxseg.datasets.manifest import manifest_shards, read_classes, read_manifest, shard_files
from auxseg.guard.record import read_judgements
from auxseg.metrics.confusion import read_confusion
from auxseg.metrics.histogram import Histograms
from auxseg.metrics.label_tables import ALL, CLASS_COLUMNS, IMAGE_COLUMNS, class_table, image_table, read_areas
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.tables import read_counts
from auxseg.pipeline.stage import Stage, run

Files = dict[str, list[Path]]
"""Round, in order -> files."""


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    names = read_classes(manifest / "classes.csv").with_background
    tags = {record.id: record.labels for record in read_manifest(manifest, "train")}
    files = _score_files(stage.input("data/score"), manifest_shards(manifest))
    tables = (
        _scores(stage, names, files["counts"])
        | _labels(stage, names, tags, files["areas"], files["confusion"])
        | _measures(files["saliency"], files["confidence"])
        | {"guard": summary.guard_table(read_judgements(list(files["areas"]), stage.input("data/guard")))}
    )
    for name, table in tables.items():
        write_frame(stage.output(f"data/summary/{name}.csv"), table)


def _score_files(folder: Path, shards: list[str]) -> dict[str, Files]:
    """Return kind of table -> round, in order -> its files."""
    return {
        kind.name: {
            path.name: list(shard_files(path, shards, ".csv").values())
            for path in sorted(finished(kind, "r*"), key=lambda path: int(path.name[1:]))
        }
        for kind in finished(folder, "*")
    }


def _scores(stage: Stage, names: tuple[str, ...], files: Files) -> dict[str, pandas.DataFrame]:
    found = {name: summary.with_best_cam(read_counts(paths, len(names) - 1)) for name, paths in files.items()}
    for path in finished(stage.input("data/evaluate"), "r*.csv"):
        found[path.stem] = found.get(path.stem, {}) | read_counts([path], len(names) - 1)
    scores = {(name, what): count for name, counts in found.items() for what, count in counts.items()}
    rounds, classes = summary.score_table(scores), summary.class_score_table(scores, names)
    write_json(stage.output("data/summary/metrics.json"), summary.metrics(rounds))
    by_round, last = summary.miou_by_round(rounds), summary.last_round(classes, names)
    return {"rounds": rounds, "classes": classes, "miou": by_round, "last_round": last}


def _labels(
    stage: Stage, names: tuple[str, ...], tags: dict[str, tuple[str, ...]], files: Files, confusion_files: Files
) -> dict[str, pandas.DataFrame]:
    by_class, confusions = [], {}
    # one round at a time: a million images have some three million areas
    with parquet_table(stage.output("data/summary/images.parquet"), IMAGE_COLUMNS) as append:
        for name, paths in files.items():
            areas = read_areas(paths)
            confusions[name] = read_confusion(confusion_files[name], len(names) - 1)
            by_class.append(class_table(name, areas, tags, confusions[name], names))
            append(image_table(name, areas, names))
    labels = pandas.concat(by_class)
    write_parquet(stage.output("data/summary/labels.parquet"), labels, CLASS_COLUMNS)
    return {
        "labels": labels,
        "labels_by_round": labels[labels["class"] == ALL],
        "confusion": summary.confusion_table(confusions, names),
        "last_confusion": summary.confusion_table({name: confusions[name]}, names),
    }


def _measures(saliency: Files, confidence: Files) -> dict[str, pandas.DataFrame]:
    measured = {name: SaliencyMeasures.read(paths) for name, paths in saliency.items()}
    shares = summary.confidence_table({name: Histograms.read(paths) for name, paths in confidence.items()})
    return {
        "saliency": summary.saliency_table(measured),
        "confidence": shares,
        "last_confidence": summary.last_confidence(shares, list(confidence)[-1]),
    }


if __name__ == "__main__":
    run("summary", main)
