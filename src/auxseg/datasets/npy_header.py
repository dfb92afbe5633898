"""The header of a `.npy` file, read before numpy reserves memory for the array that it announces."""

import math
from typing import BinaryIO

import numpy as np

from auxseg.errors import DataError


def read_npy_header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of the array that follows. A damaged header can raise almost any exception."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return shape, dtype


def check_announced(shape: tuple[int, ...], dtype: np.dtype, available: int) -> None:
    """Check that a file is as large as its header says, because numpy reserves the memory before it finds out.

    Args:
        shape: of the array, from the header.
        dtype: from the header, not object.
        available: number of bytes of the file.

    Raises:
        DataError: the file is too short; the caller adds its name.
    """
    if math.prod(shape) * dtype.itemsize > available:
        raise DataError(f"its header announces an array of {shape}, which is not there; copy the file again")
