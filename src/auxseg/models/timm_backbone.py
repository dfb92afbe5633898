"""Backbones of the library timm, by name: `backbone.name: timm:<model>`.

Convolutional networks give their last feature map, at the output stride that dilation allows them. Vision transformers
(ViT, DINOv2, DINOv3, CLIP, EVA) give the patches of one block, normalised by the network's last norm; images of any
size are padded to whole patches, and position embeddings are resampled.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from auxseg.counts import and_more
from auxseg.errors import DataError, ParamsError, first_line
from auxseg.models.pretrained import named_state
from auxseg.params.backbone import TIMM, BackboneParams

Part = nn.Module | nn.Parameter


class TimmNetwork(NamedTuple):
    """What a backbone needs of a timm network."""

    body: nn.Module
    """Maps normalised images, (B, 3, H, W), to features, (B, K, h, w)."""
    layers: list[list[Part]]
    """As `auxseg.models.backbones.Backbone` lists them."""
    channels: int
    mean: list[float]
    """Of red, green and blue, in 0..255."""
    std: list[float]
    dense_convolutions: bool


def build_timm(params: BackboneParams, *, pretrained: bool) -> TimmNetwork:
    """Build the network that `backbone.name` names, with random weights or those that `backbone.weights` names.

    Raises:
        ParamsError: timm has no such model, or it has another stride or no such block.
        DataError: its weights cannot be downloaded, or the file does not fit.
    """
    import timm  # imported here because the import takes longer than most stages need for a small shard

    name = params.name.removeprefix(TIMM)
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), n=5)
        raise ParamsError(
            f"params.yaml: key 'backbone.name': timm {timm.__version__} has no model '{name}'"
            + (f"; for example: {', '.join(near)}" if near else "; timm.list_models() lists them")
        )
    given = None
    if pretrained and params.weights != "pretrained":
        given = named_state(params)  # this runs no code of the file, whatever timm would do
    options: dict[str, Any] = {"pretrained": pretrained}
    if given is not None:
        options["pretrained_cfg_overlay"] = {"file": str(Path(params.weights))}
    try:
        network = _created(name, options, num_classes=0, dynamic_img_size=True, dynamic_img_pad=True)
        found = _transformer(network, params) if network is not None else _convolutional(name, options, params)
    except (OSError, RuntimeError) as error:  # the hub's errors are OSErrors, tensors that do not fit RuntimeErrors
        if not pretrained:
            raise
        raise DataError(
            f"backbone.weights: {params.weights}: not available for {params.name} ({first_line(error)}); download them "
            "where there is a network (they are kept in the cache of huggingface_hub), or give a file of this model"
        ) from None
    if given is not None:
        _require_all(params, found.body, given)
    return found


def _require_all(params: BackboneParams, body: nn.Module, given: Mapping[str, Tensor]) -> None:
    """Check that a file has every tensor of the network, because timm takes what fits and leaves the rest random."""

    def plain(name: str) -> str:
        return name.replace("_", ".")  # blocks.0 is blocks_0 where timm takes features between them

    names = {plain(name) for name in given}
    wanted = (name.removeprefix("network.") for name in body.state_dict() if not name.endswith("num_batches_tracked"))
    if missing := [name for name in wanted if plain(name) not in names]:
        raise DataError(
            f"backbone.weights: {params.weights}: has no tensor '{missing[0]}'{and_more(len(missing))} of "
            f"{params.name}; give the file that timm publishes for this model"
        )


def _created(name: str, options: dict[str, Any], **more: Any) -> Any:
    """Return a timm model; None if its kind of network does not take the options `more`."""
    import timm

    try:
        return timm.create_model(name, **options, **more)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        return None
    except NotImplementedError:  # timm's way to say that dilation is not possible
        return None


def _convolutional(name: str, options: dict[str, Any], params: BackboneParams) -> TimmNetwork:
    try:
        network = _created(name, options, features_only=True, output_stride=params.output_stride)
    except AssertionError:  # without a message, for a stride that is not 8, 16 or 32
        raise ParamsError(
            f"params.yaml: key 'backbone.output_stride': {params.name} cannot have stride {params.output_stride}; "
            "convolutional networks take 8, 16 or 32"
        ) from None
    if network is None or not hasattr(network, "feature_info"):
        raise ParamsError(
            f"params.yaml: key 'backbone.name': {params.name} takes neither an output stride nor images of any size; "
            "use a convolutional network, or a transformer with one patch size (ViT, DINOv2, DINOv3, CLIP, EVA)"
        )
    if params.layer is not None:
        raise ParamsError(f"params.yaml: key 'backbone.layer': {params.name} is not a transformer; set it to null")
    _require_stride(params, network.feature_info.reduction()[-1])
    ends = {module.replace(".", "_") for module in network.feature_info.module_name()}
    layers: list[list[Part]] = [[]]
    for child, module in _leaves(network):
        layers[-1].append(module)
        if child in ends:
            layers.append([])
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    dense = all(module.groups == 1 for module in convolutions)
    return TimmNetwork(
        _Last(network),
        [layer for layer in layers if layer],
        network.feature_info.channels()[-1],
        *_statistics(network.pretrained_cfg),
        dense,
    )


def _leaves(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the parts between which timm may take features, `blocks_3` for the fourth of `blocks`."""
    found = []
    for child, module in network.named_children():
        if isinstance(module, nn.Sequential | nn.ModuleList) and child in ("blocks", "stages"):
            found += [(f"{child}_{index}", part) for index, part in enumerate(module)]
        else:
            found.append((child, module))
    return found


