"""Stage summary: the figures of all rounds as tables, and what `dvc metrics` and `dvc plots` show.

Without masks the tables of scores have no rows, precision, recall and IoU of the labels are empty, and so are the
metrics. Pixels, ignored shares, components and confidence need no masks.
"""

from auxseg import summary
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.frames import write_frame
from auxseg.artifacts.parquet import parquet_table, write_parquet
from auxseg.datasets.dataset import Dataset
from auxseg.guard.record import read_judgements
from auxseg.metrics.label_tables import CLASS_COLUMNS, IMAGE_COLUMNS
from auxseg.pipeline.stage import Stage, run
from auxseg.round_files import (
    count_corrected,
    find_score_files,
    label_tables,
    measure_tables,
    read_scores,
    score_tables,
)


def main(stage: Stage) -> None:
    stage.reject_orphans()
    dataset, outputs = Dataset(stage.inputs), stage.outputs
    names = dataset.classes.with_background
    tags = {record.id: record.tags for record in dataset.records("train")}
    files = find_score_files(dataset)
    scores = read_scores(dataset, files["counts"])
    tables = score_tables(scores, names)
    measured = {name: count.images for (name, what), count in scores.items() if what == summary.LABELS}
    with parquet_table(outputs.table("images.parquet"), IMAGE_COLUMNS) as append:
        tables |= label_tables(files["areas"], files["confusion"], names, tags, measured, append)
    tables |= measure_tables(files["saliency"], files["confidence"])
    tables["guard"] = summary.guard_table(read_judgements(stage.inputs, files["areas"]))
    tables["corrections"] = summary.correction_table(count_corrected(stage.inputs), len(tags))
    for name, table in tables.items():
        write_frame(outputs.table(f"{name}.csv"), table)
    write_parquet(outputs.table("labels.parquet"), tables["labels"], CLASS_COLUMNS)
    write_json(outputs.table("metrics.json"), summary.metrics(tables["rounds"]))


if __name__ == "__main__":
    run("summary", main)
