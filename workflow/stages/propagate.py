"""Stage propagate: one pass of a round's network over the images of one shard, train and val."""

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.datasets.dataset import Dataset
from auxseg.models.auxsegnet import load_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.precision import noted_precision
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.propagate import PropagateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.propagation import propagate_images


def main(stage: Stage) -> None:
    weights, dataset = stage.inputs.weights(stage.round), Dataset(stage.inputs)
    runtime = noted_precision(stage.params(RuntimeParams), weights)
    device, classes = prepare_device(runtime), len(dataset.classes)
    network = load_auxsegnet(weights, stage.params(BackboneParams), stage.params(NetworkParams), classes, device)
    initial = TensorFile(stage.inputs.maps(R0, stage.shard))
    records = dataset.records(shard=stage.shard)
    params, title = stage.params(PropagateParams), f"propagate {stage.key}"
    tensors = propagate_images(network, dataset, records, initial, params, runtime, device, title)
    write_tensors(stage.outputs.maps(stage.round, stage.shard), tensors)


if __name__ == "__main__":
    run("propagate", main, rounds=True, shards=True)
