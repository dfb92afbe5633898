"""What a GPU would be asked for, on a machine without one: tensors of its device that have shapes and no values."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode


class Call(NamedTuple):
    name: str
    args: tuple[Any, ...]


class _Recorded(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls: list[Call] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.namespace == "aten":
            self.calls.append(Call(str(function), args))
        return function(*args, **(kwargs or {}))


def copies(calls: list[Call]) -> list[Call]:
    """Return the copies from the CPU."""
    return [call for call in calls if call.name == "aten._to_copy.default" and call.args[0].device.type == "cpu"]


@contextlib.contextmanager
def on_gpu() -> Iterator[list[Call]]:
    """Make tensors without values in the block, also on "cuda"; yield the calls of torch's kernels as they are made.

    Kernels add in a fixed order where they can, as with `runtime.deterministic`.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with FakeTensorMode(), _Recorded() as recorded:
            yield recorded.calls
    finally:
        torch.use_deterministic_algorithms(False)
