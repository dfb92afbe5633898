"""A round's network as one ONNX file for other programs: RGB bytes in, class of every pixel out.

    input   images          uint8 (B, H, W, 3), RGB, upright; B, H and W are free
    output  classes         uint8 (B, H, W): class indices, 0 = background
            probabilities   float32 (B, C + 1, H, W), summing to 1 over classes

The graph contains normalisation, the resizing of `runtime.max_side` and `min_side`, and `evaluate.recognition`. It is
the prediction at scale 1 without flip and CRF. The classification branch is in it only if `evaluate.recognition` uses
it, the saliency branch only if its affinity refines the segmentation, because the exporter drops what no output needs.

The exporter is torch's tracing one (`dynamo=False`), for two reasons: sizes stay symbolic in code that computes with
them, such as the padding of EfficientNet, and it needs no further package. Large images are reduced by two products
of matrices (`resize_weights`), not by ONNX's Resize; and so are the position embeddings of transformers, whose
interpolation torch does not export at all.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from auxseg.artifacts.atomic import atomic_path
from auxseg.errors import DataError, first_line
from auxseg.maps import upsample
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.inputs import to_tensor
from auxseg.models.resampling import resample
from auxseg.params.runtime import RuntimeParams
from auxseg.prediction import predict, reweight

OPSET = 17
TOLERANCE = 1e-4
"""Largest difference of a probability between ONNX Runtime and torch."""
CHECKED = ((1, 97, 131), (2, 64, 48), (1, 33, 200), (3, 40, 40), (1, 160, 90))
"""Batch, height and width of images that every export is checked with; the graph is traced at another size."""
TRACED = (2, 72, 88)


def checked_sizes(runtime: RuntimeParams) -> tuple[tuple[int, int, int], ...]:
    """Return batch, height and width of the images that an export is checked with; the last ones are reduced."""
    return (*CHECKED, (1, runtime.max_side + 37, 64))


class Deployed(nn.Module):
    """The network with everything before and after it that a prediction at scale 1 needs."""

    def __init__(self, network: AuxSegNet, runtime: RuntimeParams, recognition: float):
        super().__init__()
        self.network, self.runtime, self.recognition = network, runtime, recognition

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return classes, uint8 (B, H, W), and probabilities, (B, C + 1, H, W), of images, uint8 (B, H, W, 3)."""
        pixels = images.permute(0, 3, 1, 2).float()
        size = torch._shape_as_tensor(pixels)[2:]
        height, width = self._network_size(size)
        resized = resize_weights(size[0], height) @ pixels @ resize_weights(size[1], width).T
        outputs = self.network(resized)
        probabilities = torch.softmax(resample(outputs.final_segmentation, resized.shape[2:]), dim=1)
        if self.recognition:
            probabilities = reweight(probabilities, torch.sigmoid(outputs.classification), self.recognition)
        probabilities = resample(probabilities, images.shape[1:3])
        return probabilities.argmax(dim=1).to(torch.uint8), probabilities

    def _network_size(self, size: Tensor) -> tuple[Tensor, Tensor]:
        """Return height and width that the network sees, as `RuntimeParams.factor`, in operations that are traced."""
        exact = size.double()
        longer = exact.max()
        one = torch.ones_like(longer)
        enlarged = torch.maximum(one, (self.runtime.min_side or 0) / longer)
        factor = torch.where(longer > self.runtime.max_side, self.runtime.max_side / longer, enlarged)
        rounded = torch.round(exact * factor).clamp(min=1).long()
        return rounded[0], rounded[1]


def export_onnx(
    path: Path,
    network: AuxSegNet,
    names: Sequence[str],
    values: Sequence[int],
    runtime: RuntimeParams,
    recognition: float,
    source: str,
) -> float:
    """Write the ONNX file, if ONNX Runtime agrees with torch at `checked_sizes`; return the largest difference.

    Args:
        path: of the file; written whole or not at all.
        network: in eval mode, on the CPU.
        names: class names by index, 0 = background.
        values: mask value of every class index.
        runtime: sides between which images are resized.
        recognition: exponent of `reweight`; 0 = none.
        source: what the network is, such as `auxseg r2`.

    Raises:
        DataError: torch cannot export the network with free sizes, or the two differ by more than TOLERANCE.
    """
    deployed = Deployed(network, runtime, recognition).eval()
    with atomic_path(path) as temporary:
        try:
            _trace(temporary, deployed)
        except RuntimeError as error:  # OnnxExporterError is one, and so are the tracer's
            raise DataError(
                f"{path}: not written, because torch cannot export this network ({first_line(error)}); use "
                "`auxseg predict`, or another backbone"
            ) from None
        _add_metadata(temporary, {"classes": list(names), "mask_values": list(values), "source": source})
        try:
            difference = largest_difference(temporary, network, runtime, recognition)
        except Exception as error:  # onnxruntime's errors have no common base
            raise DataError(
                f"{path}: not written, because onnxruntime cannot run the graph ({first_line(error)}); use "
                "`auxseg predict`, or another backbone"
            ) from None
        if not difference <= TOLERANCE:
            raise DataError(
                f"{path}: not written, because ONNX Runtime and torch differ by {difference:.2g} in a probability "
                f"(at most {TOLERANCE:g} is accepted); try another version of onnxruntime"
            )
    return difference


