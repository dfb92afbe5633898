"""Stage review: apply the verdicts of review/verdicts.csv to one round's labels."""

from functools import partial

from auxseg.datasets.dataset import Dataset
from auxseg.params.review import ReviewParams
from auxseg.pipeline.stage import Stage, run
from auxseg.review.apply import apply_verdicts
from auxseg.review.uses import write_uses
from auxseg.review.verdicts import label_hashes, read_verdicts, write_verdicts


def main(stage: Stage) -> None:
    dataset = Dataset(stage.inputs)
    labels = dataset.every_shard(partial(stage.inputs.labels, stage.round))
    verdicts, names = read_verdicts(stage.inputs.verdicts), dataset.classes.names
    uses, stale = apply_verdicts(
        stage.round, label_hashes(labels.values()), verdicts, stage.params(ReviewParams), names
    )
    write_uses(stage.outputs.uses(stage.round), uses)
    write_verdicts(stage.outputs.stale_verdicts(stage.round), stale)


if __name__ == "__main__":
    run("review", main, rounds=True)
