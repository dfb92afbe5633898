"""Stage propagate: one pass of a round's network over the images of one shard, train and val."""

from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.datasets.manifest import read_classes, read_shard
from auxseg.datasets.photos import read_photo
from auxseg.datasets.root import photos_root
from auxseg.models.auxsegnet import load_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.inputs import to_tensor
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.propagate import PropagateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.propagation import propagate_image


def main(stage: Stage) -> None:
    runtime, params = stage.params(RuntimeParams), stage.params(PropagateParams)
    device = prepare_device(runtime)
    classes = read_classes(stage.input("data/manifest/classes.csv"))
    root = photos_root(stage.input("data/manifest/dataset.json"))
    weights = stage.input(f"data/models/{stage.round}.safetensors")
    network = load_auxsegnet(weights, stage.params(BackboneParams), stage.params(NetworkParams), len(classes))
    network.to(device).eval()

    start = TensorFile(stage.input(f"data/maps/r0/{stage.shard}.safetensors"))
    tensors = {}
    for record in track(read_shard(stage.input(f"data/manifest/{stage.shard}.csv")), f"propagate {stage.key}"):
        image = to_tensor(read_photo(root, record), device, runtime)
        present = [classes.index(name) - 1 for name in record.labels]
        maps = propagate_image(
            network,
            image,
            present,
            scales=params.scales,
            flip=params.flip,
            initial=start[name] if (name := f"{record.id}.cam") in start else None,  # val images have none
            initial_share=params.initial_share,
            renormalise=params.renormalise_cam,
            low_precision=runtime.low_precision,
        )
        tensors |= {f"{record.id}.{name}": value for name, value in maps.items()}
    write_tensors(stage.output(f"data/maps/{stage.round}/{stage.shard}.safetensors"), tensors)


if __name__ == "__main__":
    run("propagate", main, rounds=True, shards=True)
