"""Checks of numbers where they enter: weights when they are read, a network's outputs once per image.

NaN passes through a network, a softmax and a file without an error, and an argmax makes a class of it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from auxseg.errors import DataError

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def check_tensors(path: Path, state: Mapping[str, Tensor]) -> None:
    """Check that tensors of a file are plain numbers, whatever network they are for.

    Raises:
        DataError: a tensor is sparse, quantised, complex or without values, or a value is NaN or infinite.
    """
    for name, value in state.items():
        if problem := _problem(value):
            raise DataError(f"{path}: tensor '{name}' {problem}")


def _problem(value: Tensor) -> str:
    save = "save the network's state_dict() with dense tensors of float32"
    if value.device.type == "meta":
        return f"has a shape but no values (device meta); {save}"
    if value.layout != torch.strided or value.is_quantized:
        return f"is {'quantised' if value.is_quantized else 'sparse'}; {save}"
    if value.is_complex() or (value.is_floating_point() and value.dtype not in FLOATS):
        return f"has elements of {_kind(value)}; {save}"
    # a small file may repeat one value along an axis, and a copy of all of them may not fit in memory
    stored = value[tuple(slice(0, 1) if step == 0 else slice(None) for step in value.stride())]
    if value.is_floating_point() and not _is_finite(stored.detach()):
        return (
            "contains values that are not finite numbers (NaN or infinite); its training diverged, or the file is "
            "damaged"
        )
    return ""


def _is_finite(value: Tensor) -> bool:
    # numpy's test takes a fraction of the time of torch's, but numpy has no bfloat16
    return bool(np.isfinite((value.float() if value.dtype == torch.bfloat16 else value).cpu().numpy()).all())


def check_kinds(path: Path, state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Check that tensors are floating point where a network's are.

    Raises:
        DataError: names the first tensor that is not.
    """
    for name, value in state.items():
        if name in wanted and wanted[name].is_floating_point() and not value.is_floating_point():
            raise DataError(
                f"{path}: tensor '{name}' has elements of {_kind(value)}, the network expects {_kind(wanted[name])}; "
                "give weights that are not quantised"
            )


def check_outputs(found: Mapping[str, np.ndarray], image: str) -> None:
    """Check what a network returned for an image, such as `image 'a'`; arrays of whole numbers are left out.

    Raises:
        DataError: a value is NaN or infinite.
    """
    for name, values in found.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError(
                f"{image}: the network's {name} contains values that are not finite numbers (NaN or infinite); its "
                "training diverged: lower optimiser.lr or set optimiser.clip_norm of the stage, and train again"
            )


def _kind(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
