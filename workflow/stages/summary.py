"""Stage summary: one table of all rounds, per-class IoU, and the figures that `dvc metrics show` prints."""

from pathlib import Path

from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.tables import write_rows
from auxseg.datasets.manifest import manifest_shards, read_classes, shard_files
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts
from auxseg.pipeline.stage import Stage, run

SETS = {
    "labels": "train",
    "cam (oracle threshold)": "train",
    "model": "val",
    "model+ms": "val",
    "model+ms+crf": "val",
}


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    classes, shards = read_classes(manifest), manifest_shards(manifest)
    counts: dict[tuple[str, str], Counts] = {}
    for folder in sorted(stage.input("data/score").iterdir(), key=_round_number):
        pooled = read_counts(shard_files(folder, shards, ".csv").values(), len(classes))
        counts |= {(folder.name, kind): count for kind, count in _with_best_cam(pooled).items()}
    for path in sorted(stage.input("data/evaluate").iterdir(), key=_round_number):
        counts |= {(path.stem, kind): count for kind, count in read_counts([path], len(classes)).items()}
    counts = dict(sorted(counts.items(), key=lambda item: int(item[0][0][1:])))

    rounds = [
        {"round": name, "what": kind, "set": SETS[kind], **count.means()} for (name, kind), count in counts.items()
    ]
    per_class = [
        {
            "round": name,
            "what": kind,
            "class": class_name,
            "iou": 100 * iou,
            "precision": 100 * p,
            "recall": 100 * r,
        }
        for (name, kind), count in counts.items()
        for class_name, iou, p, r in zip(
            classes.with_background, count.iou(), count.precision(), count.recall(), strict=True
        )
    ]
    metrics: dict[str, dict] = {}
    for row in rounds:
        metrics.setdefault(row["round"], {})[row["what"]] = round(row["miou"], 2)
    empty = {"round": None, "what": None, "set": None, "miou": None, "precision": None, "recall": None}
    write_rows(stage.output("data/summary/rounds.csv"), rounds or [empty])
    write_rows(stage.output("data/summary/classes.csv"), per_class or [empty])
    write_json(stage.output("data/summary/metrics.json"), {"miou": metrics})


def _with_best_cam(pooled: dict[str, Counts]) -> dict[str, Counts]:
    """Keep the labels, and of the CAM alone the threshold that is best against the masks."""
    cams = [count for kind, count in pooled.items() if kind.startswith("cam")]
    kept = {kind: count for kind, count in pooled.items() if not kind.startswith("cam")}
    if cams:
        kept["cam (oracle threshold)"] = max(cams, key=lambda count: count.means()["miou"])
    return kept


def _round_number(path: Path) -> int:
    return int(path.stem[1:])


if __name__ == "__main__":
    run("summary", main)
