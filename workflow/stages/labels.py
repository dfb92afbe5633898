"""Stage labels: segmentation and saliency labels of a round and shard from stored maps (docs/method.md section 2)."""

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.dataset import Dataset
from auxseg.external.labels import LabelFolder
from auxseg.labelling import LabelJob, label_images
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    dataset, params = Dataset(stage.inputs), stage.params(LabelsParams)
    precomputed = stage.round.is_initial and params.initial == "precomputed"
    job = LabelJob(
        params,
        dataset.classes,
        dataset.root,
        maps=stage.inputs.maps(stage.round, stage.shard),
        prior=stage.inputs.saliency(stage.shard),
        initial=LabelFolder.of(params, dataset.root, dataset.classes, dataset.unlisted) if precomputed else None,
    )
    labels, saliency = label_images(job, dataset.records("train", stage.shard), f"labels {stage.key}")
    write_archive(stage.outputs.labels(stage.round, stage.shard), labels)
    write_archive(stage.outputs.saliency_labels(stage.round, stage.shard), saliency)


if __name__ == "__main__":
    run("labels", main, rounds=True, shards=True)
