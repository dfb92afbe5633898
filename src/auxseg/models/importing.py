"""Import published weights under this project's names. The import is strict and reports everything that it drops.

It reads torch state dicts of PSA and its descendants (including AuxSegNet), MXNet's ImageNet ResNet38, and
torchvision's ResNets. docs/fidelity.md lists which layer goes where.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import torch

from auxseg.counts import and_more
from auxseg.errors import DataError, shorten
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.backbones import BACKBONES, build_backbone
from auxseg.models.checks import check_kinds, check_tensors
from auxseg.models.classifier import Classifier
from auxseg.models.mxnet_params import read_mxnet_params
from auxseg.models.pretrained import State, misfits, read_state, shape, with_counters
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import CrossTaskParams, NetworkParams

RESNET38 = BackboneParams(name="resnet38", output_stride=8, weights="random")

DEAD = r"(seg|sal)_att\.(g|W_z)\."
"""Layers of the released AuxSegNet that its forward pass never uses."""
HEADS = r"(fc8?|linear1000|cross_att|(seg|sal)_\w+)\."
"""The layers of these networks that do not belong to the backbone."""

_LAYERS = {
    "fc8": "classification.linear",
    "cross_att.0": "cross_pairwise.mix",
    "cross_att.2": "cross_pairwise.weigh",
}
_BRANCHES = {"seg": "segmentation", "sal": "saliency"}
_BRANCH_LAYERS = {
    "conv1": "reduce",
    "conv2": "context",
    "conv3": "fuse",
    "conv4": "predict",
    "att.theta": "affinity.query",
    "att.phi": "affinity.key",
    "g": "affinity.value",
    "W": "affinity.out",
}
_MXNET_ENTRIES = {"beta": "bias", "gamma": "weight", "moving_mean": "running_mean", "moving_var": "running_var"}


@dataclass(frozen=True)
class Imported:
    """Checked weights with this project's names, and the rest of the file."""

    state: State
    unused: State
    """Under the file's own names."""
    counters: int
    """Number of batch norms' step counters that the file lacks; they are set to 0 and never read."""


def import_backbone(path: Path, name: str, leave_out: tuple[str, ...] = ()) -> Imported:
    """Read a backbone's weights; the result can be saved for `backbone.weights`.

    Args:
        path: a .pth, .safetensors or .params file.
        name: a key of BACKBONES.
        leave_out: prefixes of names in the file to skip.

    Raises:
        DataError: a tensor is missing, unknown or has the wrong shape.
    """
    stride = RESNET38.output_stride if name == RESNET38.name else 32  # the stride does not affect the weights
    with torch.device("meta"):
        wanted = BACKBONES[name](stride).body.state_dict()
    state = read_published(path)
    unused = {key: value for key, value in state.items() if re.match(HEADS, key) or key.startswith(leave_out)}
    return _checked(path, _used(path, state, unused), unused, wanted, name)


def import_classifier(path: Path, leave_out: tuple[str, ...] = ()) -> Imported:
    """Read PSA's classifier: ResNet38 and `fc8`; the result is the weights of round 0.

    Raises:
        DataError: as for `import_backbone`.
    """
    state = read_published(path)
    classes = len(_expect(path, state, "fc8.weight"))
    with torch.device("meta"):
        wanted = Classifier(build_backbone(RESNET38, pretrained=False), classes).state_dict()
    unused = {key: value for key, value in state.items() if key.startswith(leave_out)}
    return _checked(path, _renamed(_used(path, state, unused)), unused, wanted, "the classifier")


def import_auxsegnet(path: Path, leave_out: tuple[str, ...] = ()) -> Imported:
    """Read the released AuxSegNet; the result is the weights of a round with `network.variant: auxsegnet`.

    Raises:
        DataError: as for `import_backbone`.
    """
    state = read_published(path)
    classes = len(_expect(path, state, "fc8.weight"))
    cross_task = CrossTaskParams(kernel=3)
    network = NetworkParams(
        variant="auxsegnet", channels=len(_expect(path, state, "seg_conv1.weight")), cross_task=cross_task
    )
    with torch.device("meta"):
        wanted = build_auxsegnet(RESNET38, network, classes).state_dict()
    unused = {key: value for key, value in state.items() if re.match(DEAD, key) or key.startswith(leave_out)}
    return _checked(path, _renamed(_used(path, state, unused)), unused, wanted, "the released AuxSegNet")


