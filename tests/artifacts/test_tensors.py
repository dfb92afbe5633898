"""The bytes of a tensor file depend only on its content, in every process."""

import subprocess
import sys

import numpy as np
import pytest

from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.errors import DataError

CODE = """
import sys
import numpy as np
from auxseg.artifacts.tensors import write_tensors
names = list(set(["b", "a", "image/cam", "c"]))
tensors = {name: np.full((2, 3), len(name), np.float16) for name in names}
write_tensors(sys.argv[1], tensors, {name: 1 for name in names})
"""


def test_processes_with_other_hash_seeds_write_the_same_bytes(tmp_path):
    contents = set()
    for seed in ("0", "1", "2", "3"):
        path = tmp_path / f"{seed}.safetensors"
        subprocess.run([sys.executable, "-c", CODE, str(path)], env={"PYTHONHASHSEED": seed}, check=True)
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_values_types_and_metadata_come_back(tmp_path):
    tensors = {
        "half": np.arange(6, dtype=np.float16).reshape(2, 3),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
        "empty": np.zeros((0, 4), np.uint8),
    }
    write_tensors(tmp_path / "a.safetensors", tensors, {"ids": ["x"], "n": 2})
    stored = TensorFile(tmp_path / "a.safetensors")
    assert sorted(stored) == sorted(tensors)
    assert stored.metadata == {"ids": ["x"], "n": 2}
    for name, value in tensors.items():
        assert stored[name].dtype == value.dtype
        assert np.array_equal(stored[name], value)


def test_rejections_name_the_file_and_the_tensor(tmp_path):
    write_tensors(tmp_path / "a.safetensors", {"x": np.zeros(1)})
    assert TensorFile(tmp_path / "a.safetensors").metadata is None
    with pytest.raises(DataError, match=r"a\.safetensors: does not contain a tensor 'y'"):
        TensorFile(tmp_path / "a.safetensors")["y"]
    (tmp_path / "a.safetensors").write_bytes(b"\x08")
    with pytest.raises(DataError, match=r"a\.safetensors: not a readable safetensors file"):
        TensorFile(tmp_path / "a.safetensors")
