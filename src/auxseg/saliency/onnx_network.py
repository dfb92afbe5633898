"""Providers `u2netp` and `onnx`: a saliency or background-removal network as an ONNX file, on the CPU.

U2-Net-p is the small U2-Net (Qin et al., Pattern Recognition 106, 2020), trained on salient objects (DUTS) without
class labels. Input and output are processed as by its authors and by the package `rembg`, whose export of the weights
is used; U2-Net, IS-Net, BiRefNet and their like differ in size, mean, deviation and range alone. One thing differs from
`rembg`: S stays in floating point, where it rounds to 8 bits at the network's size.
"""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from PIL import Image

from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError, first_line, memory_shortage
from auxseg.params.saliency import OnnxParams, SaliencyParams

U2NETP_SIDE = 320
"""Height and width that U2-Net-p was trained at, and that its published file declares."""

log = logging.getLogger(__name__)


class Handling(NamedTuple):
    """How the input of a network is made, and what its output means."""

    name: str
    """What messages call the network."""
    side: int
    """Height and width of the input, pixels."""
    values: OnnxParams
    """Mean, deviation, output and range."""
    resizable: bool
    """Whether a declared size may be replaced by another one, because all inner sizes follow from the input's."""
    advice: str
    """What to do with a file that does not fit, as the end of a message."""

    @classmethod
    def of(cls, params: SaliencyParams) -> "Handling":
        """Return that of the provider that `params` names, u2netp or onnx."""
        if params.provider == "u2netp":
            advice = "give its .onnx file, or set saliency.path to null for the published weights"
            return cls("U2-Net-p", params.side, OnnxParams(), True, advice)
        advice = "set saliency.side and saliency.onnx as its authors describe it (docs/configuration.md)"
        return cls("a saliency network", params.side, params.onnx, False, advice)


class OnnxNetwork:
    """The network, in this process: its threads work on one image together, so no worker processes are needed."""

    in_processes = False

    def __init__(self, weights: Path, threads: int, handling: Handling):
        """Load the weights.

        Args:
            weights: .onnx file with one input (1, 3, side, side), float32, and an output (1, 1, h, w) or (1, h, w).
            threads: threads within an operator; no more are used at any time.
            handling: size, normalisation and range.

        Raises:
            DataError: the file is not an ONNX network, or has another input.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        # threads that spin while they wait would take cores from other processes
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._handling, self._weights, side = handling, weights, handling.side
        try:
            # the path, not the content, because large networks keep their tensors in files beside it
            model = _resized(weights, side) if handling.resizable and side != U2NETP_SIDE else weights
            # without its fallback, which prints a damaged file's error and tries the same again
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise DataError(
                f"{weights}: not a readable ONNX network ({str(error).splitlines()[0]}); replace the file, "
                f"or {handling.advice}"
            ) from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        wanted = (1, 3, side, side)
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or not _fits(inputs[0].shape, wanted):
            own = inputs[0].shape[-1] if len(inputs) == 1 and inputs[0].shape else None
            if isinstance(own, int) and _fits(inputs[0].shape, (1, 3, own, own)) and not handling.resizable:
                raise DataError(f"{weights}: its input is {own} x {own} pixels; set saliency.side to {own}")
            raise self._other(f"input {', '.join(f'{one.name} {one.type} {one.shape}' for one in inputs)}")
        if handling.values.output >= len(outputs):
            raise self._other(
                f"{len(outputs)} outputs, and saliency.onnx.output is {handling.values.output}, from 0 on"
            )
        self._input, self._output = inputs[0].name, outputs[handling.values.output].name
        log.info("%s: %s, %d threads, input %d x %d", handling.name, weights, threads, side, side)

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return S, float32 (H, W) in [0, 1], of an image, RGB uint8 (H, W, 3)."""
        values = self._handling.values
        try:
            (found,) = self._session.run([self._output], {self._input: preprocess(rgb, self._handling.side, values)})
        except Exception as error:  # onnxruntime's errors have no common base
            if memory_shortage(error):
                raise
            raise self._other(first_line(error)) from None
        shape = getattr(found, "shape", ())
        if (
            getattr(found, "dtype", None) != np.float32
            or len(shape) not in (3, 4)
            or 0 in shape
            or set(shape[:-2]) != {1}
        ):
            raise self._other(f"output {shape or type(found).__name__}")
        if not np.isfinite(found).all():
            raise DataError(
                f"{self._weights}: the network's map of image '{record.id}' contains values that are not "
                "finite numbers (NaN or infinite); replace the file"
            )
        return postprocess(found.reshape(shape[-2:]), rgb.shape[:2], values)

    def _other(self, what: str) -> DataError:
        side = self._handling.side
        return DataError(
            f"{self._weights}: not {self._handling.name}: {what}; it needs one input, float (1, 3, {side}, {side}), "
            f"and an output (1, 1, height, width); {self._handling.advice}"
        )


def _fits(shape: list[int | str | None] | None, wanted: tuple[int, ...]) -> bool:
    """Return whether a declared shape, with names or None for free sides, takes an input of a shape."""
    return (
        shape is not None
        and len(shape) == len(wanted)
        and all(not isinstance(one, int) or one == size for one, size in zip(shape, wanted, strict=True))
    )


def _resized(weights: Path, side: int) -> bytes:
    """Return the ONNX network with a different declared input size; all inner sizes follow from the input's."""
    import onnx  # imported here because the published size does not need it

    model = onnx.load(weights)
    for value in (*model.graph.input, *model.graph.output):
        for dimension in value.type.tensor_type.shape.dim[2:]:
            dimension.dim_value = side
    content: bytes = model.SerializeToString()
    return content


def preprocess(rgb: np.ndarray, side: int, values: OnnxParams) -> np.ndarray:
    """Return the network's input, float32 (1, 3, side, side), of an image, RGB uint8 (H, W, 3).

    The image is resized by Lanczos to side x side without keeping its aspect ratio, divided by the largest value of all
    channels, then normalised: (x - mean) / std.
    """
    resized = np.asarray(Image.fromarray(rgb).resize((side, side), Image.Resampling.LANCZOS))
    scaled = resized / max(float(resized.max()), 1e-6)  # avoids a division by 0 in a black image
    batch: np.ndarray = ((scaled - values.mean) / values.std).transpose(2, 0, 1)[None].astype(np.float32)
    return batch


def postprocess(found: np.ndarray, shape: tuple[int, ...], values: OnnxParams) -> np.ndarray:
    """Return S, float32 of `shape` (H, W), of the network's map, float32 (h, w).

    The map is brought into [0, 1] as `values.range` says, resized by Lanczos and clipped, because Lanczos may
    overshoot. Stretched, a constant map is all 0, which means that nothing stands out.
    """
    if values.range == "stretch":
        low, high = float(found.min()), float(found.max())
        if not high > low:
            return np.zeros(shape, np.float32)
        found = (found - low) / (high - low)
    elif values.range == "logits":
        found = 0.5 * (1 + np.tanh(found / 2))  # the logistic function, without overflow
    image = Image.fromarray(found.astype(np.float32))
    resized = image.resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(resized), 0.0, 1.0)
