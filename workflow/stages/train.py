"""Stage train: one round of the multi-task network on the labels of the round before (docs/method.md section 3)."""

from functools import partial

from auxseg.datasets.dataset import Dataset
from auxseg.guard.gate import check_gate
from auxseg.models.precision import noted_precision
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.pipeline.stage import Stage, run
from auxseg.training.distributed import Team, train_together
from auxseg.training.job import train_and_save
from auxseg.training.multi_task import start_network, training_set, training_step


def main(stage: Stage) -> None:
    runtime = noted_precision(stage.params(RuntimeParams), stage.inputs.weights(stage.round.previous))
    params = stage.params(TrainParams)
    train_together(params, runtime, partial(train, stage, runtime, params))


def train(stage: Stage, runtime: RuntimeParams, params: TrainParams, team: Team) -> None:
    before, dataset = stage.round.previous, Dataset(stage.inputs)
    check_gate(stage.inputs.gate(before))
    backbone, network_params, classes = stage.params(BackboneParams), stage.params(NetworkParams), dataset.classes
    network, starts_trained = start_network(
        stage.inputs.weights(before), backbone, network_params, len(classes), params
    )
    samples, step = training_set(dataset, before, params, runtime), training_step(network, params, runtime)
    params = params.of_round(starts_trained=starts_trained)
    checkpoint = train_and_save(
        stage, network, step, samples, params, team, round_=stage.round, classes=classes.names, runtime=runtime
    )
    if checkpoint:
        stage.require_unchanged()  # otherwise the checkpoint is still good for the parameters that it started with
        checkpoint.remove()


if __name__ == "__main__":
    run("train", main, rounds=True)
