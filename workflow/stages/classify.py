"""Stage classify: train the single-task classifier on image-level labels (docs/method.md section 2, r0)."""

from functools import partial

from auxseg.artifacts.rounds import R0
from auxseg.datasets.dataset import Dataset
from auxseg.models.device import allow_tf32
from auxseg.params.backbone import BackboneParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.training.classifier import build_training
from auxseg.training.distributed import Team, train_together
from auxseg.training.job import precision_of_run, train_and_save


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(ClassifyParams)
    train_together(params, runtime, partial(classify, stage, runtime, params))


def classify(stage: Stage, runtime: RuntimeParams, params: ClassifyParams, team: Team) -> None:
    dataset, backbone = Dataset(stage.inputs), stage.params(BackboneParams)
    runtime = team.from_leader(precision_of_run(stage, runtime, backbone, team.device) if team.is_main else runtime)
    allow_tf32(runtime)
    network, step, samples = build_training(dataset, backbone, runtime, params, team.device)
    names = dataset.classes.names
    checkpoint = train_and_save(stage, network, step, samples, params, team, round_=R0, classes=names, runtime=runtime)
    if checkpoint:
        stage.require_unchanged()  # otherwise the checkpoint is still good for the parameters that it started with
        checkpoint.remove()


if __name__ == "__main__":
    run("classify", main)
