"""Seconds and memory of a training step of the multi-task network, by backbone and precision.

    python benchmarks/performance/steps.py [--backbones efficientnet_lite0 resnet50 resnet38] [--threads 2]

`plain` is the same step as torch runs it without this project's help: batch norms as modules of their own, tensors in
torch's default layout. Each measurement is a process of its own, so that its peak memory is its own. Rows are added to
benchmarks/performance/steps.csv, with the ratio to `plain` in float32 of the same run.
"""

import argparse
import json
import resource
import subprocess
import sys

import torch
from timing import RESULTS, keep, machine, timed

from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.folding import fold_batch_norms
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.training.augment import PixelSample
from auxseg.training.losses import Divisors
from auxseg.training.multi_task import training_step
from auxseg.training.optimiser import build_optimiser, set_batch_norm

BACKBONES = {"efficientnet_lite0": (16, 8, 224), "resnet50": (16, 4, 321), "resnet38": (8, 2, 161)}
"""Name -> output stride, images of a batch, pixels of a crop: small where a CPU needs minutes for a paper's batch."""
VARIANTS = {"plain": "float32", "float32": "float32", "bfloat16": "bfloat16"}
CLASSES = 20


def main() -> None:
    """Measure every variant of every backbone in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", nargs="+", default=list(BACKBONES), choices=BACKBONES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--n", type=int, default=7)
    parser.add_argument("--one", nargs=2, metavar=("BACKBONE", "VARIANT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one, arguments.threads, arguments.n)))
        return
    for backbone in arguments.backbones:
        rows = [
            own_process("--one", backbone, variant, "--threads", str(arguments.threads), "--n", str(arguments.n))
            for variant in VARIANTS
        ]
        for row in rows:
            row["ratio"] = round(row["seconds"] / rows[0]["seconds"], 3)
        keep(RESULTS / "steps.csv", rows, ("backbone", "variant", "machine", "threads"))


def own_process(*arguments: str) -> dict:
    """Run this program in another process, and return the row it prints."""
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    row: dict = json.loads(done.stdout.splitlines()[-1])
    return row


def measure(backbone: str, variant: str, threads: int, n: int) -> dict:
    """Return the row of one variant."""
    stride, batch, crop = BACKBONES[backbone]
    runtime, params = RuntimeParams(threads=threads, precision=VARIANTS[variant]), TrainParams()
    device = prepare_device(runtime)
    torch.manual_seed(0)
    weights = BackboneParams(name=backbone, output_stride=stride, weights="random")
    network = build_auxsegnet(weights, NetworkParams(), CLASSES).to(device).train()
    set_batch_norm(network, "frozen")
    if variant != "plain":
        network.to(memory_format=torch.channels_last)
        fold_batch_norms(network)
    optimiser, step = build_optimiser(network, params.optimiser), training_step(network, params, runtime)
    part = PixelSample(
        torch.randint(0, 256, (batch, 3, crop, crop), device=device).float(),
        torch.ones(batch, CLASSES, device=device),
        torch.randint(0, CLASSES + 1, (batch, 1, crop, crop), dtype=torch.uint8, device=device),
        torch.rand(batch, 1, crop, crop, device=device),
    )
    divisors = Divisors(*(value.to(device) for value in Divisors.of(part)))

    def descend() -> None:
        optimiser.zero_grad(set_to_none=True)
        step(part, divisors)["loss"].backward()
        optimiser.step()

    timing = timed(descend, n, device)
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) / 1e6
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    row = {"backbone": backbone, "variant": variant, **machine(device), "batch": batch, "crop": crop}
    return {**row, **timing.columns(), "images_per_second": round(batch / timing.median, 2), "peak_mb": round(peak)}


if __name__ == "__main__":
    main()
