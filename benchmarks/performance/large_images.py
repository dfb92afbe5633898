"""Memory and time of everything after the backbone, for one large image: affinities whole and in tiles.

    python benchmarks/performance/large_images.py [--threads 2]

The paper's branches (128 channels, stride 8) behind a backbone of a single convolution; maps as the stage `propagate`
makes them. Every row is a process of its own; `peak_mb` is what it needs beyond what it has before. Rows are added to
benchmarks/performance/large_images.csv. Whole affinities of 32,768 positions would take 4.3 GB each.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import torch
from timing import RESULTS, keep, machine
from torch import nn

from auxseg.models import tiles
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.backbones import Backbone
from auxseg.models.device import prepare_device
from auxseg.params.network import CrossTaskParams, NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.propagation import propagate_image

STRIDE, CHANNELS, CLASSES = 8, 512, 20
RUNS = [
    (512, 512, "whole", 1),
    (512, 512, "tiles", 1),
    (1024, 1024, "tiles", 1),
    (1024, 2048, "tiles", 1),
    (1024, 2048, "tiles", 3),
]
"""Height, width, how affinities are computed, and the kernel that fuses them."""


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--most", type=int, default=2**20, help="positions of the largest image")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(measure(*RUNS[arguments.one], arguments.threads)))
        return
    for number, (height, width, _, _) in enumerate(RUNS):
        if height * width // STRIDE**2 > arguments.most:
            continue
        command = [sys.executable, __file__, "--one", str(number), "--threads", str(arguments.threads)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        keep(RESULTS / "large_images.csv", [row], ("height", "width", "affinities", "kernel", "machine", "threads"))


def measure(height: int, width: int, affinities: str, kernel: int, threads: int) -> dict:
    """Return the row of one image."""
    tiles.DENSE_POSITIONS = 0 if affinities == "tiles" else height * width
    device = prepare_device(RuntimeParams(threads=threads))
    torch.manual_seed(0)
    body = nn.Conv2d(3, CHANNELS, STRIDE, stride=STRIDE)
    backbone = Backbone(body, [[body]], CHANNELS, [0.0] * 3, [255.0] * 3, dense_convolutions=True)
    params = NetworkParams(channels=128, cross_task=CrossTaskParams(kernel=kernel))
    network = AuxSegNet(backbone, CLASSES, STRIDE, params).to(device).eval()
    image = torch.rand(1, 3, height, width, device=device) * 255
    before, started = _peak(device), time.perf_counter()
    propagate_image(network, image, [0, 1], renormalise=True, low_precision=False)
    return {
        "height": height,
        "width": width,
        "positions": height * width // STRIDE**2,
        "affinities": affinities,
        "kernel": kernel,
        **machine(device),
        "seconds": round(time.perf_counter() - started, 2),
        "peak_mb": round(_peak(device) - before),
    }


def _peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
