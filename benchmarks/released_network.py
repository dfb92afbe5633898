"""Compare our network with the released AuxSegNet: same weights, same images, every output (docs/fidelity.md).

    git clone https://github.com/xulianuwa/AuxSegNet FOLDER
    python benchmarks/released_network.py --code FOLDER

The released network gets random weights from a fixed seed, and `auxseg weights import` converts them, through a file,
like a trained checkpoint. The weights are larger than usual initial ones, so that no affinity is nearly uniform and no
batch norm is the identity. The released code is not part of this project: the program imports it from FOLDER. It needs
only torch and numpy, 3 GB of memory and a few minutes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxseg.artifacts.tables import write_rows
from auxseg.cli.main import main as auxseg
from auxseg.models.auxsegnet import AuxSegNet, load_auxsegnet
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.presets import read_preset

CLASSES = 20
OUTPUTS = (
    "classification",
    "cam",
    "saliency",
    "refined_saliency",
    "segmentation",
    "refined_segmentation",
    "pairwise",
)
"""What the released network returns, in its order, by our names."""
TOLERANCE = 1e-4


def released_network(code: Path) -> nn.Module:
    """Return the released network in eval mode with random weights from seed 0."""
    sys.path.insert(0, str(code.resolve()))
    from network.AuxSegNet import SegNet  # the released code's own package name

    torch.manual_seed(0)
    network = SegNet(CLASSES + 1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith(("seg_conv", "sal_conv", "cross_att", "fc8")):
                parameter *= 2
            if "theta" in name or "phi" in name:
                parameter *= 6
    network.train(False)  # its train() returns None, so eval() cannot be chained
    return network


def import_weights(theirs: nn.Module, preset: Path) -> AuxSegNet:
    """Return our network of the preset with their weights, converted by `auxseg weights import`."""
    values = read_preset(preset)
    with tempfile.TemporaryDirectory() as folder:
        published, imported = Path(folder) / "released.pth", Path(folder) / "r1.safetensors"
        torch.save(theirs.state_dict(), published)
        if auxseg(["weights", "import", str(published), "--network", "auxsegnet", "--to", str(imported)]):
            raise SystemExit("import blocked")
        backbone, network = BackboneParams.of(values), NetworkParams.of(values)
        return load_auxsegnet(imported, backbone, network, CLASSES, torch.device("cpu"))


def images(height: int, width: int, dtype: torch.dtype) -> Tensor:
    """Return smooth random images (1, 3, H, W) in 0..255 from seed 1."""
    coarse = torch.rand(1, 3, 9, 9, dtype=dtype, generator=torch.Generator().manual_seed(1))
    return 255 * F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


@torch.no_grad()
def compare(theirs: nn.Module, ours: AuxSegNet, batch: Tensor) -> list[dict[str, object]]:
    """Return one row per output: the largest value and the largest difference."""
    wanted = theirs((batch - ours.backbone.mean) / ours.backbone.std, require_cam=True)
    outputs = ours(batch)
    found = {**vars(outputs), "cam": ours.classification.cam(outputs.features)}
    return [
        {
            "precision": str(batch.dtype).removeprefix("torch."),
            "image": "x".join(map(str, batch.shape[2:])),
            "output": name,
            "largest_value": f"{value.abs().max().item():.3g}",
            "largest_difference": f"{(found[name] - value).abs().max().item():.1e}",
        }
        for name, value in zip(OUTPUTS, wanted, strict=True)
    ]


def main() -> None:
    """Compare, print, write the CSV; the exit code is 1 if a difference exceeds the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--code", required=True, type=Path, metavar="FOLDER", help="a clone of xulianuwa/AuxSegNet")
    parser.add_argument("--preset", type=Path, default=Path("params/presets/c1.yaml"))
    parser.add_argument("--to", type=Path, default=Path("benchmarks/released_network.csv"))
    arguments = parser.parse_args()
    theirs = released_network(arguments.code)
    ours = import_weights(theirs, arguments.preset)
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (theirs, ours)]
    print(f"parameters: {counts[0]:,} released, {counts[1]:,} ours")
    rows = []
    for dtype, sizes in ((torch.float32, ((321, 321), (200, 267))), (torch.float64, ((160, 121),))):
        theirs, ours = theirs.to(dtype), ours.to(dtype)
        for size in sizes:
            rows += compare(theirs, ours, images(*size, dtype))
    for row in rows:
        print("  ".join(f"{value!s:<22}" for value in row.values()))
    write_rows(arguments.to, rows)
    if max(float(row["largest_difference"]) for row in rows) > TOLERANCE:
        raise SystemExit(f"a difference exceeds {TOLERANCE}")


if __name__ == "__main__":
    main()
