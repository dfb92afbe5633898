"""Stage score: count what one round's pseudo labels look like, and how they and the saliency labels meet the masks.

Areas, components and confidence need no mask; the rest is counted where there is one. Beside the labels it scores the
CAM alone at fixed thresholds. The best of them is chosen by looking at masks: an "oracle" figure, never used on the
way to a model.
"""

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.images import decode_indices
from auxseg.metrics.scores import Scores
from auxseg.parallel import track
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    where, dataset = (stage.round, stage.shard), Dataset(stage.inputs)
    masks = Masks.of(dataset, stage.shard)
    labels, saliency_labels = Archive(stage.inputs.labels(*where)), Archive(stage.inputs.saliency_labels(*where))
    maps, scores = TensorFile(stage.inputs.maps(*where)), Scores(dataset.classes)
    for record in track(dataset.records("train", stage.shard), f"score {stage.key}"):
        png = f"{record.id}.png"
        label, cam = decode_indices(labels[png]), maps[f"{record.id}.cam"]
        confidence = None if stage.round.is_initial else maps[f"{record.id}.confidence"]
        scores.describe(record, label, cam, confidence)
        if record.id in masks:
            scores.compare(record, label, cam, decode_indices(saliency_labels[png]), masks[record.id])
    scores.write(lambda kind: stage.outputs.score(kind, *where))


if __name__ == "__main__":
    run("score", main, rounds=True, shards=True)
