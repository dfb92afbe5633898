"""Stage summary: one table of all rounds, per-class IoU, and the figures that `dvc metrics` and `dvc plots` show.

Without masks the tables have no rows and the metrics are empty.
"""

from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.tables import write_rows
from auxseg.datasets.manifest import manifest_shards, read_classes, shard_files
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts
from auxseg.pipeline.stage import Stage, run

LABELS, CAM, FINAL = "labels", "cam alone (oracle threshold)", "model+ms+crf"
SETS = {LABELS: "train", CAM: "train", "model": "val", "model+ms": "val", FINAL: "val"}
PLOTTED = (LABELS, "model", FINAL)
FIGURES = ("miou", "precision", "recall")


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    classes, shards = read_classes(manifest), manifest_shards(manifest)
    counts: dict[tuple[str, str], Counts] = {}
    for folder in stage.input("data/score").iterdir():
        pooled = read_counts(shard_files(folder, shards, ".csv").values(), len(classes))
        counts |= {(folder.name, kind): count for kind, count in _with_best_cam(pooled).items()}
    for path in stage.input("data/evaluate").iterdir():
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
    folder = "data/summary"
    write_rows(stage.output(f"{folder}/rounds.csv"), rounds, ["round", "what", "set", *FIGURES])
    write_rows(
        stage.output(f"{folder}/classes.csv"), per_class, ["round", "what", "class", "iou", "precision", "recall"]
    )
    shown = {name: {what: value and round(value, 2) for what, value in row.items()} for name, row in miou.items()}
    write_json(stage.output(f"{folder}/metrics.json"), {"miou": shown})
    by_round = [{"round": name, **{kind: figures.get(kind) for kind in PLOTTED}} for name, figures in miou.items()]
    write_rows(stage.output(f"{folder}/miou.csv"), by_round, ["round", *PLOTTED])
    last = max(miou, key=lambda name: int(name[1:]), default="")
    iou = {(row["what"], row["class"]): row["iou"] for row in per_class if row["round"] == last}
    last_rows = [{"class": name, LABELS: iou[LABELS, name], FINAL: iou.get((FINAL, name))} for name in _classes_of(iou)]
    write_rows(stage.output(f"{folder}/last_round.csv"), last_rows, ["class", LABELS, FINAL])


def _with_best_cam(pooled: dict[str, Counts]) -> dict[str, Counts]:
    """Keep the labels, and of the CAM alone the threshold that is best against the masks."""
    cams = [count for kind, count in pooled.items() if kind.startswith("cam")]
    kept = {kind: count for kind, count in pooled.items() if not kind.startswith("cam")}
    if cams:
        kept[CAM] = max(cams, key=lambda count: count.means()["miou"] or 0)
    return kept


def _classes_of(iou: dict[tuple[str, str], float]) -> list[str]:
    return [name for what, name in iou if what == LABELS]


if __name__ == "__main__":
    run("summary", main)
