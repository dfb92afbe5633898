"""Stage review: apply review/verdicts.csv and review/corrections to one round's labels."""

from functools import partial

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.dataset import Dataset
from auxseg.params.review import ReviewParams
from auxseg.pipeline.stage import Stage, run
from auxseg.review.apply import apply_verdicts
from auxseg.review.corrections import corrected_labels
from auxseg.review.uses import write_uses
from auxseg.review.verdicts import label_hashes, read_verdicts, write_verdicts


def main(stage: Stage) -> None:
    dataset, params = Dataset(stage.inputs), stage.params(ReviewParams)
    labels = dataset.every_shard(partial(stage.inputs.labels, stage.round))
    verdicts, classes = read_verdicts(stage.inputs.verdicts), dataset.classes
    corrected = corrected_labels(stage.inputs, stage.round, dataset.records("train"), classes, params)
    uses, stale = apply_verdicts(stage.round, label_hashes(labels.values()), verdicts, params, classes.names, corrected)
    write_uses(stage.outputs.uses(stage.round), uses)
    write_verdicts(stage.outputs.stale_verdicts(stage.round), stale)
    write_archive(stage.outputs.corrected(stage.round), {f"{name}.png": png for name, png in corrected.items()})


if __name__ == "__main__":
    run("review", main, rounds=True)
