"""Pretrained weights of a backbone: published ones or a file, checked name by name."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from auxseg.counts import and_more
from auxseg.errors import DataError, ParamsError
from auxseg.models.checkpoint_file import load_checkpoint, reject_other_files, unwrapped
from auxseg.models.checks import check_kinds, check_tensors
from auxseg.params.backbone import BackboneParams
from auxseg.params.watched import require_scanned
from auxseg.published import EFFICIENTNET_LITE0, find

State = dict[str, Tensor]
"""Tensors by name, as in nn.Module.state_dict()."""


def pretrained_state(params: BackboneParams, wanted: State) -> State:
    """Return the weights that `params` names, with the names and shapes of `wanted`.

    Raises:
        ParamsError: `backbone.weights` is neither a known word nor a file, or a file that was never scanned.
        DataError: the weights are not available or do not fit.
    """
    state = imagenet_state(params.name) if params.weights == "imagenet" else named_state(params)
    path = Path(params.weights)
    if params.name == "efficientnet_lite0" and "_conv_stem.weight" in state:
        state = _rename_in_order(state, wanted)
    state = {name: value for name, value in state.items() if not name.startswith("fc.")}
    state = with_counters(state, wanted)
    check_kinds(path, state, wanted)
    wrong = misfits(state, wanted)
    if wrong:
        name = wrong[0]
        raise DataError(
            f"backbone.weights: {params.weights}: tensor '{name}' has shape {shape(state, name)}, {params.name} "
            f"expects {shape(wanted, name)}{and_more(len(wrong))}; give weights of this network"
        )
    return state


def named_state(params: BackboneParams) -> State:
    """Return the tensors of the file that `backbone.weights` names; nothing in it is executed.

    Raises:
        ParamsError: it is neither a known word nor a file, or a file that was never scanned.
        DataError: it is not a file of tensors, or a tensor is not of plain numbers.
    """
    path = Path(params.weights)
    if not path.is_file():
        words = "pretrained" if params.is_timm else "imagenet"
        raise ParamsError(
            f"params.yaml: key 'backbone.weights': expected {words}, random or a file, got '{params.weights}'"
        )
    require_scanned(params)
    state = read_state(path)
    check_tensors(path, state)
    return state


def imagenet_state(name: str) -> State:
    """Return ImageNet weights under their publisher's names.

    Raises:
        DataError: they are not available.
    """
    if name == "efficientnet_lite0":
        state: dict[str, Tensor] = torch.load(find(EFFICIENTNET_LITE0), weights_only=True, map_location="cpu")
        return state
    if name == "resnet38":
        raise DataError(
            "backbone.weights: ImageNet weights of resnet38 cannot be downloaded; import the file with `auxseg weights "
            "import FILE --backbone resnet38 --to OUT.safetensors` and give OUT.safetensors"
        )
    import torchvision

    weights = torchvision.models.get_model_weights(name).DEFAULT
    try:
        downloaded: dict[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True)
        return downloaded
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"backbone.weights: ImageNet weights of {name} could not be downloaded ({error}); give a file, or 'random'"
        ) from None


def read_state(path: Path) -> State:
    """Read a .safetensors file, or a torch state dict, also inside a checkpoint. Nothing in it is executed.

    Raises:
        DataError: it is neither.
    """
    from safetensors.torch import load_file

    reject_other_files(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = unwrapped(load_checkpoint(path))
    except DataError:
        raise
    except Exception as error:  # every reader has its own exceptions for a damaged file
        # torch's message is not passed on: it talks about internals, or advises to load the file and run its code
        cause = "it contains code or objects" if "weights_only" in str(error).lower() else "damaged, or another format"
        raise DataError(
            f"{path}: not readable as weights ({cause}); give a state dict (tensors by name) as .safetensors or .pth"
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise DataError(f"{path}: not a state dict (tensors by name); save only the network's state_dict()")
    return dict(state)


def with_counters(state: State, wanted: State) -> State:
    """Add batch norm's step counters as zeros; old files lack them and nothing here reads them."""
    counters = [name for name in wanted if name.endswith("num_batches_tracked")]
    return {name: torch.zeros((), dtype=torch.int64) for name in counters} | state


def misfits(state: State, wanted: State) -> list[str]:
    """Return the sorted names that one of the two lacks, or that differ in shape."""
    return sorted(name for name in wanted.keys() | state.keys() if shape(wanted, name) != shape(state, name))


def shape(state: State, name: str) -> tuple[int, ...] | None:
    """Return a tensor's shape, or None if there is no such tensor."""
    return tuple(state[name].shape) if name in state else None


def _rename_in_order(state: State, wanted: State) -> State:
    # The package (_blocks.0._depthwise_conv) and timm (blocks.0.0.conv_dw) name the same layers in the same order; the
    # caller compares the shapes. The last two entries are the ImageNet classifier.
    values = {name: value for name, value in state.items() if not name.startswith("_fc.")}
    if len(values) != len(wanted):
        return values  # another network: the caller reports the first tensor that does not fit
    return dict(zip(wanted, values.values(), strict=True))
