"""Stage train: one round of the multi-task network on the labels of the round before (docs/method.md section 3)."""

import logging
from functools import partial

import torch

from auxseg.artifacts.archive import Archive
from auxseg.datasets.manifest import manifest_shards, read_classes, read_manifest, shard_files
from auxseg.datasets.root import photos_root
from auxseg.guard.gate import check_gate
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.weights import load_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.pipeline.stage import Stage, run
from auxseg.review.uses import Use, read_uses
from auxseg.training.distributed import Team, train_together
from auxseg.training.job import train_and_save
from auxseg.training.losses import multi_task_loss
from auxseg.training.samples import LabelFiles, TrainingSamples


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(TrainParams)
    train_together(params, runtime, partial(train, stage, runtime, params))


def train(stage: Stage, runtime: RuntimeParams, params: TrainParams, team: Team) -> None:
    check_gate(stage.input(f"data/guard/{stage.previous}.txt"))
    backbone, network_params = stage.params(BackboneParams), stage.params(NetworkParams)
    manifest = stage.input("data/manifest")
    classes = read_classes(manifest / "classes.csv")

    torch.manual_seed(params.seed)
    network = build_auxsegnet(backbone, network_params, len(classes), params.dropout)
    missing = load_weights(stage.input(f"data/models/{stage.previous}.safetensors"), network, partial=True)
    logging.info("%d tensors start random, the rest from round %s", len(missing), stage.previous)
    network.backbone.freeze(params.frozen_layers)

    uses = read_uses(stage.input(f"data/review/{stage.previous}.csv"))
    records = [record for record in read_manifest(manifest, "train") if uses[record.id].use is not Use.LEAVE_OUT]
    samples = TrainingSamples(
        records,
        photos_root(manifest / "dataset.json"),
        classes,
        params.augment,
        params.seed,
        _labels(stage, manifest, "labels"),
        _labels(stage, manifest, "saliency_labels"),
        ignored={image_id for image_id, use in uses.items() if use.use is Use.IGNORE},
        dropped={
            image_id: [classes.with_background.index(name) for name in use.dropped]
            for image_id, use in uses.items()
            if use.dropped
        },
        runtime=runtime,
    )

    def step(part, counts):
        outputs = network(part.image, low_precision=runtime.low_precision)
        return multi_task_loss(outputs, part, counts, params.loss, params.saliency_target)

    optimiser = params.round_optimiser(starts_trained=not missing)
    checkpoint = train_and_save(
        stage, network, step, samples, params, team, round_name=stage.round, classes=classes.names, optimiser=optimiser
    )
    if checkpoint:
        checkpoint.remove()


def _labels(stage: Stage, manifest, kind: str) -> LabelFiles:
    folder = stage.input(f"data/{kind}/{stage.previous}")
    return LabelFiles([Archive(path) for path in shard_files(folder, manifest_shards(manifest), ".zip").values()])


if __name__ == "__main__":
    run("train", main, rounds=True)
