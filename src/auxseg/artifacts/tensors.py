"""Dense maps and weights as safetensors files. Equal content gives equal bytes.

safetensors writes several metadata keys in random order, so at most one key is used: `auxseg`, a JSON string. Nothing
is pickled.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from auxseg.artifacts.atomic import atomic_path
from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.once import Members, opened_once
from auxseg.errors import DataError


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Any = None) -> None:
    """Write named arrays and `metadata` (any JSON value), atomically."""
    # not ascontiguousarray: it makes a scalar, such as a batch norm's step counter, one-dimensional
    ordered = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    notes = None if metadata is None else {"auxseg": json.dumps(metadata, sort_keys=True)}
    with atomic_path(path) as temporary:
        try:
            save_file(ordered, temporary, metadata=notes)
        except SafetensorError as error:  # "… No space left on device (os error 28)"
            if (code := re.search(r"os error (\d+)", str(error))) is None:
                raise
            raise OSError(int(code[1]), os.strerror(int(code[1]))) from None


class TensorFile(Members[np.ndarray]):
    """A safetensors file as a read-only mapping; an array is read when it is asked for."""

    def __init__(self, path: Path):
        self.path = Path(path)
        try:
            self._file = safe_open(self.path, framework="np")
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"{self.path}: not a readable safetensors file ({error}); run the stage that writes it again"
            ) from None
        self._names = {name: None for name in self._file.offset_keys()}

    @property
    def metadata(self) -> Any:
        """What `write_tensors` was given as metadata, or None."""
        notes = (self._file.metadata() or {}).get("auxseg")
        with read_whole(self.path):
            return None if notes is None else json.loads(notes)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise DataError(f"{self.path}: does not contain a tensor '{name}'; run the stage that writes it again")
        with read_whole(self.path):
            array: np.ndarray = self._file.get_tensor(name)
            return array


opened_tensors = opened_once(TensorFile)
"""Opening reads the header of the whole shard, so a stage that reads image after image opens each file once."""