def read_published(path: Path) -> State:
    """Read a file of weights; names of MXNet and of parallel networks become PSA's names.

    Raises:
        DataError: the file is not readable as weights.
    """
    if path.suffix == ".params":
        return {_from_mxnet(name): torch.from_numpy(a.copy()) for name, a in read_mxnet_params(path).items()}
    return {name.removeprefix("module."): value for name, value in read_state(path).items()}


def published_to_ours(name: str) -> str:
    """Return this project's name of a tensor of the released AuxSegNet or of PSA's classifier."""
    layer, _, entry = name.rpartition(".")
    if layer in _LAYERS:
        return f"{_LAYERS[layer]}.{entry}"
    branch, _, rest = layer.partition("_")
    if branch in _BRANCHES and rest in _BRANCH_LAYERS:
        return f"{_BRANCHES[branch]}.{_BRANCH_LAYERS[rest]}.{entry}"
    return f"backbone.body.{name}"


def _used(path: Path, state: State, unused: State) -> State:
    used = {name: value for name, value in state.items() if name not in unused}
    check_tensors(path, used)
    return used


def _renamed(state: State) -> State:
    renamed = {published_to_ours(name): value for name, value in state.items()}
    linear = renamed.get("classification.linear.weight")
    if linear is not None and linear.shape[2:] == (1, 1):  # published as a 1x1 convolution
        renamed["classification.linear.weight"] = linear.flatten(1)
    return renamed


def _from_mxnet(name: str) -> str:
    """Return PSA's name of a tensor: arg:res4b3_branch2a_weight -> b4_3.conv_branch2a.weight."""
    bare = name.removeprefix("arg:").removeprefix("aux:")
    if match := re.fullmatch(r"(res|bn)(\d)(?:a|b(\d+))_(branch\w+?)_(weight|beta|gamma|moving_mean|moving_var)", bare):
        kind, stage, block, branch, entry = match.groups()
        layer = f"b{stage}_{block}" if block else f"b{stage}"
        return f"{layer}.{'conv' if kind == 'res' else 'bn'}_{branch}.{_MXNET_ENTRIES.get(entry, entry)}"
    layer, _, entry = bare.partition("_")
    return f"{layer}.{_MXNET_ENTRIES.get(entry, entry)}"


def _checked(path: Path, found: State, unused: State, wanted: State, target: str) -> Imported:
    state = with_counters(found, wanted)
    missing = sorted(wanted.keys() - state.keys())
    # a name that matches no rule was treated as one of the backbone's
    unknown = sorted(name.removeprefix("backbone.body.") for name in state.keys() - wanted.keys())
    if missing or unknown:
        raise DataError(
            f"{path}: does not fit {target}: {_list('missing', missing)}; {_list('unknown', unknown)}; "
            "give the weights of that network (--leave-out PREFIX skips tensors whose names start with PREFIX)"
        )
    check_kinds(path, state, wanted)
    if wrong := misfits(state, wanted):
        name = wrong[0]
        raise DataError(
            f"{path}: tensor '{name}' has shape {shape(state, name)}, {target} expects {shape(wanted, name)}"
            f"{and_more(len(wrong))}; give weights of this network"
        )
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    return Imported(state, unused, len(state) - len(found))


def _expect(path: Path, state: State, name: str) -> torch.Tensor:
    if name not in state or state[name].dim() == 0:
        raise DataError(f"{path}: has no tensor '{name}'; --network takes checkpoints of PSA and AuxSegNet")
    return state[name]


def _list(what: str, names: list[str]) -> str:
    return f"{len(names)} tensors {what}" + (f" ({shorten(names, 5)})" if names else "")