def _transformer(network: Any, params: BackboneParams) -> TimmNetwork:
    _require_stride(params, int(network.patch_embed.patch_size[0]))
    count = len(network.blocks)
    if params.layer is not None and params.layer > count:
        raise ParamsError(f"params.yaml: key 'backbone.layer': {params.name} has {count} blocks; set it to 1..{count}")
    last = count if params.layer is None else params.layer
    network.prune_intermediate_layers([last - 1], prune_norm=False, prune_head=True)
    stem: list[Part] = [network.patch_embed]
    stem += [value for _, value in network.named_parameters(recurse=False)]  # class token, registers, positions
    if (norm := getattr(network, "norm_pre", None)) is not None:
        stem.append(norm)
    layers = [stem, *([block] for block in network.blocks)]
    return TimmNetwork(
        _Block(network, last - 1), layers, network.num_features, *_statistics(network.pretrained_cfg), True
    )


def _require_stride(params: BackboneParams, stride: int) -> None:
    if stride != params.output_stride:
        raise ParamsError(f"params.yaml: key 'backbone.output_stride': {params.name} has {stride}; set it to {stride}")


def _statistics(config: dict[str, Any]) -> tuple[list[float], list[float]]:
    return [255 * value for value in config["mean"]], [255 * value for value in config["std"]]


class _Last(nn.Module):
    """The last of a network's feature maps."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        maps: Sequence[Tensor] = self.network(images)
        return maps[-1]


class _Block(nn.Module):
    """The patches of one block of a transformer, as a map."""

    def __init__(self, network: Any, index: int):
        super().__init__()
        self.network = network
        self._index, self._patch = index, int(network.patch_embed.patch_size[0])

    def forward(self, images: Tensor) -> Tensor:
        (found,) = self.network.forward_intermediates(
            images, indices=[self._index], norm=True, output_fmt="NLC", intermediates_only=True
        )
        # timm's own "NCHW" rounds up by way of floats, which would fix the size in an exported graph
        height, width = ((side + self._patch - 1) // self._patch for side in images.shape[2:])
        features: Tensor = found.reshape(images.shape[0], height, width, -1).permute(0, 3, 1, 2)
        return features.contiguous(memory_format=torch.channels_last)
