"""What the machine itself can do: matrix products, convolutions, memory copies, and decoding JPEGs.

    python benchmarks/performance/floors.py [--threads 2]

Writes benchmarks/performance/floors.csv. The other benchmarks compare with these rates; a depthwise convolution is in
it because EfficientNet-Lite0 consists of them, and no machine runs one at the rate of its matrix products.
"""

import argparse
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from timing import RESULTS, keep, machine, timed

from auxseg.models.device import prepare_device
from auxseg.params.runtime import RuntimeParams

SIDE = 2048
BATCH, CHANNELS, GRID = 4, 256, 56
MEGABYTES = 256
JPEG = 375, 500, 90
"""Height, width and quality of an image as in VOC."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--n", type=int, default=7)
    arguments = parser.parse_args()
    device = prepare_device(RuntimeParams(threads=arguments.threads))
    rows = []
    for what, unit, work, function in candidates(device):
        timing = timed(function, arguments.n, device)
        rate = round(work / timing.median, 1)
        rows.append({"what": what, **machine(device), "rate": rate, "unit": unit, **timing.columns()})
    keep(RESULTS / "floors.csv", rows, ("what", "machine", "threads"))


def candidates(device: torch.device) -> Iterator[tuple[str, str, float, Callable[[], object]]]:
    """Yield name, unit, work in that unit times seconds, and what does it."""
    for kind in (torch.float32, torch.bfloat16):
        name = str(kind).removeprefix("torch.")
        matrix = torch.rand(SIDE, SIDE, device=device, dtype=kind)
        yield f"matrix product, {name}", "GFLOP/s", 2e-9 * SIDE**3, lambda matrix=matrix: matrix @ matrix
        shape = (BATCH, CHANNELS, GRID, GRID)
        images = torch.rand(shape, device=device, dtype=kind).contiguous(memory_format=torch.channels_last)
        for groups in (1, CHANNELS):
            kernel = torch.rand(CHANNELS, CHANNELS // groups, 3, 3, device=device, dtype=kind)
            work = 2e-9 * images.numel() * 9 * (CHANNELS // groups)
            label = "convolution" if groups == 1 else "depthwise convolution"
            yield (
                f"{label} 3x3, {name}",
                "GFLOP/s",
                work,
                lambda images=images, kernel=kernel, groups=groups: F.conv2d(images, kernel, padding=1, groups=groups),
            )
    source = torch.rand(MEGABYTES * 2**18, device=device)
    target = torch.empty_like(source)
    yield "memory copy", "GB/s", 2 * source.numel() * 4e-9, lambda: target.copy_(source)
    height, width, quality = JPEG
    # noise of a few pixels' width: as large a file as a photograph of this size
    small = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    rgb = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    _, encoded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
    yield "JPEG decoding, 500 x 375", "images/s", 1, lambda: cv2.imdecode(encoded, cv2.IMREAD_COLOR)


if __name__ == "__main__":
    main()