def _trace(path: Path, deployed: Deployed) -> None:
    free = {0: "batch", 1: "height", 2: "width"}
    quiet = mock.patch.object(torch._C, "_jit_onnx_log", lambda *_: None)  # it would print the graph on an error
    with warnings.catch_warnings(), quiet, _CubicByProducts():
        warnings.simplefilter("ignore")  # the tracer warns of every size that becomes part of the graph
        torch.onnx.export(
            deployed,
            (torch.zeros(*TRACED, 3, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["classes", "probabilities"],
            dynamic_axes={"images": free, "classes": free, "probabilities": {0: "batch", 2: "height", 3: "width"}},
        )


class _CubicByProducts(TorchFunctionMode):
    """Inside it, anti-aliased bicubic interpolation is two products of matrices, which can be exported."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if func is F.interpolate and options.get("mode") == "bicubic" and options.get("antialias"):
            maps = args[0]
            height, width = (torch.as_tensor(side) for side in options["size"])
            rows = cubic_weights(maps.shape[2], height)
            return rows @ maps @ cubic_weights(maps.shape[3], width).T
        return func(*args, **options)


def cubic_weights(size: int, target: Tensor) -> Tensor:
    """Return the weights, float (target, size), of torch's anti-aliased bicubic resizing of one side.

    Args:
        size: the side.
        target: the new side, an integer scalar.
    """
    ratio = int(size) / target.double()
    centres = (torch.arange(target).double() + 0.5) * ratio  # type: ignore[call-overload]
    places = torch.arange(int(size)).double() + 0.5
    x = (places[None] - centres[:, None]).abs() / torch.maximum(ratio, torch.ones_like(ratio))
    near = (1.5 * x - 2.5) * x * x + 1  # Keys' cubic with a = -0.5
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
    normalised: Tensor = (weights / weights.sum(dim=1, keepdim=True)).float()
    return normalised


def resize_weights(size: Tensor, target: Tensor) -> Tensor:
    """Return the weights, float (target, size), of torch's bilinear resizing of one side, anti-aliased if it reduces.

    ONNX's own anti-aliased Resize differs from torch by up to 3e-3 in a probability.

    Args:
        size: the side, an integer scalar.
        target: the new side, an integer scalar.
    """
    ratio = size.double() / target.double()
    # the types of arange do not know the tensors that keep a size free in the graph
    centres = (torch.arange(target).double() + 0.5) * ratio  # type: ignore[call-overload]
    places = torch.arange(size).double() + 0.5  # type: ignore[call-overload]
    weights = (1 - (places[None] - centres[:, None]).abs() / torch.maximum(ratio, torch.ones_like(ratio))).clamp(min=0)
    normalised: Tensor = (weights / weights.sum(dim=1, keepdim=True)).float()
    return normalised


def _add_metadata(path: Path, metadata: dict[str, object]) -> None:
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {key: json.dumps(value, ensure_ascii=False) for key, value in metadata.items()})
    onnx.save(model, path)


def largest_difference(path: Path, network: AuxSegNet, runtime: RuntimeParams, recognition: float) -> float:
    """Return the largest difference of a probability between ONNX Runtime and `predict`, over `checked_sizes`."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    largest = 0.0
    for batch, height, width in checked_sizes(runtime):
        images = random.integers(0, 256, (batch, height, width, 3), np.uint8)
        _, found = session.run(None, {"images": images})
        for one, image in zip(found, images, strict=True):
            tensor = to_tensor(image, torch.device("cpu"), runtime)
            _, joined = predict(
                network, tensor, [1.0], flip=False, combine="mean", low_precision=False, recognition=recognition
            )
            largest = max(largest, float(np.abs(upsample(joined.numpy(), height, width) - one).max()))
    return largest
