"""Provider `u2netp`: the small U2-Net (Qin et al., Pattern Recognition 106, 2020) as ONNX, on the CPU.

Trained on salient objects (DUTS), without class labels. Input and output are processed as by the authors and by the
package `rembg`, whose export of the weights is used. One thing differs: S stays in floating point, where `rembg` rounds
to 8 bits at 320x320.
"""

import logging
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from auxseg.datasets.manifest import ImageRecord
from auxseg.errors import DataError, first_line, memory_shortage

SIDE = 320
"""Height and width that the network was trained at, and that the published file declares."""

MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])

log = logging.getLogger(__name__)


class U2NetP:
    """The network, in this process: its threads work on one image together, so no worker processes are needed."""

    in_processes = False

    def __init__(self, weights: Path, threads: int, side: int = SIDE):
        """Load the weights.

        Args:
            weights: .onnx file with input (1, 3, 320, 320) and first output d0, (1, 1, 320, 320).
            threads: threads within an operator; no more are used at any time.
            side: height and width of the input in pixels, instead of 320.

        Raises:
            DataError: the file is not an ONNX network.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        # threads that spin while they wait would take cores from other processes
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._side = side
        try:
            model = weights if side == SIDE else _resized(weights, side)
            # without its fallback, which prints a damaged file's error and tries the same again
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise DataError(
                f"{weights}: not a readable ONNX network ({str(error).splitlines()[0]}); replace the file, "
                "or set saliency.path to null for the published weights"
            ) from None
        self._weights = weights
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        wanted = (1, 3, side, side)
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or not _fits(inputs[0].shape, wanted) or not outputs:
            raise self._other(f"input {', '.join(f'{one.name} {one.type} {one.shape}' for one in inputs)}")
        self._input, self._output = inputs[0].name, outputs[0].name
        log.info("u2netp: %s, %d threads, input %d x %d", weights, threads, side, side)

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return S, float32 (H, W) in [0, 1], of an image, RGB uint8 (H, W, 3)."""
        try:
            (d0,) = self._session.run([self._output], {self._input: preprocess(rgb, self._side)})
        except Exception as error:  # onnxruntime's errors have no common base
            if memory_shortage(error):
                raise
            raise self._other(first_line(error)) from None
        if getattr(d0, "dtype", None) != np.float32 or d0.shape[:2] != (1, 1) or d0.ndim != 4 or 0 in d0.shape:
            raise self._other(f"output {getattr(d0, 'shape', type(d0).__name__)}")
        if not np.isfinite(d0).all():
            raise DataError(
                f"{self._weights}: the network's map of image '{record.id if record else ''}' contains values that are "
                "no numbers (NaN or infinite); replace the file"
            )
        return postprocess(d0[0, 0], rgb.shape[:2])

    def _other(self, what: str) -> DataError:
        return DataError(
            f"{self._weights}: not U2-Net-p: {what}; it needs one input, float (1, 3, {self._side}, {self._side}), and "
            "a first output (1, 1, height, width); give its .onnx file, or set saliency.path to null"
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


def preprocess(rgb: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the network's input, float32 (1, 3, side, side), of an image, RGB uint8 (H, W, 3).

    The image is resized by Lanczos to side x side without keeping its aspect ratio, divided by the largest value of all
    channels, then normalised: (x - mean) / std.
    """
    resized = np.asarray(Image.fromarray(rgb).resize((side, side), Image.Resampling.LANCZOS))
    scaled = resized / max(float(resized.max()), 1e-6)  # avoids a division by 0 in a black image
    batch: np.ndarray = ((scaled - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)
    return batch


def postprocess(d0: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return S, float32 of `shape` (H, W), of the network's map d0, float32 (side, side).

    S = (d0 - min) / (max - min), resized by Lanczos and clipped to [0, 1], because Lanczos may overshoot. All 0 if d0
    is constant, which means that nothing stands out.
    """
    low, high = float(d0.min()), float(d0.max())
    if not high > low:
        return np.zeros(shape, np.float32)
    image = Image.fromarray(((d0 - low) / (high - low)).astype(np.float32))
    resized = image.resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(resized), 0.0, 1.0)
