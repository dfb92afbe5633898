"""Stage score: measure a round's pseudo labels, and compare them and the saliency labels with the masks.

Areas, components and confidence need no mask; everything else is computed for images that have one. The CAM alone is
scored too, at fixed thresholds. Choosing the best of these needs masks, so it is an "oracle" figure, which is never
used to make a label or a model.
"""

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.stored import read_cam, read_label, read_map, read_saliency
from auxseg.metrics.scores import Scores
from auxseg.parallel import track
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    where, dataset = (stage.round, stage.shard), Dataset(stage.inputs)
    masks = Masks.of(dataset, stage.shard)
    labels, saliency_labels = Archive(stage.inputs.labels(*where)), Archive(stage.inputs.saliency_labels(*where))
    maps, scores = TensorFile(stage.inputs.maps(*where)), Scores(dataset.classes)
    for record in track(dataset.records("train", stage.shard), f"score {stage.key}"):
        label, cam = read_label(labels, record, len(dataset.classes)), read_cam(maps, record)
        confidence = None if stage.round.is_initial else read_map(maps, record, "confidence")
        scores.describe(record, label, cam, confidence)
        if record.id in masks:
            scores.compare(record, label, cam, read_saliency(saliency_labels, record), masks[record.id])
    scores.write(lambda kind: stage.outputs.score(kind, *where))


if __name__ == "__main__":
    run("score", main, rounds=True, shards=True)
